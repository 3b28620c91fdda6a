"""Wording of what the customer said and whether anybody listened."""

from bot.runtime.why.detail import Detail, Said, Words
from bot.runtime.why.line import Tone
from bot.runtime.why.names import event_name

INTERRUPTS = {
    "end_all": "结束客户的所有旅程",
    "end_focus": "结束正在对话的旅程",
    "pause": "先放下正在问的问题",
    "answer": "回答后再问一遍原来的问题",
}
_ANSWERS: dict[str, tuple[str, Tone]] = {
    "skipped": ("客户跳过", "ok"),
    "confirmed": ("客户确认无误", "ok"),
    "declined": ("客户说不对，重新问", "no"),
    "proposed": ("读到了答案，请客户确认", "info"),
}
_UNHEARD = {
    "choice_expired": "点的是早先消息里的选项，已经过期",
    "waiting_for_human": "客户在等同事接入，机器人不插话",
    "no_match": "没有问题、关键词或旅程认得它",
    "asked_afresh": "旅程已换成新版本，刚刚重新问过，不再多说",
}
_UNPARSED = {"check": "答案不符合 check", "not_understood": "没有读懂"}


def _answered(detail: Detail) -> Said:
    outcome = detail.text("outcome")
    words, tone = _ANSWERS.get(outcome, (outcome, "info"))
    if outcome == "taken":
        words, tone = f"收下 {detail.spelled('value')}", "ok"
    return Said(text=f"问题 {detail.text('slot')}：{words}", tone=tone, outcome=outcome)


def _unparsed(detail: Detail) -> Said:
    why = detail.text("why")
    failures, allowed = detail.trace.detail.get("failures"), detail.trace.detail.get("allowed")
    over = isinstance(failures, int) and isinstance(allowed, int) and failures > allowed
    then = "，不再追问（give_up）" if over else "，再问一次"
    text = f"问题 {detail.text('slot')}：{_UNPARSED.get(why, why)}（第 {failures} 次，最多重问 {allowed} 次）{then}"
    return Said(text=text, tone="no", outcome=why)


def _heard(detail: Detail) -> Said:
    goto = detail.text("goto")
    then = f"，转到 {goto}" if goto else "，留在原状态"
    state = detail.trace.state
    return Said(text=f"{detail.journey} 的 {state} 在等这件事：{event_name(detail.text('event'))}{then}", tone="ok")


def _unheard(detail: Detail) -> Said:
    why = detail.text("why")
    return Said(text=f"没有人接这条消息：{_UNHEARD.get(why, why)}", tone="no", outcome=why)


def _interrupt(detail: Detail) -> Said:
    effect = detail.text("effect")
    text = f"触发插话规则 {detail.text('interrupt')}：{INTERRUPTS.get(effect, effect)}"
    return Said(text=text, tone="ok", outcome=effect)


WORDS: Words = {
    "answered": _answered,
    "unparsed": _unparsed,
    "heard": _heard,
    "unheard": _unheard,
    "interrupt": _interrupt,
}
