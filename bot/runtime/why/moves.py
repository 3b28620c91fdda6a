"""Wording of where a journey went: entries, moves, guards, ends, goals, errors, timers."""

from bot.runtime.why.detail import Detail, Said, Words
from bot.runtime.why.line import Tone
from bot.runtime.why.names import event_name, timer_name
from bot.runtime.why.reasons import error_words

_CAUSES = {"call": "由旅程调用：", "start": "由旅程启动：", "interrupt": "因插话规则：", "repair": "对话需要修复："}
REFUSALS = {
    "already_active": "客户正在这个旅程里",
    "too_soon": "离上次结束还不够久（reentry: allow after）",
    "only_once": "这个旅程每位客户只进一次（reentry: allow never）",
    "audience": "客户不在这个旅程的受众里",
    "too_many_active": "客户同时进行的旅程太多",
    "too_many_entries": "这一步里进入的旅程太多，可能在互相启动",
    "too_many_entries_today": "今天已自动进入太多次，可能在循环；客户自己触发仍可进入",
    "goal_reached": "上一次已达成目标（reentry: allow goal_missed）",
    "already_queued": "已有一次在排队（while_active: queue 最多一次）",
    "too_many_queued": "排队等待进入的旅程太多",
    "no_longer_wanted": "排队的这一次不再需要",
}
_ENDS = {
    "unreachable": "客户已不可达",
    "cancelled": "调用它的旅程离开了那个状态，或被 cancel_journey 取消",
    "stuck": "先前出错停住，现在由新的一次代替",
    "opt_out": "客户退订",
    "workflow_changed": "旅程已改版",
    "expired": "超过了旅程的最长时间（limits: max_age）",
    "restarted": "客户再次触发，从头开始",
    "holdout": "客户在对照组",
    "goal_reached": "对照组：达成了目标",
    "goal_missed": "对照组：目标期限已过",
    "exit": "对照组：满足退出条件",
}
_BAD_ENDS = frozenset({"unreachable", "cancelled", "stuck"})
_CHANGES = {"workflow_changed": "旅程改版，按新版本继续"}
"""Why a journey moved though nothing in it asked for it."""
_LOOKED_AT = {
    "state": "现在的状态",
    "since": "开始于",
    "ended_at": "上次结束于",
    "end": "上次的结果",
    "again_at": "最早可再进入",
    "active": "进行中",
    "max": "上限",
    "guard": "条件",
}
"""What an entry was refused by."""
_ERROR_END = "error:"
_HOLDOUT = "holdout"
_THEN = {
    "handled": "；按旅程的 errors 处理",
    "raised_in_caller": "；交给调用它的旅程处理",
    "repair_ended": "；修复旅程到此为止，原来的问题不受影响",
    "stuck": "；没有规则处理它，旅程停在这里，已请运营处理",
    "passed_over": "；没有规则点名处理它，旅程照常继续",
}


def _entered(detail: Detail) -> Said:
    text = f"进入旅程 {detail.journey}（{_cause(detail.text('cause'))}）"
    if detail.text("arm") == _HOLDOUT:
        return Said(text=f"{text}：对照组，只计量，不触达", outcome=_HOLDOUT)
    return Said(text=text, tone="ok")


def _entry_refused(detail: Detail) -> Said:
    reason = detail.text("reason")
    cause = _cause(detail.text("cause"))
    text = f"没有进入旅程 {detail.text('into')}（{cause}）：{REFUSALS.get(reason) or error_words(reason)}"
    values = detail.wall.pairs({_LOOKED_AT.get(name, name): value for name, value in detail.values().items()})
    return Said(text=f"{text}（{values}）" if values else text, tone="no", outcome=reason)


def _entry_waits(detail: Detail) -> Said:
    until = f"，到 {detail.moment('until')}" if detail.text("until") else ""
    why = "错开进入" if detail.text("reason") == "put_off" else "等正在进行的一次结束"
    text = f"等待进入旅程 {detail.text('into')}（{_cause(detail.text('cause'))}）：{why}{until}"
    return Said(text=text, outcome=detail.text("reason"))


def _split(detail: Detail) -> Said:
    how = "按哈希分组" if detail.flag("drawn") else "沿用之前的分组"
    arm = detail.text("arm")
    return Said(text=f"{detail.journey} 分到 {arm}（{detail.text('salt')}，{how}）", outcome=arm)


def _exit(detail: Detail) -> Said:
    by = detail.text("by")
    why = "达成目标" if by == "goal" else f"满足退出条件 {by}"
    return Said(text=f"{detail.journey} {why}，离开到 {detail.text('goto')}", outcome=detail.text("goto"))


def _emit(detail: Detail) -> Said:
    event = detail.text("event")
    return Said(text=f"{detail.journey} 发出内部事件 {event_name(event)}", outcome=event)


def _internal(detail: Detail) -> Said:
    event = detail.text("event")
    return Said(text=f"内部事件：{event_name(event)}", outcome=event)


def _cancel_refused(detail: Detail) -> Said:
    return Said(text=f"{detail.journey} 不能取消 {detail.text('journey')}：它自己正在其中", tone="no")


def _cause(cause: str) -> str:
    kind, _, name = cause.partition(":")
    if name and kind in _CAUSES:
        return _CAUSES[kind] + name
    if cause == "keyword":
        return "客户说了关键词"
    if cause == "intent":
        return "客户的话是这个意思"
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
    kind, _, name = detail.text("cause").partition(":")
    if name:
        where = f"插话规则 {name}" if kind == "interrupt" else f"_global.yaml 对 {name} 的处理"
        then = "；按 _global.yaml 的 errors 处理" if detail.text("outcome") == "handled" else "；没有规则处理它，只记录"
    return Said(text=f"{where} 出错：{error_words(code)}{then}", tone="no", outcome=code)


def _timer(detail: Detail) -> Said:
    timer = detail.text("timer")
    owner = detail.text("owner")
    return Said(text=f"{timer_name(owner, timer)}（定于 {detail.moment('due_at')}）", outcome=timer)


_SKIPPED = {
    "past": "这个时间在进入状态时已经过去，按文件跳过",
    "late": "系统恢复得太晚，按文件跳过",
}
"""Why a timer of a journey did nothing."""


def _skipped(detail: Detail) -> Said:
    why = detail.text("why")
    text = f"{_own_timer(detail)}没有执行：{_SKIPPED.get(why, why)}，原定于 {detail.moment('due_at')}"
    return Said(text=text, tone="no", outcome=why)


def _rearmed(detail: Detail) -> Said:
    return Said(text=f"{_own_timer(detail)}改到 {detail.moment('due_at')}：它依据的值变了")


def _own_timer(detail: Detail) -> str:
    timer = detail.text("timer")
    return f"{detail.journey} 的{'等待' if timer == 'wait' else f'定时器 {timer} '}"


def _segment(detail: Detail) -> Said:
    within = detail.flag("within")
    text = f"{'进入' if within else '离开'}人群“{detail.text('segment')}”，条件 {detail.source('condition')}"
    return Said(text=text, tone="ok" if within else "info", outcome="in" if within else "out")


WORDS: Words = {
    "segment": _segment,
    "skipped": _skipped,
    "rearmed": _rearmed,
    "entered": _entered,
    "entry_refused": _entry_refused,
    "moved": _moved,
    "guard": _guard,
    "ended": _ended,
    "goal": _goal,
    "error": _error,
    "timer": _timer,
    "entry_waits": _entry_waits,
    "split": _split,
    "exit": _exit,
    "emit": _emit,
    "internal": _internal,
    "cancel_refused": _cancel_refused,
}
