"""Answers to questions: as they are kept, as expressions see them, and as the customer reads them back."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.core.catalogue import Catalogue
from bot.core.events import Json
from bot.core.expressions.declared import reader_of
from bot.core.expressions.values import EvaluationFault
from bot.core.slots import Slot

SHOWN = frozenset({"choice", "number", "money", "date", "time", "datetime", "bool", "city", "entity"})
"""Types whose values the journal may show, unless the slot is `pii`: they tell nobody who the customer is."""
MASKED = "•••"
YES, NO = "是", "否"
WEEKDAYS = "一二三四五六日"
_MASKED_AT_LEAST = 8
"""Characters from which on the beginning and the end of a masked value can be read."""
_PHONE = re.compile(r"1[3-9]\d{9}")
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


def typed(slot: Slot, kept: Json) -> object:
    """The value of `slot` as expressions compare it. EvaluationFault: it is no value of the slot's type any more."""
    read = reader_of(slot.type)
    return kept if read is None or kept is None else read(kept)


def _typed_or_none(slot: Slot, kept: Json) -> object:
    try:
        return typed(slot, kept)
    except EvaluationFault:
        return None


def journalled(slot: Slot, value: Json) -> Json:
    """`value` as the journal may have it."""
    return MASKED if slot.pii or slot.type not in SHOWN else value


def read_back(slot: Slot, value: Json, zone: ZoneInfo) -> str:
    """`value` as the customer reads it when she is asked whether it is right; personal ones only at their ends."""
    shown = worded(value, slot, zone)
    return mask(shown) if slot.pii or slot.type == "phone_cn" else shown


def worded(value: Json, slot: Slot | None, zone: ZoneInfo) -> str:
    """`value` in words."""
    match value:
        case True:
            return YES
        case False:
            return NO
        case dict():
            return str(value.get("name") or f"{value.get('lat')}, {value.get('lng')}")
        case _:
            pass
    found = _typed_or_none(slot, value) if slot is not None else value
    match found:
        case datetime():
            local = found.astimezone(zone)
            return f"{local.month}月{local.day}日 周{WEEKDAYS[local.weekday()]} {local:%H:%M}"
        case date():
            return f"{found.month}月{found.day}日 周{WEEKDAYS[found.weekday()]}"
        case _:
            return f"{value} 元" if slot is not None and slot.type == "money" else str(value)


def mask(text: str) -> str:
    """`text` of which only the ends can be read; of a short one only the first character."""
    if len(text) >= _MASKED_AT_LEAST:
        return f"{text[:3]}****{text[-4:]}"
    return f"{text[:1]}**" if len(text) > 1 else "**"


def fitting(slot: Slot, value: Json, catalogue: Catalogue) -> Json:
    """`value`, which nobody typed, as an answer to `slot`, in the slot's own spelling. None: it is none."""
    match slot.type:
        case "number" | "money":
            return value if isinstance(value, int | float) and not isinstance(value, bool) else None
        case "bool":
            return value if isinstance(value, bool) else None
        case "location":
            return value if isinstance(value, dict) and {"lat", "lng"} <= value.keys() else None
        case _ if not isinstance(value, str) or not value.strip():
            return None
        case "choice":
            return _option(slot, value)
        case "entity":
            return _named(catalogue, value)
        case "date" | "datetime":
            return value if _typed_or_none(slot, value) is not None else None
        case "time":
            return value if _TIME.fullmatch(value) else None
        case "phone_cn":
            return value if _PHONE.fullmatch(value) else None
        case _:
            return value


def _option(slot: Slot, value: str) -> str | None:
    """The option that `value` spells; with options that are worked out, `value` itself."""
    if not slot.options:
        return value
    return next((one for one, others in slot.options.items() if value == one or value in others), None)


def _named(catalogue: Catalogue, value: str) -> str | None:
    wanted = value.casefold()
    for name, model in catalogue.models.items():
        if wanted in (spelling.casefold() for spelling in (name, *model.aliases)):
            return name
    return None
