"""Everything marketers wrote, checked and typed: journeys, contents, global rules, people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Literal

from bot.core.actions import Action
from bot.core.customer import BucketKind
from bot.core.effects import Delivery, SendClass
from bot.core.expressions.tree import Template
from bot.core.ids import StaffId
from bot.core.journey import Journey

AttributeType = Literal["text", "number", "bool", "phone_cn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A declared attribute of the customer (schema/customer.yaml). `pii`: encrypted, masked in every trace."""

    name: str
    type: AttributeType
    pii: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is said. `variants` always holds `normal`; `forms` is channel → text or menu.

    A menu shows the options of the slot that is asked, to tap. `templates`: for each `outside: template:NAME`
    the values of that template's fields.
    """

    content: str
    forms: Mapping[str, Literal["text", "menu", "image"]]
    variants: Mapping[str, Template]
    templates: Mapping[str, tuple[tuple[str, Template], ...]] = field(default_factory=dict)
    media: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyHours:
    """`weekdays` 0 (Monday) to 6; from `opens` to `closes` in the zone of the defaults."""

    weekdays: frozenset[int]
    opens: time
    closes: time


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From `begins` to `ends`, crossing midnight when `ends` is earlier."""

    begins: time
    ends: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    name: str
    classes: frozenset[SendClass]
    max: int
    per: timedelta


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
    """

    interrupt: str
    keywords: tuple[str, ...]
    priority: int
    effect: Literal["end_all", "end_focus", "pause", "answer"]
    do: tuple[Action, ...] = ()
    call: str = ""

    @property
    def hard(self) -> bool:
        """Whether nothing may come before it."""
        return self.priority >= 900


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalRules:
    """`_global.yaml`. `windows`: channel → kind of act → what it allows; a channel without has no window."""

    timezone: str
    quiet: QuietHours | None
    human_hold: timedelta
    working_hours: Mapping[str, WeeklyHours]
    caps: tuple[Cap, ...]
    class_rules: Mapping[SendClass, ClassRule]
    windows: Mapping[str, Mapping[BucketKind, WindowRule]]
    interrupts: tuple[Interrupt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of our people. `account` is the `[channels.wecom.NAME]` through which the app reaches her.

    `hours` names working hours of `_global.yaml`; empty: always on duty.
    """

    staff_id: StaffId
    name: str
    roles: frozenset[str]
    dealer: str
    account: str
    hours: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealer:
    dealer: str
    name: str
    city: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One complete, checked set. `release` is the hash of all of it."""

    release: str
    journeys: Mapping[str, Journey]
    contents: Mapping[str, Content]
    rules: GlobalRules
    attributes: Mapping[str, Attribute]
    members: tuple[Member, ...]
    dealers: Mapping[str, Dealer]

    def content(self, name: str) -> Content:
        """The content called `name`. KeyError: the checker let a bad reference through."""
        return self.contents[name]
