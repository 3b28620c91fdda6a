"""The ways into journeys by what the customer writes, found by the words: no message looks at every journey."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.core.entries import Entry, IntentEntry, KeywordEntry
from bot.core.journey import Journey
from bot.core.library import Faq, Library
from bot.core.rules import Interrupt

REPAIRS = frozenset({"cancel", "correct", "clarify", "unclear", "fallback", "media", "abuse", "silence", "queued"})
"""Journeys that the engine itself calls on the floor when a conversation stumbles (journey-language.md 2.11).

What they are entered by is heard beside every question (step 7), on every channel.
"""
_NEVER = re.compile(r"(?!)")

E = TypeVar("E", bound=Entry)
E_co = TypeVar("E_co", bound=Entry, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way(Generic[E_co]):
    """One entry of a journey. `rank`: its place among all, by priority, then by the order of the files."""

    journey: Journey
    entry: E_co
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What may be entered by words on one channel, each list in the order of rank.

    `exact` by the whole text, whatever the entry's `match`. `parts` by a part of it; `any_part` finds out at once
    whether a text can hold any of their keywords. `fuzzy` by nearly the whole text.
    """

    exact: Mapping[str, tuple[Way[KeywordEntry], ...]]
    parts: tuple[Way[KeywordEntry], ...]
    any_part: re.Pattern[str]
    fuzzy: tuple[Way[KeywordEntry], ...]
    intents: Mapping[str, tuple[Way[IntentEntry], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An interrupt with its keywords, to be looked up quickly."""

    interrupt: Interrupt
    keywords: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggers:
    """All that words may set off. `spoken` by channel, `repairs` on every one; interrupts in the order of the rules."""

    spoken: Mapping[str, Spoken]
    repairs: Spoken
    hard: tuple[Heard, ...]
    soft: tuple[Heard, ...]
    faqs: Mapping[str, Faq]

    def on(self, channel: str) -> Spoken:
        """What may be entered by words on `channel`."""
        return self.spoken.get(channel, NOTHING)


NOTHING = Spoken(exact={}, parts=(), any_part=_NEVER, fuzzy=(), intents={})


def triggers_of(library: Library) -> Triggers:
    """What words may set off in `library`."""
    ranked = sorted(library.journeys.values(), key=lambda journey: -journey.focus.priority)
    everything = [(journey, entry) for journey in ranked for entry in journey.enter]
    ways = [Way(journey=journey, entry=entry, rank=rank) for rank, (journey, entry) in enumerate(everything)]
    ordinary = [way for way in ways if way.journey.journey not in REPAIRS]
    channels = {channel for way in ordinary for channel in _channels(way)}
    interrupts = [Heard(interrupt=one, keywords=frozenset(one.keywords)) for one in library.rules.interrupts]
    return Triggers(
        spoken={name: _spoken([way for way in ordinary if name in _channels(way)]) for name in sorted(channels)},
        repairs=_spoken([way for way in ways if way.journey.journey in REPAIRS]),
        hard=tuple(one for one in interrupts if one.interrupt.hard),
        soft=tuple(one for one in interrupts if not one.interrupt.hard),
        faqs={faq.faq: faq for faq in library.faqs},
    )


def _channels(way: Way[Entry]) -> tuple[str, ...]:
    return (way.journey.channel, *way.entry.channels)


def _spoken(ways: list[Way[Entry]]) -> Spoken:
    worded = list(_of(KeywordEntry, ways))
    parts = tuple(way for way in worded if way.entry.match in ("prefix", "contains"))
    words = [re.escape(word) for way in parts for word in way.entry.keywords if word]
    return Spoken(
        exact=_by(worded, lambda entry: entry.keywords),
        parts=parts,
        any_part=re.compile("|".join(words)) if words else _NEVER,
        fuzzy=tuple(way for way in worded if way.entry.match == "fuzzy"),
        intents=_by(_of(IntentEntry, ways), lambda entry: entry.intents),
    )


def _of(kind: type[E], ways: Iterable[Way[Entry]]) -> Iterator[Way[E]]:
    for way in ways:
        if isinstance(way.entry, kind):
            yield Way(journey=way.journey, entry=way.entry, rank=way.rank)


def _by(ways: Iterable[Way[E]], names: Callable[[E], tuple[str, ...]]) -> dict[str, tuple[Way[E], ...]]:
    found: dict[str, list[Way[E]]] = {}
    for way in ways:
        for name in dict.fromkeys(names(way.entry)):
            found.setdefault(name, []).append(way)
    return {name: tuple(listed) for name, listed in found.items()}
