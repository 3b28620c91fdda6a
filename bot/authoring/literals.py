"""Words with a fixed spelling to values: durations, times, ranges, numbers."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import TypeVar

T = TypeVar("T")

DURATION_MAX = timedelta(days=5 * 366)
"""The longest wait of the language: 5 years."""
WHOLE_MAX = 1_000_000_000
WORKING = "working"
"""What stands behind a length of working time."""

_UNITS = {
    "w": "weeks",
    "周": "weeks",
    "d": "days",
    "天": "days",
    "h": "hours",
    "小时": "hours",
    "m": "minutes",
    "分钟": "minutes",
    "分": "minutes",
    "s": "seconds",
    "秒": "seconds",
}
_PART = re.compile(r"(\d{1,6})\s*(小时|分钟|[wdhms周天分秒])\s*")
_TIME = re.compile(r"([01]?\d|2[0-3])[:：]([0-5]\d)")
_DAYS = {"周一": 0, "周二": 1, "周三": 2, "周四": 3, "周五": 4, "周六": 5, "周日": 6}
_DAY_SETS = {"每天": range(7), "工作日": range(5), "周末": range(5, 7)}


class LiteralFault(Exception):
    """The text is no such value; the message says what is expected, in Chinese.

    `cure`: how to write it, where that says more than the message does.
    """

    def __init__(self, message: str, *, cure: str = "") -> None:
        super().__init__(message)
        self.cure = cure


def duration(text: str) -> timedelta:
    """`30m`, `2d`, `1h30m`, `30分钟`, `2天`: more than nothing, at most 5 years."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain.endswith(f" {WORKING}"):
        elapsed = plain.removesuffix(WORKING).strip()
        cure = f"写成 {elapsed}；working 只能用在 wait 的 for、timeout 的 after 和 timers 的 after"
        raise LiteralFault("这里只能写时长，不能写工作时间", cure=cure)
    parts = list(_PART.finditer(plain))
    if not parts or "".join(part.group() for part in parts) != plain:
        raise LiteralFault("需要一段时长，例如 30m、2d、1h30m、30分钟、2天")
    length = timedelta()
    for part in parts:
        length += timedelta(**{_UNITS[part.group(2)]: int(part.group(1))})
    if not timedelta() < length <= DURATION_MAX:
        raise LiteralFault("时长要大于 0，最长 5 年")
    return length


def time_of_day(text: str) -> time:
    """`08:30`, from 00:00 to 23:59."""
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise LiteralFault("需要时刻，例如 08:30")
    return time(int(found.group(1)), int(found.group(2)))


def time_range(text: str) -> tuple[time, time]:
    """`21:30-08:30`; it may cross midnight, and is never empty."""
    begins, dash, ends = text.partition("-")
    if not dash:
        raise LiteralFault("需要时间段，例如 21:30-08:30")
    try:
        span = time_of_day(begins), time_of_day(ends)
    except LiteralFault as fault:
        cure = "时刻从 00:00 到 23:59；过了半夜接着写第二天的，例如 21:00-08:30"
        raise LiteralFault("需要一段时间，例如 21:00-08:30", cure=cure) from fault
    if span[0] == span[1]:
        raise LiteralFault("时间段的起止相同", cure="改掉其中一个，例如 21:00-08:30")
    return span


def padded(span: tuple[time, time]) -> str:
    """The usual spelling of a time range, hours with two digits."""
    return f"{span[0]:%H:%M}-{span[1]:%H:%M}"


def whole(text: str) -> int:
    """A whole number between ±10⁹."""
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", text) or abs(int(text)) > WHOLE_MAX:
        raise LiteralFault("需要整数", cure="用阿拉伯数字，不带单位，例如 5")
    return int(text)


def flag(text: str) -> bool:
    """`true` or `false`."""
    if text not in ("true", "false"):
        raise LiteralFault("需要 true 或 false")
    return text == "true"


def weekdays(text: str) -> frozenset[int]:
    """0 (Monday) to 6 for 每天, 工作日 (Monday to Friday), 周末 or the name of one day."""
    if text in _DAY_SETS:
        return frozenset(_DAY_SETS[text])
    if text in _DAYS:
        return frozenset({_DAYS[text]})
    raise LiteralFault("需要 每天、工作日、周末，或 周一 到 周日")


def name(text: str) -> str:
    """A name that expressions can use: letters of any script, digits and `_`, not beginning with a digit or `_`."""
    if not text.isidentifier() or text.startswith("_") or len(text) > 60:
        raise LiteralFault("名字只能用文字、字母、数字和下划线，不能以数字或下划线开头，最长 60 字")
    return text


def either(*readers: Callable[[str], T]) -> Callable[[str], T]:
    """A reader that takes what the first of `readers` takes; the last one's complaint is raised."""

    def read(text: str) -> T:
        for reader in readers[:-1]:
            try:
                return reader(text)
            except LiteralFault:
                continue
        return readers[-1](text)

    return read


def fraction(text: str) -> int:
    """`0.8` in hundredths: 80. From 0.01 to 1, at most two places."""
    found = re.fullmatch(r"(?:0?\.(\d{1,2})|1(?:\.0{1,2})?)", text.strip())
    if not found:
        raise LiteralFault("需要 0.01 到 1 之间的小数，最多两位，例如 0.8")
    hundredths = int(found.group(1).ljust(2, "0")) if found.group(1) else 100
    if hundredths < 1:
        raise LiteralFault("需要 0.01 到 1 之间的小数，最多两位，例如 0.8")
    return hundredths


def percent(text: str) -> int:
    """A whole number of hundredths from 0 to 100."""
    if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) > 100:
        raise LiteralFault("需要 0 到 100 之间的整数，不写 %", cure="写占多少，例如十分之一写 10")
    return int(text)


def day(text: str) -> date:
    """`2026-10-01`."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise LiteralFault("需要日期，例如 2026-10-01")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise LiteralFault("没有这一天", cure="先年，再月（01 到 12），再日，例如 2026-10-01") from error


def days(text: str) -> tuple[date, ...]:
    """One day, or `2026-10-01..2026-10-07`: all of them, at most 40."""
    first, dots, last = text.partition("..")
    begins = day(first.strip())
    ends = day(last.strip()) if dots else begins
    if not begins <= ends <= begins + timedelta(days=40):
        raise LiteralFault("起止日期不对：要从早到晚，最多 40 天")
    return tuple(begins + timedelta(days=n) for n in range((ends - begins).days + 1))


def amount(text: str) -> Decimal:
    """An amount of yuan, at least 0, with at most two places."""
    if not re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,2})?", text):
        raise LiteralFault("需要金额（元），例如 129800 或 99.50")
    return Decimal(text)


def number(text: str) -> int | float:
    """A whole number between ±10⁹, or one with at most six places."""
    if re.fullmatch(r"[+-]?[0-9]{1,9}\.[0-9]{1,6}", text):
        return float(text)
    try:
        return whole(text)
    except LiteralFault as fault:
        raise LiteralFault("需要一个数，最多六位小数", cure="用阿拉伯数字，不带单位，例如 5 或 0.5") from fault
