"""The product in one thread and in virtual time: it steps what waits and sends what may leave, as its loops do.

Interpreter, ledger, policy, statements and the transactions around a send are the product's own; left out are
threads, sockets, tokens and the platforms' wire formats. It may die at any point of its fuse and is then begun
again from the database alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.effects import SendMessage
from bot.core.events import Event
from bot.core.ids import CustomerId
from bot.core.program import Program
from bot.errors import BotError, ChannelError
from bot.runtime import dispatch, settling
from bot.runtime.bugs import kind_of, place_of
from bot.runtime.schedules import LOOK_EVERY, STRETCHES_MAX, Occasions
from bot.runtime.stepping import Stepper
from bot.sandbox.clock import VirtualClock
from bot.sandbox.trials import errands
from bot.sandbox.trials.errands import Partners
from bot.sandbox.trials.fuse import Crashed, Fuse
from bot.sandbox.trials.outside import Outside
from bot.storage import Leased, OutboxLine, Room, Transaction
from bot.storage.memory import MemoryDatabase

ROUNDS_MAX = 1_000
"""Rounds of stepping and sending at one moment; beyond, the product answers itself without end."""
MOMENTS_MAX = 200_000
"""Moments at which something was due while the clock was turned once; beyond, something rings without end."""
LEASE_FOR = timedelta(seconds=60)
ROOM = Room(slots=32)
STUCK_STEP = timedelta(seconds=1)
QUIET_PARTS = 8
"""Looks at whom time alone leads into a segment come every hour at first, and later each after this part of the time
for which nobody has done anything, and at the end of every wait: a thousand quiet days are some eighty looks."""
"""How far the clock goes when something is due that cannot be done."""


class NeverQuiet(BotError):
    """There was no end of things to do."""

    code = "never_quiet"


class Broken(BotError):
    """A step failed by a bug of the program: the lane is parked, as in production."""

    code = "broken"


@dataclass(slots=True, kw_only=True)
class Premises:
    """What outlives the product: the database, the clock, and the world outside."""

    database: MemoryDatabase
    clock: VirtualClock
    outside: Outside
    partners: Partners
    program: Program
    accounts: tuple[tuple[str, str], ...]


class House:
    """The product, one life after the other. `fuse`: where it dies."""

    def __init__(self, premises: Premises, fuse: Fuse) -> None:
        self._at = premises
        self.fuse = fuse
        self._room = dict.fromkeys(premises.accounts, ROOM)
        self._epoch = 0
        self._worker = ""
        self._occasions = Occasions(premises.program)
        self._target = self._heard_at = premises.clock.now()
        self.lives = 0
        self._rise()

    def accept(self, events: Sequence[Event], *, addressed: Sequence[tuple[CustomerId, Event]] = ()) -> None:
        """Commit what came in, then do all that follows from it at this moment.

        Broken: a step failed by a bug. NeverQuiet: there was no end.
        """
        self._heard_at = self._at.clock.now()
        with self._at.database.writing() as tx:
            tx.lanes.ingest(events, received_at=self._heard_at, addressed=addressed)
        self.work()

    def work(self) -> None:
        """Do what can be done at this moment; a process that dies over it is begun again. Raises as `accept`."""
        while True:
            try:
                self._until_quiet()
            except Crashed:
                self._rise()
            else:
                return

    def turn_to(self, at: datetime) -> None:
        """Turn the clock to `at`, stopping at every due moment on the way (delivery.md 6.2). Raises as `accept`."""
        self._target = at
        self.work()
        for _ in range(MOMENTS_MAX):
            due = self._next_due()
            if due is None or due >= at:
                break
            now = self._at.clock.now()
            self._at.clock.set(due if due > now else now + STUCK_STEP)
            self.work()
        else:
            raise NeverQuiet(f"到 {at.isoformat()} 之前有超过 {MOMENTS_MAX} 个到期时刻")
        self._at.clock.set(max(at, self._at.clock.now()))
        self.work()

    def _next_due(self) -> datetime | None:
        return self._at.database.glance.quiet.next_due(self._at.clock.now())

    def _rise(self) -> None:
        """Begin a life: what the last one was sending is unknown, what it had leased is ready again."""
        self.lives += 1
        self._at.database.let_go()
        with self._at.database.writing() as tx:
            self._epoch = tx.begin_epoch()
            self._worker = f"epoch {self._epoch}"
            self._settle_lost(tx, tx.outbox.recover(self._epoch))
            tx.errands.recover()
        self._occasions = Occasions(self._at.program)
        self._look_at_the_clock()

    def _settle_lost(self, tx: Transaction, lines: Iterable[OutboxLine]) -> None:
        desk = self._desk()
        for line in lines:
            settling.settle_unknown(tx, settling.attempt_of(line), desk, repeat_at=desk.now)

    def _desk(self) -> dispatch.Circumstances:
        return dispatch.Circumstances(
            program=self._at.program, now=self._at.clock.now(), worker=self._worker, epoch=self._epoch
        )

    def _until_quiet(self) -> None:
        for _ in range(ROUNDS_MAX):
            if self._at.database.glance.quiet.quiescent(self._at.clock.now()):
                return
            self._look_at_the_clock()
            self._step()
            self._send()
            self._run_errands()
        raise NeverQuiet(f"同一时刻来回了 {ROUNDS_MAX} 次，还没有停")

    def _run_errands(self) -> None:
        at = self._at
        if at.database.glance.errands.anything(at.clock.now()):
            errands.run(at.database, at.program, at.partners, worker=self._worker, epoch=self._epoch)

    def _look_at_the_clock(self) -> None:
        """Schedules whose moment has come, and segments that time alone leads into."""
        occasions, more = self._occasions, not self._occasions.idle
        occasions.look_every = self._patience()
        for _ in range(STRETCHES_MAX):
            if not more:
                return
            with self._at.database.writing() as tx:
                more = occasions.stretch(tx)
            occasions.planned = True

    def _patience(self) -> timedelta:
        """How long until the next look at segments: no longer than until the end of the wait."""
        now = self._at.clock.now()
        left = self._target - now
        wanted = max(LOOK_EVERY, (now - self._heard_at) / QUIET_PARTS)
        return min(wanted, left) if left > timedelta(0) else LOOK_EVERY

    def _step(self) -> None:
        with self._at.database.writing() as tx:
            stepper = Stepper(tx, self._at.program, self._at.clock.now())
            batch = stepper.run(stepper.waiting())
            if batch.worked:
                self.fuse.reach("C1")
        if batch.parked:
            bug = batch.parked[0].bug
            raise Broken(f"程序出错：{kind_of(bug)}，{place_of(bug)}") from bug
        if batch.effects:
            self.fuse.reach("C2")

    def _send(self) -> None:
        """Let everything leave that may leave now, one message of a conversation at a time."""
        begun = self._begin()
        under_way = [one.row.effect for one in begun]
        for one in begun:
            self.fuse.reach("C3", under_way)
            self._deliver(one, under_way)
            under_way.pop(0)

    def _begin(self) -> list[dispatch.Begun]:
        now = self._at.clock.now()
        if not self._at.database.glance.quiet.sendable(now):
            return []
        with self._at.database.writing() as tx:
            settling.expire(tx, now=now)
            leased = tx.outbox.lease(now, worker=self._worker, hold=LEASE_FOR, limits=self._room)
            if not leased:
                return []
            found = dispatch.begin_all(tx, leased, self._desk())
            self._give_back(tx, leased, found)
        return [one for one in found if isinstance(one, dispatch.Begun)]

    def _give_back(
        self, tx: Transaction, leased: Sequence[Leased], found: Sequence[dispatch.Begun | dispatch.Standing]
    ) -> None:
        for row, one in zip(leased, found, strict=True):
            if one is dispatch.TAKEN_BACK:
                tx.outbox.release(row.effect.effect_id, worker=self._worker)

    def _deliver(self, begun: dispatch.Begun, under_way: Sequence[SendMessage]) -> None:
        try:
            accepted = self._at.outside.take(begun.row.effect, self._at.clock.now())
        except ChannelError as error:
            self.fuse.reach("C4", under_way)
            with self._at.database.writing() as tx:
                settling.settle_error(tx, begun, error, self._desk())
            return
        self.fuse.reach("C4", under_way)
        with self._at.database.writing() as tx:
            settling.settle_accepted(tx, begun, accepted)
