"""The most that a template can come to, in bytes or in characters."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import assert_never

from bot.authoring.checks.maxima import FREE_CHARACTERS, SHORT, Maxima
from bot.core.expressions.tree import (
    Call,
    Choice,
    Constant,
    Filter,
    For,
    If,
    Joined,
    ListOf,
    Name,
    Node,
    Output,
    Part,
)

CHINESE_BYTES = 3
_ROUNDS = 20
"""A `for` or `join` over a list whose length nobody wrote is counted as so many rounds."""
_SHORT_FILTERS = frozenset({"length", "round", "date", "when", "money", "mask_phone"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """`size` of a written text; `wide`: of one character that a customer typed."""

    maxima: Maxima
    size: Callable[[str], int]
    wide: int

    def parts(self, parts: Iterable[Part]) -> int:
        """The most that `parts` come to."""
        total = 0
        for part in parts:
            match part:
                case str():
                    total += self.size(part)
                case Output(tree=tree):
                    total += self._worst(tree)
                case If(branches=branches, otherwise=otherwise):
                    total += max(self.parts(body) for body in (*(body for _, body in branches), otherwise))
                case For(over=over, body=body):
                    total += _rounds(over) * self.parts(body)
                case _:
                    assert_never(part)
        return total

    def _worst(self, node: Node) -> int:
        match node:
            case Constant(value=str() as text):
                return self.size(text)
            case Name(path=path):
                return self._value(path)
            case Filter(name="default", operand=operand, arguments=(instead,)):
                return max(self._worst(operand), self._worst(instead))
            case Filter(name="join", operand=operand, arguments=arguments):
                return self._joined(operand, arguments)
            case Filter(name=name, operand=operand):
                return SHORT if name in _SHORT_FILTERS else self._worst(operand)
            case Choice(then=then, otherwise=otherwise):
                return max(self._worst(then), self._worst(otherwise))
            case Call(name="car.basis"):
                return FREE_CHARACTERS * self.wide
            case Joined(parts=parts):
                return sum(self._worst(part) for part in parts)
            case _:
                return SHORT

    def _value(self, path: tuple[str, ...]) -> int:
        """As many wide characters as it may have; what only has figures is counted once, as it is."""
        known = self.maxima.of(path)
        if known.options:
            return max(self.size(option) for option in known.options)
        return known.characters if known.narrow else known.characters * self.wide

    def _joined(self, operand: Node, arguments: tuple[Node, ...]) -> int:
        between = self._worst(arguments[0]) if arguments else self.wide
        match operand:
            case ListOf(elements=elements):
                return sum(self._worst(one) + between for one in elements)
            case _:
                return _ROUNDS * (self._worst(operand) + between)


def _rounds(over: Node) -> int:
    return len(over.elements) if isinstance(over, ListOf) else _ROUNDS


def in_bytes(maxima: Maxima) -> Measure:
    """Bytes of UTF-8; a character that a customer typed is Chinese."""
    return Measure(maxima=maxima, size=lambda text: len(text.encode(errors="replace")), wide=CHINESE_BYTES)


def in_characters(maxima: Maxima) -> Measure:
    """Code points."""
    return Measure(maxima=maxima, size=len, wide=1)
