"""Texts made to fit the fields of the platforms. Source: delivery.md 3.12."""

import re

_ELLIPSIS = "…"
_JOINER = "\u200d"
_UNFINISHED_TAG = re.compile(r"<[^<>]*\Z")


def cut_bytes(text: str, bytes_max: int) -> str:
    """`text`, or as many whole characters of it as fit with an ellipsis into `bytes_max` bytes of UTF-8."""
    if len(text.encode(errors="replace")) <= bytes_max:
        return text
    return _head(text, bytes_max) + _ELLIPSIS


def cut_markup(text: str, bytes_max: int) -> str:
    """Like `cut_bytes`, for text with links: a link that does not fit whole is left out, never torn."""
    if len(text.encode(errors="replace")) <= bytes_max:
        return text
    head = _UNFINISHED_TAG.sub("", _head(text, bytes_max))
    opened = head.rfind("<a ")
    if opened > head.rfind("</a>"):
        head = head[:opened]
    return head + _ELLIPSIS


def cut_characters(text: str, count_max: int) -> str:
    """`text`, or its first characters with an ellipsis, `count_max` in all."""
    return text if len(text) <= count_max else text[: count_max - 1].rstrip(_JOINER) + _ELLIPSIS


def _head(text: str, bytes_max: int) -> str:
    room = bytes_max - len(_ELLIPSIS.encode())
    # Half a character at the end is dropped by `ignore`; a joiner would glue the ellipsis to an emoji.
    return text.encode(errors="replace")[:room].decode(errors="ignore").rstrip(_JOINER)
