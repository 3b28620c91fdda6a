"""Numbers and sums of money in a customer's text.

Only a number that is surely the answer counts. Bounds (以内, 不到) and vague ones (二十来万) have no value, and of
a range both ends are possible.
"""

import re
from collections.abc import Iterable
from decimal import Decimal

from bot.core.understood import Reading
from bot.understanding.folding import Folded, ends_clause
from bot.understanding.numerals import Numeral, numerals

PLACES_MAX = 6
"""Decimal places of a number; one with more is not read."""
_AROUND_MAX = 8
_SAID_MAX = Decimal(10) ** 9
"""A larger number that names no 万 is a phone, a paper, an order."""
_NAMED_MIN = 1000
"""A bare number from here on is yuan; a smaller one may be yuan or 万."""
_TEN_THOUSANDS_MAX = 1000
_HOT_LINES = frozenset(map(Decimal, (12315, 12345, 12306, 12377, 12321)))

_ORDINAL_BEFORE = re.compile(r"(?:第|周|星期|礼拜|尾号|国|双|[a-z/:#_]|[a-z]-)$")
_NAME_BEHIND = re.compile(r" ?(?:月|号|日|点|:|/|时(?!速)|驱|轮|缸|系|版)")
_SHARE_BEHIND = re.compile(r" ?(?:%|成|折|倍|分之)")
_VAGUE_BEHIND = re.compile(
    r" ?(?:[来多几余]|以[内下上外]|之内|上下|不到|出头|起步?$|封顶|[元块]?[万千百]?[以之]?[内下上](?:$|[,。 ]))"
)
_VAGUE_BEFORE = re.compile(
    r"(?:不到|不超过|不高于|不低于|最[多少高低]|至[多少]|超过|低于|高于|少于|多于|大于|小于|小|近|[好十]?几|控制在) ?$"
)
_RANGE_BEHIND = re.compile(r" ?(?:[个元块万w]? ?(?:-|~|到|至|—|–|或者?|还是))")
_TAKEN_BACK_BEFORE = re.compile(r"(?:不是|而非|并非|原来是?|之前是?)$")
_HALF_BEHIND = re.compile(r" ?[个年天岁米] ?半")
_COUNTER_BEHIND = re.compile(r"[个位辆台人口次年岁月天周公千米升座]")
_NO_COUNT = frozenset({"一", "万", "千", "百", "十", "亿", "半"})
_UNIT_BEHIND = re.compile(r" ?(?:km|kg|cm|mm|m|l|t|g|kw|kwh)?(?![a-z])")

_CURRENCY_BEFORE = re.compile(r"(?:[¥$]|rmb|cny) ?$")
_YUAN_BEHIND = re.compile(r" ?(?:块钱|元|块(?!屏)|圆|人民币|rmb|cny|大洋)")
_OTHER_BEHIND = re.compile(
    r" ?(?:公里|千米|km|小时|马力|块屏|月(?!供)|[里米年天日号点时分秒期台辆人口次岁升寸座门款个代匹度位级楼层路环a-z])"
)
_DIFFERENCE_BEFORE = re.compile(r"(?:便宜|优惠|贵|降|涨|差|省|补贴|返|减)了? ?$")
_ASKED = re.compile(r"多少|哪|怎么|什么|会不会|能不能|[吗?]")
_ASSURED = re.compile(r"(?:可以|行|够|成|好)(?:吗|不|么)?[?]?$")
_PRICE = re.compile(r"预算|落地|裸车|车价|价位|总价")


def number_candidates(folded: Folded) -> tuple[Reading, ...]:
    """The different numbers that a text gives as an answer. More than one: the customer has to say which."""
    chars = folded.chars
    found: dict[Decimal, Reading] = {}
    for numeral in _counted(chars):
        behind = chars[numeral.end : numeral.end + _AROUND_MAX]
        if _NAME_BEHIND.match(behind) or _SHARE_BEHIND.match(behind) or not _UNIT_BEHIND.match(behind):
            continue
        value = numeral.value
        if value is None or _is_vague(chars, numeral):
            return ()
        half = _HALF_BEHIND.match(behind)
        end = numeral.end + (half.end() if half else 0)
        value = value + Decimal("0.5") if half else value
        if _is_negative(chars, numeral.start):
            value = -value
        _keep(found, folded, value, numeral.start, end)
    return tuple(found.values()) or _half(folded)


def _is_negative(chars: str, start: int) -> bool:
    return chars[max(0, start - 4) : start].strip() == "-" or chars.endswith(("负", "零下"), 0, start)


def _half(folded: Folded) -> tuple[Reading, ...]:
    at = folded.chars.strip(" .!~").find("半")
    if at != 0 or len(folded.chars) > 4:
        return ()
    start, end = folded.span(folded.chars.index("半"), folded.chars.index("半") + 1)
    return (Reading(value=0.5, start=start, end=end),)


def money_candidates(folded: Folded, *, bare: bool) -> tuple[Reading, ...]:
    """The different sums in a text, in yuan. `bare`: numbers without a unit count too, as the question is about money.

    Otherwise only what stands behind 预算, 落地 and the like: a price that somebody mentions is no answer.
    """
    chars = folded.chars
    price = _PRICE.search(chars)
    if price is None and not bare:
        return ()
    found: dict[Decimal, Reading] = {}
    for numeral in _counted(chars):
        if not bare and price is not None and numeral.start < price.end():
            continue
        values = _sums(chars, numeral, has_price=price is not None)
        if values is None:
            return ()
        for value in values:
            _keep(found, folded, value, numeral.start, numeral.end)
    return tuple(found.values())


def _sums(chars: str, numeral: Numeral, *, has_price: bool) -> tuple[Decimal, ...] | None:
    """The sums that `numeral` may be; empty: it is no money; None: nobody can say how much."""
    before = chars[max(0, numeral.start - _AROUND_MAX) : numeral.start]
    behind = chars[numeral.end : numeral.end + _AROUND_MAX]
    value = numeral.value
    is_named = bool(_YUAN_BEHIND.match(behind) or _CURRENCY_BEFORE.search(before))
    if not is_named and (_OTHER_BEHIND.match(behind) or _SHARE_BEHIND.match(behind)):
        return ()
    if value is None or _is_vague(chars, numeral):
        return None
    if is_named or numeral.scaled or value >= _NAMED_MIN or value == 0:
        return () if _DIFFERENCE_BEFORE.search(before) else (value,)
    in_ten_thousands = value * 10_000
    return (in_ten_thousands,) if has_price and value < _TEN_THOUSANDS_MAX else (value, in_ten_thousands)


def _counted(chars: str) -> Iterable[Numeral]:
    """Numerals that count something: not ordinals, not the 一 of 一下, not what the text takes back."""
    for numeral in numerals(chars):
        before = chars[max(0, numeral.start - _AROUND_MAX) : numeral.start]
        written = chars[numeral.start : numeral.end]
        if _ORDINAL_BEFORE.search(before) or _TAKEN_BACK_BEFORE.search(before):
            continue
        if written == "零" and chars.startswith("下", numeral.end):
            continue
        if numeral.value is None and written[0] in _NO_COUNT:
            continue
        if numeral.value is not None and numeral.value >= _SAID_MAX and not numeral.scaled:
            continue
        if numeral.value in _HOT_LINES or _is_asked_about(chars, numeral):
            continue
        if written == "一" and len(chars) > 1 and not _COUNTER_BEHIND.match(chars, numeral.end):
            continue
        yield numeral


def _is_asked_about(chars: str, numeral: Numeral) -> bool:
    """Whether the clause around it is a question (2000块能退吗), and no proposal (3000可以吗)."""
    start, end = numeral.start, numeral.end
    while start > 0 and not ends_clause(chars[start - 1]):
        start -= 1
    while end < len(chars) and chars[end] not in " ,.;!":
        end += 1
    clause = chars[start:end]
    return _ASKED.search(clause) is not None and _ASSURED.search(clause) is None


def _is_vague(chars: str, numeral: Numeral) -> bool:
    before = chars[max(0, numeral.start - _AROUND_MAX) : numeral.start]
    behind = chars[numeral.end : numeral.end + _AROUND_MAX]
    if _RANGE_BEHIND.match(behind) and any(char.isdigit() or char in "一二两三四五六七八九十" for char in behind):
        return False
    return bool(_VAGUE_BEHIND.match(behind) or _VAGUE_BEFORE.search(before))


def _keep(found: dict[Decimal, Reading], folded: Folded, value: Decimal, start: int, end: int) -> None:
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -PLACES_MAX:
        first, last = folded.span(start, end)
        plain = int(value) if value == value.to_integral_value() else float(value)
        found.setdefault(value, Reading(value=plain, start=first, end=last))
