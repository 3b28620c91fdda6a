"""Mobile numbers of mainland China in a customer's text.

A wrong number costs a lead and calls a stranger, so everything doubtful gives none: a number is never read
out of a longer run of digits, never put together from prices, and never guessed from letters.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.core.understood import Reading
from bot.understanding.folding import Folded

_LENGTH = 11
_GROUPS_MAX = 13
"""Groups that one number may be written in: every digit by itself, and the country."""
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_NUMERALS = str.maketrans("零〇一幺二三四五六七八九壹贰叁肆伍陆柒捌玖", "001123456789123456789")

_SEPARATORS = r" \-.,·—–()"
_RUN = re.compile(rf"[0-9](?:[{_SEPARATORS}]{{0,3}}[0-9])*")
_GROUP = re.compile(r"[0-9]+")
_PARTING = frozenset(" ,")
"""Separators that may stand between two numbers as well as inside one."""

_BEFORE_MAX = _AFTER_MAX = 16
"""Characters around a number that are looked at for what it is."""
_WORD = re.compile(r"[a-z_@]")
_WORD_AT_END = re.compile(r"[a-z_@]$")
_LABEL = re.compile(r"(?:^|[^a-z0-9_@])(?:tel|phone|mobile|mob|cell|call|vx|wx|v|m|t|wechat|weixin|dianhua|shouji)$")
_LABEL_BEHIND = re.compile(r"(?:vx|wx|v|wechat|weixin)(?:[^a-z0-9]|$)")
_OTHER_THING_BEFORE = re.compile(
    r"(?:订单|单号|编号|工号|卡号|身份证|证号|车架|发动机|账号|帐号|账户|验证码|运单|快递|积分|里程|价格?|qq|vin|[¥$])"
    r"(?:号码?)?[ :=是为]*$"
)
_OTHER_THING_BEHIND = re.compile(r" ?(?:元|块|万|千米|公里|km|里程|人民币|积分)")
_TAKEN_BACK_BEFORE = re.compile(r"(?:不是|而非|并非|别打|不要打|不用打|不再用)[ :这个那原来的旧号码电话手机]*$")
_TAKEN_BACK_BEHIND = re.compile(
    r"[ ,的这个那号码电话手机已经早就都]*(?:不用了|停用|停机|注销|作废|打错|写错|发错|错了|不对|不是我|是错|是旧)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Digits that stand together, at `start` to `end` of the folded text."""

    digits: str
    start: int
    end: int


def phone_candidates(folded: Folded) -> tuple[Reading, ...]:
    """The different numbers in a text, in order, 11 digits each. More than one: the customer has to say which.

    Full width, spaces, dashes, dots, commas, +86, 0086 or 86 in front, and Chinese numerals are understood.
    10 or 12 digits, land lines, numbers of orders, and numbers that the text itself takes back give none.
    """
    found: dict[str, Reading] = {}
    for number in _numbers(folded.chars):
        if not _is_something_else(folded.chars, number):
            start, end = folded.span(number.start, number.end)
            found.setdefault(number.digits, Reading(value=number.digits, start=start, end=end))
    return tuple(found.values())


def _numbers(chars: str) -> Iterator[_Group]:
    digits = chars.translate(_NUMERALS)
    for run in _RUN.finditer(digits):
        if len(run.group()) < _LENGTH:
            continue
        groups = [
            _Group(digits=g.group(), start=run.start() + g.start(), end=run.start() + g.end())
            for g in _GROUP.finditer(run.group())
        ]
        if _is_foreign(digits[: run.start()], groups[0]):
            continue
        groups = _untainted(digits, groups)
        yield from _partition(groups) or _standing_alone(groups, chars)


def _is_foreign(before: str, first: _Group) -> bool:
    return before.rstrip(" (").endswith("+") and not first.digits.startswith("86")


def _untainted(digits: str, groups: list[_Group]) -> list[_Group]:
    """`groups` without a first or last one that letters make part of a word, a model or a VIN."""
    start, end = groups[0].start, groups[-1].end
    before, behind = digits[max(0, start - _BEFORE_MAX) : start], digits[end : end + _AFTER_MAX]
    if _WORD_AT_END.search(before) and not _LABEL.search(before):
        groups = groups[1:]
    if _WORD.match(behind) and not _LABEL_BEHIND.match(behind):
        groups = groups[:-1]
    return groups


def _partition(groups: list[_Group]) -> list[_Group]:
    """The numbers that `groups` are made of without a rest, else none."""
    numbers: list[_Group] = []
    waiting: list[_Group] = []
    for group in groups:
        waiting.append(group)
        number = _one(waiting)
        if number is not None:
            numbers.append(number)
            waiting = []
        elif len(waiting) > _GROUPS_MAX:
            return []
    return [] if waiting else numbers


def _standing_alone(groups: list[_Group], chars: str) -> Iterator[_Group]:
    """The groups that are numbers by themselves, parted from their neighbours as a word is from the next."""
    for index, group in enumerate(groups):
        before = chars[groups[index - 1].end : group.start] if index else " "
        behind = chars[group.end : groups[index + 1].start] if index + 1 < len(groups) else " "
        if set(before + behind) <= _PARTING:
            number = _one([_without_numerals(group, chars)])
            if number is not None:
                yield number


def _without_numerals(group: _Group, chars: str) -> _Group:
    """`group` without one or two Chinese numerals that belong to the word beside it, as in 周一13800138000."""
    plain = re.fullmatch(r"[^0-9]{0,2}([0-9]+)[^0-9]{0,2}", chars[group.start : group.end])
    if plain is None:
        return group
    start = group.start + plain.start(1)
    return _Group(digits=plain.group(1), start=start, end=start + len(plain.group(1)))


def _one(groups: list[_Group]) -> _Group | None:
    """The one number that all of `groups` make together, None when they do not."""
    national = _without_country(groups)
    joined = "".join(g.digits for g in national)
    if not _MOBILE.fullmatch(joined) or not _is_usual_shape([len(g.digits) for g in national]):
        return None
    return _Group(digits=joined, start=national[0].start, end=national[-1].end)


def _without_country(groups: list[_Group]) -> list[_Group]:
    first = groups[0]
    for code in ("0086", "86"):
        if first.digits == code:
            return groups[1:]
        if first.digits.startswith(code):
            return [replace(first, digits=first.digits[len(code) :], start=first.start + len(code)), *groups[1:]]
    return groups


def _is_usual_shape(sizes: list[int]) -> bool:
    """Whether people part numbers like that; 5-6 and 4-4-3 digits may as well be two or three prices."""
    return sizes[0] == 3 or sizes in ([_LENGTH], [7, 4], [4, 7]) or all(size <= 2 for size in sizes)


def _is_something_else(chars: str, number: _Group) -> bool:
    before = chars[max(0, number.start - _BEFORE_MAX) : number.start]
    behind = chars[number.end : number.end + _AFTER_MAX]
    return bool(
        _OTHER_THING_BEFORE.search(before)
        or _OTHER_THING_BEHIND.match(behind)
        or _TAKEN_BACK_BEFORE.search(before)
        or _TAKEN_BACK_BEHIND.match(behind)
    )
