"""What stands in papers: number plates, VINs and identity numbers. Check digits must be right.

Sources: GA 36-2018 (plates), GB 16735-2019 and ISO 3779 (VIN), GB 11643-1999 (identity numbers).
"""

import re
from collections.abc import Iterable
from datetime import date

from bot.core.understood import Reading
from bot.understanding.folding import Folded

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_LETTER = "a-hj-np-z"
_PLATE = re.compile(
    rf"([{_PROVINCES}])[ ·.-]?([{_LETTER}])[ ·.•-]?"
    rf"((?:[{_LETTER}0-9][ ·.-]?){{4,5}}[{_LETTER}0-9挂学警港澳领])(?![a-z0-9])"
)
_SEPARATORS = str.maketrans("", "", " ·.•-")
_ORDINARY = re.compile(rf"[{_LETTER}0-9]{{4}}[{_LETTER}0-9挂学警港澳领]")
_NEW_ENERGY = re.compile(rf"[a-hjk][{_LETTER}0-9][0-9]{{4}}|[0-9]{{5}}[a-hjk]")
_PLATE_LETTERS_MAX = 3

_VIN = re.compile(r"(?<![a-z0-9])[a-hj-npr-z0-9]{17}(?![a-z0-9])")
_VIN_VALUES = {
    char: value
    for value, chars in enumerate(("0", "1aj", "2bks", "3clt", "4dmu", "5env", "6fw", "7gpx", "8hy", "9rz"))
    for char in chars
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)

_IDENTITY = re.compile(r"(?<![a-z0-9])([0-9]{6})[ -]?([0-9]{4})[ -]?([0-9]{4})[ -]?([0-9]{3}[0-9x])(?![a-z0-9])")
_REGIONS = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
_IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_IDENTITY_CHECKS = "10x98765432"
_AGE_MAX = 130


def plate_candidates(folded: Folded) -> tuple[Reading, ...]:
    """The different number plates in a text, in capitals without separators: 沪A12345, 沪AD12345.

    Lower case, dots, dashes and spaces are understood. Seven characters, eight for new energy; I and O are in none.
    """
    found = []
    for match in _PLATE.finditer(folded.chars):
        serial = match[3].translate(_SEPARATORS)
        if _is_serial(serial):
            found.append((f"{match[1]}{match[2]}{serial}".upper(), match.start(), match.end()))
    return _different(folded, found)


def _is_serial(serial: str) -> bool:
    letters = sum(char in "abcdefghjklmnpqrstuvwxyz" for char in serial)
    if len(serial) == 6:
        return _NEW_ENERGY.fullmatch(serial) is not None
    return _ORDINARY.fullmatch(serial) is not None and letters <= _PLATE_LETTERS_MAX


def vin_candidates(folded: Folded) -> tuple[Reading, ...]:
    """The different vehicle identification numbers in a text: 17 capitals and digits, the check digit right.

    Groups parted by spaces or dashes count when there is nothing else in the text.
    """
    whole = folded.chars.replace(" ", "").replace("-", "")
    if len(whole) == 17 and _VIN.fullmatch(whole):
        return _different(folded, [(whole.upper(), 0, len(folded.chars))] if _is_vin(whole) else [])
    matches = [match for match in _VIN.finditer(folded.chars) if _is_vin(match.group())]
    return _different(folded, [(match.group().upper(), match.start(), match.end()) for match in matches])


def _is_vin(vin: str) -> bool:
    if vin.isdigit() or vin.isalpha():
        return False
    rest = sum(_VIN_VALUES[char] * weight for char, weight in zip(vin, _VIN_WEIGHTS, strict=True)) % 11
    return vin[8] == ("x" if rest == 10 else str(rest))


def identity_candidates(folded: Folded, today: date) -> tuple[Reading, ...]:
    """The different identity numbers in a text: 18 characters, region, day of birth and check digit right."""
    joined = [("".join(match.groups()), match.start(), match.end()) for match in _IDENTITY.finditer(folded.chars)]
    return _different(
        folded, [(number.upper(), start, end) for number, start, end in joined if _is_identity(number, today)]
    )


def _is_identity(number: str, today: date) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _IDENTITY_WEIGHTS, strict=True))
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    is_alive = today.year - _AGE_MAX <= born.year and born <= today
    return is_alive and _REGIONS.match(number) is not None and number[17] == _IDENTITY_CHECKS[total % 11]


def _different(folded: Folded, found: Iterable[tuple[str, int, int]]) -> tuple[Reading, ...]:
    readings: dict[str, Reading] = {}
    for value, first, last in found:
        start, end = folded.span(first, last)
        readings.setdefault(value, Reading(value=value, start=start, end=end))
    return tuple(readings.values())
