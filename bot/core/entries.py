"""Who comes into a journey, how often, and what takes her out of it. Source: journey-language.md 2.2, 3.8."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from bot.core.effects import SendClass
from bot.core.expressions.tree import Expression, Template
from bot.core.rules import QuietHours

Arguments: TypeAlias = tuple[tuple[str, Template], ...]
"""The pairs of `with:`; they become `vars` of the journey that begins."""
KeywordMatch = Literal["exact", "prefix", "contains", "fuzzy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventEntry:
    """Enter when an event of this type comes. `channels` (all entries): besides the journey's own."""

    event: str
    when: Expression | None = None
    interrupt: bool = False
    channels: tuple[str, ...] = ()
    arguments: Arguments = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordEntry:
    """Enter when the customer writes one of `keywords`, which stand here normalised as her text will be."""

    keywords: tuple[str, ...]
    match: KeywordMatch = "exact"
    when: Expression | None = None
    interrupt: bool = False
    channels: tuple[str, ...] = ()
    arguments: Arguments = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentEntry:
    """Enter when what the customer wrote means one of `intents`, with a score of at least `min` hundredths."""

    intents: tuple[str, ...]
    min: int = 80
    when: Expression | None = None
    interrupt: bool = False
    channels: tuple[str, ...] = ()
    arguments: Arguments = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentEntry:
    """Enter when the customer begins to belong to the segment. `spread`: over this time by a stable hash."""

    segment: str
    when: Expression | None = None
    spread: timedelta | None = None
    channels: tuple[str, ...] = ()
    arguments: Arguments = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleEntry:
    """Enter everybody whom `audience` and `when` admit, at each moment of `cron` (five fields) in `timezone`."""

    cron: str
    timezone: str = ""
    when: Expression | None = None
    spread: timedelta | None = None
    channels: tuple[str, ...] = ()
    arguments: Arguments = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiEntry:
    """Enter when another system says so: event `api`, field `entry` equal to `api`."""

    api: str
    when: Expression | None = None
    interrupt: bool = False
    channels: tuple[str, ...] = ()
    arguments: Arguments = ()


Entry: TypeAlias = EventEntry | KeywordEntry | IntentEntry | SegmentEntry | ScheduleEntry | ApiEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Reentry:
    """`allow`: `always`, `never`, `goal_missed` (when the last run missed its goal), or the time since its end."""

    allow: Literal["always", "never", "goal_missed"] | timedelta = "always"
    while_active: Literal["ignore", "restart", "queue"] = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """`shared`: the journey asks beside whoever has the floor, and never takes it from anybody."""

    priority: int = 50
    resume_within: timedelta | None = None
    floor: Literal["exclusive", "shared"] = "exclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyCap:
    """At most `max` messages of `classes` in `per`: of this journey, of these classes anywhere, or of all journeys."""

    max: int
    per: timedelta
    scope: Literal["journey", "class", "all"] = "journey"
    classes: frozenset[SendClass] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`days` working: reminders and marketing only on working days. `max_age`: then the run ends `expired`."""

    quiet: QuietHours | None = None
    days: Literal["every", "working"] = "every"
    cap: JourneyCap | None = None
    max_age: timedelta = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """`percent` of all `unit`s (None: the customer) are entered with arm `holdout` and visit no state."""

    percent: int
    salt: str
    unit: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Success, counted once when `when` turns true after entry, or `event` comes, within `within` of entry.

    `exit`: the state to go to then, at the start of a macro-step; empty: it only counts.
    """

    name: str
    when: Expression | None = None
    event: str = ""
    within: timedelta | None = None
    exit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """Before every macro-step: when `when` holds, or `event` is what comes and `when` holds, to `goto`."""

    goto: str
    when: Expression | None = None
    event: str = ""
