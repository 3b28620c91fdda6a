"""Texts that as a whole say yes, no, or skip it; and texts that begin by taking something back."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.understanding import words
from bot.understanding.folding import Folded, clauses
from bot.understanding.normal import normalise, stripped, without_stickers

WHOLE_MAX = 24
"""Longer texts, in characters of their normal form, say more than yes, no or skip."""
_APOLOGIES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """`words` say it; `token` matches one of these, or of the fillers that may stand around them, the longest."""

    words: frozenset[str]
    token: re.Pattern[str]

    def cover(self, clause: str) -> frozenset[str] | None:
        """The words that `clause` is made of, fillers left out; None when something else stands in it.

        The longest token is taken at every place, without going back.
        """
        found: set[str] = set()
        at = 0
        while at < len(clause):
            match = self.token.match(clause, at)
            if match is None:
                return None
            found.add(match.group())
            at = match.end()
        return self.words & found


def vocabulary(saying: str, around: str) -> Vocabulary:
    """The words of `saying`, and those of `around` as fillers, both parted by spaces."""
    tokens = _longest_first(saying.split() + around.split())
    return Vocabulary(
        words=frozenset(map(normalise, saying.split())), token=re.compile("|".join(map(re.escape, tokens)))
    )


def _longest_first(listed: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({normalise(word) for word in listed}, key=lambda word: (-len(word), word)))


YES = vocabulary(words.YES, words.YES_AROUND)
NO = vocabulary(words.NO, words.NO_AROUND)
SKIP = vocabulary(words.SKIP, words.SKIP_AROUND)

_CORRECTIONS = tuple(words.CORRECTIONS.split())
_WHOLE_CORRECTIONS = frozenset(words.WHOLE_CORRECTIONS.split())
_APOLOGIES = _longest_first(words.APOLOGIES.split())
_MAY_TAKE_BACK = re.compile(r"[错误对改换]")
_TAKEN_BACK = re.compile(
    rf"(?:帮我|麻烦你?|请|可以|能不能)?(?:把|将)?(?:我的?|那个|这个|刚才的?|刚刚的?|上面的?|前面的?|之前的?)*(?:{'|'.join(words.TOLD.split())})"
    r"(?:给我|帮我)?(?:(?:写|填|打|发|输|说|弄|搞|选|报|留)?错了?(?!过)|不对|有误|要改|(?:改|换)(?:成|为|到|一下|下|个))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A text as the normal forms of its clauses; none when it is longer than `WHOLE_MAX`."""

    clauses: tuple[str, ...]
    is_question: bool


def spoken(folded: Folded, normal: str) -> Spoken:
    """The clauses of a text, without stickers as long as there is anything else."""
    if len(normal) > WHOLE_MAX:
        return Spoken(clauses=(), is_question=False)
    parts = [stripped(clause) or clause for clause in clauses(without_stickers(folded.chars))]
    return Spoken(clauses=tuple(parts or [normal]), is_question="?" in folded.chars)


def says_yes(said: Spoken) -> bool:
    """Whether every clause is an assent and none of them asks. 嗯 可以, 对的没错, [OK]; not 好吗, not 可以？."""
    return not said.is_question and any(_covers(said, YES))


def says_no(said: Spoken) -> bool:
    """Whether every clause denies. Two different denials in one clause (不是不行) may mean yes and do not count."""
    found = _covers(said, NO)
    return any(found) and all(len(denials) <= 1 for denials in found)


def says_skip(said: Spoken) -> bool:
    """Whether the text only says that the customer does not want to answer. 跳过, 算了不填, 不方便留电话 微信说就行."""
    return any(_covers(said, SKIP))


def begins_with_correction(normal: str) -> bool:
    """Whether a normalised text begins, after an apology perhaps, by taking something back: 不对, 改成, 手机号错了.

    Not 改装, which only begins like it.
    """
    rest = normal
    for _ in range(_APOLOGIES_MAX):
        apology = next((a for a in _APOLOGIES if rest.startswith(a) and len(a) < len(rest)), None)
        if apology is None:
            break
        rest = rest.removeprefix(apology).lstrip(",.!;:~…")
    return rest in _WHOLE_CORRECTIONS or rest.startswith(_CORRECTIONS) or _takes_back(normal, rest)


def _takes_back(normal: str, rest: str) -> bool:
    """Whether an answer is named and taken back: 手机号错了."""
    if _MAY_TAKE_BACK.search(rest) is None:
        return False
    return _TAKEN_BACK.match(rest) is not None or _TAKEN_BACK.match(normal) is not None


def _covers(said: Spoken, vocabulary: Vocabulary) -> list[frozenset[str]]:
    """The words in each clause; nothing when some clause says something else."""
    found: list[frozenset[str]] = []
    for clause in said.clauses:
        covered = vocabulary.cover(clause)
        if covered is None:
            return []
        found.append(covered)
    return found
