"""Numbers as they are written in Chinese: 35, 三十五, 两千五, 十二万八, 3万5, 1.5w.

What may mean two numbers (七八万, 三五个, 3万50) has no value: a guess would be a wrong price.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

VALUE_MAX = Decimal(10) ** 13
"""Numbers from here on are not read: nobody counts so far."""
_LENGTH_MAX = 24
"""Characters of one numeral; longer ones have no value."""

_PLAIN = str.maketrans("〇○两俩壹贰貳叁肆伍陆柒捌玖拾佰仟萬億點", "零零二二一二二三四五六七八九十百千万亿点")
_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")}
_SMALL = {"十": 10, "百": 100, "千": 1000}
_UNITS = {**_SMALL, "k": 1000, "万": 10_000, "w": 10_000, "亿": 100_000_000}

CHINESE = "零〇○一二两俩三四五六七八九十百千万亿壹贰貳叁肆伍陆柒捌玖拾佰仟萬億"
_NUMERAL = re.compile(
    r"(?<![0-9.])(?<![0-9],)(?:[0-9]{1,3}(?:,[0-9]{3}){1,4}(?![0-9])|[0-9]{1,16}(?![0-9]))(?:\.[0-9]{1,9}(?![0-9]))?"
    rf"(?![,.][0-9])(?: ?[wk](?![a-z])| ?[{CHINESE}]+(?:[0-9]{{1,4}}(?![0-9])[{CHINESE}]*)?)?半?"
    rf"|[{CHINESE}]+(?:点[零〇一二三四五六七八九]+[万亿千百]?)?(?:(?<=[十百千万亿])[0-9](?![0-9]))?半?"
)
_ARABIC = re.compile(r"([0-9]+(?:\.[0-9]+)?)([十百千万亿wk]?)(.*)", re.DOTALL)
_DECIMAL = re.compile(r"([零一二三四五六七八九十百]+)点([零一二三四五六七八九]+)([万亿千百]?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Numeral:
    """A number at `start` to `end` of the folded text. `value` None: it may mean several numbers, or none.

    `scaled`: it names its thousands (万, 千, w, k), as prices do.
    """

    value: Decimal | None
    start: int
    end: int
    scaled: bool


def numerals(chars: str) -> Iterator[Numeral]:
    """The numerals in folded `chars`, in order."""
    for match in _NUMERAL.finditer(chars):
        written = match.group()
        scaled = any(char in "万萬w千仟k亿億百佰" for char in written)
        yield Numeral(value=value_of(written), start=match.start(), end=match.end(), scaled=scaled)


def value_of(written: str) -> Decimal | None:
    """The number that the whole of folded `written` says, None: none for certain."""
    plain = written.replace(" ", "").replace(",", "").translate(_PLAIN)
    if not plain or len(plain) > _LENGTH_MAX:
        return None
    value = _of_arabic(plain) if plain[0].isascii() else _of_chinese(plain)
    return value if value is not None and value < VALUE_MAX else None


def small(written: str) -> int | None:
    """The whole number below 100 that `written` says, as hours, days and months are: 7, 07, 十二, 三十一, 零五."""
    plain = written.translate(_PLAIN).replace("廿", "二十")
    if plain.isascii():
        return int(plain) if plain.isdigit() and len(plain) <= 2 else None
    if len(plain) == 2 and plain[0] == "零":
        return _DIGITS.get(plain[1])
    if "十" not in plain:
        return _DIGITS.get(plain)
    tens, _, ones = plain.partition("十")
    if len(tens) > 1 or len(ones) > 1 or tens == "零" or ones == "零" or not set(tens + ones) <= _DIGITS.keys():
        return None
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


def _of_arabic(plain: str) -> Decimal | None:
    match = _ARABIC.fullmatch(plain)
    if match is None:
        return None
    head, unit, tail = match.groups()
    if not unit:
        return Decimal(head) if not tail else None
    scale = _UNITS[unit]
    value = Decimal(head) * scale
    if not tail:
        return value
    rest = None if "." in head else _rest(tail, scale)
    return None if rest is None else value + rest


def _rest(tail: str, scale: int) -> Decimal | None:
    """What `tail` adds behind a unit of `scale`: 5 in 3万5, 五千 in 3万五千, 半 in 3万半, 零五 in 3万零五."""
    if tail == "半":
        return Decimal(scale) / 2
    if len(tail) == 1 and (tail.isdigit() or tail in _DIGITS):
        digit = int(tail) if tail.isascii() else _DIGITS[tail]
        return Decimal(digit * scale // 10) if digit else None
    if tail.isascii() and tail.isdigit():
        return Decimal(tail) if len(tail) == len(str(scale)) - 1 and tail[0] != "0" else None
    value = value_of(tail.removeprefix("零"))
    return value if value is not None and value < scale else None


def _of_chinese(plain: str) -> Decimal | None:
    decimal = _DECIMAL.fullmatch(plain)
    if decimal:
        return _of_decimal(*decimal.groups())
    if all(char in _DIGITS for char in plain):
        return _of_digits(plain)
    if plain[-1] == "半":
        unit = _UNITS.get(plain[-2:-1])
        head = _sum(plain[:-1]) if unit else None
        return None if head is None or unit is None or unit < 100 else head + Decimal(unit) / 2
    if plain[-1].isdigit():
        unit = _UNITS.get(plain[-2:-1])
        head = _sum(plain[:-1]) if unit else None
        rest = _rest(plain[-1], unit) if unit else None
        return None if head is None or rest is None else head + rest
    return _sum(plain)


def _of_digits(plain: str) -> Decimal | None:
    """Digits read out: 二零二六. Two different ones may be a range (三五个), and have no value."""
    if len(plain) == 2 and "零" not in plain:
        return None
    return Decimal("".join(str(_DIGITS[char]) for char in plain))


def _of_decimal(whole: str, places: str, unit: str) -> Decimal | None:
    head = _of_digits(whole) if all(char in _DIGITS for char in whole) else _sum(whole)
    if head is None:
        return None
    value = head + Decimal(f"0.{''.join(str(_DIGITS[char]) for char in places)}")
    return value * _UNITS[unit] if unit else value


def _sum(plain: str) -> Decimal | None:
    """A numeral with units: 一百零五, 两千五, 十二万八. None: its units do not descend, or digits stand together."""
    for unit in "亿万":
        head, found, tail = plain.rpartition(unit) if unit == "亿" else plain.partition(unit)
        if found:
            above, scale = _sum(head), _UNITS[unit]
            rest = _rest(tail, scale) if tail else Decimal(0)
            return None if above is None or rest is None else above * scale + rest
    return _below_ten_thousand(plain)


def _below_ten_thousand(plain: str) -> Decimal | None:
    total, digit, unit, skipped = 0, 0, 10_000, False
    if not plain:
        return None
    for position, char in enumerate(plain):
        if char == "零":
            if digit or skipped or position == 0 or unit == 10:
                return None
            skipped = True
        elif char in _SMALL:
            # 十二 begins with its unit; a hundred and a thousand say how many.
            count = digit or (1 if char == "十" and (position == 0 or skipped) else 0)
            if not count or _SMALL[char] >= unit:
                return None
            unit, digit, skipped = _SMALL[char], 0, False
            total += count * unit
        elif char in _DIGITS and not digit:
            digit = _DIGITS[char]
        else:
            return None
    if digit and unit != 10_000 and unit > 10 and not skipped:
        digit *= unit // 10
    return Decimal(total + digit)
