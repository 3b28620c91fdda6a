"""An engine on a database of a test's, with a platform and clocks that the test holds in its hands."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.core.effects import SendMessage
from bot.core.events import Event
from bot.core.program import Program
from bot.runtime.care import Upkeep
from bot.runtime.clocks import Clocks, MachinePair
from bot.runtime.engine import Engine
from bot.runtime.live import Live
from bot.runtime.metrics import Metrics
from bot.runtime.ports import Accepted
from bot.storage import Storage
from tests.storage.makers import TurnedClock, event

HELLO = ["welcome", "ask-need"]


class Platform:
    """A sending half whose requests wait while its gate is shut. `preparing` is called before each."""

    in_flight_max = 4
    trouble: str | None = None

    def __init__(self, channel: str = "oa") -> None:
        self.channel, self.account = channel, "main"
        self.asked: list[str] = []
        self.preparing: Callable[[], None] = lambda: None
        self.gate, self.reached = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def prepare(self) -> None:
        self.preparing()

    async def send(self, effect: SendMessage) -> Accepted:
        self.asked.append(effect.content)
        self.reached.set()
        await self.gate.wait()
        return Accepted()


def engine_of(storage: Storage, clock: TurnedClock, program: Program, *, sender: Platform) -> Engine:
    senders = {(sender.channel, sender.account): sender}
    return Engine(storage, live=Live(program=program), clock=clock, senders=senders, metrics=Metrics())


@asynccontextmanager
async def running(
    storage: Storage, clock: TurnedClock, program: Program, *, sender: Platform, upkeep: Upkeep | None = None
) -> AsyncIterator[Engine]:
    engine = engine_of(storage, clock, program, sender=sender)
    await engine.start(upkeep)
    try:
        yield engine
    finally:
        sender.gate.set()
        await engine.stop()


def follow(sender: str = "oAnna", *, at: float = 0) -> Event:
    return replace(event(f"{sender} follows at {at}", sender=sender, at=at), type="oa.follow", fields={"scene": None})


async def states(storage: Storage) -> dict[str, int]:
    found = await storage.read(lambda tx: tx.outbox.states())
    return {str(name): count for name, count in found.items()}


class Machine:
    """The machine's real clocks, the wall clock set wrong by as much as a test likes."""

    def __init__(self) -> None:
        self.off = timedelta(0)

    def clocks(self) -> Clocks:
        return Clocks(MachinePair(wall=lambda: datetime.now(UTC) + self.off))
