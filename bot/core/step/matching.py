"""Which ways into journeys fit what the customer wrote, the best first. Source: journey-language.md 2.4."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from bot.core.entries import IntentEntry, KeywordEntry
from bot.core.journey import Journey
from bot.core.likeness import likeness
from bot.core.making import quickly_made
from bot.core.triggers import Spoken, Way
from bot.core.understood import Understanding

SURE = 90
"""An intent of at least so many hundredths may interrupt, and counts more than a keyword inside a longer text."""

SpokenEntry: TypeAlias = KeywordEntry | IntentEntry


class Quality(IntEnum):
    """How well a text fits an entry."""

    FUZZY = 1
    LIKELY = 2
    CONTAINED = 3
    PREFIX = 4
    SURE = 5
    EXACT = 6


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """`closeness` decides between matches of one quality and priority: characters of the keyword, or the score."""

    journey: Journey
    entry: SpokenEntry
    quality: Quality
    closeness: int
    rank: int

    @property
    def interrupts(self) -> bool:
        """Whether it may push in before an open question."""
        return self.entry.interrupt and self.quality >= Quality.SURE

    @property
    def cause(self) -> str:
        """What the journal calls it."""
        return "keyword" if isinstance(self.entry, KeywordEntry) else "intent"


def matches(spoken: Spoken, heard: Understanding) -> list[Match]:
    """What fits, by quality, then priority, closeness and the order of the files; each journey once, by its best."""
    found = [*_by_words(spoken, heard.normal), *_by_intent(spoken, heard)]
    if len(found) > 1:
        found.sort(key=_order)
        found = list({match.journey.journey: match for match in reversed(found)}.values())
        found.sort(key=_order)
    return found


def _order(match: Match) -> tuple[int, int, int, int]:
    return (-match.quality, -match.journey.focus.priority, -match.closeness, match.rank)


def tied(found: Sequence[Match]) -> tuple[Match, ...]:
    """The first and all that fit as well: only the customer knows which she means. Empty: the first is it."""
    if len(found) < 2:
        return ()
    best = _order(found[0])[:3]
    equal = tuple(match for match in found if _order(match)[:3] == best)
    return equal if len(equal) > 1 else ()


def _by_words(spoken: Spoken, normal: str) -> Iterator[Match]:
    if not normal:
        return
    exact = spoken.exact.get(normal, ())
    for way in exact:
        yield _match(way, Quality.EXACT, len(normal))
    taken = {way.rank for way in exact}
    if spoken.any_part.search(normal) is not None:
        for way in spoken.parts:
            if way.rank not in taken:
                yield from _inside(way, normal)
    for way in spoken.fuzzy:
        if way.rank not in taken:
            yield from _nearly(way, normal)


def _inside(way: Way[KeywordEntry], normal: str) -> Iterator[Match]:
    is_prefix = way.entry.match == "prefix"
    length = _longest(w for w in way.entry.keywords if (normal.startswith(w) if is_prefix else w in normal))
    if length:
        yield _match(way, Quality.PREFIX if is_prefix else Quality.CONTAINED, length)


def _nearly(way: Way[KeywordEntry], normal: str) -> Iterator[Match]:
    near = max((likeness(normal, word) for word in way.entry.keywords), default=0)
    if near:
        yield _match(way, Quality.FUZZY, near)


def _longest(words: Iterable[str]) -> int:
    return max(map(len, words), default=0)


def _by_intent(spoken: Spoken, heard: Understanding) -> Iterator[Match]:
    for intent, score in heard.intents.items():
        for way in spoken.intents.get(intent, ()):
            if score >= way.entry.min:
                quality = Quality.SURE if score >= SURE else Quality.LIKELY
                yield Match(journey=way.journey, entry=way.entry, quality=quality, closeness=score, rank=way.rank)


def _match(way: Way[KeywordEntry], quality: Quality, closeness: int) -> Match:
    return Match(journey=way.journey, entry=way.entry, quality=quality, closeness=closeness, rank=way.rank)
