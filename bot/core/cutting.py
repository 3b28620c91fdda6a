"""Texts made to fit the fields of the platforms, without tearing what a reader sees as one character.

Source: delivery.md 3.12. The rules are those that matter in chats (emoji sequences, skin tones, flags, marks, Hangul),
not the whole of Unicode's text segmentation.
"""

import re
import unicodedata

CLUSTER_MAX = 40
"""Code points of one visible character; what pretends to be longer is torn."""

_ELLIPSIS = "…"
_ELLIPSIS_BYTES = len(_ELLIPSIS.encode())
_JOINER = "\u200d"
_MARKS = frozenset({"Mn", "Me", "Mc"})
_UNFINISHED_TAG = re.compile(r"<[^<>]*\Z")


def cut_bytes(text: str, bytes_max: int) -> str:
    """`text`, or as many whole characters of it as fit with an ellipsis into `bytes_max` bytes of UTF-8.

    Lone surrogates count as the question marks that they leave as. Less room than an ellipsis needs: the empty text.
    """
    if len(_bytes_of(text)) <= bytes_max:
        return text
    return _head(text, bytes_max) + _ELLIPSIS if bytes_max >= _ELLIPSIS_BYTES else ""


def cut_markup(text: str, bytes_max: int) -> str:
    """Like `cut_bytes`, for text with links: a link that does not fit whole is left out, never torn."""
    if len(_bytes_of(text)) <= bytes_max:
        return text
    if bytes_max < _ELLIPSIS_BYTES:
        return ""
    head = _UNFINISHED_TAG.sub("", _head(text, bytes_max))
    opened = head.rfind("<a ")
    if opened > head.rfind("</a>"):
        head = head[:opened]
    return head + _ELLIPSIS


def cut_characters(text: str, count_max: int) -> str:
    """`text`, or its first characters with an ellipsis, at most `count_max` code points in all. `count_max` >= 1."""
    return text if len(text) <= count_max else text[: _boundary(text, count_max - 1)] + _ELLIPSIS


def _bytes_of(text: str) -> bytes:
    return text.encode(errors="replace")


def _head(text: str, bytes_max: int) -> str:
    whole = _bytes_of(text)
    # Half a character at the end is dropped by `ignore`.
    end = len(whole[: bytes_max - _ELLIPSIS_BYTES].decode(errors="ignore"))
    return text[: _boundary(text, end)]


def _boundary(text: str, end: int) -> int:
    """The last place, at or before `end`, where a visible character ends; `end` itself when there is none near it."""
    for place in range(end, max(end - CLUSTER_MAX, -1), -1):
        if place in (0, len(text)) or not _belong_together(text, place):
            return place
    return end


def _belong_together(text: str, place: int) -> bool:
    """Whether the two characters around `place` are seen as one."""
    before, after = text[place - 1], text[place]
    if before == _JOINER or after == _JOINER or unicodedata.category(after) in _MARKS or _modifies(after):
        return True
    if _is_flag_half(before) and _is_flag_half(after):
        halves = 0
        while halves < place and _is_flag_half(text[place - 1 - halves]) and halves <= CLUSTER_MAX:
            halves += 1
        return halves % 2 == 1
    return "\u1160" <= after <= "\u11ff" and ("\u1100" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3")


def _modifies(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff" or "\U000e0020" <= character <= "\U000e007f"


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
