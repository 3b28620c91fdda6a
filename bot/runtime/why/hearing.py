"""Wording of what the customer said and whether anybody listened."""

from bot.runtime.why.detail import Detail, Said, Words
from bot.runtime.why.line import Tone
from bot.runtime.why.names import event_name

INTERRUPTS = {
    "end_all": "结束客户的所有旅程",
    "end_focus": "结束正在对话的旅程",
    "pause": "先放下正在问的问题",
    "answer": "回答后再问一遍原来的问题",
    "repair": "交给修复旅程处理",
}
_ANSWERS: dict[str, tuple[str, Tone]] = {
    "skipped": ("客户跳过", "ok"),
    "confirmed": ("客户确认无误", "ok"),
    "declined": ("客户说不对，重新问", "no"),
    "proposed": ("读到了答案，请客户确认", "info"),
    "remembered": ("先前回答过，还在有效期内，不再问", "ok"),
    "prefilled": ("由 prefill 得到，不用问", "ok"),
}
_UNHEARD = {
    "choice_expired": "点的是早先消息里的选项，已经过期",
    "waiting_for_human": "客户在等同事接入，机器人不插话",
    "no_match": "没有问题、关键词或旅程认得它",
    "asked_afresh": "旅程已换成新版本，刚刚重新问过，不再多说",
}
_UNPARSED = {"check": "答案不符合 check", "not_understood": "没有读懂", "not_offered": "不在给出的选项里"}
_TAKERS = {
    "tap": "点的选项",
    "expired_tap": "点的选项已经过期，没有旅程再认它",
    "hard_interrupt": "任何时候都先听的插话规则",
    "human": "正在对话的同事",
    "back_to_bot": "客户说了 /bot，回到机器人",
    "answer": "正在等回答的问题",
    "correction": "对前面回答的更正",
    "entry": "进入旅程",
    "clarify": "几个旅程同样符合，先问清是哪一个",
    "interrupt": "插话规则",
    "waiting": "在等客户来信的状态",
    "wrong_answer": "正在等回答的问题，但没有读懂",
    "media": "正在等回答的问题，但发来的不是文字",
    "waiting_for_human": "客户在等同事接入",
    "asked_afresh": "刚刚重新问过的问题",
    "fallback": "没有谁认得它",
}


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
    faq = detail.text("faq")
    answered = f"（常见问题 {faq}）" if faq else ""
    text = f"触发插话规则 {detail.text('interrupt')}{answered}：{INTERRUPTS.get(effect, effect)}"
    return Said(text=text, tone="ok", outcome=effect)


def _taken(detail: Detail) -> Said:
    by = detail.text("by")
    return Said(text=f"第 {detail.text('step')} 步接下：{_TAKERS.get(by, by)}", outcome=by)


def _corrected(detail: Detail) -> Said:
    outcome, slot = detail.text("outcome"), detail.text("slot")
    match outcome:
        case "right":
            return Said(text=f"客户更正了 {slot}，新的值符合要求", tone="ok", outcome=outcome)
        case "check":
            return Said(
                text=f"客户更正了 {slot}，但新的值不符合 check 或不在选项里，保留原来的", tone="no", outcome=outcome
            )
    forgotten = detail.trace.detail.get("forgotten")
    gone = (
        f"；受影响、要重新问的：{'、'.join(map(str, forgotten))}" if isinstance(forgotten, list) and forgotten else ""
    )
    goto = detail.text("goto")
    then = f"；改从 {goto} 继续" if goto else "；其余不变，接着问"
    return Said(text=f"{slot} 改成 {detail.spelled('value')}{gone}{then}", tone="ok", outcome=outcome)


def _offered(detail: Detail) -> Said:
    left_out = detail.trace.detail.get("left_out")
    rest = f"，另有 {left_out} 个放不下" if left_out else ""
    return Said(text=f"问题 {detail.text('slot')} 现在有 {detail.text('count')} 个选项{rest}", outcome="offered")


WORDS: Words = {
    "taken": _taken,
    "corrected": _corrected,
    "offered": _offered,
    "answered": _answered,
    "unparsed": _unparsed,
    "heard": _heard,
    "unheard": _unheard,
    "interrupt": _interrupt,
}
