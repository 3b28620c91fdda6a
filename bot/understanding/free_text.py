"""A text as the answer to an open question, without the words that only lead up to it."""

import re
import unicodedata

from bot.core.understood import Reading
from bot.understanding import words
from bot.understanding.folding import TEXT_MAX, fold
from bot.understanding.normal import normalise, without_stickers

_GREETING = re.compile(r"(?:你好|您好|哈喽|嗨|hi|hello)(?:[\s,，.。!！~～]+|(?=我|叫))[啊呀]?", re.IGNORECASE)
_ONLY_GREETINGS = frozenset(map(normalise, words.GREETINGS.split()))
_NAME = re.compile(
    r"(?:我的名字[是叫]|我名字[是叫]|我叫|我姓|免贵姓?|(?:可以|就|你|您|你可以|您可以)?(?:叫|称呼)我为?|我是)[\s:：]*"
)
_NAME_CLOSING = re.compile(r"(?:就行了?|就好了?|就可以了?|即可|好了|[吧哈啊呀哦])[\s。.!！~～]*$")
_STICKER = re.compile(r"\[[^\[\]]{1,8}\]$")
_CLOSING_PUNCTUATION = frozenset("。.!！~～，,、…;；")


def free_text(text: str) -> Reading | None:
    """`text` as a value: trimmed, without a greeting or 我叫 in front and without stickers behind.

    What stands in the middle is kept word for word. None when it says nothing (only signs) or only greets.
    """
    text = text[:TEXT_MAX]
    start, end = _trimmed(text, 0, len(text))
    start = _behind(_GREETING, text, start, end)
    named = _behind(_NAME, text, start, end)
    if named != start:
        closing = _NAME_CLOSING.search(text[named:end])
        start, end = _trimmed(text, named, named + closing.start() if closing and closing.start() else end)
    value = text[start:end]
    if not _says_something(value):
        return None
    return Reading(value=value, start=start, end=end)


def _says_something(value: str) -> bool:
    spoken = without_stickers(fold(value).chars)
    return any(unicodedata.category(char)[0] in "LN" for char in spoken) and normalise(value) not in _ONLY_GREETINGS


def _behind(pattern: re.Pattern[str], text: str, start: int, end: int) -> int:
    """The index behind what `pattern` matches at `start`; `start` when it does not, or nothing would remain."""
    match = pattern.match(text, start, end)
    return match.end() if match and match.end() < end else start


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and _is_blank(text[start]):
        start += 1
    while start < end:
        sticker = _STICKER.search(text, max(start, end - 10), end)
        if sticker and sticker.start() > start:
            end = sticker.start()
        elif _is_blank(text[end - 1]) or text[end - 1] in _CLOSING_PUNCTUATION:
            end -= 1
        else:
            break
    return start, end


def _is_blank(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in {"Cc", "Cf", "Cs", "So", "Sk", "Mn", "Zs", "Zl", "Zp"}
