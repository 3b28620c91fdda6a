"""A question of yes or no, answered: 是, 要, 有的 · 不是, 不用, 没有."""

import re

from bot.core.understood import Reading
from bot.understanding import words
from bot.understanding.folding import Folded, clauses
from bot.understanding.normal import stripped, without_stickers
from bot.understanding.whole import Vocabulary, vocabulary

ANSWER_MAX = 60
"""Longer texts, in characters, are no plain answer."""

_TRUE = vocabulary(f"{words.YES} {words.HAVE}", words.YES_AROUND)
_FALSE = vocabulary(f"{words.NO} {words.HAVE_NOT}", words.NO_AROUND)
_DOUBT = re.compile(
    r"\?|[吗么]|怎么|什么|哪|多少|如果|要是|万一|除非|但是?|不过|可能|也许|不一定|再说|考虑|不知道|不清楚|不确定|还没想"
)
_HAS = re.compile(r"有(?!没有|点|时候?|可能|空|误|错|没|事|人|什么|啥|些|意思|兴趣|需要|问题)")
_HAS_NOT = re.compile(
    r"(?:还|暂时|目前|从来|现在)?没有?(?!有|问题|错|事|关系|准|毛病|意见|想|空|时间|听|看|懂|明白|收|用)"
)


def bool_candidates(folded: Folded) -> tuple[Reading, ...]:
    """Yes or no, when the text begins by saying so and nothing in it says otherwise; empty when it does not."""
    chars = without_stickers(folded.chars) or folded.chars
    if not chars or len(chars) > ANSWER_MAX or _DOUBT.search(chars):
        return ()
    said = [_said(stripped(clause) or clause) for clause in clauses(chars)] or [_said(chars)]
    first = said[0]
    if first is None or any(other is not None and other != first for other in said[1:]):
        return ()
    start, end = folded.span(0, len(folded.chars))
    return (Reading(value=first, start=start, end=end),)


def _said(clause: str) -> bool | None:
    """What one clause says, None: neither."""
    if _covers(_FALSE, clause):
        return False
    if _covers(_TRUE, clause):
        return True
    if _HAS_NOT.match(clause):
        return False
    return True if _HAS.match(clause) else None


def _covers(known: Vocabulary, clause: str) -> bool:
    """Whether the clause is made of words that say it, all of one kind: 不是不行 is not, as it may mean yes."""
    found = known.cover(clause)
    return found is not None and len(found) == 1 if known is _FALSE else bool(found)
