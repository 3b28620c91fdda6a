"""What a text says when the polite words around it are taken away."""

from collections.abc import Iterator

from bot.understanding import words
from bot.understanding.normal import stripped


def _longest_first(listed: str) -> tuple[str, ...]:
    return tuple(sorted(listed.split(), key=len, reverse=True))


OPENINGS = _longest_first(words.WISHES)
_OPENINGS_MAX = 8
"""Openings that are taken away; what stands behind more of them is not found."""
_CLOSINGS = _longest_first(words.WISHES_END)
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
        opening = next((o for o in OPENINGS if rest.startswith(o)), "")
        behind = stripped(rest.removeprefix(opening))
        if not opening or not behind or _asks_whether(opening, behind):
            return
        rest = behind


def bare_forms(normal: str) -> tuple[str, ...]:
    """The forms without `normal` itself, for keywords that must be heard however politely they are said.

    A single character that remains is none: 我是T is no T. No form stands twice.
    Source: journey-language.md 3.11, "Match".
    """
    return tuple(dict.fromkeys(form for form in forms(normal) if len(form) > 1 and form != normal))


def _without_closings(rest: str) -> Iterator[str]:
    for _ in range(_CLOSINGS_MAX):
        closing = next((c for c in _CLOSINGS if rest.endswith(c)), "")
        rest = stripped(rest.removesuffix(closing))
        if not closing or not rest:
            return
        yield rest


def _asks_whether(opening: str, behind: str) -> bool:
    return behind[0] in "不没" and behind[1:2] == opening[-1]
