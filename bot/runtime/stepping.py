"""One batch of many lanes, stepped inside one transaction. No await, no I/O but the transaction's."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from bot import understanding
from bot.core.arrival import Arrival, DeskRead, EventArrived, EventsRead, Facts, Needs, OpenSlotsRead, Step, TimerDue
from bot.core.customer import Customer, Timer
from bot.core.effects import CloseDesk, Effect, OpenDesk, RunErrand, SaveTask, Trace
from bot.core.events import Event
from bot.core.ids import ConversationId, CustomerId, EventId, StaffId
from bot.core.program import Program
from bot.core.step import step
from bot.runtime import desk, reports
from bot.runtime.open_slots import open_slots
from bot.runtime.parking import Aside, Parking, park, set_aside
from bot.runtime.segments import entered_events, ingest_own, used_facts, watch
from bot.storage import Claimed, JournalLine, Lane, Planned, SpoiltRow, Transaction

EVENTS_MAX = 100
"""Events of one batch; a batch of ordinary steps holds the writer well under 50 ms (delivery.md 5)."""
TIMERS_MAX = 100
STEPPING_CPU_S_MAX = 0.026
"""Seconds of work of one batch's steps. Not by the clock on the wall: a thread that has to share the interpreter would
pay the begin, the claims and the commit of a batch for a few events only."""
STEPPING_S_MAX = 0.03
"""Seconds by the clock, so that the writer is not held longer than 50 ms however slow the machine is."""
READS_MAX = 3
STEPS_OF_ONE_CUSTOMER_MAX = 50
"""Items of one customer in one batch; the rest wait for the next, so that nobody starves the others."""

_ABOUT_SENDS = frozenset({"planned", "not_sent"})
"""Kinds of traces that tell what the contact policy said to a plan."""


class Pace:
    """What was used of a time that is limited twice: by the work of this thread, and by the clock since `since_s`."""

    __slots__ = ("_began_cpu_s", "_since_s")

    def __init__(self, since_s: float) -> None:
        self._since_s, self._began_cpu_s = since_s, time.thread_time()

    def part(self, *, cpu_s: float, wall_s: float) -> float:
        """Which part of these seconds is over; 1 and more: none is left."""
        return max((time.perf_counter() - self._since_s) / wall_s, (time.thread_time() - self._began_cpu_s) / cpu_s)


class ReadsExhausted(RuntimeError):
    """A step asked for reads again and again."""


@dataclass(slots=True)
class Batch:
    """What a batch did: numbers for the loops. `effects`: something waits to be sent. `errands`: to be run. `cut`: its
    time ran out. `full`: there was more than it could take. `aside`: rows that do not open.

    For the metrics: `late_s`, how late its timers fired; `decided`, what was decided about messages.
    """

    events: int = 0
    timers: int = 0
    effects: bool = False
    errands: bool = False
    cut: bool = False
    full: bool = False
    parked: list[Parking] = field(default_factory=list)
    aside: list[SpoiltRow] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    decided: list[Trace] = field(default_factory=list)

    @property
    def worked(self) -> bool:
        return self.events + self.timers + len(self.aside) > 0

    def set_aside(self, aside: Aside) -> None:
        """Count what was set aside."""
        self.aside += aside.rows
        self.parked += aside.parked

    def add(self, other: "Batch") -> None:
        """Count what `other` did as well."""
        self.events += other.events
        self.timers += other.timers
        self.effects |= other.effects
        self.errands |= other.errands
        self.parked += other.parked
        self.aside += other.aside
        self.late_s += other.late_s
        self.decided += other.decided


@dataclass(slots=True)
class _Lane:
    """One customer's part of the batch. `seq`: the event in hand, None: a timer. `own`: events it makes for her."""

    before: Customer
    after: Customer
    seq: int | None = None
    effects: list[Effect] = field(default_factory=list)
    journal: list[JournalLine] = field(default_factory=list)
    consumed: list[int] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    own: list[Event] = field(default_factory=list)


class Stepper:
    """Steps batches on one program at one moment. `timers_held`: none fires, as the platforms may still repeat
    what was written before it was due (delivery.md 2.3)."""

    def __init__(self, tx: Transaction, program: Program, now: datetime, *, timers_held: bool = False) -> None:
        self.tx = tx
        self.program = program
        self.now = now
        self._timers_held = timers_held
        self._cut_short = True
        self._claimed_all = False
        self._loads: dict[StaffId, int] | None = None
        self._desks: dict[tuple[str, StaffId], ConversationId | None] = {}
        self._asking_database = False
        self._watch = watch(tx, program, now)

    def waiting(self, limit: int = EVENTS_MAX) -> dict[Lane, list[Claimed]]:
        """What can be stepped now: lanes with their events, and customers whose timer is due, with none."""
        by_lane: dict[Lane, list[Claimed]] = {}
        claimed = self.tx.claims.claim(limit)
        for row in claimed:
            by_lane.setdefault(row.lane, []).append(row)
        # What is left of a lane may be older than its timers, and then goes before them.
        self._cut_short = self._claimed_all = len(claimed) == limit or bool(self.tx.spoilt.found)
        self._leave_behind_words(by_lane)
        if not self._timers_held:
            for customer_id in self.tx.claims.due(self.now, min(limit, TIMERS_MAX)):
                by_lane.setdefault(Lane(customer_id), [])
        return by_lane

    def _leave_behind_words(self, by_lane: dict[Lane, list[Claimed]]) -> None:
        """A colleague's click waits for what she has typed before: her last words go out, then she closes."""
        if not any(row.event.type == "card.clicked" for rows in by_lane.values() for row in rows):
            return
        words = self.tx.claims.unheard_words()
        for lane, rows in list(by_lane.items()):
            held = [place for place, row in enumerate(rows) if lane > 0 and _waits_for(row, words)]
            if held:
                del rows[held[0] :]
                self._cut_short = True
            if not rows:
                del by_lane[lane]

    def run(self, by_lane: Mapping[Lane, Sequence[Claimed]]) -> Batch:
        """Step these lanes and write. The caller's transaction commits it all or nothing."""
        batch = Batch()
        ids = [CustomerId(lane) for lane in by_lane if lane > 0]
        customers = self.tx.customers.load_readable(ids)
        self._write(self._stepped([customers[key] for key in ids if key in customers], by_lane, batch), batch)
        for lane_id, rows in by_lane.items():
            if lane_id < 0:
                self._account_lane(lane_id, rows, batch)
        batch.set_aside(set_aside(self.tx))
        batch.full = batch.worked and (batch.cut or self._claimed_all)
        return batch

    def _stepped(
        self, customers: Sequence[Customer], by_lane: Mapping[Lane, Sequence[Claimed]], batch: Batch
    ) -> list[_Lane]:
        """Step lane after lane, urgent ones first, until the time for one batch is used up; the rest go on waiting."""
        lanes: list[_Lane] = []
        pace = Pace(time.perf_counter())
        for customer in customers:
            if lanes and pace.part(cpu_s=STEPPING_CPU_S_MAX, wall_s=STEPPING_S_MAX) > 1:
                batch.cut = True
                break
            lanes.append(self._lane(customer, by_lane[Lane(customer.customer_id)], batch))
        return lanes

    def _lane(self, customer: Customer, rows: Sequence[Claimed], batch: Batch) -> _Lane:
        """Step one customer's rows and due timers; a bug parks her lane and nobody else's."""
        lane = _Lane(before=customer, after=customer)
        try:
            self._walk(lane, rows)
        except Exception as bug:  # the top of the lanes loop: one customer's bug must not stop the others
            if self._asking_database:
                raise
            parking = Parking(lane=Lane(customer.customer_id), seq=lane.seq, bug=bug)
            park(self.tx, parking)
            batch.parked.append(parking)
        return lane

    def _walk(self, lane: _Lane, rows: Sequence[Claimed]) -> None:
        for place, row in enumerate(rows[:STEPS_OF_ONE_CUSTOMER_MAX]):
            # Rows stand as they arrived: a later one may tell of an earlier moment, and still beats the timer.
            self._fire_due(lane, min(later.event.occurred_at for later in rows[place:]), last=rows[-1].seq)
            lane.seq = row.seq
            if not self._hear_report(lane, row.event):
                return
            self._step(lane, understanding.arrived(row.event, lane.after, self.program), row.event.event_id)
            lane.consumed.append(row.seq)
        if len(rows) <= STEPS_OF_ONE_CUSTOMER_MAX:
            self._fire_due(lane, None, last=rows[-1].seq if rows else 0)

    def _hear_report(self, lane: _Lane, event: Event) -> bool:
        """Settle the message that a platform's report is about. False: too early, and the event has to wait."""
        if event.type != reports.EVENT_TYPE:
            return True
        self._asking_database = True
        after = reports.hear(self.tx, lane.after, event, self.now)
        self._asking_database = False
        if after is None:
            return False
        lane.after = after
        return True

    def _fire_due(self, lane: _Lane, before: datetime | None, *, last: int) -> None:
        """Fire what is due, in due order; with `before`, only what was due earlier: a reply in time beats a timeout.

        `last`: the last row of the lane that this batch has in hand; one behind it may be older than the timer.
        """
        lane.seq = None
        if self._timers_held:
            return
        for _ in range(STEPS_OF_ONE_CUSTOMER_MAX):
            timer = min(lane.after.timers, key=lambda t: t.due_at, default=None)
            if timer is None or timer.due_at > self.now or (before is not None and timer.due_at >= before):
                return
            if self._cut_short and self._waits_behind(lane, last, until=timer.due_at):
                return
            self._step(lane, TimerDue(timer=timer), timer_event_id(timer))
            lane.late_s.append((self.now - timer.due_at).total_seconds())

    def _waits_behind(self, lane: _Lane, last: int, *, until: datetime) -> bool:
        self._asking_database = True
        found = self.tx.claims.waits(Lane(lane.before.customer_id), after=last, until=until)
        self._asking_database = False
        return found

    def _step(self, lane: _Lane, item: Arrival, event_id: EventId) -> None:
        started = time.perf_counter_ns()
        event = item.event if isinstance(item, EventArrived) else None
        before = lane.after if event is None or not self._watch.awake else self._noted(lane.after, event)
        facts = Facts()
        for _ in range(1 + READS_MAX):
            found = step(self.program, before, item, self.now, facts)
            if isinstance(found, Step):
                if self._watch.awake:
                    found = self._turned(lane, found, before, (event_id, event))
                line = JournalLine(
                    customer_id=lane.before.customer_id,
                    kind="event" if isinstance(item, EventArrived) else "timer",
                    at=self.now,
                    entries=found.journal,
                    event_id=event_id,
                    facts=used_facts(facts, found.asked),
                    took_us=(time.perf_counter_ns() - started) // 1000,
                )
                self._keep(lane, found, line)
                return
            facts = self.answers(found, facts, before.customer_id)
        raise ReadsExhausted(f"a step wanted reads {READS_MAX} times")

    def _noted(self, customer: Customer, event: Event) -> Customer:
        self._asking_database = True
        found = self._watch.before(customer, event)
        self._asking_database = False
        return found

    def _turned(self, lane: _Lane, found: Step, before: Customer, heard: tuple[EventId, Event | None]) -> Step:
        """`found`, and what it means for the segments; what she has come into goes into her lane as well."""
        self._asking_database = True
        turn = self._watch.after(before, found, heard[1], cause=heard[0])
        self._asking_database = False
        lane.own += entered_events(before.customer_id, turn, cause=heard[0], now=self.now)
        return replace(found, customer=turn.customer, journal=(*found.journal, *turn.journal))

    def answers(self, needs: Needs, known: Facts, customer_id: CustomerId) -> Facts:
        """`known` and what the step asked for; what this batch has changed and not written yet counts already."""
        loads, desks, slots = known.advisor_loads, dict(known.desks), dict(known.open_slots)
        for read in needs.reads:
            match read:
                case DeskRead():
                    desks[read.staff_id] = self._desk_of(read.account, read.staff_id)
                case "advisor_loads":
                    loads = dict(self._advisor_loads())
                case OpenSlotsRead():
                    slots[read.key] = self._open_slots(read)
                case EventsRead():
                    self._asking_database = True
                    known = self._watch.facts(customer_id, read, known)
                    self._asking_database = False
                case _:
                    assert_never(read)
        return replace(known, advisor_loads=loads, desks=desks, open_slots=slots)

    def _open_slots(self, read: OpenSlotsRead) -> tuple[datetime, ...]:
        self._asking_database = True
        found = open_slots(self.tx, self.program, read, now=self.now)
        self._asking_database = False
        return found

    def _advisor_loads(self) -> Mapping[StaffId, int]:
        if self._loads is None:
            self._asking_database = True
            self._loads = dict(self.tx.desks.advisor_loads())
            self._asking_database = False
        return self._loads

    def _desk_of(self, account: str, staff_id: StaffId) -> ConversationId | None:
        if (account, staff_id) not in self._desks:
            self._asking_database = True
            found = self.tx.desks.conversation_of(account, staff_id)
            self._asking_database = False
            self._desks[account, staff_id] = found.conversation_id if found else None
        return self._desks[account, staff_id]

    def _keep(self, lane: _Lane, found: Step, line: JournalLine) -> None:
        # All steps of one customer in one batch are written once: the row's version grows by one.
        lane.after = found.customer
        lane.effects.extend(found.effects)
        lane.journal.append(line)
        for effect in found.effects:
            match effect:
                case SaveTask(status="open", staff_id=staff_id) if staff_id and self._loads is not None:
                    self._loads[staff_id] = self._loads.get(staff_id, 0) + 1
                case OpenDesk():
                    self._desks[effect.account, effect.staff_id] = effect.conversation_id
                case CloseDesk() if self._desk_of(effect.account, effect.staff_id) == effect.conversation_id:
                    self._desks[effect.account, effect.staff_id] = None
                case _:
                    continue

    def _write(self, lanes: Sequence[_Lane], batch: Batch) -> None:
        worked = [lane for lane in lanes if lane.journal]
        changes = [(lane.before, lane.after) for lane in worked]
        self.tx.customers.save(changes)
        self._watch.save(changes)
        ingest_own(self.tx, [(lane.before.customer_id, event) for lane in worked for event in lane.own])
        planned = [
            Planned(customer_id=lane.before.customer_id, effects=lane.effects, at=self.now)
            for lane in worked
            if lane.effects
        ]
        self.tx.effects.carry_out(planned)
        self.tx.journal.append([line for lane in worked for line in lane.journal])
        self.tx.lanes.consume([seq for lane in worked for seq in lane.consumed])
        batch.events += sum(len(lane.consumed) for lane in worked)
        batch.late_s += [late for lane in worked for late in lane.late_s]
        batch.timers += sum(len(lane.late_s) for lane in worked)
        batch.decided += [
            trace for lane in worked for line in lane.journal for trace in line.entries if trace.kind in _ABOUT_SENDS
        ]
        batch.effects = bool(planned)
        batch.errands = any(type(effect) is RunErrand for plan in planned for effect in plan.effects)

    def _account_lane(self, lane: Lane, rows: Sequence[Claimed], batch: Batch) -> None:
        """Events of an account, not of a customer: what advisors type into the app, and reports."""
        carried = [row.seq for row in rows if desk.take(self.tx, lane, row, self.now)]
        self.tx.lanes.consume([row.seq for row in rows if row.seq not in carried])
        batch.events += len(rows)
        batch.effects = True


def _waits_for(row: Claimed, words: Mapping[tuple[str, str, str], int]) -> bool:
    event = row.event
    first = words.get((event.channel, event.account, event.sender))
    return event.type == "card.clicked" and first is not None and first < row.seq


def timer_event_id(timer: Timer) -> EventId:
    """What stands in the journal where an event's id would: the timer's own identity."""
    return EventId(f"timer:{timer.owner}:{timer.visit}:{timer.timer_id}")
