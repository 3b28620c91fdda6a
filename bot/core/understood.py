"""What a customer's text was understood to be, and what we were hoping to hear."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from bot.core.making import quickly_made

SlotValue: TypeAlias = str | int | bool

SlotType = Literal["choice", "text", "phone_cn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A slot that this text may fill. `slot` is `journey.slot`. `options`: canonical value → spellings.

    `asked`: the question stands open right now; a `text` slot is read only then.
    """

    slot: str
    type: SlotType
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Everything that the customer's next text may be an answer to, most wanted first."""

    expected: tuple[Expected, ...] = ()
    confirming: bool = False
    """A proposed value waits for yes or no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A value for a slot. `start`, `end`: the half-open span of the text (code points) it was read from."""

    value: SlotValue
    start: int
    end: int


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """`normal` is the text with width, case, spaces, trailing punctuation and particles taken away.

    `bare`: what remains of `normal` when polite words around it are taken away, one after the other; of two
    characters at least. `readings` holds at most one value a slot; a slot with two possible values has none, and
    stands in `ambiguous`. `yes`, `no`, `skip`: the whole text says just that. `change`: the text begins with a
    word of correction (不对, 改成).
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
