"""A customer as one value: everything a step may read, and all that it may change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.core.effects import Form, SendClass
from bot.core.events import Json
from bot.core.ids import ConversationId, CustomerId, EffectId, EnrolmentId, EventId, StaffId
from bot.core.making import quickly_made

BucketKind = Literal["message", "menu_click", "follow", "scan"]


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Messages that one act of the customer allows us: `max` until `closes_at`, `used` of them reserved.

    `begun_at`: when those that are reserved were begun, as far as that is known, the latest last.
    """

    bucket_id: EventId
    kind: BucketKind
    opened_at: datetime
    closes_at: datetime
    max: int
    used: int = 0
    begun_at: tuple[datetime, ...] = ()


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """A planned message that has not left yet. `not_before`: it was put off until then."""

    effect_id: EffectId
    enrolment_id: EnrolmentId | None
    visit: int
    send_class: SendClass
    form: Form = "free"
    not_before: datetime | None = None
    journey: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Human:
    """A colleague who has the floor. `until` moves on with every word of hers; after it the bot speaks again.

    `task_id` is the card that she accepted. `spoke`: words of hers went to the customer since she took it.
    """

    staff_id: StaffId
    account: str
    until: datetime
    task_id: EffectId
    spoke: bool = False


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A customer's conversation with one account: who may speak, and how much the platform still allows.

    `floor` is a stack of enrolments, the holder last; `queue` waits for the floor in order of arrival.
    """

    conversation_id: ConversationId
    channel: str
    account: str
    external_id: str
    reachable: bool = True
    last_inbound_at: datetime | None = None
    floor: tuple[EnrolmentId, ...] = ()
    queue: tuple[EnrolmentId, ...] = ()
    human: Human | None = None
    buckets: tuple[Bucket, ...] = ()
    unsent: tuple[Unsent, ...] = ()


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """A due time. `owner` is an enrolment's id, or `_task`, or `_floor`; an enrolment's counts only in its `visit`.

    `timer_id`: wait, timeout, accept, ask, max_age, `@` and the name that a journey gave it, or for `_task` the task's
    id, for `_floor` the conversation's.
    """

    owner: str
    visit: int
    timer_id: str
    due_at: datetime
    set_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One of the answers that were worked out for a question: as it is shown, what it means, other spellings."""

    text: str
    value: Json = None
    spellings: tuple[str, ...] = ()


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The open question of an enrolment.

    `phase` queued: not yet asked, the floor is another's; asked; confirming: `proposal` waits for a yes;
    paused: another enrolment pushed in, `left_s` seconds of the timeout remain. `since`: when the phase began.
    `failures` counts wrong answers. `options` are those that were worked out when the question was asked. `whole_s` is
    the whole time of a paused question; `extended`: she asked for more time, and had it.
    """

    slot: str
    phase: Literal["queued", "asked", "confirming", "paused"]
    since: datetime | None = None
    failures: int = 0
    proposal: Json = None
    left_s: float | None = None
    options: tuple[Option, ...] = ()
    whole_s: float | None = None
    extended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What a repair journey was called for: the conversation stumbled at `of`, whose state it does not leave.

    `slot` of `owner` is to become `value`, when it comes to a correction. `choices`: ways into journeys of which
    she may choose one, as `journey|number of the entry`.
    """

    of: EnrolmentId | None = None
    owner: EnrolmentId | None = None
    slot: str = ""
    value: Json = None
    choices: tuple[str, ...] = ()


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """One customer in one journey. `visit` counts states entered; timers and effects of older visits are dead.

    `values` are the journey's `vars`, `slots` its answers, `saved` what calls brought back, `counts` the
    visits of each state, its `when` true, that are over, `entry` the fields of the event that began it.
    `arm`: `holdout` for one that is only measured, which visits no state. `error`: the latest that was handled.
    `left_by`: exits, by their conditions, that led out and still hold, and `goal`. `awaiting`: the errand whose result
    the state waits for.
    `resumes`: for groups that go on where they were left, the state left last. `heard`: `recent` events of the customer
    that it was about already.
    `answered_at`: when each of `slots` got its value, the latest last. `repair`: set for a repair journey.
    `said`: keys under which something was sent, which is not sent again.
    """

    enrolment_id: EnrolmentId
    journey: str
    key: str
    release: str
    state: str
    visit: int
    entered_at: datetime
    state_entered_at: datetime
    conversation_id: ConversationId | None = None
    parent: EnrolmentId | None = None
    status: Literal["active", "stuck"] = "active"
    previous: str = ""
    values: Mapping[str, Json] = field(default_factory=dict)
    slots: Mapping[str, Json] = field(default_factory=dict)
    saved: Mapping[str, Json] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    entry: Mapping[str, Json] = field(default_factory=dict)
    pending: Pending | None = None
    goal_reached: bool = False
    goal_held_at_entry: bool = False
    day: str = ""
    day_count: int = 0
    arm: str = ""
    error: str = ""
    left_by: tuple[str, ...] = ()
    awaiting: EffectId | None = None
    answered_at: Mapping[str, datetime] = field(default_factory=dict)
    repair: Repair | None = None
    resumes: Mapping[str, str] = field(default_factory=dict)
    heard: tuple[EventId, ...] = ()
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The last finished run of a journey, for `reentry`."""

    ended_at: datetime
    end: str
    goal_reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """An entry that waits: for the end of the run that goes on, or for `not_before`. `entry`: the event's fields.

    `by_customer`: an act of hers led in.
    """

    journey: str
    key: str
    since: datetime
    cause: str
    conversation_id: ConversationId | None = None
    arguments: Mapping[str, Json] = field(default_factory=dict)
    entry: Mapping[str, Json] = field(default_factory=dict)
    not_before: datetime | None = None
    by_customer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    granted: bool
    at: datetime
    source: str
    text: str
    text_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that left, for the frequency caps."""

    effect_id: EffectId
    at: datetime
    send_class: SendClass
    journey: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """An event that some state looks back for (`since`). `normal`, `intents`: what a message was understood as."""

    event_id: EventId
    type: str
    channel: str
    at: datetime
    fields: Mapping[str, Json] = field(default_factory=dict)
    normal: str = ""
    intents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The customer's open lead."""

    lead_id: str
    stage: str
    opened_at: datetime
    fields: Mapping[str, Json] = field(default_factory=dict)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An advisor's open task. `to` says whom it may be given to, `tried` are those who said busy."""

    task_id: EffectId
    kind: Literal["task", "handoff"]
    status: Literal["open", "accepted", "overdue"]
    staff_id: StaffId | None
    account: str
    title: str
    created_at: datetime
    due_at: datetime | None
    journey: str
    enrolment_id: EnrolmentId | None
    visit: int
    conversation_id: ConversationId | None
    overdue_to: str = ""
    tried: tuple[StaffId, ...] = ()
    to: str = "advisor"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """`version` grows with every change; storage compares it when it writes (design.md 3.3).

    `caught_up_to` is the effective time of the last consumed arrival: time never runs back in a lane.
    """

    customer_id: CustomerId
    version: int
    attributes: Mapping[str, Json] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    score: int = 0
    points: int = 0
    source: str = ""
    consents: Mapping[str, Consent] = field(default_factory=dict)
    opt_outs: Mapping[str, datetime] = field(default_factory=dict)
    conversations: Mapping[ConversationId, Conversation] = field(default_factory=dict)
    enrolments: Mapping[EnrolmentId, Enrolment] = field(default_factory=dict)
    past: Mapping[str, Past] = field(default_factory=dict)
    """By `journey|key`."""
    queued: Mapping[str, Queued] = field(default_factory=dict)
    """By `journey|key`, as `past`."""
    arms: Mapping[str, str] = field(default_factory=dict)
    """What she drew in experiments, by their salt: an arm of a split, `holdout` or `exposed`."""
    timers: tuple[Timer, ...] = ()
    lead: Lead | None = None
    tasks: Mapping[EffectId, Task] = field(default_factory=dict)
    advisor: StaffId | None = None
    sent: tuple[Sent, ...] = ()
    notes: tuple[str, ...] = ()
    """What journeys noted for the advisor, latest last."""
    recent: tuple[Recent, ...] = ()
    coupons: Mapping[str, EffectId] = field(default_factory=dict)
    """What she may get only once, with the errand that gave it: by `coupon|customer` or `coupon|enrolment`."""
    told_at: Mapping[str, datetime] = field(default_factory=dict)
    """When she answered what attributes with a `ttl` were asked for, by the attribute's name."""
    said: tuple[str, ...] = ()
    """Keys under which an interrupt, or a rule of everybody's, has said something to her; it is not said again."""
    segments: Mapping[str, bool] = field(default_factory=dict)
    """Whether each segment that leads into a journey held when it was looked at last, by its key."""
    unasked_on: str = ""
    """The day, in her zone, of `unasked`."""
    unasked: Mapping[str, int] = field(default_factory=dict)
    """How often each journey began on that day without any act of hers."""
    caught_up_to: datetime | None = None

    def next_due_at(self) -> datetime | None:
        """The earliest due time of any timer, None when nothing is set."""
        return min((timer.due_at for timer in self.timers), default=None)
