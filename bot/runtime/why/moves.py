"""Wording of where a journey went: entries, moves, guards, ends, goals, errors, timers."""

from bot.runtime.why.detail import Detail, Said, Words
from bot.runtime.why.line import Tone
from bot.runtime.why.names import event_name, timer_name
from bot.runtime.why.reasons import error_words

_CAUSES = {"call": "由旅程调用：", "start": "由旅程启动：", "interrupt": "因插话规则："}
REFUSALS = {
    "already_active": "客户正在这个旅程里",
    "too_soon": "离上次结束还不够久（reentry: allow after）",
    "only_once": "这个旅程每位客户只进一次（reentry: allow once）",
    "audience": "客户不在这个旅程的受众里",
    "too_many_active": "客户同时进行的旅程太多",
    "too_many_entries": "这一步里进入的旅程太多，可能在互相启动",
}
_ENDS = {
    "unreachable": "客户已不可达",
    "cancelled": "调用它的旅程离开了那个状态",
    "stuck": "先前出错停住，现在由新的一次代替",
    "opt_out": "客户退订",
    "workflow_changed": "旅程已改版",
}
_BAD_ENDS = frozenset({"unreachable", "cancelled", "stuck"})
_CHANGES = {"workflow_changed": "旅程改版，按新版本继续"}
"""Why a journey moved though nothing in it asked for it."""
_ERROR_END = "error:"
_THEN = {
    "handled": "；按旅程的 errors 处理",
    "raised_in_caller": "；交给调用它的旅程处理",
    "stuck": "；没有规则处理它，旅程停在这里，已请运营处理",
}


def _entered(detail: Detail) -> Said:
    return Said(text=f"进入旅程 {detail.journey}（{_cause(detail.text('cause'))}）", tone="ok")


def _entry_refused(detail: Detail) -> Said:
    reason = detail.text("reason")
    cause = _cause(detail.text("cause"))
    text = f"没有进入旅程 {detail.text('into')}（{cause}）：{REFUSALS.get(reason) or error_words(reason)}"
    return Said(text=text, tone="no", outcome=reason)


def _cause(cause: str) -> str:
    kind, _, name = cause.partition(":")
    if name and kind in _CAUSES:
        return _CAUSES[kind] + name
    if cause == "keyword":
        return "客户说了关键词"
    return event_name(cause) or "原因没有记录"


def _moved(detail: Detail) -> Said:
    origin, why = detail.trace.state or "开始", detail.text("why")
    reason = f"（{_CHANGES.get(why, why)}）" if why else ""
    return Said(text=f"{detail.journey}：{origin} → {detail.text('to')}{reason}", outcome=why)


def _guard(detail: Detail) -> Said:
    holds = detail.flag("holds")
    values = detail.wall.pairs(detail.values())
    text = f"条件 {detail.source('guard')} {'成立' if holds else '不成立'}"
    return Said(
        text=f"{text}：{values}" if values else text,
        tone="ok" if holds else "no",
        outcome="true" if holds else "false",
    )


def _ended(detail: Detail) -> Said:
    end = detail.text("end")
    tone: Tone = "no" if end in _BAD_ENDS or end.startswith(_ERROR_END) else "info"
    if end.startswith(_ERROR_END):
        why = f"出错：{error_words(end.removeprefix(_ERROR_END))}"
    else:
        why = f"{end}（{_ENDS[end]}）" if end in _ENDS else end
    return Said(text=f"旅程 {detail.journey} 结束：{why}", tone=tone, outcome=end)


def _goal(detail: Detail) -> Said:
    goal = detail.text("goal")
    return Said(text=f"{detail.journey} 达成目标“{goal}”", tone="ok", outcome=goal)


def _error(detail: Detail) -> Said:
    code = detail.text("error")
    place = detail.source("guard")
    where = f"{detail.journey} 的表达式 {place}" if place else detail.journey
    then = _THEN.get(detail.text("outcome"), "")
    return Said(text=f"{where} 出错：{error_words(code)}{then}", tone="no", outcome=code)


def _timer(detail: Detail) -> Said:
    timer = detail.text("timer")
    owner = detail.text("owner")
    return Said(text=f"{timer_name(owner, timer)}（定于 {detail.moment('due_at')}）", outcome=timer)


WORDS: Words = {
    "entered": _entered,
    "entry_refused": _entry_refused,
    "moved": _moved,
    "guard": _guard,
    "ended": _ended,
    "goal": _goal,
    "error": _error,
    "timer": _timer,
}
