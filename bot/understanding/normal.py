"""The form in which texts and keywords are compared."""

import unicodedata
from functools import lru_cache

from bot.understanding import words
from bot.understanding.folding import Folded, fold

PARTICLES = frozenset("啊阿呀吧呢了哦喔嘛哈啦噢呗哟咯哒嘞喽")
"""Words at the end of a sentence that colour it and do not change what it says. 吗 is not one: it asks."""

_CHARS_CACHED_MAX = 8192
_STICKER_NAME_MAX = 8
_STICKER_CODES = tuple(words.STICKER_CODES.split())
"""Stickers as an official account receives them, in lower case; newer ones arrive as `[旺柴]`."""
_STICKER_CODE_MAX = max(map(len, _STICKER_CODES))


def normalise(text: str) -> str:
    """`text` in half width and lower case, without spaces, stickers, and the punctuation and particles around it.

    A text that consists of nothing else keeps the least that says something: `[OK]` is `ok`, `了` is `了`,
    `？` is `?`. Applying it twice changes nothing. At most `TEXT_MAX` code points are read.
    """
    return normal_of(fold(text))


def spelled(text: str) -> str:
    """`text` in half width and lower case without spaces, and with everything else that stands in it."""
    return fold(text).chars.replace(" ", "")


def normal_of(folded: Folded) -> str:
    """`normalise` of a text that is folded already."""
    chars = folded.chars.replace(" ", "")
    return stripped(without_stickers(chars)) or stripped(chars) or chars


def stripped(chars: str) -> str:
    """Folded `chars` without the signs around and the particles behind; empty when there is nothing else."""
    start, end = 0, len(chars)
    while end and _colours(chars[end - 1]):
        end -= 1
    while start < end and _is_decoration(chars[start]):
        start += 1
    return chars[start:end]


@lru_cache(maxsize=_CHARS_CACHED_MAX)
def _colours(char: str) -> bool:
    """Whether `char` at the end of a sentence says nothing."""
    return char in PARTICLES or _is_decoration(char)


@lru_cache(maxsize=_CHARS_CACHED_MAX)
def _is_decoration(char: str) -> bool:
    category = unicodedata.category(char)
    return (category[0] == "P" and char != "%") or category in {"So", "Sk", "Mn"} or char == "~"


def without_stickers(chars: str) -> str:
    """`chars`, folded, without `[旺柴]` and `/:rose`.

    One pass with a look back of bounded length: a sticker that only shows when another is gone goes as well.
    """
    if "]" not in chars and "/:" not in chars:
        return chars
    kept: list[str] = []
    for char in chars:
        kept.append(char)
        length = _sticker_at_end("".join(kept[-max(_STICKER_CODE_MAX, _STICKER_NAME_MAX + 2) :]))
        if length:
            del kept[-length:]
    return "".join(kept)


def _sticker_at_end(tail: str) -> int:
    """The length of the sticker that `tail` ends with, 0 when there is none."""
    if tail.endswith("]"):
        opening = tail.rfind("[")
        name = tail[opening + 1 : -1]
        return len(name) + 2 if opening >= 0 and name.isalpha() and len(name) <= _STICKER_NAME_MAX else 0
    if "/:" not in tail:
        return 0
    return max((len(code) for code in _STICKER_CODES if tail.endswith(code)), default=0)
