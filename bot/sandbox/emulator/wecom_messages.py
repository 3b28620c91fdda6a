"""The messages a WeCom application may send: checked field by field, turned into bubbles (wechat-api.md 4.4)."""

from collections.abc import Callable
from datetime import datetime

from bot.sandbox.emulator.denial import Denial
from bot.sandbox.emulator.endpoints import Call
from bot.sandbox.emulator.forms import Form
from bot.sandbox.emulator.transcript import Bubble
from bot.sandbox.emulator.wecom_app import WecomApp
from bot.sandbox.emulator.wecom_cards import check_task_id, read_card

TEXT_BYTES_MAX = 2048

_LISTED_ELSEWHERE = frozenset({"voice", "video", "file", "textcard", "news", "mpnews", "miniprogram_notice"})
"""Types the fact sheet lists and the emulator does not play yet."""


def app_message(form: Form, app: WecomApp, call: Call) -> Bubble:
    """The bubble that a message makes. Denial: the message is not right."""
    kind = form.need("msgtype", 40008)
    build = _BUILD.get(kind)
    if build is None:
        raise Denial(40008, kind, unfaithful=kind in _LISTED_ELSEWHERE)
    return build(form.form(kind), app, call.now)


def _text(content: Form, _app: WecomApp, at: datetime) -> Bubble:
    text = _cut(content.need("content", 44004))
    content.finish()
    return Bubble(side="them", text=text, at=at)


def _markdown(content: Form, _app: WecomApp, at: datetime) -> Bubble:
    text = _cut(content.need("content", 44004))
    content.finish()
    return Bubble(side="them", kind="markdown", text=text, at=at)


def _image(content: Form, _app: WecomApp, at: datetime) -> Bubble:
    media_id = content.need("media_id", 40007)
    content.finish()
    return Bubble(side="them", kind="image", media_id=media_id, at=at)


def _card(content: Form, app: WecomApp, at: datetime) -> Bubble:
    draft = read_card(content)
    check_task_id(draft.task_id)
    if draft.replace_text:
        raise content.wrong("replace_text", "belongs to an update")
    if not app.callback_url:
        raise Denial(43012)
    return draft.bubble(at)


_BUILD: dict[str, Callable[[Form, WecomApp, datetime], Bubble]] = {
    "text": _text,
    "markdown": _markdown,
    "image": _image,
    "template_card": _card,
}


def _cut(text: str) -> str:
    # Longer texts are cut without an error; a character that does not fit whole is left out.
    return text.encode()[:TEXT_BYTES_MAX].decode(errors="ignore")
