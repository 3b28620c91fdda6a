"""Wording of errands: what was asked of other systems and of our ledgers, what came back, and what still waits."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.core.effects import RunErrand
from bot.runtime.why.detail import Detail, Said, Words
from bot.runtime.why.line import Line, Tone, Wall, shortened
from bot.runtime.why.reasons import error_words
from bot.storage import UNREADABLE, ErrandLine

_KINDS = {
    "webhook": "请求 {name}",
    "book": "预约 {name}",
    "cancel_booking": "取消预约 {name}",
    "coupon": "发放优惠券 {name}",
    "points": "登记积分（{name}）",
}
_OPEN = frozenset({"ready", "leased", "sending", "unknown"})
_TRIES = {
    "no_answer": "没有等到答复",
    "unreachable": "连不上",
    "lease over": "没有等到答复",
    "process ended": "程序中断过",
}


def named(kind: str, name: str) -> str:
    """What an errand is, in words."""
    return _KINDS.get(kind, f"{kind} {{name}}").format(name=shortened(name))


def _errand(detail: Detail) -> Said:
    what = named(detail.text("errand"), detail.text("name"))
    where = [detail.text("dealer"), detail.moment("start")]
    place = f"（{'，'.join(part for part in where if part)}）" if any(where) else ""
    moves = "改期：" if detail.flag("moves") else ""
    return Said(text=f"{moves}{what}{place}，等结果", outcome=detail.text("errand"))


def _result(detail: Detail) -> Said:
    what = named(detail.text("errand"), detail.text("name"))
    error = detail.text("error")
    late = "；结果来得太晚，旅程已经往前走了" if detail.flag("late") else ""
    if error:
        return Said(text=f"{what} 没有成功：{error_words(error)}{late}", tone="no", outcome=error)
    return Said(text=f"{what} 成功{late}", tone="info" if late else "ok", outcome="done")


def _coupon(detail: Detail) -> Said:
    per = {"customer": "每位客户只发一次", "journey": "每次旅程只发一次"}.get(detail.text("once_per"), "")
    return Said(text=f"不再发优惠券 {detail.text('coupon')}：已经发过（{per}）", outcome=detail.text("outcome"))


def _stage(detail: Detail) -> Said:
    return Said(text=f"线索阶段 {detail.text('before')} → {detail.text('stage')}", outcome=detail.text("stage"))


WORDS: Words = {"errand": _errand, "result": _result, "coupon": _coupon, "stage": _stage}


def waiting(lines: Sequence[ErrandLine], *, now: datetime, wall: Wall) -> Iterator[Line]:
    """Lines of kind errand: what is not done yet, and what nobody knows the fate of."""
    for line in lines:
        if line.state in _OPEN and line.reason != "left":
            yield _standing(line, now, wall)


def _standing(line: ErrandLine, now: datetime, wall: Wall) -> Line:
    effect: RunErrand = line.effect
    what = named(effect.errand.kind, effect.errand.name)
    tone: Tone = "info"
    if line.state == "unknown" and line.reason == UNREADABLE:
        tone = "no"
        told = f"先前打不开，先放在一边；现在能打开了：zhitu retry lane {line.customer_id}"
    elif line.state == "unknown":
        tone = "no"
        told = f"不知道是否做成（试了 {line.attempts} 次）；再试一次：zhitu retry send {effect.effect_id}"
    elif line.state == "sending":
        told = "已发出，等答复"
    elif line.attempts:
        why = _TRIES.get(line.reason) or error_words(line.reason)
        told = f"试了 {line.attempts} 次（{why}），{wall.moment(max(line.not_before, now))} 再试"
        tone = "no"
    else:
        told = "马上去做"
    return Line(
        kind="errand",
        text=f"{what}：{told}",
        tone=tone,
        at=line.started_at or line.planned_at,
        journey=effect.journey,
        state=effect.state,
        effect=effect.effect_id,
        outcome=line.state,
    )
