"""How values look when a customer reads them."""

from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from bot.core.expressions.arithmetic import Number, round_half_up
from bot.core.expressions.values import KIND_NAMES, TEXT_MAX, EvaluationFault, Scope, Value, bounded, kind_of, zone_of

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")

_ASCII_UPPER = range(ord("A"), ord("Z") + 1)
_WIDE_UPPER = range(ord("Ａ"), ord("Ｚ") + 1)
_TO_LOWER = {code: code + 32 for letters in (_ASCII_UPPER, _WIDE_UPPER) for code in letters}
_TO_UPPER = {lower: upper for upper, lower in _TO_LOWER.items()}

_MOBILE_DIGITS = 11
_TEN_THOUSAND = 10_000
_HUNDRED = 100


def text_of(value: Value, scope: Scope) -> str:
    """`value` as it stands in a message: null is empty, true 是, false 否, times in the customer's zone.

    EvaluationFault `expr.type`: a list (use `join`), a record or a duration; `expr.size`: longer than TEXT_MAX.
    """
    if isinstance(value, str):
        return bounded(value)
    match value:
        case None:
            return ""
        case bool():
            return "是" if value else "否"
        case int() | Decimal():
            return plain_number(value)
        case datetime():
            kind_of(value)
            return f"{value.astimezone(zone_of(scope)):%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
        case timedelta() | list() | tuple() | _:
            hint = "，列表用 | join" if isinstance(value, list | tuple) else ""
            raise EvaluationFault("expr.type", f"{KIND_NAMES[kind_of(value)]}不能直接写进文字{hint}")


def plain_number(number: Number) -> str:
    """`number` in digits, without exponent or closing zeros: `1200`, `12.5`."""
    if isinstance(number, int):
        return str(number)
    digits = f"{number:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def lower(text: str) -> str:
    """`text` with the letters A-Z and Ａ-Ｚ small. No other letter changes, so that databases can do the same."""
    return text.translate(_TO_LOWER)


def upper(text: str) -> str:
    """`text` with the letters a-z and ａ-ｚ capital; see `lower`."""
    return text.translate(_TO_UPPER)


def day_text(day: date) -> str:
    """`2026年12月3日`."""
    return f"{day.year}年{day.month}月{day.day}日"


def when_text(moment: date, zone: tzinfo) -> str:
    """`12月3日 周四 10:00` for a time, in `zone`; `12月3日 周四` for a date."""
    local = moment.astimezone(zone) if isinstance(moment, datetime) else moment
    day = f"{local.month}月{local.day}日 {WEEKDAYS[local.weekday()]}"
    return f"{day} {local:%H:%M}" if isinstance(local, datetime) else day


def money_text(yuan: Number) -> str:
    """An amount in yuan: `¥9,800`, `¥3.50`; from 10,000, where two places say it exactly, `12.98万`.

    A price is never rounded beyond the fen: 129855 is `¥129,855`, not 12.99万.
    """
    amount = round_half_up(yuan, 2)
    sign = "-" if amount < 0 else ""
    if isinstance(amount, Decimal):
        return f"{sign}¥{amount.copy_abs():,.2f}"
    if abs(amount) >= _TEN_THOUSAND and amount % _HUNDRED == 0:
        whole, hundredths = divmod(abs(amount) // _HUNDRED, _HUNDRED)
        return f"{sign}{whole}.{hundredths:02}".rstrip("0").rstrip(".") + "万"
    return f"{sign}¥{abs(amount):,}"


def mask_phone(text: str) -> str:
    """`138****8000`: the first three and the last four stay of 11 characters or more, else the last two at most."""
    if len(text) >= _MOBILE_DIGITS:
        return f"{text[:3]}{'*' * (len(text) - 7)}{text[-4:]}"
    shown = text[-2:] if len(text) > 4 else ""
    return "*" * (len(text) - len(shown)) + shown


def joined(values: "list[Value] | tuple[Value, ...]", separator: str, scope: Scope) -> str:
    """The texts of `values` with `separator` between them; nulls are left out. EvaluationFault: as `text_of`."""
    texts: list[str] = []
    size = 0
    for value in values:
        if value is not None:
            texts.append(text_of(value, scope))
            size += len(texts[-1])
            if size > TEXT_MAX:
                break  # `bounded` refuses it below; only the work stops here
    return bounded(separator.join(texts))
