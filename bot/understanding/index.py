"""What the marketers' files make a text mean, worked out once a release: intents, frequent questions, the catalogue."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from bot.core.catalogue import CarModel, Catalogue
from bot.core.library import Intent, Library
from bot.core.program import Program
from bot.core.understood import Reading
from bot.understanding.choice import Spellings, choice_candidates, is_negated, spellings_of
from bot.understanding.folding import Folded
from bot.understanding.normal import normalise, spelled, without_stickers
from bot.understanding.questions import SPOKEN_MAX, Questions, best_question, questions_of

CARS = "车型"
"""The kind of entity that the catalogue's models are."""
GAP = "*"
"""In a pattern of an intent: up to `GAP_MAX` characters of any kind."""
GAP_MAX = 6
_CONTAINED = 80
"""Hundredths of a pattern that stands inside a text; up to 99, the more of the text it is."""
_LEADING_UP = re.compile(r"^(?:你好|您好|[,.!~]|(?:我?想|请|麻烦)?(?:问|请教|咨询)一?下?|我?想知道|那|哦|嗯)+(?=.)")
_NO_QUESTIONS = questions_of(())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meaning:
    """One intent. `whole`: its patterns normalised; the others are only spelled evenly: 不去了 is more than 不去.

    `gapped`: patterns with gaps, and how many characters they name.
    """

    intent: str
    whole: frozenset[str]
    inside: tuple[str, ...]
    gapped: tuple[tuple[re.Pattern[str], int], ...]
    without: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A library's own words, ready to be looked for. The empty one knows none."""

    meanings: tuple[_Meaning, ...] = ()
    questions: Questions = _NO_QUESTIONS
    models: Mapping[str, CarModel] = field(default_factory=dict)
    spellings: Spellings = field(default_factory=lambda: spellings_of(()))


NOTHING_KNOWN = Index()


def index_of(program: Program) -> Index:
    """The index of the program's library, made when it is first asked for."""
    return program.kept(Index, indexed)


def indexed(library: Library) -> Index:
    """The index of `library`."""
    return Index(
        meanings=tuple(_meaning(intent) for intent in library.intents.values()),
        questions=questions_of((faq.faq, faq.questions) for faq in library.faqs),
        models=library.catalogue.models,
        spellings=_spellings(library.catalogue),
    )


def _meaning(intent: Intent) -> _Meaning:
    plain = [pattern for pattern in intent.patterns if GAP not in pattern]
    gapped = [pattern for pattern in intent.patterns if GAP in pattern]
    return _Meaning(
        intent=intent.intent,
        whole=frozenset(filter(None, map(normalise, plain))),
        inside=tuple(pattern for pattern in map(spelled, plain) if len(pattern) > 1),
        gapped=tuple(_gapped(pattern) for pattern in gapped),
        without=tuple(filter(None, map(spelled, intent.without))),
    )


def _gapped(pattern: str) -> tuple[re.Pattern[str], int]:
    parts = [part for part in map(spelled, pattern.split(GAP)) if part]
    return re.compile(rf".{{0,{GAP_MAX}}}?".join(map(re.escape, parts)) or r"(?!)"), sum(map(len, parts))


def _spellings(catalogue: Catalogue) -> Spellings:
    return spellings_of(tuple((model.model, model.aliases) for model in catalogue.models.values()))


def intents_of(index: Index, forms: Sequence[str], compact: Folded) -> dict[str, int]:
    """What a text may mean, with scores in hundredths. `forms`: normalised, then without its polite words.

    100: a pattern is all that it says. A pattern inside it counts from 80 on, unless the clause negates it. A word
    of `without` anywhere rules the intent out.
    """
    text = without_stickers(compact.chars)[:SPOKEN_MAX]
    found: dict[str, int] = {}
    for meaning in index.meanings if text else ():
        score = _score(meaning, text, forms)
        if score:
            found[meaning.intent] = score
    return found


def _score(meaning: _Meaning, text: str, forms: Sequence[str]) -> int:
    if any(word in text for word in meaning.without):
        return 0
    if any(form in meaning.whole for form in forms):
        return 100
    named = max(_lengths_inside(meaning, text), default=0)
    return _CONTAINED + 19 * min(named, len(text)) // len(text) if named else 0


def _lengths_inside(meaning: _Meaning, text: str) -> Iterable[int]:
    for pattern in meaning.inside:
        start = text.find(pattern)
        if start >= 0 and not is_negated(text, start, start + len(pattern)):
            yield len(pattern)
    for gapped, length in meaning.gapped:
        match = gapped.search(text)
        if match and not is_negated(text, match.start(), match.end()):
            yield length


def faq_of(index: Index, forms: Sequence[str]) -> tuple[str, int] | None:
    """The frequent question that a text resembles most, with its score in hundredths; None: none at all.

    A car that the text names may be left out: LY7多少钱 asks what 多少钱 asks, as long as no wording says so itself.
    """
    if not index.questions.owners or not forms[0]:
        return None
    text = _LEADING_UP.sub("", forms[0][:SPOKEN_MAX])
    best = best_question(index.questions, (text, *forms))
    bare = index.spellings.any_inside.sub("", text) if index.spellings.any_inside.search(text) else ""
    other = best_question(index.questions, (bare,)) if bare else None
    if other is None or (best is not None and best[1] >= other[1]):
        return best
    return other[0], min(other[1], 99)


def entity_candidates(
    index: Index, forms: Sequence[str], compact: Folded, *, kind: str, today: date
) -> tuple[Reading, ...]:
    """The different things of this `kind` that a text names and that are sold today, by the names in the catalogue."""
    if kind != CARS or not index.models:
        return ()
    found = choice_candidates(forms, compact, index.spellings)
    sold = {name for name, model in index.models.items() if model.is_sold(today)}
    return tuple(reading for reading in found if reading.value in sold)
