"""A journey as data: what a file means once it is checked. No positions, no behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeAlias

from bot.core.actions import Action, Outside
from bot.core.effects import SendClass
from bot.core.events import Json
from bot.core.expressions.tree import Expression, Template
from bot.core.understood import SlotType

VarType = Literal["text", "number", "bool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventEntry:
    """Enter when an event of this type comes."""

    event: str
    when: Expression | None = None
    interrupt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordEntry:
    """Enter when the customer writes one of `keywords`, which stand here normalised as her text will be."""

    keywords: tuple[str, ...]
    match: Literal["exact", "prefix", "contains"] = "exact"
    when: Expression | None = None
    interrupt: bool = False


Entry: TypeAlias = EventEntry | KeywordEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Reentry:
    """`allow`: `always`, `never`, or the time since the end of the last run."""

    allow: Literal["always", "never"] | timedelta = "always"
    while_active: Literal["ignore"] = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    priority: int = 50
    resume_within: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Var:
    type: VarType
    default: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A variable with a question. `ask`, `retry_say` name contents. `save` is an attribute of the customer.

    `check` may read `value`. `consent`: a purpose that must be granted before the question is sent.
    """

    name: str
    type: SlotType
    ask: str
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    check: Expression | None = None
    retry_max: int = 2
    retry_say: str = ""
    confirm: bool = False
    optional: bool = False
    consent: str = ""
    pii: bool = False
    capture: Literal["first", "after_triggers"] = "first"
    save: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    slot: str
    send_class: SendClass | None = None
    outside: tuple[Outside, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    duration: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way of a branch; `when` None is its `else`."""

    when: Expression | None
    goto: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    arms: tuple[Arm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallJourney:
    journey: str
    arguments: tuple[tuple[str, Template], ...] = ()
    save: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """`hours` names working hours of `_global.yaml`, empty: always. `fallback` is a state."""

    to: str
    note: Template
    accept_within: timedelta
    hours: str
    fallback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    label: str
    returns: tuple[tuple[str, Expression], ...] = ()


Doing: TypeAlias = Ask | Wait | Branch | CallJourney | Handoff | End


@dataclass(frozen=True, slots=True, kw_only=True)
class On:
    """A reaction while a state waits. `keywords` (normalised) narrow `message`. No `goto`: stay."""

    event: str
    keywords: tuple[str, ...] = ()
    when: Expression | None = None
    set: tuple[tuple[str, Expression], ...] = ()
    do: tuple[Action, ...] = ()
    goto: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    after: timedelta
    goto: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Runs as: `when` (false: to `otherwise`), `do`, `doing`, `then`. Source: journey-language.md 2.3."""

    name: str
    when: Expression | None = None
    otherwise: str = ""
    do: tuple[Action, ...] = ()
    doing: Doing | None = None
    then: str = ""
    events: tuple[On, ...] = ()
    timeout: Timeout | None = None
    give_up: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Success, counted once when `when` turns true after entry, or `event` comes, within `within` of entry."""

    name: str
    when: Expression | None = None
    event: str = ""
    within: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnError:
    """`error` is a name (`send.window_closed`), a prefix ending in `.*`, or `*`."""

    error: str
    do: tuple[Action, ...] = ()
    goto: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """`states` keep the order of the file; the first is where a customer begins."""

    journey: str
    name: str
    channel: str
    states: Mapping[str, State]
    owner: str = ""
    about: str = ""
    labels: tuple[str, ...] = ()
    enter: tuple[Entry, ...] = ()
    audience: Expression | None = None
    key: Template | None = None
    reentry: Reentry = field(default_factory=Reentry)
    focus: Focus = field(default_factory=Focus)
    vars: Mapping[str, Var] = field(default_factory=dict)
    slots: Mapping[str, Slot] = field(default_factory=dict)
    goal: Goal | None = None
    errors: tuple[OnError, ...] = ()

    @property
    def initial(self) -> str:
        """The state in which an enrolment begins."""
        return next(iter(self.states))
