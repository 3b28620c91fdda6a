"""Our messages as an official account's API wants them. Source: wechat-api.md 3.3 and 3.4."""

import re
from collections.abc import Mapping
from typing import assert_never

from bot.core.cutting import cut_characters, cut_markup
from bot.core.effects import SendMessage
from bot.core.events import Json
from bot.core.messages import Card, Image, Markdown, Menu, TemplateMessage, Text
from bot.errors import Refused

TEXT_BYTES_MAX = 2048
CLIENT_ID_BYTES_MAX = 64
_FIELD_CHARACTERS_MAX = {"thing": 20, "phrase": 5}
"""Types of template fields whose limit the platform enforces by refusing the whole message (47003)."""
_FIELD_TYPE = re.compile(r"([a-z_]+?)[0-9]*")


def custom_body(to: str, message: Text | Image | Menu) -> dict[str, Json]:
    """Body of `message/custom/send`. Texts longer than the platform takes are cut, links left whole."""
    match message:
        case Text():
            return {"touser": to, "msgtype": "text", "text": {"content": cut_markup(message.text, TEXT_BYTES_MAX)}}
        case Image():
            return {"touser": to, "msgtype": "image", "image": {"media_id": message.media_id}}
        case Menu():
            return {"touser": to, "msgtype": "msgmenu", "msgmenu": _menu(message)}
        case _:
            assert_never(message)


def template_body(effect: SendMessage, message: TemplateMessage, template_ids: Mapping[str, str]) -> dict[str, Json]:
    """Body of `message/template/send`, recognisable by the effect's id. Refused: the template has no id of ours."""
    template_id = template_ids.get(message.template)
    if template_id is None:
        raise Refused(
            f"template `{message.template}` is not registered",
            hint=f"在 config.toml 的 [channels.oa.{effect.account}.templates] 中登记它的模板 ID。",
        )
    return {
        "touser": effect.to,
        "template_id": template_id,
        "client_msg_id": effect.effect_id[:CLIENT_ID_BYTES_MAX],
        "data": {key: {"value": _field(key, value)} for key, value in message.fields},
    }


def unsendable(message: Markdown | Card) -> Refused:
    """The error for a message that buyers cannot be sent."""
    return Refused(f"an official account cannot send a message of kind `{message.kind}`")


def _menu(menu: Menu) -> dict[str, Json]:
    return {
        "head_content": cut_markup(menu.head, TEXT_BYTES_MAX),
        "list": [{"id": choice.choice_id, "content": choice.text} for choice in menu.choices],
        "tail_content": cut_markup(menu.tail, TEXT_BYTES_MAX),
    }


def _field(key: str, value: str) -> str:
    named = _FIELD_TYPE.fullmatch(key)
    limit = _FIELD_CHARACTERS_MAX.get(named.group(1)) if named else None
    return value if limit is None else cut_characters(value, limit)
