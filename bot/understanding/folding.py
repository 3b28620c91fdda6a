"""A text with its spelling evened out, every character still knowing where it stood."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

TEXT_MAX = 2000
"""Code points of a text that are looked at; what stands behind them is not read."""

_DROPPED = frozenset({"Cc", "Cf", "Co", "Cs", "Me"})
"""Categories without meaning to a reader; `Me` is the frame of a keycap emoji around its digit."""
_EMOJI_MARKS = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0x1F3FB, 0x1F400))))
"""Variation selectors and skin tones."""
_PARTING = frozenset({"Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "So"})
_JOINERS = frozenset("-_'·")
"""Punctuation that stands inside words, and so ends no clause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """`chars` in half width and lower case; `sources[i]` is the index in the text that `chars[i]` came from."""

    chars: str
    sources: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open span of the text behind the non-empty span `start`, `end` of `chars`."""
        return self.sources[start], self.sources[end - 1] + 1

    def compact(self) -> "Folded":
        """The same without spaces."""
        kept = [i for i, char in enumerate(self.chars) if char != " "]
        return Folded(chars="".join(self.chars[i] for i in kept), sources=tuple(self.sources[i] for i in kept))


def fold(text: str) -> Folded:
    """`text` up to `TEXT_MAX`: compatibility forms resolved, lower case, any white space a plain space.

    Invisible characters and the marks that turn a character into an emoji are dropped.
    """
    chars: list[str] = []
    sources: list[int] = []
    for index, char in enumerate(text[:TEXT_MAX]):
        for piece in _folded(char):
            chars.append(piece)
            sources.append(index)
    return Folded(chars="".join(chars), sources=tuple(sources))


def clauses(chars: str) -> Iterator[str]:
    """The stretches of folded `chars` between punctuation, emoji and spaces, in order, none of them empty."""
    start = 0
    for index, char in enumerate(chars):
        if ends_clause(char):
            if index > start:
                yield chars[start:index]
            start = index + 1
    if start < len(chars):
        yield chars[start:]


def ends_clause(char: str) -> bool:
    """Whether `char` parts what stands before it from what follows: a space, punctuation, an emoji."""
    return char == " " or (unicodedata.category(char) in _PARTING and char not in _JOINERS)


def _folded(char: str) -> Iterator[str]:
    if char.isascii() and char.isprintable():
        yield char.lower()
        return
    for piece in unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).lower()):
        if piece.isspace():
            yield " "
        elif unicodedata.category(piece) not in _DROPPED and piece not in _EMOJI_MARKS:
            yield piece
