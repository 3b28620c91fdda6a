"""The answers that a question offers: written in the file, or worked out when it is asked."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.core.customer import Option, Pending
from bot.core.cutting import cut_characters
from bot.core.events import Json
from bot.core.expressions.values import EvaluationFault
from bot.core.slots import Slot
from bot.core.step.answers import worded
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.scope import plain, scope_of

OPTIONS_MAX = 10
"""Answers that a question offers; the others are left out, and the journal tells how many.

WeChat's menu messages take ten lines (wechat-api.md 6, msgmenu)."""
TEXT_MAX = 20
"""Characters of one of them."""
_LABELS = ("text", "label", "name", "title")
_VALUES = ("value", "id", "start")
_NOON = 12


def work_out(draft: Draft, run: Run, slot: Slot) -> tuple[Option, ...]:
    """What `options_from` comes to now. Empty: there is nothing to choose.

    A list of texts, numbers, dates or times, or of records with a `text` (or label, name, title) and perhaps a `value`
    (or id, start). EvaluationFault: it is no list, or an element is none of these.
    """
    if slot.options_from is None:
        return ()
    found = draft.program.value(slot.options_from, scope_of(draft, run))
    if found is None:
        return ()
    if not isinstance(found, list | tuple):
        raise EvaluationFault("expr.type", f"options_from 要得到列表：{slot.options_from.source}")
    options = {one.text: one for one in (_option(draft, slot, element) for element in found)}
    offered = tuple(options.values())[:OPTIONS_MAX]
    draft.trace("offered", run, slot=slot.name, count=len(offered), left_out=len(options) - len(offered))
    return offered


def _option(draft: Draft, slot: Slot, element: object) -> Option:
    """One element of the list as something to choose."""
    zone = draft.program.zone
    match element:
        case datetime() | date():
            return _named(plain(element), _moment(element, zone), spellings=_clock(element, zone))
        case Mapping():
            value = _first(element, _VALUES)
            shown = _first(element, _LABELS)
            if shown is None:
                shown = value
            if isinstance(shown, datetime | date):
                named = _moment(shown, zone)
                return _named(plain(value if value is not None else shown), named, spellings=_clock(shown, zone))
            if not isinstance(shown, str):
                raise EvaluationFault("expr.type", "options_from 的记录要有 text")
            return _named(plain(value) if value is not None else shown, shown)
        case bool() | None:
            raise EvaluationFault("expr.type", "options_from 的一项不能是真/假或空")
        case _:
            kept = plain(element)
            return _named(kept, worded(kept, slot, zone))


def _named(value: Json, text: str, *, spellings: tuple[str, ...] = ()) -> Option:
    return Option(text=cut_characters(text.strip(), TEXT_MAX), value=value, spellings=spellings)


def _first(record: Mapping[object, object], names: tuple[str, ...]) -> object:
    return next((record[name] for name in names if record.get(name) is not None), None)


def _moment(moment: date, zone: ZoneInfo) -> str:
    if isinstance(moment, datetime):
        local = moment.astimezone(zone)
        return f"{local.month}月{local.day}日 {local:%H:%M}"
    return f"{moment.month}月{moment.day}日"


def _clock(moment: date, zone: ZoneInfo) -> tuple[str, ...]:
    """How she may say a time of day that is offered: 14:00, 14点, 下午2点."""
    if not isinstance(moment, datetime):
        return ()
    local = moment.astimezone(zone)
    half = {0: "点", 30: "点半"}.get(local.minute)
    if half is None:
        return (f"{local:%H:%M}",)
    part, hour = ("下午", local.hour - _NOON) if local.hour > _NOON else ("上午", local.hour)
    return (f"{local:%H:%M}", f"{local.hour}{half}", f"{part}{hour}{half}")


def texts(slot: Slot, pending: Pending | None) -> tuple[str, ...]:
    """What the open question offers, in order, as it is shown."""
    if pending is not None and pending.options:
        return tuple(one.text for one in pending.options)
    return tuple(slot.options)


def chosen(pending: Pending | None, value: Json) -> Option | None:
    """Which of the answers that were worked out `value` is, by its text or by what it means. None: none of them."""
    options = pending.options if pending is not None else ()
    return next((one for one in options if value in (one.text, one.value)), None)
