"""Values that storage takes and gives beside the core's own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NewType

from bot.core.arrival import Facts
from bot.core.effects import Effect, RunErrand, SendMessage, Trace
from bot.core.events import Event, Json
from bot.core.ids import ConversationId, CustomerId, EffectId, EnrolmentId, EventId, StaffId
from bot.errors import Spoilt

Lane = NewType("Lane", int)
"""A customer's id, or a negative number: the lane of a channel account (delivery.md 1.6)."""

SendState = Literal["ready", "leased", "sending", "sent", "delivered", "refused", "unknown", "expired", "suppressed"]
Verdict = Literal["sent", "delivered", "refused", "unknown", "expired", "suppressed"]
ErrandVerdict = Literal["done", "failed", "unknown"]
ErrandState = Literal["ready", "leased", "sending", "done", "failed", "unknown", "withdrawn"]
SealedTable = Literal["inbox", "outbox", "errands", "customers", "leads", "tasks", "quarantine", "journal"]
Met = Literal["read", "ready", "sending"]
"""How a row that does not open was come upon: by a reader, by work that had not begun, by work that may be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """An event that waits to be stepped. `customer_id` None: it stands in the lane of its account."""

    seq: int
    lane: Lane
    event: Event
    received_at: datetime

    @property
    def customer_id(self) -> CustomerId | None:
        return CustomerId(self.lane) if self.lane > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a customer's step wants done, in order."""

    customer_id: CustomerId
    effects: Sequence[Effect]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """A row of the outbox that this worker may begin until its lease is over. `attempts` were made before.

    `repeats`: how many of them because the fate of an earlier one was unknown. `by_operator`: somebody decided that
    it leaves again.
    """

    seq: int
    customer_id: CustomerId
    effect: SendMessage
    planned_at: datetime
    attempts: int
    repeats: int
    by_operator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many sends of an account may begin now. `for_urgent` of the `slots` are kept for urgent ones."""

    slots: int
    for_urgent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a send."""

    effect_id: EffectId
    verdict: Verdict
    provider_id: str = ""
    response_code: str = ""
    reason: str = ""
    vendor_code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxLine:
    """A row of the outbox, whole."""

    seq: int
    customer_id: CustomerId
    effect: SendMessage
    state: SendState
    planned_at: datetime
    not_before: datetime
    expires_at: datetime | None
    attempts: int
    repeats: int
    started_at: datetime | None
    epoch: int | None
    settled_at: datetime | None
    provider_id: str
    response_code: str
    reason: str
    vendor_code: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrandLine:
    """An errand and what became of it. `status`: the HTTP status of the last answer, None: there was none."""

    seq: int
    customer_id: CustomerId
    effect: RunErrand
    state: ErrandState
    planned_at: datetime
    not_before: datetime
    expires_at: datetime
    attempts: int
    started_at: datetime | None
    settled_at: datetime | None
    reason: str
    status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """One stepped item. `kind`: `event`, `timer`, or what else was decided about this customer."""

    customer_id: CustomerId
    kind: str
    at: datetime
    entries: tuple[Trace, ...]
    event_id: EventId | None = None
    facts: Facts = field(default_factory=Facts)
    took_us: int = 0
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxLine:
    """An event and whether it was stepped."""

    seq: int
    event: Event
    received_at: datetime
    consumed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadLine:
    """A lead. `fields` hold personal data."""

    lead_id: str
    customer_id: CustomerId
    stage: str
    staff_id: StaffId | None
    dealer: str
    source: str
    opened_at: datetime
    updated_at: datetime
    fields: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLine:
    """A task of an advisor. `title` empty: it does not open."""

    task_id: EffectId
    customer_id: CustomerId
    kind: str
    status: str
    staff_id: StaffId | None
    title: str
    created_at: datetime
    due_at: datetime | None
    journey: str
    enrolment_id: EnrolmentId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentLine:
    """A consent given or withdrawn."""

    purpose: str
    granted: bool
    at: datetime
    source: str
    content: str
    text_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The conversation that an advisor's words go to. `opened_at`: her click, by the platform's clock."""

    account: str
    staff_id: StaffId
    customer_id: CustomerId
    conversation_id: ConversationId
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A lane that stands still. `seq`: the event that could not be stepped, None for a timer."""

    lane: Lane
    seq: int | None
    reason: str
    parked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """What was rightly signed and could not be read (`form` body) or not be written down (`form` event).

    `form` sealed: an event of an account's lane that was written down and did not open when it was to be stepped.
    """

    quarantine_id: str
    form: Literal["body", "event", "sealed"]
    channel: str
    account: str
    why: str
    received_at: datetime
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoiltRow:
    """A row that does not open, by what stands open in it. `name`: its id. `what`: its type, content or kind.

    `state` of a message or an errand: its own, or `withheld` where it rests as unknown because it does not open, and
    `left` where an operator gave it up. `seq` 0: its table has none. `lane` 0: it is nobody's.
    `is_staff`: a message to our own people.
    """

    table: SealedTable
    seq: int
    lane: Lane
    name: str
    what: str
    state: str
    at: datetime
    error: Spoilt
    met: Met = "read"
    is_staff: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time in which callbacks of an account were turned away: messages of it may be missing.

    `cursor`: the last external id that was asked about. `reconciled_at` None: not everybody was asked about yet.
    """

    seq: int
    channel: str
    account: str
    since: datetime
    until: datetime
    reason: str
    turned_away: int
    cursor: str
    reconciled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadCount:
    """How many living enrolments stand in a state of a journey."""

    journey: str
    state: str
    status: str
    customers: int
