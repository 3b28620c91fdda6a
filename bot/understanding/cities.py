"""Which city a text names. Streets, brands and dishes that are called after one are none."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.core.understood import Reading
from bot.understanding.folding import Folded
from bot.understanding.places import EVERYDAY, SPELLINGS

_AROUND_MAX = 8
_NO_CITY_BEHIND = re.compile(
    r"[东南西北中]?(?:路|街|大街|大道|道|站|大众|现代|本田|通用|奔驰|汽车|牌|户口|人|菜|话|银行|银|烤鸭|小吃|火锅|时间|大厦|广场|饭店|啤酒|拉面|扒鸡|米粉|板鸭|炒饭|麻花|湾|治|带)"
)
_ELSEWHERE_BEFORE = re.compile(
    r"(?:以前|之前|原来|原先|曾经|过去|不|没)(?:是)?(?:住|待|呆)?(?:在|住)?$|老家(?:是|在)?$|离开$|不是$|出差去?$|(?<!车)从$"
)
_PROVINCES = (
    "河北|山西|内蒙古?|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|广西|海南|四川|贵州|云南|西藏"
    "|陕西|甘肃|青海|宁夏|新疆"
)
_CUE_BEFORE = re.compile(rf"(?:{_PROVINCES})省?$|(?:在|住|坐标|来自|城市|地址|位置|定位|搬到|搬去|回)(?:是|在|:|了)?$")
_BEHIND_A_NAME = re.compile(r"市|地区|州|盟|(?:这边|这里|那边|本地|周边|附近|的(?=$|,))")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    cities: tuple[str, ...]
    start: int
    end: int


def _by_first() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for spelling in sorted(SPELLINGS, key=len, reverse=True):
        found.setdefault(spelling[0], []).append(spelling)
    return {first: tuple(spellings) for first, spellings in found.items()}


_BY_FIRST = _by_first()
_FIRSTS = re.compile(f"[{''.join(map(re.escape, _BY_FIRST))}]")


def city_candidates(folded: Folded, forms: tuple[str, ...]) -> tuple[Reading, ...]:
    """The different cities that a text may name, without 市. A district stands for its city.

    Names that several cities have (鼓楼, 高新区) give all of them, unless the text names the city as well. Names that
    are ordinary words (大同, 日照) count only alone, with 市, or behind 我在, 坐标 and the like.
    """
    places = tuple(_places(folded.chars, forms))
    if not places:
        return ()
    common = set(places[0].cities).intersection(*(place.cities for place in places[1:]))
    if len(common) == 1:
        start, end = folded.span(places[0].start, places[-1].end)
        return (Reading(value=common.pop(), start=start, end=end),)
    found: dict[str, Reading] = {}
    for place in places:
        start, end = folded.span(place.start, place.end)
        for city in place.cities:
            found.setdefault(city, Reading(value=city, start=start, end=end))
    return tuple(found.values())


def _places(chars: str, forms: tuple[str, ...]) -> Iterator[_Place]:
    end = 0
    for first in _FIRSTS.finditer(chars):
        start = first.start()
        spelling = next((one for one in _BY_FIRST[chars[start]] if chars.startswith(one, start)), "")
        if not spelling or start < end:
            continue
        end = start + len(spelling)
        if _is_meant(chars, forms, start, end):
            yield _Place(cities=SPELLINGS[spelling], start=start, end=end)


def _is_meant(chars: str, forms: tuple[str, ...], start: int, end: int) -> bool:
    before, behind = chars[max(0, start - _AROUND_MAX) : start], chars[end : end + _AROUND_MAX]
    if _NO_CITY_BEHIND.match(behind) or _ELSEWHERE_BEFORE.search(before):
        return False
    spelling = chars[start:end]
    if spelling not in EVERYDAY:
        return True
    return spelling in forms or bool(_BEHIND_A_NAME.match(behind) or _CUE_BEFORE.search(before))
