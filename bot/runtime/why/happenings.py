"""What happened: one event of the customer's lane as a sentence. What was said in it is never shown."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.core.events import Event
from bot.runtime.why.errands import named as errand_name
from bot.runtime.why.line import Line, Tone, Wall, shortened
from bot.runtime.why.names import BUTTONS, MESSAGES, content_name, event_name, member

LATE = timedelta(seconds=60)
"""An event that was dealt with later than this after it happened is marked as late."""

_STATUS: Mapping[str, tuple[str, Tone]] = {
    "success": ("已送达", "ok"),
    "user_block": ("客户拒收", "no"),
    "failed": ("没有送达", "no"),
}
_FATES = {"send.refused": "没有发出去", "send.unknown": "不知道是否送达", "send.expired": "过期了，没有发出"}


def happening(event: Event, *, wall: Wall, dealt_at: datetime | None = None) -> Line:
    """The line of an event. `dealt_at`: when it was stepped, None: not yet."""
    words, tone = _WORDS.get(event.type, _plain)(event, wall)
    return Line(
        kind=event.type,
        text=words + (late(event.occurred_at, dealt_at, wall) if dealt_at else ""),
        tone=tone,
        at=event.occurred_at,
        event=event.event_id,
        effect=_field(event, "effect_id"),
        content=_field(event, "content"),
        outcome=_field(event, "reason"),
    )


def late(at: datetime, dealt_at: datetime, wall: Wall) -> str:
    """A remark on something of `at` that was dealt with much later; else empty."""
    return f"（{wall.moment(dealt_at)} 才处理）" if dealt_at - at > LATE else ""


def _field(event: Event, name: str) -> str:
    value = event.fields.get(name)
    return "" if value is None else shortened(str(value))


def _plain(event: Event, wall: Wall) -> tuple[str, Tone]:
    return event_name(event.type), "info"


def _message(event: Event, wall: Wall) -> tuple[str, Tone]:
    kind = _field(event, "kind") or "text"
    return f"{event_name(event.type)}（{MESSAGES.get(kind, kind)}）", "info"


def _by_scene(event: Event, wall: Wall) -> tuple[str, Tone]:
    scene = _field(event, "scene")
    return event_name(event.type) + (f"（来源 {scene}）" if scene else ""), "info"


def _menu(event: Event, wall: Wall) -> tuple[str, Tone]:
    return f"{event_name(event.type)}（{_field(event, 'key')}）", "info"


def _left(event: Event, wall: Wall) -> tuple[str, Tone]:
    return event_name(event.type), "no"


def _finished(event: Event, wall: Wall) -> tuple[str, Tone]:
    status = _field(event, "status")
    words, tone = _STATUS.get(status, (status, "info"))
    return f"{event_name(event.type)}：{words}", tone


def _clicked(event: Event, wall: Wall) -> tuple[str, Tone]:
    key = _field(event, "key")
    return f"{member(shortened(event.sender))} 点了卡片按钮“{BUTTONS.get(key, key)}”", "info"


def _said(event: Event, wall: Wall) -> tuple[str, Tone]:
    return f"{member(shortened(event.sender))} 给客户写了一句话", "info"


def _receipt(event: Event, wall: Wall) -> tuple[str, Tone]:
    """The reason follows in the journal; the platform's own number stands only here."""
    code = _field(event, "vendor_code")
    number = f"（平台错误码 {code}）" if code else ""
    return f"回执：{content_name(_field(event, 'content'))} {_FATES[event.type]}{number}", "no"


def _result(event: Event, wall: Wall) -> tuple[str, Tone]:
    """What it was stands here, what became of it follows in the journal."""
    done = event.type == "effect.done"
    return f"结果：{errand_name(_field(event, 'kind'), _field(event, 'name'))}", "ok" if done else "no"


_WORDS: Mapping[str, Callable[[Event, Wall], tuple[str, Tone]]] = {
    "message": _message,
    "oa.follow": _by_scene,
    "oa.scan": _by_scene,
    "oa.unfollow": _left,
    "oa.click": _menu,
    "template.finished": _finished,
    "card.clicked": _clicked,
    "advisor.said": _said,
    "send.refused": _receipt,
    "send.unknown": _receipt,
    "send.expired": _receipt,
    "effect.done": _result,
    "effect.failed": _result,
}
