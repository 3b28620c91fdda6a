"""The product as one process of the simulation: started, killed, started again on the same disk."""

import asyncio
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.app.accounts import callbacks_of, senders_of
from bot.channels.oa.sender import OaSender
from bot.config import Config
from bot.core.events import Event
from bot.core.program import Program
from bot.errors import BotError
from bot.runtime.care import Upkeep
from bot.runtime.clocks import Clocks, MachinePair
from bot.runtime.engine import Engine
from bot.runtime.live import Live
from bot.runtime.metrics import Metrics
from bot.runtime.ports import Callbacks, Caller, Query
from bot.storage import KeyRing
from bot.web.body import Limits
from bot.web.webhook import Callback, Webhook
from tests.simulation.carrier import Envelope, Said
from tests.simulation.clocks import LoopAlarm, LoopClock
from tests.simulation.disk import Disk
from tests.simulation.loop import Killed, Life, VirtualLoop
from tests.simulation.storage import InlineStorage, Trouble, Witness
from tests.simulation.wire import Addressed, InlineWire, Line

RESTART_S = (0.2, 2.0, 20.0, 400.0)
LIVES_MAX = 200


@dataclass(frozen=True, slots=True)
class Noted:
    """The receiving half of an account, that also notes which events a body holds. Implements `Callbacks`."""

    within: Callbacks
    note: Callable[[bytes, tuple[Event, ...]], None]

    @property
    def account(self) -> str:
        return self.within.account

    @property
    def acknowledgement(self) -> str:
        return self.within.acknowledgement

    def verify(self, query: Query, now: datetime) -> str:
        return self.within.verify(query, now)

    def is_forged(self, query: Query) -> bool:
        return self.within.is_forged(query)

    def reread(self, body: bytes) -> tuple[Event, ...]:
        return self.within.reread(body)

    def decode(self, query: Query, body: bytes, now: datetime) -> tuple[Event, ...]:
        events = self.within.decode(query, body, now)
        self.note(body, events)
        return events


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What every life of the product is made of."""

    loop: VirtualLoop
    config: Config
    program: Program
    keys: KeyRing
    clock: LoopClock
    disk: Disk
    trouble: Trouble
    witness: Witness
    line: Line
    note: Callable[[bytes, tuple[Event, ...]], None]
    partner: Caller


class PatientEngine(Engine):
    """The engine, that does not ask what it knows: while nothing is written, what is due next stays the same."""

    storage: InlineStorage
    _known: tuple[int, datetime, datetime | None] | None = None

    async def next_due(self) -> datetime | None:
        now = self.clock.now()
        if self._known is not None:
            changes, since, due_at = self._known
            if changes == self.storage.changes and since <= now and (due_at is None or now < due_at):
                return due_at
        due_at, asked_at = await self.storage.read(lambda tx: (tx.quiet.next_due(tx.now), tx.now))
        self._known = (self.storage.changes, asked_at, due_at)
        return due_at

    async def _quiescent(self) -> bool:
        due_at = await self.next_due()
        return due_at is None or due_at > self.clock.now()


@dataclass(slots=True, kw_only=True)
class Running:
    """One life at work."""

    life: Life
    storage: InlineStorage
    engine: Engine
    webhook: Webhook
    callbacks: Mapping[tuple[str, str], Callbacks]


@dataclass(slots=True, kw_only=True)
class Product:
    """One life after the other. `fuses`: how long the next lives last; `died` is told of each end."""

    parts: Parts
    fuses: list[int]
    rest_s: Callable[[], float]
    died: Callable[[str], None]
    running: Running | None = None
    life: Life | None = None
    lives: int = 0
    graveyard: list[object] = field(default_factory=list)

    def boot(self) -> None:
        """Begin the next life."""
        self.lives += 1
        life = Life(fuse=self.fuses.pop(0) if self.fuses else None)
        self.life = life
        life.on_death.append(lambda: self._buried(life))
        task = self.parts.loop.begin(life, self._live(life))
        task.add_done_callback(_raise_bug)
        self.graveyard.append(task)

    def ring(self) -> None:
        """Let the poll of the product's alarm come now, if it is running."""
        if self.running is not None:
            self.running.life.run(self.running.engine.wake)

    async def _live(self, life: Life) -> None:
        parts = self.parts
        storage = InlineStorage(
            parts.disk, keys=parts.keys, clock_now=parts.clock.now, trouble=parts.trouble, witness=parts.witness
        )
        metrics = Metrics()
        wire = InlineWire(parts.line)
        shipped = senders_of(parts.config, wire, parts.clock, storage)
        senders = {name: Addressed(within=one) for name, one in shipped.items()}
        engine = PatientEngine(
            storage, live=Live(program=parts.program), clock=parts.clock, senders=senders, metrics=metrics
        )
        followers = {name: one for name, one in shipped.items() if isinstance(one, OaSender)}
        machine = MachinePair(wall=parts.clock.now, monotonic=parts.loop.time)
        engine._accounts.monotonic = parts.loop.time
        engine._alarm = LoopAlarm(parts.clock, engine.wake, parts.loop)  # type: ignore[assignment]  # rings as it does
        try:
            await engine.start(Upkeep(followers=followers, clocks=Clocks(machine)), caller=parts.partner)
        except BotError as error:
            self.died(f"cannot start: {error.what}")
            life.end()
            return
        callbacks: dict[tuple[str, str], Callbacks] = {
            name: Noted(one, parts.note) for name, one in callbacks_of(parts.config).items()
        }
        webhook = Webhook(accounts=callbacks, lanes=engine.lanes, clock=parts.clock, metrics=metrics, limits=Limits())
        self.running = Running(life=life, storage=storage, engine=engine, webhook=webhook, callbacks=callbacks)

    def _buried(self, life: Life) -> None:
        self.graveyard.append((life, self.running))
        self.running = None
        self.parts.disk.let_go()
        self.died("killed")
        assert self.lives < LIVES_MAX, "the product dies again and again"
        self.parts.loop.later(self.rest_s(), self.boot)

    async def take(self, envelope: Envelope) -> Said:
        """What the product answers to one callback; status 0 when it is not there, or dies over it."""
        running = self.running
        if running is None:
            return Said(status=0)
        answered: asyncio.Future[Said] = self.parts.loop.create_future()
        broken = _breaker(answered)
        running.life.on_death.append(broken)
        self.graveyard.append(self.parts.loop.begin(running.life, self._serve(running, envelope, answered)))
        said = await answered
        if broken in running.life.on_death:
            running.life.on_death.remove(broken)
        return said

    async def _serve(self, running: Running, envelope: Envelope, answered: "asyncio.Future[Said]") -> None:
        channel = "oa" if envelope.channel == "oa" else "app"
        callback = Callback(
            channel=channel,  # type: ignore[arg-type]  # one of the two, as just said
            account=envelope.account,
            callbacks=running.callbacks[channel, envelope.account],
            query=envelope.query,
        )
        response = await running.webhook._take(callback, envelope.body)
        body = response.body
        if not answered.done():
            answered.set_result(Said(status=response.status, body=body if isinstance(body, bytes) else b""))


def _raise_bug(task: "asyncio.Task[None]") -> None:
    """A start that fails for another reason than the disk is a bug of ours, and ends the simulation."""
    bug = task.exception()
    if bug is not None and not isinstance(bug, Killed):
        traceback.print_exception(bug)
        raise SystemExit("the product cannot start")


def _breaker(answered: "asyncio.Future[Said]") -> Callable[[], None]:
    def broken() -> None:
        if not answered.done():
            answered.set_result(Said(status=0))

    return broken
