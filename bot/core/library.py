"""Everything marketers wrote, checked and typed: journeys, contents, global rules, people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.core.bookings import Resource
from bot.core.catalogue import Catalogue
from bot.core.events import Json
from bot.core.expressions.tree import Expression, Template
from bot.core.ids import StaffId
from bot.core.journey import Journey
from bot.core.rules import GlobalRules
from bot.core.slots import VarType

AttributeType = Literal[
    "text",
    "number",
    "money",
    "bool",
    "date",
    "time",
    "datetime",
    "phone_cn",
    "plate_cn",
    "vin",
    "id_cn",
    "city",
    "entity",
    "choice",
    "image",
    "location",
    "file",
]
"""Every type of slot: what was answered can be kept as an attribute of its type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A declared attribute of the customer (schema/customer.yaml). `pii`: encrypted, masked in every trace.

    `default`: what expressions and templates read while nothing is stored, as JSON has it; it is never stored itself.
    `options`: the only values that a choice may have. `origin`: where it comes from, for whoever reads the file.
    """

    name: str
    type: AttributeType
    pii: bool = False
    label: str = ""
    default: Json = None
    options: tuple[str, ...] = ()
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is said. `variants` always holds `normal`; `forms` is channel → text or menu.

    A menu shows the options of the slot that is asked, to tap. `templates`: for each `outside: template:NAME`
    the values of that template's fields. `bodies`: channel → variant → what is said there in the place of the
    variant's common text, which is empty where every channel has its own.
    """

    content: str
    forms: Mapping[str, Literal["text", "menu", "image"]]
    variants: Mapping[str, Template]
    templates: Mapping[str, tuple[tuple[str, Template], ...]] = field(default_factory=dict)
    media: str = ""
    hash: str = ""
    bodies: Mapping[str, Mapping[str, Template]] = field(default_factory=dict)

    def wording(self, variant: str, channel: str) -> Template:
        """What is said on `channel` as `variant`; of a variant that there is not, the normal wording."""
        named = variant if variant in self.variants else "normal"
        own = self.bodies.get(channel)
        return own[named] if own is not None and named in own else self.variants[named]


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
    """`hours` names working hours of `_global.yaml`: its calendar of working time; empty: the brand's."""

    dealer: str
    name: str
    city: str = ""
    hours: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Customers for whom `condition` holds (segments/NAME.yaml)."""

    segment: str
    condition: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """A declared event of our own or of another system, with its fields (schema/events.yaml)."""

    event: str
    fields: Mapping[str, VarType] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faq:
    """A frequent question in several wordings. `content` is the answer, a content like any other."""

    faq: str
    questions: tuple[str, ...]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a customer may mean, by patterns in her text and words that rule it out, both spelled as `spelled` does.

    `*` in a pattern stands for a few characters of any kind.
    """

    intent: str
    patterns: tuple[str, ...]
    without: tuple[str, ...] = ()


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
    segments: Mapping[str, Segment] = field(default_factory=dict)
    events: Mapping[str, EventType] = field(default_factory=dict)
    faqs: tuple[Faq, ...] = ()
    intents: Mapping[str, Intent] = field(default_factory=dict)
    catalogue: Catalogue = field(default_factory=Catalogue)
    resources: tuple[Resource, ...] = ()

    def content(self, name: str) -> Content:
        """The content called `name`. KeyError: the checker let a bad reference through."""
        return self.contents[name]
