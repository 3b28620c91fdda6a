"""The states of a journey: what each does, waits for, and leads to. Source: journey-language.md 2.3, 3.11."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from bot.core.actions import Action, Outside
from bot.core.effects import SendClass
from bot.core.entries import Arguments
from bot.core.expressions.tree import Expression, Template
from bot.core.times import Span, Until

Late = Literal["fire", "fire_once", "skip"]
"""What becomes of a timer that is stepped late because processing was: `skip` only beyond `skip_after`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    slot: str
    send_class: SendClass | None = None
    outside: tuple[Outside, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Wait for a span, or until a moment, or (both None) for ever, which only `events` and `max_age` end.

    `spread`: released over this time by a stable hash. `late` as for timers.
    """

    span: Span | None = None
    until: Until | None = None
    spread: timedelta | None = None
    late: Late = "fire_once"
    skip_after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way of a branch; `when` None is its `else`."""

    when: Expression | None
    goto: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    arms: tuple[Arm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitArm:
    """`percent` in whole hundredths of the whole; those of all arms make 100."""

    name: str
    percent: int
    goto: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """By a stable hash of `salt` and `unit` (None: the customer), and the same arm for ever after."""

    salt: str
    arms: tuple[SplitArm, ...]
    unit: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallJourney:
    journey: str
    arguments: Arguments = ()
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
class Book:
    """Book `what` of `resource` at `start`; where the enrolment has a booking in `save`, move it there.

    `full` and `fail` are states. `hold`: how long the place is kept before it is confirmed.
    """

    resource: str
    what: Expression
    start: Expression
    save: str
    full: str
    fail: str
    hold: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Call `operation` of the webhook `target` (`config.toml [webhooks.NAME]`); its answer goes into `save`."""

    target: str
    operation: str
    fail: str
    body: tuple[tuple[str, Expression], ...] = ()
    save: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    label: str
    returns: tuple[tuple[str, Expression], ...] = ()


Doing: TypeAlias = Ask | Wait | Branch | Split | CallJourney | Handoff | Book | Webhook | End


@dataclass(frozen=True, slots=True, kw_only=True)
class On:
    """A reaction while a state waits. `keywords` (normalised) and `intents` narrow `message`. No `goto`: stay.

    `reenter`: leave the state and enter it again. `since`: an event that came up to so long before the state was
    entered counts as well.
    """

    event: str
    keywords: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()
    when: Expression | None = None
    set: tuple[tuple[str, Expression], ...] = ()
    do: tuple[Action, ...] = ()
    goto: str = ""
    reenter: bool = False
    since: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTimer:
    """A timer of its own while the state waits: at `at`, or `after` entry. `goto` empty: do and stay.

    `past`: what when its time was over already as it was armed.
    """

    timer_id: str
    at: Until | None = None
    after: Span | None = None
    when: Expression | None = None
    past: Literal["skip", "fire"] = "skip"
    late: Late = "fire_once"
    skip_after: timedelta = timedelta(0)
    do: tuple[Action, ...] = ()
    goto: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    after: Span
    goto: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """States that belong together. `resume` last: going to the group goes to the state that was left last.

    `initial` is the first of its states; what stands in `events` counts in each of them, after their own.
    """

    name: str
    initial: str
    resume: Literal["first", "last"] = "first"
    events: tuple[On, ...] = ()
    exits: tuple["GroupExit", ...] = ()
    fail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupExit:
    """Before every macro-step in the group: when `when` holds, to `goto`."""

    when: Expression
    goto: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Runs as: `when` (false: to `otherwise`), `do`, `doing`, `then`. `group`: the group it belongs to.

    `fail`: where to go with an error that this state raises, empty: up to the group, the journey, everybody.
    """

    name: str
    when: Expression | None = None
    otherwise: str = ""
    do: tuple[Action, ...] = ()
    doing: Doing | None = None
    then: str = ""
    events: tuple[On, ...] = ()
    timers: tuple[NamedTimer, ...] = ()
    timeout: Timeout | None = None
    give_up: str = ""
    fail: str = ""
    group: str = ""
