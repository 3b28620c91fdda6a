"""Which of a question's options a text names."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.core.understood import Reading
from bot.understanding import polite, words
from bot.understanding.folding import Folded, ends_clause
from bot.understanding.normal import normalise
from bot.understanding.whole import YES

_QUESTIONS_CACHED_MAX = 4096
"""Questions whose spellings are kept; beyond, those unused for longest are worked out again."""

_NOTHING = r"(?!)"
"""A pattern that matches nowhere."""

_AROUND_MAX = 12
"""Characters of the same clause that are looked at for a negation on either side."""
_A_NOT_A = re.compile(r"[能可会是要想有行方][不没](?:能|可以|会|是|要|想|有|行|方便)")
_BETWEEN = "|".join(words.BETWEEN_NOT_AND_VERB.split())
_NEGATED_BEFORE = re.compile(
    rf"(?:(?<!要)不|没有?|(?<![特分级区性个类])别|无法?|非|勿|未(?!来)|甭|拒绝|谢绝|取消|放弃)(?:{_BETWEEN})*+$"
)
_NEGATED_BEHIND = re.compile(
    r"(?:的|事|就|话|这个|我|都|也|先|暂时|目前|现在)*+"
    r"(?:不用|不要|不想|不需要|不考虑|不是|不行|不了|不做|不谈|不必|没兴趣|没必要|算了|免了|不)"
    r"(?:了|考虑|谈|说|啦|谢谢)*+(?=$|我|先|就|想)"
)

_HEDGE = re.compile(r"[不没别无未勿甭?吗么谁哪怎何凭才但]|先(?!生)|什么|多少|如果|要是|万一|假如|除非|只要|再说|考虑")
"""In a text with any of these, an assent at the beginning of a sentence is no assent yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hit:
    canonical: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spellings:
    """Normal spelling → the options that have it, longest first. `inside`: those that also count inside a text, and
    `any_inside`, which finds out quickly that none of them stands there."""

    canonicals: Mapping[str, tuple[str, ...]]
    inside: Mapping[str, tuple[str, ...]]
    any_inside: re.Pattern[str]


def choice_candidates(forms: Sequence[str], compact: Folded, spellings: Spellings) -> tuple[Reading, ...]:
    """The options that a text names, each once, as canonical values. More than one: the customer has to say which.

    `forms` and `compact`: the text without its polite words, and without spaces. The whole text comes first, then
    spellings inside it, the longest at every place. A spelling that is negated (不想看车, 贷款就不用了), stands inside
    a longer word, or is a single character or a number counts only as the whole text. So do words of assent (同意,
    可以, 好), unless a sentence without any reservation begins with them: a question or a doubt is never taken for
    an agreement.
    """
    if not compact.chars:
        return ()
    whole = _whole(forms, spellings.canonicals, is_question="?" in compact.chars)
    if whole:
        start, end = compact.span(0, len(compact.chars))
        return tuple(Reading(value=canonical, start=start, end=end) for canonical in whole)
    first: dict[str, Reading] = {}
    for hit in sorted(_inside(compact, spellings), key=lambda h: h.start):
        start, end = compact.span(hit.start, hit.end)
        first.setdefault(hit.canonical, Reading(value=hit.canonical, start=start, end=end))
    return tuple(first.values())


@lru_cache(maxsize=_QUESTIONS_CACHED_MAX)
def spellings_of(options: tuple[tuple[str, tuple[str, ...]], ...]) -> Spellings:
    """The spellings of a question's options, the longest first. Kept for questions that are asked again."""
    found: dict[str, tuple[str, ...]] = {}
    for canonical, synonyms in options:
        for normal in dict.fromkeys(map(normalise, (canonical, *synonyms))):
            if normal:
                found[normal] = (*found.get(normal, ()), canonical)
    ordered = dict(sorted(found.items(), key=lambda pair: -len(pair[0])))
    inside = {spelling: of for spelling, of in ordered.items() if len(spelling) >= 2 and not spelling.isdigit()}
    any_inside = re.compile("|".join(map(re.escape, inside)) or _NOTHING)
    return Spellings(canonicals=ordered, inside=inside, any_inside=any_inside)


def _whole(forms: Sequence[str], spellings: Mapping[str, tuple[str, ...]], *, is_question: bool) -> tuple[str, ...]:
    for bare in forms:
        if bare in spellings and not (is_question and bare in YES.words):
            return spellings[bare]
    return ()


def _inside(compact: Folded, spellings: Spellings) -> Iterator[_Hit]:
    if spellings.any_inside.search(compact.chars) is None:
        return
    taken = bytearray(len(compact.chars))
    has_hedge = _HEDGE.search(compact.chars) is not None
    for spelling, canonicals in spellings.inside.items():
        for start in _occurrences(compact, spelling):
            end = start + len(spelling)
            if any(taken[start:end]):
                continue
            taken[start:end] = b"\1" * len(spelling)
            if _counts(compact.chars, spelling, start, has_hedge=has_hedge):
                yield from (_Hit(canonical=c, start=start, end=end) for c in canonicals)


def _occurrences(compact: Folded, spelling: str) -> Iterator[int]:
    """Where `spelling` stands as a word of its own; only Latin letters and digits can be part of a longer one."""
    start = compact.chars.find(spelling)
    while start >= 0:
        end = start + len(spelling)
        if not (_is_joined(compact, start) or _is_joined(compact, end)):
            yield start
        start = compact.chars.find(spelling, start + 1)


def _is_joined(compact: Folded, index: int) -> bool:
    """Whether letters or digits run on across `index` without a space."""
    if not 0 < index < len(compact.chars):
        return False
    left, right = compact.chars[index - 1], compact.chars[index]
    is_word = left.isascii() and left.isalnum() and right.isascii() and right.isalnum()
    return is_word and compact.sources[index] - compact.sources[index - 1] <= 1


def _counts(chars: str, spelling: str, start: int, *, has_hedge: bool) -> bool:
    if spelling in YES.words:
        return not has_hedge and _clause_before(chars, start) in ("", *polite.OPENINGS)
    return not is_negated(chars, start, start + len(spelling))


def is_negated(chars: str, start: int, end: int) -> bool:
    """Whether the same clause of folded `chars` takes back what stands at `start` to `end`: 不想看车, 贷款就不用了."""
    before = _clause_before(chars, start)
    return bool(_NEGATED_BEFORE.search(_A_NOT_A.sub("", before)) or _NEGATED_BEHIND.match(_clause_behind(chars, end)))


def _clause_before(chars: str, end: int) -> str:
    start = end
    while start > max(0, end - _AROUND_MAX) and not ends_clause(chars[start - 1]):
        start -= 1
    return chars[start:end]


def _clause_behind(chars: str, start: int) -> str:
    end = start
    while end < min(len(chars), start + _AROUND_MAX) and not ends_clause(chars[end]):
        end += 1
    return chars[start:end]
