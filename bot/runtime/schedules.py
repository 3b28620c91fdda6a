"""What comes by the clock alone: schedules of journeys, and looks at segments that time leads into.

Every moment is a row. It is worked off in stretches of customers, each in a transaction of its own, and what it
finds goes into their lanes as events whose ids are the same however often it is found. A program's moments are
planned, and what it searches is written down for everybody, before anything is searched.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from bot.core.audiences import Audiences, KeptEvents, Schedule, Watched, audiences_of
from bot.core.cron import parse_cron
from bot.core.customer import Customer
from bot.core.events import Event
from bot.core.expressions.values import EvaluationFault
from bot.core.ids import CustomerId
from bot.core.program import Program
from bot.core.step.entering import SCHEDULE_DUE
from bot.runtime.live import Live
from bot.runtime.parking import set_aside, tell_aside
from bot.runtime.ports import Clock
from bot.runtime.segments import entered_events, ingest_own, looker, own_event
from bot.storage import Among, JournalLine, Moment, Occurrence, Priority, Storage, Transaction

LOOK_EVERY = timedelta(hours=1)
"""How often it is looked at whom time alone has led into a segment."""
LATE_MAX = timedelta(days=1)
"""A moment that is longer past is left out, with a warning; of several that were missed only the earliest comes."""
IDS_OF_ONE_STRETCH = 2_000
"""Customers among whom one transaction searches; the writer is held for some milliseconds."""
TOLD_IN_ONE_STRETCH = 200
"""Customers whom one transaction tells that a moment has come; the next one goes on behind the last of them."""
LOOKED_AT_IN_ONE_STRETCH = 50
"""Customers whose rows one transaction opens because a segment may begin or cease to hold for them."""
FILLED_IN_ONE_STRETCH = 100
"""Customers whose rows one transaction opens to write down what is searched of them."""
STRETCHES_MAX = 2_000
"""Transactions of one round; what is left goes on at the next ring."""

FORGET_EVERY = timedelta(days=1)
KEPT_LONGER = timedelta(days=1)
"""Events are kept so much longer than anybody counts them."""
FORGOTTEN_AT_ONCE = 500

_SCHEDULE, _LOOK = "schedule", "look"
_SWEEP = "sweep"
"""Stands among what is written down for everybody while that which is not searched any more is taken away."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Occasions:
    """Works off what has come by the clock, for one program, in transactions that are handed to it.

    `look_every`: how long until the next look at whom time alone leads into a segment; virtual time takes larger steps.
    `filled`: what is searched stands there for everybody, and nothing else does. `told_max`, `looked_at_max`: customers
    in one stretch.
    """

    program: Program
    planned: bool = False
    look_every: timedelta = LOOK_EVERY
    filled: bool = False
    told_max: int = TOLD_IN_ONE_STRETCH
    looked_at_max: int = LOOKED_AT_IN_ONE_STRETCH

    @property
    def audiences(self) -> Audiences:
        return self.program.kept(Audiences, audiences_of)

    @property
    def idle(self) -> bool:
        """Whether nothing of this program ever comes by the clock, and what came of others was put away."""
        return self.planned and self.filled and not self._by_name()

    def plan(self, tx: Transaction) -> None:
        """Write down the next moment of everything that is new, and put away what is no more.

        What a program does not search is taken away: an attribute may have become personal, and what is not kept up
        would be wrong when it is searched again.
        """
        names, open_names = self._by_name(), tx.occurrences.open_names()
        for name in sorted(open_names - names.keys()):
            tx.occurrences.forget(name)
        for name in sorted(names.keys() - open_names):
            next_at = self._next(names[name], tx.now)
            if next_at is not None:
                tx.occurrences.plan(name, next_at)
        wanted, kept = self.audiences.searched.names(), {fill.name for fill in tx.occurrences.fills()}
        gone = kept - wanted
        tx.occurrences.end_fills(gone)
        tx.occurrences.begin_fills((wanted - kept) | ({_SWEEP} if gone else frozenset()))

    def waits(self, tx: Transaction) -> bool:
        """Whether a stretch would find something to do: asked by a reader, so that looking takes no writer."""
        return not (self.planned and self.filled) or bool(tx.occurrences.due())

    def stretch(self, tx: Transaction) -> bool:
        """Do one stretch of what has come by the transaction's moment. False: nothing had."""
        if not self.planned:
            self.plan(tx)
        if self._fill(tx):
            return True
        due = tx.occurrences.due()
        if due:
            self._work(tx, due[0])
        return bool(due)

    def _by_name(self) -> dict[str, Schedule | Watched]:
        found: dict[str, Schedule | Watched] = {f"{_SCHEDULE}:{one.name}": one for one in self.audiences.schedules}
        return found | {f"{_LOOK}:{one.key}": one for one in self.audiences.watched if one.by_time}

    def _next(self, what: Schedule | Watched, now: datetime) -> datetime | None:
        """When something comes next. A look that is new comes at once: nobody knows yet who belongs to its segment."""
        if isinstance(what, Watched):
            return now
        return parse_cron(what.cron).next_after(now, ZoneInfo(what.timezone))

    def _fill(self, tx: Transaction) -> bool:
        """Write down what is searched for the next customers who were there before. False: it is all there."""
        open_fills = [fill for fill in tx.occurrences.fills() if not fill.done]
        self.filled = not open_fills
        if self.filled:
            return False
        names, last = [fill.name for fill in open_fills], tx.audience.last_customer()
        begins = min(fill.cursor for fill in open_fills)
        ends = min(begins + FILLED_IN_ONE_STRETCH, last)
        loaded = tx.customers.load_readable([CustomerId(number) for number in range(begins + 1, ends + 1)])
        pairs = [(customer, customer) for customer in loaded.values()]
        tx.audience.rewrite(pairs, self.audiences.searched, self.program.library.attributes)
        tx.occurrences.advance_fills(names, ends, done=ends >= last)
        if ends >= last:
            tx.occurrences.end_fills({_SWEEP})
        return True

    def _work(self, tx: Transaction, occurrence: Occurrence) -> None:
        what = self._by_name().get(occurrence.name)
        if what is None:
            tx.occurrences.forget(occurrence.name)
            return
        if tx.now - occurrence.due_at > LATE_MAX and isinstance(what, Schedule):
            log.warning("schedule_missed", schedule=what.name, due_at=occurrence.due_at.isoformat())
            self._finish(tx, occurrence, what)
            return
        last = tx.audience.last_customer()
        upto, after = min(occurrence.cursor + IDS_OF_ONE_STRETCH, last), occurrence.cursor
        if isinstance(what, Schedule):
            among = Among(after=after, upto=upto, limit=self.told_max)
            found = self._schedule(tx, occurrence, what, among)
        else:
            among = Among(after=after, upto=upto, limit=self.looked_at_max)
            found = self._look(tx, occurrence, what, among)
        if len(found) == among.limit:
            upto = found[-1]
        if upto >= last:
            self._finish(tx, occurrence, what)
        else:
            tx.occurrences.advance(occurrence, upto)

    def _finish(self, tx: Transaction, occurrence: Occurrence, what: Schedule | Watched) -> None:
        since = max(tx.now, occurrence.due_at)
        next_at = since + self.look_every if isinstance(what, Watched) else self._next(what, since)
        tx.occurrences.finish(occurrence, next_at=next_at)

    def _schedule(
        self, tx: Transaction, occurrence: Occurrence, what: Schedule, among: Among
    ) -> tuple[CustomerId, ...]:
        """Tell those of `among` whom the journey's audience admits that its moment has come; who they were."""
        moment = Moment(now=tx.now, zone=self.program.zone)
        came = occurrence.due_at.isoformat()
        fields = {"journey": what.journey, "cron": what.cron, "occurrence": came}
        try:
            found = tx.audience.matching(what.condition, self.audiences.ground, moment, among=among)
        except (EvaluationFault, ValueError) as fault:
            log.error("schedule_failed", schedule=what.name, why=str(fault))
            return ()
        arrivals = [
            (customer_id, own_event(f"{SCHEDULE_DUE}|{what.name}|{came}|{customer_id}", SCHEDULE_DUE, fields, tx.now))
            for customer_id in found
        ]
        ingest_own(tx, arrivals)
        return found

    def _look(self, tx: Transaction, occurrence: Occurrence, what: Watched, among: Among) -> tuple[CustomerId, ...]:
        """Look at those of `among` for whom the segment does not hold as it did at the last look; who they were."""
        moment = Moment(now=tx.now, zone=self.program.zone)
        silently = not tx.occurrences.was_before(occurrence.name)
        try:
            found = tx.audience.turned(what.condition.tree, self.audiences.ground, moment, key=what.key, among=among)
        except (EvaluationFault, ValueError) as fault:
            log.error("segment_failed", segment=what.segment, why=str(fault))
            return ()
        changes: list[tuple[Customer, Customer]] = []
        arrivals: list[tuple[CustomerId, Event]] = []
        lines: list[JournalLine] = []
        for customer_id, before in tx.customers.load_readable(found).items():
            turn = looker(tx, self.program, customer_id, moment=moment).look(before, what, silently=silently)
            if turn.customer == before:
                continue
            changes.append((before, turn.customer))
            cause = f"look|{occurrence.due_at.isoformat()}"
            arrivals += [(customer_id, one) for one in entered_events(customer_id, turn, cause=cause, now=tx.now)]
            if turn.journal:
                lines.append(JournalLine(customer_id=customer_id, kind="segment", at=tx.now, entries=turn.journal))
        tx.customers.save(changes)
        tx.audience.save(changes, self.audiences.searched, self.program.library.attributes)
        tx.journal.append(lines)
        ingest_own(tx, arrivals)
        return found


class Schedules:
    """The round that is made whenever the alarm rings. It costs nothing while a program has nothing that comes so."""

    def __init__(self, storage: Storage, *, live: Live, clock: Clock) -> None:
        self._storage = storage
        self._live = live
        self._clock = clock
        self._forget_at: datetime | None = None
        self._occasions = Occasions(live.program)

    async def forget(self) -> None:
        """Once a day, drop the events that nobody can count any more. StorageError: later, then."""
        now = self._clock.now()
        if self._forget_at is not None and now < self._forget_at:
            return
        self._forget_at = now + FORGET_EVERY
        events = self._current().audiences.events
        for kind in await self._storage.read(lambda tx: tx.audience.event_types()):
            await self._forget(kind, events.get(kind), now)

    async def _forget(self, kind: str, kept: KeptEvents | None, now: datetime) -> None:
        before = now - (kept.within if kept is not None else timedelta(0)) - KEPT_LONGER
        after: int | None = -(2**62)
        for _ in range(STRETCHES_MAX):
            if after is None:
                return
            after = await self._storage.write(Priority.REST, _forgetting(kind, kept, after=after, before=before))

    async def tick(self) -> bool:
        """Work off what has come; whether there was anything, or is to come anew. StorageError: later, then.

        Another program that comes into force meanwhile takes over at the next ring.
        """
        occasions = self._current()
        if occasions.idle or not await self._storage.read(occasions.waits):
            return False
        worked = not occasions.planned
        for _ in range(STRETCHES_MAX):
            more, aside = await self._storage.write(Priority.REST, lambda tx: (occasions.stretch(tx), set_aside(tx)))
            tell_aside(aside)
            occasions.planned = True
            if not more or occasions.program is not self._live.program:
                break
            worked = True
        return worked

    def _current(self) -> Occasions:
        if self._occasions.program is not self._live.program:
            self._occasions = Occasions(self._live.program)
        return self._occasions


def _forgetting(
    kind: str, kept: KeptEvents | None, *, after: int, before: datetime
) -> Callable[[Transaction], int | None]:
    return lambda tx: tx.audience.forget(kind, after=after, before=before, kept=kept, limit=FORGOTTEN_AT_ONCE)
