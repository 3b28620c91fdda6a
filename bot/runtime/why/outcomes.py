"""What became of one planned message: its row in the outbox as a sentence (delivery.md 3.1)."""

from datetime import datetime
from typing import assert_never

from bot.runtime.why.line import Line, Tone, Wall, shortened
from bot.runtime.why.names import content_name, member
from bot.runtime.why.reasons import because
from bot.storage import OutboxLine, SendState

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
_NOT_TAKEN = {
    "try_later": "平台要求稍后再试，或暂时连不上",
    "unauthorised": "访问凭证被拒绝",
    "forbidden": "平台没有给这个权限",
}
UNDER_WAY: frozenset[SendState] = frozenset({"ready", "leased", "sending"})
"""States in which a message may still leave."""


def outcome(row: OutboxLine, *, now: datetime, wall: Wall) -> Line:
    """The line of one row, its effect's journey and state with it. Never the message's text."""
    effect = row.effect
    return Line(
        kind="send",
        text=f"{_what(row)}：{_became(row, now, wall)}",
        tone=_TONES[row.state],
        at=row.settled_at or row.started_at or row.planned_at,
        journey=effect.journey,
        state=effect.state,
        effect=effect.effect_id,
        content=effect.content,
        outcome=row.state,
    )


def _what(row: OutboxLine) -> str:
    name = content_name(row.effect.content)
    return f"{name} 给{member(row.effect.to)}" if row.effect.send_class == "staff" else name


def _became(row: OutboxLine, now: datetime, wall: Wall) -> str:
    match row.state:
        case "ready":
            return _waits(row, now, wall)
        case "leased":
            return f"正要发送{_attempts(row)}"
        case "sending":
            return f"正在发送，还没有答复{_attempts(row)}"
        case "sent":
            return f"已发出，平台已接受（{_settled(row, wall)}）{_attempts(row)}"
        case "delivered":
            return f"已送达（{_settled(row, wall)}）{_attempts(row)}"
        case "refused":
            return f"平台没有接受：{_reason(row, wall)}（{_settled(row, wall)}）{_attempts(row)}"
        case "unknown":
            return f"不知道是否送达：{_reason(row, wall)}。为免重复打扰不再发，旅程按已发送继续{_attempts(row)}"
        case "expired":
            return f"没有发出：过了最晚发送时间（{_settled(row, wall)}）"
        case "suppressed":
            return f"没有发出：{_reason(row, wall)}（{_settled(row, wall)}）"
        case _:
            assert_never(row.state)


def _waits(row: OutboxLine, now: datetime, wall: Wall) -> str:
    latest = f"，最迟 {wall.moment(row.expires_at)}" if row.expires_at else ""
    is_due = row.not_before <= now
    if row.attempts or row.reason in _NOT_TAKEN:
        # A repeat of an unknown send keeps the reason of the first one.
        why = _NOT_TAKEN.get(row.reason)
        code = f"，错误码 {row.vendor_code}" if row.vendor_code is not None else ""
        found = f"平台没有收下（{why}{code}）" if why else "不知道是否送达"
        when = "马上" if is_due else f"{wall.moment(row.not_before)} "
        count = f"第 {row.attempts} 次" if row.attempts else ""
        return f"{count}{found}，{when}再试{latest}"
    if is_due:
        return f"等待发送（前面还有消息，或通道暂时不通）{latest}"
    planned_for = row.effect.not_before or row.planned_at
    put_off = f"（原定 {wall.moment(planned_for)}，发送前复查时推迟）" if row.not_before > planned_for else ""
    return f"等到 {wall.moment(row.not_before)} 再发{put_off}{latest}"


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
