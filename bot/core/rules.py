"""The rules that hold for every journey: `_global.yaml` as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Literal

from bot.core.actions import Action
from bot.core.customer import BucketKind
from bot.core.effects import Delivery, SendClass
from bot.core.expressions.tree import Template

BURST_MAX = 3
"""Messages of one step in one conversation, unless `burst` says fewer: so many a platform takes in the minute after a
follow or a menu click. More is an error, not a silent cut (journey-language.md 2.4, 3.11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holidays:
    """Days that are not what their weekday says. `official`: years whose table the state has published.

    `off`: days without work. `work`: make-up days, worked although they lie on a weekend.
    """

    off: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()
    official: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyHours:
    """`weekdays` 0 (Monday) to 6; from `opens` to `closes` in the zone of the defaults.

    `holidays`: shut on statutory holidays, open on make-up days, whatever their weekday.
    """

    weekdays: frozenset[int]
    opens: time
    closes: time
    holidays: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From `begins` to `ends`, crossing midnight when `ends` is earlier."""

    begins: time
    ends: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most `max` messages in `per`; asked of messages of `classes`.

    What is counted are messages of `counts` (empty: of `classes`), by `scope`: those of the message's own journey,
    those of its own class, or all of them.
    """

    name: str
    classes: frozenset[SendClass]
    max: int
    per: timedelta
    scope: Literal["journey", "class", "all"] = "all"
    counts: frozenset[SendClass] = frozenset()

    @property
    def counted(self) -> frozenset[SendClass]:
        """The classes whose messages count."""
        return self.counts or self.classes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRule:
    """What holds for a class of sends. `cap_defer` is set when `cap` is defer. `consent`: a purpose, or empty."""

    opt_out: Literal["ignore", "reply_only", "block"]
    quiet: Literal["ignore", "defer"]
    cap: Literal["ignore", "defer", "drop"]
    delivery: Delivery
    consent: str = ""
    cap_defer: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRule:
    max: int
    duration: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupt:
    """Something that is heard before, or instead of, the open question.

    `hard` (priority 900 and more): before everything else, even while a human has the floor.
    `effect`: end_all ends every journey of the customer, end_focus the holder's, pause keeps it for later.
    `intents` count from a score of `min` hundredths on; `faq`: whatever a frequent question answers as well.
    """

    interrupt: str
    keywords: tuple[str, ...]
    priority: int
    effect: Literal["end_all", "end_focus", "pause", "answer"]
    do: tuple[Action, ...] = ()
    call: str = ""
    arguments: tuple[tuple[str, Template], ...] = ()
    intents: tuple[str, ...] = ()
    faq: bool = False
    min: int = 80

    @property
    def hard(self) -> bool:
        """Whether nothing may come before it."""
        return self.priority >= 900


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyRules:
    """What a journey's `limits` say of its messages. `quiet` stands in the place of everybody's.

    `working_days`: reminders and marketing only on working days.
    """

    quiet: QuietHours | None = None
    working_days: bool = False
    cap: Cap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnError:
    """`error` is a name (`send.window_closed`), a prefix ending in `.*`, or `*`. No `goto`: the run ends."""

    error: str
    do: tuple[Action, ...] = ()
    goto: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalRules:
    """`_global.yaml`. `windows`: channel → kind of act → what it allows; a channel without has no window.
    `burst`: messages of one step in one conversation.

    `journeys`: what journeys that limit their messages say, by name; filled in from them when a library is compiled.
    """

    timezone: str
    quiet: QuietHours | None
    human_hold: timedelta
    working_hours: Mapping[str, WeeklyHours]
    caps: tuple[Cap, ...]
    class_rules: Mapping[SendClass, ClassRule]
    windows: Mapping[str, Mapping[BucketKind, WindowRule]]
    interrupts: tuple[Interrupt, ...] = ()
    holidays: Holidays = field(default_factory=Holidays)
    errors: tuple[OnError, ...] = ()
    burst: int = BURST_MAX
    journeys: Mapping[str, JourneyRules] = field(default_factory=dict)
