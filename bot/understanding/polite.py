"""What a text says when the polite words around it are taken away."""

import re
from collections.abc import Iterator

from bot.understanding import words
from bot.understanding.normal import stripped


def _longest_first(listed: str) -> tuple[str, ...]:
    return tuple(sorted(listed.split(), key=len, reverse=True))


OPENINGS = _longest_first(words.WISHES)
_OPENING = re.compile("|".join(map(re.escape, OPENINGS)))
_OPENINGS_MAX = 8
"""Openings that are taken away; what stands behind more of them is not found."""
_CLOSING = re.compile(rf"(?:{'|'.join(map(re.escape, _longest_first(words.WISHES_END)))})\Z")
_CLOSINGS_MAX = 3
"""Likewise of closings."""


def forms(normal: str) -> Iterator[str]:
    """`normal`, and what remains of it when greetings, wishes and thanks are taken away one after the other.

    Every step is a form of its own, for a spelling may itself begin with a wish (我要取消). The opening of a
    question of whether or not (要不要发) is none. Never empty forms, unless `normal` is.
    """
    rest = normal
    for _ in range(_OPENINGS_MAX + 1):
        yield rest
        yield from _without_closings(rest)
        opening = _OPENING.match(rest)
        behind = stripped(rest[opening.end() :]) if opening else ""
        if not opening or not behind or _asks_whether(opening.group(), behind):
            return
        rest = behind


def bare_forms(all_forms: tuple[str, ...]) -> tuple[str, ...]:
    """Of all `forms` those but the first, for keywords that must be heard however politely they are said.

    A single character that remains is none: 我是T is no T. No form stands twice.
    Source: journey-language.md 3.11, "Match".
    """
    normal = all_forms[0]
    return tuple(dict.fromkeys(form for form in all_forms if len(form) > 1 and form != normal))


def _without_closings(rest: str) -> Iterator[str]:
    for _ in range(_CLOSINGS_MAX):
        closing = _CLOSING.search(rest)
        rest = stripped(rest[: closing.start()]) if closing else ""
        if not rest:
            return
        yield rest


def _asks_whether(opening: str, behind: str) -> bool:
    return behind[0] in "不没" and behind[1:2] == opening[-1]
