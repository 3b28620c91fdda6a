"""How near a text is to a keyword, by slips of the pen and by sound."""

from bot.core.pinyin import syllable

SLIP_EVERY = 4
"""One slip is forgiven for so many characters of a keyword."""
_SOUNDS_ALIKE = 95
_KEYWORD_MAX = 40
"""Longer keywords are only compared for equality."""


def likeness(said: str, keyword: str) -> int:
    """How near a normalised text is to a normalised keyword, in hundredths; 0: not near enough to be meant.

    Equal is 100. The same sounds (试假 for 试驾) are 95. Otherwise one slip, a character more, less, other, or two
    changed places, is forgiven for every `SLIP_EVERY` characters of the keyword. Never anything for one character.
    """
    if said == keyword:
        return 100
    if not 2 <= len(keyword) <= _KEYWORD_MAX:
        return 0
    if len(said) == len(keyword) and all(map(_sounds_alike, said, keyword)):
        return _SOUNDS_ALIKE
    allowed = len(keyword) // SLIP_EVERY
    if abs(len(said) - len(keyword)) > allowed:
        return 0
    slips = _slips(said, keyword)
    return 100 - 100 * slips // len(keyword) if slips <= allowed else 0


def _sounds_alike(one: str, other: str) -> bool:
    if one == other:
        return True
    sound = syllable(one)
    return sound is not None and sound == syllable(other)


def _slips(one: str, other: str) -> int:
    """The Damerau-Levenshtein distance in which no stretch is changed twice."""
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for i, char in enumerate(one, start=1):
        row = [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (char != wanted))
            if i > 1 and j > 1 and char == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        before_last, last = last, row
    return last[-1]
