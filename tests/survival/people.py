"""The platforms and everybody on them, in a process that nobody kills.

Everything that crosses the border stands in the platforms' log, synced line by line, and so does every blow of a fault.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import TypeAlias

from bot.sandbox.clock import VirtualClock
from bot.sandbox.emulator import Conduct, Emulator, EmulatorSettings, OaSettings, Template, WecomSettings
from tests.survival import pace
from tests.survival.buyers import Crowd
from tests.survival.faults import script
from tests.survival.gate import Gate

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
MEMBERS = {f"s{number:02d}": f"顾问s{number:02d}" for number in range(40)}
REPORT_EVERY_S = 0.1
STANDSTILL_S = 1.0
"""When this process was away for so long, the platforms were: noted in `standstills.jsonl`."""
CALM_S = 600.0
"""How long the last retries of callbacks may take before the run is given up."""


@dataclass(frozen=True, kw_only=True)
class Begin:
    """Open the platforms for a product at `callback`, and let buyers write `events` times."""

    run: str
    callback: str
    directory: Path
    events: int
    at_once: int
    open_max: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Spoil:
    """Let something go wrong on the platforms: a name of `FAULTS`, and the number of this order."""

    fault: str
    running: int


@dataclass(frozen=True, kw_only=True)
class Allow:
    """People may go on until they have acted `events` times, and then wait."""

    events: int


@dataclass(frozen=True, kw_only=True)
class Open:
    """So many messages wait at the product for their turn."""

    messages: int


@dataclass(frozen=True, kw_only=True)
class Enough:
    """Nobody begins anything new."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The platforms listen at `base_url`."""

    base_url: str


@dataclass(frozen=True, kw_only=True)
class Written:
    """Buyers and colleagues have acted `events` times by now, and the product has taken `taken` callbacks in.

    `done`: they have said all, and all was delivered.
    """

    events: int
    taken: int = 0
    done: bool = False


Order: TypeAlias = Begin | Spoil | Allow | Open | Enough
News: TypeAlias = Opened | Written


def settings(run: str) -> EmulatorSettings:
    """What the platforms know of our accounts. Callbacks are repeated as in reality: three times, 5 s apart.

    Tokens are those of this `run`, so that a product never takes what the people of another run write.
    """
    oa = OaSettings(
        name="main",
        app_id="wxmain",
        secret="oa-secret",
        token=f"oaToken{run}",
        aes_key=AES_KEY,
        gh_id="gh_main",
        templates=(Template(template_id="TEMPLATE1", title="进度"),),
    )
    wecom = WecomSettings(
        name="main",
        corp_id="wwmain",
        agent_id=1000002,
        secret="app-secret",
        token=f"appToken{run}",
        aes_key=AES_KEY,
        members=MEMBERS,
    )
    return EmulatorSettings(oa=(oa,), wecom=(wecom,), conduct=Conduct())


def serve(orders: Connection) -> None:
    """Carry out orders until the other end is closed."""
    asyncio.run(_serve(orders))


async def _serve(orders: Connection) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    stage = _Stage(orders.send)

    def readable() -> None:
        try:
            order: Order = orders.recv()
        except EOFError:
            loop.remove_reader(orders.fileno())
            ended.set()
            return
        stage.hear(order)

    loop.add_reader(orders.fileno(), readable)
    await ended.wait()


class _Stage:
    def __init__(self, tell: Callable[[News], None]) -> None:
        self._tell = tell
        self._tasks: set[asyncio.Task[None]] = set()
        self._emulator: Emulator | None = None
        self._crowd: Crowd | None = None

    def hear(self, order: Order) -> None:
        match order:
            case Begin():
                work = self._begin(order)
            case Spoil(fault=fault, running=running):
                if self._emulator is not None:
                    self._emulator.faults.add(script(fault, running))
                return
            case Allow(events=events):
                if self._crowd is not None:
                    self._crowd.allowed = events
                return
            case Open(messages=messages):
                if self._crowd is not None:
                    self._crowd.gate.messages = messages
                return
            case Enough():
                if self._crowd is not None:
                    self._crowd.events_max = 0
                return
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begin(self, order: Begin) -> None:
        log = order.directory / "platforms.jsonl"
        emulator = Emulator(settings=settings(order.run), clock=VirtualClock(flowing=True), log_path=log)
        self._emulator = emulator
        base_url = await emulator.start()
        for platform in ("oa", "wecom"):
            emulator.set_callback(platform, "main", f"{order.callback}/callback/{platform}/main")
        self._tell(Opened(base_url=base_url))
        crowd = Crowd(
            emulator,
            events_max=order.events,
            random=Random(order.seed),
            members=tuple(MEMBERS),
            gate=Gate(order.open_max),
        )
        self._crowd = crowd
        counting = asyncio.create_task(self._count(crowd, order.directory / "standstills.jsonl"))
        await crowd.run(order.at_once)
        async with asyncio.timeout(CALM_S):
            await emulator.idle()
        counting.cancel()
        self._tell(Written(events=crowd.events, taken=emulator.answered(), done=True))

    async def _count(self, crowd: Crowd, standstills: Path) -> None:
        """Tell how far people are, and note when this process could not run: nobody was answered meanwhile."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await pace.passes(REPORT_EVERY_S)
            away_s = loop.time() - began - REPORT_EVERY_S
            if away_s > STANDSTILL_S:
                with standstills.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"until": datetime.now(UTC).isoformat(), "away_s": away_s}) + "\n")
            crowd.gate.callbacks = crowd.emulator.waiting()
            self._tell(Written(events=crowd.events, taken=crowd.emulator.answered()))
