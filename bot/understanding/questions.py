"""Which frequent question a text resembles, by the pairs of characters they share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.understanding.normal import normalise

SPOKEN_MAX = 200
"""Characters of a normalised text that are compared; what stands behind them says nothing new."""
QUESTIONS_MAX = 20_000
"""Wordings of frequent questions that are kept; the rest is never found. The files hold far fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """The frequent questions, ready to be compared. `owners[i]` is the question whose wording is number `i`.

    `sizes[i]`: its number of pairs. `by_pair`: pair → the wordings that hold it. `exact`: wording → question.
    """

    exact: Mapping[str, str]
    owners: tuple[str, ...]
    sizes: tuple[int, ...]
    by_pair: Mapping[str, tuple[int, ...]]


def questions_of(listed: Iterable[tuple[str, Sequence[str]]]) -> Questions:
    """`listed`: each frequent question with its wordings; of equal wordings the first counts."""
    exact: dict[str, str] = {}
    for name, wordings in listed:
        for wording in wordings:
            normal = normalise(wording)
            if normal and len(exact) < QUESTIONS_MAX:
                exact.setdefault(normal, name)
    by_pair: dict[str, list[int]] = {}
    sizes = []
    for number, normal in enumerate(exact):
        pairs = _pairs(normal)
        sizes.append(len(pairs))
        for pair in pairs:
            by_pair.setdefault(pair, []).append(number)
    return Questions(
        exact=exact,
        owners=tuple(exact.values()),
        sizes=tuple(sizes),
        by_pair={pair: tuple(numbers) for pair, numbers in by_pair.items()},
    )


def best_question(questions: Questions, forms: Sequence[str]) -> tuple[str, int] | None:
    """The frequent question that a text resembles most and how much in hundredths, ties by order; None: none at all.

    `forms`: the normalised text first, then what remains of it without polite words. Equal wordings are 100, all
    others by the share of common pairs of characters (Dice), 99 at most.
    """
    for form in forms:
        found = questions.exact.get(form)
        if found is not None:
            return found, 100
    pairs = _pairs(forms[0][:SPOKEN_MAX])
    common: dict[int, int] = {}
    for pair in pairs:
        for number in questions.by_pair.get(pair, ()):
            common[number] = common.get(number, 0) + 1
    best, best_score = -1, 0
    for number, count in common.items():
        score = 200 * count // (len(pairs) + questions.sizes[number])
        if score > best_score or (score == best_score and number < best):
            best, best_score = number, score
    return (questions.owners[best], min(best_score, 99)) if best >= 0 and best_score else None


def _pairs(normal: str) -> frozenset[str]:
    return frozenset(normal[at : at + 2] for at in range(len(normal) - 1))
