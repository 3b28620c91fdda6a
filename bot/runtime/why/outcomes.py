"""What became of one planned message: its row in the outbox as a sentence (delivery.md 3.1)."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from bot.runtime.why.line import Line, Tone, Wall, shortened
from bot.runtime.why.names import content_name, member
from bot.runtime.why.reasons import because
from bot.storage import CATCHING_UP, UNREADABLE, UNREADABLE_BEGUN, OutboxLine, SendState

_TONES: dict[SendState, Tone] = {
    "ready": "info",
    "leased": "info",
    "sending": "info",
    "sent": "ok",
    "delivered": "ok",
    "refused": "no",
    "unknown": "no",
    "expired": "no",
    "suppressed": "no",
}
_NOT_TAKEN = frozenset({"try_later", "unauthorised", "forbidden"})
_SILENCES = frozenset({"no_verdict", "lease over", "process ended"})
LEFT, BY_OPERATOR, RATE = "left", "operator", "rate"
UNDER_WAY: frozenset[SendState] = frozenset({"ready", "leased", "sending"})
"""States in which a message may still leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """What stands in a message's way, as far as the row itself does not tell.

    `rule`: what the policy last said about it, in words. `ahead`: the earlier message of its conversation that it
    waits for, in words. `trouble`: why the platform does not take anything of its account. Empty: nothing known.
    `parked`: the customer's lane stands still, and her messages wait with it.
    """

    rule: str = ""
    ahead: str = ""
    trouble: str = ""
    parked: bool = False


UNHINDERED = Hindrance()


def outcome(row: OutboxLine, *, now: datetime, wall: Wall, hindrance: Hindrance = UNHINDERED) -> Line:
    """The line of one row, its effect's journey and state with it. Never the message's text."""
    effect = row.effect
    return Line(
        kind="send",
        text=f"{what(row)}：{_became(row, now, wall, hindrance)}",
        tone=_TONES[row.state],
        at=row.settled_at or row.started_at or row.planned_at,
        journey=effect.journey,
        state=effect.state,
        effect=effect.effect_id,
        content=effect.content,
        outcome=row.state,
    )


def what(row: OutboxLine) -> str:
    """What the message is, and to whom when it is for one of our people."""
    name = content_name(row.effect.content)
    return f"{name} 给{member(row.effect.to)}" if row.effect.send_class == "staff" else name


def _became(row: OutboxLine, now: datetime, wall: Wall, hindrance: Hindrance) -> str:
    match row.state:
        case "ready":
            return _waits(row, now, wall, hindrance)
        case "leased":
            return f"正要发送{_attempts(row)}"
        case "sending":
            began = f"（{wall.moment(row.started_at)} 开始）" if row.started_at else ""
            return f"正在发送，还没有答复{began}{_attempts(row)}"
        case "sent":
            return f"已发出，平台已接受（{_settled(row, wall)}）{_attempts(row)}"
        case "delivered":
            return f"已送达（{_settled(row, wall)}）{_attempts(row)}"
        case "refused":
            return f"平台没有接受：{_reason(row, wall)}（{_settled(row, wall)}）{_attempts(row)}"
        case "unknown":
            return _unknown(row, wall, hindrance)
        case "expired":
            latest = f" {wall.moment(row.expires_at)}" if row.expires_at else ""
            return f"没有发出：过了最晚发送时间{latest}（{_settled(row, wall)}）"
        case "suppressed":
            return f"没有发出：{hindrance.rule or _reason(row, wall)}（{_settled(row, wall)}）"
        case _:
            assert_never(row.state)


def _unknown(row: OutboxLine, wall: Wall, hindrance: Hindrance) -> str:
    """The first attempt may have arrived, so a repeat that was withheld leaves the message unknown."""
    if row.reason == LEFT:
        return f"不知道是否送达，运营决定不再发，旅程按已发送继续{_attempts(row)}"
    name = row.effect.effect_id
    if row.reason in (UNREADABLE, UNREADABLE_BEGUN) and row.effect.send_class != "staff":
        return f"先放在一边：{_reason(row, wall)}{_attempts(row)}；现在能打开了：zhitu retry lane {row.customer_id}"
    choices = f"可以再发一次（zhitu retry send {name}），或不再发（zhitu retry leave {name}）"
    if row.reason == UNREADABLE:
        found = f"先放在一边：{_reason(row, wall)}"
    elif row.reason and row.reason not in _SILENCES:
        found = f"不知道是否送达，没有再发：{hindrance.rule or _reason(row, wall)}。旅程按已发送继续"
    else:
        found = f"不知道是否送达：{_reason(row, wall)}。为免重复打扰不再发，旅程按已发送继续"
    return f"{found}{_attempts(row)}；{choices}"


def _waits(row: OutboxLine, now: datetime, wall: Wall, hindrance: Hindrance) -> str:
    latest = f"，最迟 {wall.moment(row.expires_at)}" if row.expires_at else ""
    is_due = row.not_before <= now
    if row.reason == BY_OPERATOR:
        return f"运营决定再发一次，{_held_up(hindrance) if is_due else _until(row, wall, hindrance)}{latest}"
    if row.reason == CATCHING_UP and is_due:
        return f"等待发送：{_reason(row, wall)}{latest}"
    if row.reason == RATE and not is_due:
        return f"等到 {wall.moment(row.not_before)} 再发：{_reason(row, wall)}{latest}"
    if (row.attempts and row.reason != RATE) or row.reason in _NOT_TAKEN:
        # A repeat of an unknown send keeps the reason of the first one.
        code = f"，错误码 {row.vendor_code}" if row.vendor_code is not None else ""
        not_taken = row.reason in _NOT_TAKEN
        found = f"平台没有收下（{because(row.reason, {}, wall)}{code}）" if not_taken else "不知道是否送达"
        when = "马上" if is_due else f"{wall.moment(row.not_before)} "
        count = f"第 {row.attempts} 次" if row.attempts else ""
        return f"{count}{found}，{when}再试{latest}"
    return f"{_held_up(hindrance) if is_due else _until(row, wall, hindrance)}{latest}"


def _until(row: OutboxLine, wall: Wall, hindrance: Hindrance) -> str:
    planned_for = row.effect.not_before or row.planned_at
    put_off = f"（原定 {wall.moment(planned_for)}，发送前复查时推迟）" if row.not_before > planned_for else ""
    rule = f"：{hindrance.rule}" if hindrance.rule else ""
    return f"等到 {wall.moment(row.not_before)} 再发{put_off}{rule}"


def _held_up(hindrance: Hindrance) -> str:
    if hindrance.parked:
        return "等待发送（客户的泳道停住了，等运营处理：zhitu retry lane）"
    if hindrance.ahead:
        return f"等待发送（同一会话里先发“{hindrance.ahead}”）"
    if hindrance.trouble:
        return f"等待发送（这个账号暂停发送：{hindrance.trouble}）"
    return "等待发送（前面还有消息，或通道暂时不通）"


def _reason(row: OutboxLine, wall: Wall) -> str:
    why = because(shortened(row.reason), {}, wall)
    code = row.vendor_code
    return why if code is None or why.endswith(str(code)) else f"{why}（平台错误码 {code}）"


def _settled(row: OutboxLine, wall: Wall) -> str:
    at = row.settled_at or row.started_at
    known_by = f"，平台编号 {shortened(row.provider_id)}" if row.provider_id else ""
    return (wall.moment(at) if at else "时间没有记录") + known_by


def _attempts(row: OutboxLine) -> str:
    return f"；共发了 {row.attempts} 次" if row.attempts > 1 else ""
