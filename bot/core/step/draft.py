"""The working copy of a customer while one arrival is stepped. Mutable here, frozen again at the end."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.core.arrival import Arrival, DeskRead, EventArrived, Facts, Read, Told
from bot.core.calendar import zone_named
from bot.core.customer import (
    Consent,
    Customer,
    Human,
    Lead,
    Past,
    Queued,
    Recent,
    Sent,
    Task,
    Timer,
)
from bot.core.effects import Effect, Trace
from bot.core.errands import DONE, FAILED
from bot.core.events import CONVERSATIONAL, Event, Json
from bot.core.expressions.values import Scope
from bot.core.ids import ConversationId, EffectId, EnrolmentId, EventId, StaffId, conversation_id, effect_id
from bot.core.making import maker, quickly_made
from bot.core.program import Program
from bot.core.step.copies import Run, Talk, freeze_run, freeze_talk, thaw_run, thaw_talk
from bot.core.understood import Understanding

PAST_MAX = 100
"""Finished runs that are remembered for `reentry`; beyond, the oldest are forgotten."""
NOTES_MAX = 20
"""Notes kept for the advisor; beyond, the oldest are forgotten."""


class ReadMissing(Exception):
    """A step needs a read that was not made yet; caught at the top of the step, never outside."""

    def __init__(self, read: Read) -> None:
        super().__init__(read)
        self.read = read


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Work that the machine still has to do for an enrolment: go to `target`, or deal with `error`.

    `visit`: only while the enrolment is in this visit; a move that came too late is dropped. `place`: the source
    of the expression that the error came from, empty when it came from none.
    """

    enrolment_id: EnrolmentId
    visit: int
    target: str = ""
    error: str = ""
    place: str = ""


make_move, make_trace, make_timer, make_customer = maker(Move), maker(Trace), maker(Timer), maker(Customer)


@dataclass(slots=True, kw_only=True)
class Draft:
    """Everything one step reads and writes.

    `event` is None when a timer is stepped. `by_customer`: her own message, tap, follow or scan caused the step,
    in `conversation_id`, which is None otherwise. `replying`: so it was, or an errand that such a step began came back.
    `zone` is that of the customer, `today` the day there.
    `consumed`: spans of the text that have answered something. `moves`: what the machine has still to do.
    `emitted`: events of our own that her journeys have still to hear; `external`: what came from outside, while
    `event` may be one of those.
    `handled`: errors that were dealt with, by enrolment and state. `begun`: enrolments entered in this step.
    `interrupting`: those that may push on the floor. `passed`: visits whose `when` did not hold.
    `replanned`: those that a correction sent back, so that they pass over what is answered.
    `left_now`: who left by one of its exits in this step. `broken`: whose loop was broken, by who called all others.
    `sent_now`: messages of this step by conversation. `put_off`: until when the latest deferred send of an
    enrolment waits. `stepped`: micro-steps so far, by the enrolment that called all others, `moved` of all. `scopes`:
    what guards of an enrolment read; the records are views, so they stay true while the draft changes. `asked`: the
    questions about events that were asked. `told`: events of our own that are counted.
    `reminding`: while a timer of an enrolment acts, until when its reminders are of use. `reacted`: who heard
    which event.
    """

    program: Program
    base: Customer
    arrival: Arrival
    now: datetime
    facts: Facts
    event_id: EventId
    event: Event | None
    external: Event | None
    understanding: Understanding | None
    by_customer: bool
    conversation_id: ConversationId | None
    zone: ZoneInfo
    today: date
    attributes: dict[str, Json]
    tags: set[str]
    score: int
    points: int
    source: str
    consents: dict[str, Consent]
    opt_outs: dict[str, datetime]
    talks: dict[ConversationId, Talk]
    runs: dict[EnrolmentId, Run]
    past: dict[str, Past]
    timers: list[Timer]
    lead: Lead | None
    tasks: dict[EffectId, Task]
    advisor: StaffId | None
    notes: list[str]
    recent: tuple[Recent, ...]
    queued: dict[str, Queued]
    arms: dict[str, str]
    coupons: dict[str, EffectId]
    told_at: dict[str, datetime]
    said: tuple[str, ...]
    unasked_on: str
    unasked: Mapping[str, int]
    replying: bool
    effects: list[Effect] = field(default_factory=list)
    journal: list[Trace] = field(default_factory=list)
    ordinals: dict[str, int] = field(default_factory=dict)
    consumed: list[tuple[int, int]] = field(default_factory=list)
    moves: deque[Move] = field(default_factory=deque)
    emitted: deque[Event] = field(default_factory=deque)
    handled: set[tuple[EnrolmentId, str, str]] = field(default_factory=set)
    begun: list[EnrolmentId] = field(default_factory=list)
    interrupting: set[EnrolmentId] = field(default_factory=set)
    passed: set[tuple[EnrolmentId, int]] = field(default_factory=set)
    replanned: set[EnrolmentId] = field(default_factory=set)
    left_now: set[EnrolmentId] = field(default_factory=set)
    broken: set[EnrolmentId] = field(default_factory=set)
    sent_now: dict[ConversationId, int] = field(default_factory=dict)
    put_off: dict[EnrolmentId, datetime] = field(default_factory=dict)
    reminding: dict[EnrolmentId, datetime | None] = field(default_factory=dict)
    reacted: set[tuple[EnrolmentId, EventId]] = field(default_factory=set)
    stepped: dict[EnrolmentId, int] = field(default_factory=dict)
    moved: int = 0
    scopes: dict[EnrolmentId | None, Scope] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    told: list[Told] = field(default_factory=list)

    @property
    def conversations(self) -> Mapping[ConversationId, Talk]:
        """What the contact policy reads; so are `consents`, `opt_outs` and `sent`."""
        return self.talks

    @property
    def sent(self) -> tuple[Sent, ...]:
        """What has left, as it stood before the step."""
        return self.base.sent

    def loads(self) -> Mapping[StaffId, int]:
        """Open tasks of every advisor. ReadMissing: the shell has to read them first."""
        if self.facts.advisor_loads is None:
            raise ReadMissing("advisor_loads")
        return self.facts.advisor_loads

    def desk_of(self, human: Human) -> ConversationId | None:
        """The conversation that goes with what this colleague types, None: none. ReadMissing as in `loads`."""
        if human.staff_id not in self.facts.desks:
            raise ReadMissing(DeskRead(account=human.account, staff_id=human.staff_id))
        return self.facts.desks[human.staff_id]

    def new_effect_id(self, owner: EnrolmentId | None, path: str) -> EffectId:
        """The identity of the next effect at `path`; ordinals tell several of one path apart.

        Without an enrolment it is the customer's: timers of two customers may be named alike.
        """
        place = f"{owner or ''}|{path}"
        ordinal = self.ordinals.get(place, 0)
        self.ordinals[place] = ordinal + 1
        return effect_id(self.event_id, owner or f"_customer:{self.base.customer_id}", path, ordinal)

    def go(self, run: Run, target: str) -> None:
        """Have the machine bring `run` to the state `target`."""
        self.moves.append(make_move(enrolment_id=run.enrolment_id, visit=run.visit, target=target))

    def go_at_once(self, run: Run, target: str) -> None:
        """The same, before anything else that waits."""
        self.moves.appendleft(make_move(enrolment_id=run.enrolment_id, visit=run.visit, target=target))

    def fail(self, run: Run, error: str, *, place: str = "") -> None:
        """Have the machine deal with `error` (journey-language.md 3.10) for `run`. `place` as in `Move`."""
        self.moves.append(make_move(enrolment_id=run.enrolment_id, visit=run.visit, error=error, place=place))

    def root_of(self, run: Run) -> Run:
        """The enrolment that called, directly or through others, `run`; itself when nobody did."""
        while run.parent is not None and run.parent in self.runs:
            run = self.runs[run.parent]
        return run

    def depth_of(self, run: Run) -> int:
        """How many enrolments stand above `run` in a call."""
        depth = 0
        while run.parent is not None and run.parent in self.runs:
            depth, run = depth + 1, self.runs[run.parent]
        return depth

    def children_of(self, run: Run) -> list[Run]:
        """The enrolments that `run` called and that have not ended."""
        if len(self.runs) == 1:
            return []
        return [child for child in self.runs.values() if child.parent == run.enrolment_id]

    def trace(self, kind: str, run: Run | None = None, **detail: Json) -> None:
        """Write one line into the journal."""
        if run is None:
            line = make_trace(kind=kind, detail=detail)
        else:
            line = make_trace(
                kind=kind, journey=run.journey, enrolment_id=run.enrolment_id, state=run.state, detail=detail
            )
        self.journal.append(line)

    def set_timer(self, owner: str, timer_id: str, due_at: datetime, *, visit: int = 0) -> None:
        """Arm a timer; the same one armed before is replaced."""
        self.drop_timer(owner, timer_id)
        self.timers.append(make_timer(owner=owner, visit=visit, timer_id=timer_id, due_at=due_at, set_at=self.now))

    def drop_timer(self, owner: str, timer_id: str | None = None) -> None:
        """Cancel one timer of `owner`, or all of them."""
        if not self.timers:
            return
        self.timers = [t for t in self.timers if t.owner != owner or (timer_id is not None and t.timer_id != timer_id)]

    def talk_of(self, run: Run) -> Talk | None:
        """The conversation in which `run` talks, None when it has none yet."""
        return self.talks.get(run.conversation_id) if run.conversation_id else None

    def latest_talk(self, channel: str = "") -> Talk | None:
        """The conversation in which she can be reached and wrote last, of `channel` or of any."""
        found = [talk for talk in self.talks.values() if talk.reachable and channel in ("", talk.channel)]
        long_ago = datetime.min.replace(tzinfo=self.now.tzinfo)
        return max(found, key=lambda talk: talk.last_inbound_at or long_ago, default=None)

    def remember_end(self, run: Run, end: str) -> None:
        """Keep the end of `run` for `reentry`."""
        self.past.pop(past_key(run.journey, run.key), None)
        self.past[past_key(run.journey, run.key)] = Past(ended_at=self.now, end=end, goal_reached=run.goal_reached)
        while len(self.past) > PAST_MAX:
            del self.past[next(iter(self.past))]


make_draft = maker(Draft)


def past_key(journey: str, key: str) -> str:
    """The key under which the end of a run is remembered."""
    return f"{journey}|{key}"


def answers_her(event: Event) -> bool:
    """Whether `event` is the result of an errand that her own act began: what is said to it still answers her."""
    return event.type in (DONE, FAILED) and event.fields.get("reply") is True


def begin(program: Program, customer: Customer, arrival: Arrival, now: datetime, facts: Facts) -> Draft:
    """A working copy of `customer` for `arrival`."""
    event, understanding, conversation = None, None, None
    if isinstance(arrival, EventArrived):
        event, understanding = arrival.event, arrival.understanding
        event_id = event.event_id
        if event.type in CONVERSATIONAL and not event.is_reconciled:
            conversation = conversation_id(event.channel, event.account, event.sender)
    else:
        timer = arrival.timer
        event_id = EventId(f"timer|{timer.owner}|{timer.visit}|{timer.timer_id}|{timer.due_at.isoformat()}")
    lives_in = customer.attributes.get("timezone")
    zone = zone_named(lives_in, program.zone) if lives_in else program.zone
    return make_draft(
        program=program,
        base=customer,
        arrival=arrival,
        now=now,
        facts=facts,
        event_id=event_id,
        event=event,
        external=event,
        understanding=understanding,
        by_customer=conversation is not None,
        conversation_id=conversation,
        zone=zone,
        today=now.astimezone(zone).date(),
        attributes=dict(customer.attributes),
        tags=set(customer.tags),
        score=customer.score,
        points=customer.points,
        source=customer.source,
        consents=dict(customer.consents),
        opt_outs=dict(customer.opt_outs),
        talks={key: thaw_talk(value) for key, value in customer.conversations.items()},
        runs={key: thaw_run(value) for key, value in customer.enrolments.items()},
        past=dict(customer.past),
        timers=list(customer.timers),
        lead=customer.lead,
        tasks=dict(customer.tasks),
        advisor=customer.advisor,
        notes=list(customer.notes),
        recent=customer.recent,
        queued=dict(customer.queued),
        arms=dict(customer.arms),
        coupons=dict(customer.coupons),
        told_at=dict(customer.told_at),
        said=customer.said,
        unasked_on=customer.unasked_on,
        unasked=customer.unasked,
        replying=conversation is not None or (event is not None and answers_her(event)),
    )


def finish(draft: Draft) -> Customer:
    """The customer that the draft has become, one version on."""
    base = draft.base
    arrival = draft.arrival
    happened_at = arrival.event.occurred_at if isinstance(arrival, EventArrived) else arrival.timer.due_at
    moment = min(happened_at, draft.now)
    return make_customer(
        customer_id=base.customer_id,
        version=base.version + 1,
        attributes=draft.attributes,
        tags=frozenset(draft.tags),
        score=draft.score,
        points=draft.points,
        source=draft.source,
        consents=draft.consents,
        opt_outs=draft.opt_outs,
        conversations={key: freeze_talk(value) for key, value in draft.talks.items()},
        enrolments={key: freeze_run(value) for key, value in draft.runs.items()},
        past=draft.past,
        timers=tuple(draft.timers),
        lead=draft.lead,
        tasks=draft.tasks,
        advisor=draft.advisor,
        sent=base.sent,
        notes=tuple(draft.notes[-NOTES_MAX:]),
        recent=draft.recent,
        queued=draft.queued,
        arms=draft.arms,
        coupons=draft.coupons,
        told_at=draft.told_at,
        said=draft.said,
        unasked_on=draft.unasked_on,
        unasked=draft.unasked,
        segments=base.segments,
        caught_up_to=max(moment, base.caught_up_to) if base.caught_up_to else moment,
    )
