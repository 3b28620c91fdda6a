"""“是否指 …？”: the known word that was most likely meant."""

from collections.abc import Iterable

from rapidfuzz.distance import DamerauLevenshtein

DISTANCE_MAX = 2
_CANDIDATES_MAX = 2_000
"""Words that are looked at; with more known words than that, the rest is not suggested."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word within two slips of `word`, the nearest first, ties by order; None: nothing is near.

    Short words allow fewer slips: two changed letters in a word of two are another word.
    """
    allowed = min(DISTANCE_MAX, len(word) // 2)
    best: str | None = None
    for candidate, _ in zip(known, range(_CANDIDATES_MAX), strict=False):
        if allowed < 1:
            break
        distance = DamerauLevenshtein.distance(word, candidate, score_cutoff=allowed)
        if distance <= allowed and candidate != word:
            best, allowed = candidate, distance - 1
    return best


def meant(word: str, known: Iterable[str]) -> str:
    """`，是否指 “x”？` to append to a message, or nothing."""
    found = nearest(word, known)
    return f"，是否指 “{found}”？" if found else ""
