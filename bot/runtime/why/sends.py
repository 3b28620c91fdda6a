"""Wording of what was planned to be said, what was not, and what came back."""

from bot.runtime.why.detail import Detail, Said, Words
from bot.runtime.why.names import BUCKETS, FORMS, content_name, member
from bot.runtime.why.reasons import CLASSES, because

VARIANTS = {"again": "换个说法再问", "resume": "接着刚才的问", "confirm": "确认"}
PLAIN_VARIANT = "normal"


def _planned(detail: Detail) -> Said:
    content = content_name(detail.text("content"))
    way = detail.text("way")
    if way == "task":
        return Said(text=f"{content} 发不了，改为请同事联系客户（outside: task）", outcome="task")
    about = "，".join(part for part in (FORMS.get(way, way), _send_class(detail), _variant(detail)) if part)
    deferred = detail.text("deferred")
    if deferred:
        why = because(deferred, detail.values(), detail.wall)
        text = f"计划发送 {content}（{about}），推迟到 {detail.moment('not_before')}：{why}"
        return Said(text=text, outcome=deferred)
    return Said(text=f"计划发送 {content}（{about}）{_allowed(detail)}", tone="ok", outcome=way)


def _send_class(detail: Detail) -> str:
    name = detail.text("send_class")
    return CLASSES.get(name, name)


def _variant(detail: Detail) -> str:
    name = detail.text("variant")
    return "" if name == PLAIN_VARIANT else VARIANTS.get(name, name)


def _allowed(detail: Detail) -> str:
    """What of the window it will use, where the policy said so."""
    values = detail.values()
    bucket = values.get("bucket")
    if bucket is None:
        return ""
    name = BUCKETS.get(str(bucket), str(bucket))
    closes = detail.wall.written(values.get("closes_at"))
    return f"：可回复时段（{name}）已用 {values.get('used')}/{values.get('max')} 条，{closes} 关闭"


def _not_sent(detail: Detail) -> Said:
    reason = detail.text("reason")
    if reason == "unknown_member":
        text = f"没有通知{member(detail.text('staff_id'))}：成员名单（_staff.yaml）里没有 TA"
    else:
        text = f"没有发送 {content_name(detail.text('content'))}：{detail.because()}"
    return Said(text=text, tone="no", outcome=reason)


def _deferred(detail: Detail) -> Said:
    text = f"{content_name(detail.text('content'))} 推迟到 {detail.moment('until')}：{detail.because()}"
    return Said(text=text, tone="no", outcome=detail.text("reason"))


def _refused(detail: Detail) -> Said:
    text = f"{content_name(detail.text('content'))} 没有发出去：{detail.because()}"
    return Said(text=text, tone="no", outcome=detail.text("reason"))


def _unknown(detail: Detail) -> Said:
    content = content_name(detail.text("content"))
    text = f"{content} 不知道是否送达：{detail.because()}；旅程按已发送继续"
    return Said(text=text, tone="no", outcome=detail.text("reason"))


def _expired(detail: Detail) -> Said:
    text = f"{content_name(detail.text('content'))} 没有发出：{detail.because()}"
    return Said(text=text, tone="no", outcome=detail.text("reason"))


WORDS: Words = {
    "planned": _planned,
    "not_sent": _not_sent,
    "deferred": _deferred,
    "send.refused": _refused,
    "send.unknown": _unknown,
    "send.expired": _expired,
}
