"""A text with its spelling evened out, every character still knowing where it stood."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

TEXT_MAX = 2000
"""Code points of a text that are looked at; what stands behind them is not read."""

FOLDED_MAX = 2 * TEXT_MAX
"""Characters of its folded form: one that stands for a whole phrase (ﷺ) becomes eighteen."""
_CHARS_CACHED_MAX = 8192
"""Characters whose folded form is kept: more than anybody writes."""

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
    sources: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open span of the text behind the non-empty span `start`, `end` of `chars`."""
        return self.sources[start], self.sources[end - 1] + 1

    def head(self, length: int) -> "Folded":
        """The first `length` characters."""
        if len(self.chars) <= length:
            return self
        return Folded(chars=self.chars[:length], sources=self.sources[:length])

    def compact(self) -> "Folded":
        """The same without spaces."""
        if " " not in self.chars:
            return self
        kept = [i for i, char in enumerate(self.chars) if char != " "]
        return Folded(chars="".join(self.chars[i] for i in kept), sources=tuple(self.sources[i] for i in kept))


def fold(text: str) -> Folded:
    """`text` up to `TEXT_MAX`: compatibility forms resolved, lower case, any white space a plain space.

    Invisible characters and the marks that turn a character into an emoji are dropped.
    """
    pieces = [_folded(char) for char in text[:TEXT_MAX]]
    chars = "".join(pieces)
    if len(chars) == len(pieces) and "" not in pieces:
        return Folded(chars=chars, sources=range(len(chars)))
    sources = tuple(index for index, piece in enumerate(pieces) for _ in piece)
    return Folded(chars=chars[:FOLDED_MAX], sources=sources[:FOLDED_MAX])


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


@lru_cache(maxsize=_CHARS_CACHED_MAX)
def ends_clause(char: str) -> bool:
    """Whether `char` parts what stands before it from what follows: a space, punctuation, an emoji."""
    return char == " " or (unicodedata.category(char) in _PARTING and char not in _JOINERS)


@lru_cache(maxsize=_CHARS_CACHED_MAX)
def _folded(char: str) -> str:
    """What one character becomes: mostly one, of a ligature several, of an invisible one none."""
    if char.isascii() and char.isprintable():
        return char.lower()
    pieces = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).lower())
    return "".join(" " if piece.isspace() else piece for piece in pieces if piece.isspace() or _is_kept(piece))


def _is_kept(piece: str) -> bool:
    return unicodedata.category(piece) not in _DROPPED and piece not in _EMOJI_MARKS
