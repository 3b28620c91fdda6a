"""What a customer's text was understood to be, and what we were hoping to hear."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from bot.core.events import Json
from bot.core.making import quickly_made

SlotValue: TypeAlias = "str | int | float | bool | dict[str, Json]"
"""As JSON has it. A date is `2026-12-01`, a time `15:30`, a datetime ISO 8601 with the offset of the customer's zone,
a number or money (yuan) of at most 6 places, a location `{lat, lng, name}`, an image or a file the media id of the
platform."""

SlotType = Literal[
    "text",
    "choice",
    "number",
    "money",
    "date",
    "time",
    "datetime",
    "phone_cn",
    "plate_cn",
    "vin",
    "id_cn",
    "city",
    "bool",
    "image",
    "location",
    "entity",
    "file",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A slot that this text may fill. `slot` is `journey.slot`. `options`: canonical value → spellings.

    `asked`: the question stands open right now; what might mean anything (text, number, bool) is read only then.
    `listed`: `options` were worked out and shown as a numbered list, so that a number chooses one, and nothing but
    they may be chosen. `answered`: it has a value already, which this text may correct. `of`: kind of an entity.
    """

    slot: str
    type: SlotType
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    asked: bool = False
    listed: bool = False
    answered: bool = False
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Everything that the customer's next text may be an answer to, most wanted first."""

    expected: tuple[Expected, ...] = ()
    confirming: bool = False
    """A proposed value waits for yes or no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A value for a slot. `start`, `end`: the half-open span of the text (code points) it was read from.

    Both 0 when it came with the message, as a picture does, and not in words.
    """

    value: SlotValue
    start: int
    end: int


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """`normal` is the text with width, case, spaces, trailing punctuation and particles taken away.

    `bare`: what remains of `normal` when polite words around it are taken away, one after the other; of two
    characters at least. `readings` holds at most one value a slot; a slot with two possible values has none, and
    stands in `ambiguous`. `yes`, `no`, `skip`: the whole text says just that. `change`: the text takes something back
    (不对, 改成, 手机号错了), and readings of answered slots correct them. `intents`: what it may mean, with scores in
    hundredths. `faq`: the frequent question that it resembles most, and how much, in hundredths.
    """

    text: str
    normal: str
    bare: tuple[str, ...] = ()
    readings: Mapping[str, Reading] = field(default_factory=dict)
    ambiguous: frozenset[str] = frozenset()
    yes: bool = False
    no: bool = False
    skip: bool = False
    change: bool = False
    intents: Mapping[str, int] = field(default_factory=dict)
    faq: tuple[str, int] | None = None
