"""Intentions that a step returns. Imperative, immutable; carried out only after the step is committed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from bot.core.errands import Errand
from bot.core.events import Json
from bot.core.ids import ConversationId, EffectId, EnrolmentId, StaffId
from bot.core.making import quickly_made
from bot.core.messages import Message

SendClass = Literal["transactional", "service", "reminder", "marketing", "staff"]
"""`staff` is what we send to our own people: no consent, no cap, no quiet hours."""
Delivery = Literal["at_least_once", "at_most_once"]
Form = Literal["free", "template"]
"""How the platform counts a message: `template` needs no window."""
WindowNeed = Literal["auto", "require", "ignore"]
"""`ignore`: leave even when no window is known to be open. The others: only inside one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """What to try when the message itself may not go. `message` is set for `template`, else None.

    `sms` and `group_send` have no account in this version: they are passed over, as a template without an id is.
    """

    way: Literal["template", "task", "drop", "sms", "group_send"]
    message: Message | None = None
    title: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage:
    """One message to one conversation. Rendered: what stands here is what is sent.

    `visit` is the enrolment's visit that planned it; `reply` tells that the customer's own act caused it in
    this very step. `sequence` is the order within the step. `window`: as the journey wrote it. `cause`: what of
    `_global.yaml` said it without an enrolment (`interrupt:complaint`, `error:points.short`).
    """

    effect_id: EffectId
    conversation_id: ConversationId
    channel: str
    account: str
    to: str
    message: Message
    content: str
    send_class: SendClass
    delivery: Delivery
    sequence: int
    enrolment_id: EnrolmentId | None = None
    journey: str = ""
    state: str = ""
    visit: int = 0
    not_before: datetime | None = None
    expires_at: datetime | None = None
    reply: bool = False
    urgent: bool = False
    window: WindowNeed = "auto"
    fallbacks: tuple[Fallback, ...] = ()
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressSends:
    """Unsent rows that shall not leave any more, with the reason that `why` will show."""

    effect_ids: tuple[EffectId, ...]
    reason: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SaveLead:
    """Open or update the customer's lead. `fields` are the lead's own values (phone, need, city ...)."""

    lead_id: str
    stage: str
    fields: Mapping[str, Json]
    opened_at: datetime
    advisor: StaffId | None
    dealer: str
    source: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SaveTask:
    """Create or update a task of an advisor."""

    task_id: EffectId
    kind: Literal["task", "handoff"]
    status: Literal["open", "accepted", "done", "overdue", "withdrawn"]
    staff_id: StaffId | None
    title: str
    created_at: datetime
    due_at: datetime | None
    journey: str
    enrolment_id: EnrolmentId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordConsent:
    """A consent given or withdrawn, with the text version that the customer saw."""

    purpose: str
    granted: bool
    at: datetime
    source: str
    text: str
    text_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignAdvisor:
    """`staff_id` follows this customer from now on."""

    staff_id: StaffId
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDesk:
    """What this advisor types into the app from `at` on goes to this conversation.

    `at`: when she clicked, by the platform's clock. What she typed before was not meant for it.
    """

    account: str
    staff_id: StaffId
    conversation_id: ConversationId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDesk:
    """The advisor's text goes nowhere any more, if it went to this conversation."""

    account: str
    staff_id: StaffId
    conversation_id: ConversationId


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class RunErrand:
    """Have something done outside the conversation; `effect.done` or `effect.failed` tells how it went.

    `waited`: the visit that planned it waits for the result. `reply`: her own act caused it, so that what is said once
    it is done still answers her. After `expires_at` it is not tried any more. `enrolment_id` None: no journey wants it,
    but `cause`, as in `SendMessage`.
    """

    effect_id: EffectId
    errand: Errand
    expires_at: datetime
    enrolment_id: EnrolmentId | None
    journey: str
    state: str
    visit: int
    waited: bool = False
    reply: bool = False
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawErrands:
    """Errands that nobody waits for any more; those that have not begun are not run."""

    effect_ids: tuple[EffectId, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlePlace:
    """The place that the errand `effect_id` holds: keep it, and give back what it replaces; or give it back."""

    effect_id: EffectId
    keep: bool


Effect: TypeAlias = (
    SendMessage
    | SuppressSends
    | SaveLead
    | SaveTask
    | RecordConsent
    | AssignAdvisor
    | OpenDesk
    | CloseDesk
    | RunErrand
    | WithdrawErrands
    | SettlePlace
)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One line of the journal: what was decided, and by which values.

    `kind`: entered, entry_refused, entry_waits, moved, split, exit, emit, internal, cancel_refused, guard,
    answered, unparsed, planned, not_sent, goal, error, ended, heard, unheard, taken, corrected, offered, interrupt,
    tag, score, set, lead, task, consent, points, note, handoff, floor, opt_out, timer, skipped, rearmed, operator, and
    the types of receipts. `detail` holds plain JSON without texts of messages and without personal data.
    """

    kind: str
    journey: str = ""
    enrolment_id: EnrolmentId | None = None
    state: str = ""
    detail: Mapping[str, Json] = field(default_factory=dict)
