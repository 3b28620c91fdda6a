"""Which entry of a list that was shown a text chooses by its place: 2, 选2, 第二个, 最后一个."""

import re
from collections.abc import Mapping, Sequence

from bot.understanding.days import NUMBER
from bot.understanding.numerals import CHINESE, small

_PLAIN = re.compile(rf"(?:选择?|回复?|就|no\.?|#)?(?P<number>{NUMBER})")
_ORDINAL = re.compile(rf"(?:选择?|就)?第(?P<number>{NUMBER})(?:个|项|种|款|条|家|号|档)?(?:吧|的)?")
_LAST = frozenset({"最后一个", "最后那个", "最后一项", "最后的", "最后一款", "最后一档"})
_MAY_COUNT = re.compile(rf"[0-9{CHINESE}廿]|最后")
_COUNTS = re.compile(rf"[0-9{CHINESE}]")


def place_named(forms: Sequence[str], options: Mapping[str, tuple[str, ...]], *, listed: bool) -> int | None:
    """The index of the option that the whole text (any of its `forms`) chooses by its place, None: it does not.

    A bare number only chooses where the options were `listed` with numbers, or none of them has a number in it: two
    in 两人, 四人 is no place.
    """
    if not forms or _MAY_COUNT.search(forms[0]) is None:
        return None
    for form in forms:
        if form in _LAST and options:
            return len(options) - 1
        ordinal = _ORDINAL.fullmatch(form)
        match = ordinal or _PLAIN.fullmatch(form)
        if match is None or not (ordinal or listed or not _has_numbers(options)):
            continue
        number = small(match["number"])
        if number is not None and 1 <= number <= len(options):
            return number - 1
    return None


def _has_numbers(options: Mapping[str, tuple[str, ...]]) -> bool:
    return any(_COUNTS.search(spelling) for option, others in options.items() for spelling in (option, *others))
