"""The messages an official account may send: checked field by field, turned into bubbles.

Source: wechat-api.md 3.3 and 3.4.
"""

import re
from collections.abc import Callable
from datetime import datetime

from bot.sandbox.emulator.denial import Denial
from bot.sandbox.emulator.forms import Form
from bot.sandbox.emulator.oa_account import OfficialAccount
from bot.sandbox.emulator.settings import Template
from bot.sandbox.emulator.transcript import Bubble

TEXT_BYTES_MAX = 2048

_LISTED_ELSEWHERE = frozenset({"voice", "video", "music", "mpnews", "mpnewsarticle", "wxcard", "link"})
"""Types the fact sheet lists and the emulator does not play yet."""
_DROPPED_KEYS = frozenset({"first", "remark"})
_TYPED_KEY = re.compile(r"(phrase|thing)\d+")
_CHARACTERS_MAX = {"phrase": 5, "thing": 20}
_HISTORIC_CHARACTERS_MAX = 20


def custom_message(form: Form, account: OfficialAccount, at: datetime) -> Bubble:
    """The bubble that a customer-service message makes. Denial: the message is not right."""
    kind = form.need("msgtype")
    build = _CUSTOM.get(kind)
    if build is None:
        raise Denial(48008 if kind in _LISTED_ELSEWHERE else 40008, kind, unfaithful=True)
    form.form("aimsgcontext").ignore("is_ai_msg").finish()
    if form.form("customservice").text("kf_account"):
        raise Denial(65400)
    content = form.form(kind)
    bubble = build(content, account, at)
    content.finish()
    return bubble


def _text(content: Form, _account: OfficialAccount, at: datetime) -> Bubble:
    return Bubble(side="them", text=_bounded(content.need("content", 44004)), at=at)


def _image(content: Form, account: OfficialAccount, at: datetime) -> Bubble:
    return Bubble(side="them", kind="image", media_id=_media(content, "media_id", account), at=at)


def _msgmenu(content: Form, _account: OfficialAccount, at: datetime) -> Bubble:
    choices = tuple(_choice(one) for one in content.forms("list"))
    if not choices:
        raise content.wrong("list", "is empty")
    if len({choice_id for choice_id, _ in choices}) < len(choices):
        raise content.wrong("list", "repeats an id")
    head, tail = _bounded(content.text("head_content")), _bounded(content.text("tail_content"))
    return Bubble(side="them", kind="menu", text=head, choices=choices, quote=tail, at=at)


def _choice(one: Form) -> tuple[str, str]:
    choice = one.need("id"), one.need("content")
    one.finish()
    return choice


def _news(content: Form, _account: OfficialAccount, at: datetime) -> Bubble:
    articles = content.forms("articles")
    if len(articles) != 1:
        raise Denial(45008)
    (article,) = articles
    title = article.need("title")
    bubble = Bubble(side="them", text=title, title=title, description=article.text("description"), at=at)
    article.ignore("url", "picurl").finish()
    return bubble


def _mini_program(content: Form, account: OfficialAccount, at: datetime) -> Bubble:
    title = content.need("title")
    content.need("appid")
    content.need("pagepath")
    thumb = _media(content, "thumb_media_id", account)
    return Bubble(side="them", text=title, title=title, media_id=thumb, at=at)


_CUSTOM: dict[str, Callable[[Form, OfficialAccount, datetime], Bubble]] = {
    "text": _text,
    "image": _image,
    "msgmenu": _msgmenu,
    "news": _news,
    "miniprogrampage": _mini_program,
}


def template_message(form: Form, template: Template, at: datetime) -> Bubble:
    """The bubble that a template message makes, without the parts the platform drops. Denial: a field is not right."""
    rows = _rows(form.form("data"))
    missing = [name for name in template.fields if name not in dict(rows)]
    unknown = [name for name, _ in rows if template.fields and name not in template.fields]
    if missing or unknown:
        raise Denial(47003, f"data.{(missing or unknown)[0]}")
    return Bubble(side="them", kind="template", text=template.title, title=template.title, rows=rows, at=at)


def _rows(fields: Form) -> tuple[tuple[str, str], ...]:
    rows: list[tuple[str, str]] = []
    for key in fields.sent:
        field = fields.form(key)
        value = field.text("value")
        field.ignore("color").finish()
        if key not in _DROPPED_KEYS:
            rows.append((key, _fitted(key, value)))
    return tuple(rows)


def _fitted(key: str, value: str) -> str:
    typed = _TYPED_KEY.fullmatch(key)
    if typed is None:
        return value[:_HISTORIC_CHARACTERS_MAX]
    if not value or len(value) > _CHARACTERS_MAX[typed.group(1)]:
        raise Denial(47003, f"data.{key}.value invalid")
    return value


def _bounded(text: str) -> str:
    if len(text.encode()) > TEXT_BYTES_MAX:
        raise Denial(45002)
    return text


def _media(content: Form, key: str, account: OfficialAccount) -> str:
    media_id = content.need(key, 40007)
    known = account.settings.media_ids
    if known is not None and media_id not in known:
        raise Denial(40007)
    return media_id
