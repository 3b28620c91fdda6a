"""The actions of `do:`, as a journey file says them, checked and typed."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from bot.core.effects import SendClass
from bot.core.expressions.tree import Expression, Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What to use when the window is shut: `template:NAME`, `sms:NAME`, `group_send`, `task` or `drop`."""

    way: Literal["template", "task", "drop", "sms", "group_send"]
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send a content. `send_class` None: service, allowed only where the customer's own act leads here (J608).

    `variant_by`: the name of the variant. `key`: what was sent under the same key by this run is not sent again.
    """

    content: str
    send_class: SendClass | None = None
    outside: tuple[Outside, ...] = ()
    expire: timedelta | None = None
    window: Literal["auto", "require", "ignore"] = "auto"
    variant_by: Expression | None = None
    key: Template | None = None


WORD_MAX = 60
"""Characters of a tag, or of the name of a coupon."""
REASON_MAX = 100
"""Characters of the reason for which points are booked."""
NUMBER_MAX = 10**9
"""Greatest magnitude of a score or of points that one action adds."""
STAGES = ("new", "qualified", "assigned", "contacted", "won", "lost")
"""What may become of a lead. Source: style.md 2."""
Words: TypeAlias = str | Template
"""Written out, or made when the action is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """Add `tag`, or take it away when `remove`."""

    tag: Words
    remove: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    add: int | Template


@dataclass(frozen=True, slots=True, kw_only=True)
class SetValues:
    """Targets are `vars.NAME` or `customer.NAME`."""

    values: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLead:
    fields: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeConsent:
    """`text` is the content that the customer saw when she agreed; its hash is kept as evidence."""

    purpose: Template
    granted: bool
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTask:
    """`to`: `advisor`, `role:NAME` or `staff:ID`. `due` after now, or `due_at` at a time; neither: no deadline."""

    to: str
    title: Template
    due: timedelta | None = None
    due_at: Expression | None = None
    overdue_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPoints:
    add: int | Template
    reason: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantCoupon:
    """`once_per`: nobody gets it twice at all, or in one run of the journey; empty: every time."""

    coupon: Words
    once_per: Literal["", "customer", "journey"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartJourney:
    """Begin another journey and go on at once. `arguments` become its `vars`."""

    journey: str
    arguments: tuple[tuple[str, Template], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelJourney:
    """End the customer's runs of `journey`, as `cancelled`."""

    journey: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelBooking:
    """Give back what was booked and is kept under `save`."""

    save: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Emit:
    """An event that this customer's journeys hear in the same step."""

    event: str
    fields: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStage:
    """The stage of the customer's open lead."""

    stage: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    text: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """`scope` `all`, or a class of sends."""

    scope: str


Action: TypeAlias = (
    Send
    | Tag
    | Score
    | SetValues
    | OpenLead
    | ChangeConsent
    | CreateTask
    | AddPoints
    | GrantCoupon
    | StartJourney
    | CancelJourney
    | CancelBooking
    | Emit
    | SetStage
    | Note
    | OptOut
)
