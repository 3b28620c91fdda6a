"""Our messages as WeCom's application API wants them. Source: wechat-api.md 4.4 and 4.5."""

from typing import assert_never

from bot.core.cutting import cut_bytes, cut_characters
from bot.core.escaping import escape_markup
from bot.core.events import Json
from bot.core.messages import Card, Image, Markdown, Menu, Message, TemplateMessage, Text
from bot.errors import Refused

TEXT_BYTES_MAX = 2048
TITLE_CHARACTERS_MAX = 36
DESCRIPTION_BYTES_MAX = 512
ROWS_MAX = 6
"""Further rows are left off; the platform would refuse the whole card."""
BUTTONS_MAX = 6


def message_body(to: str, message: Message, agent_id: int) -> dict[str, Json]:
    """Body of `message/send` to one member. Too long texts are cut. Refused: WeCom has no such message.

    The platform's own duplicate check stays off: it compares contents, and would swallow a second
    advisor task that reads like the first (delivery.md 3.4).
    """
    kind, content = _content(message)
    return {
        "touser": _single(to),
        "msgtype": kind,
        "agentid": agent_id,
        kind: content,
        "enable_duplicate_check": 0,
    }


def update_body(to: str, card: Card, agent_id: int) -> dict[str, Json]:
    """Body of `update_template_card`: a whole new card if it has buttons, else only the button's new text."""
    body: dict[str, Json] = {"userids": [_single(to)], "agentid": agent_id, "response_code": card.response_code}
    if not card.buttons:
        return body | {"button": {"replace_name": card.done}}
    replaced: dict[str, Json] = {"replace_text": card.done} if card.done else {}
    return body | {"template_card": _card(card) | replaced}


def _single(to: str) -> str:
    """`to`, if it names exactly one member: a bar would name several, and `@all` everybody."""
    if not to or "|" in to or to.lower() == "@all":
        raise Refused("a message to staff needs exactly one member id")
    return to


def _content(message: Message) -> tuple[str, dict[str, Json]]:
    match message:
        case Text():
            # What colleagues read is written by buyers and by us, never in a content file: no markup is meant.
            return "text", {"content": cut_bytes(escape_markup(message.text), TEXT_BYTES_MAX)}
        case Markdown():
            return "markdown", {"content": cut_bytes(message.text, TEXT_BYTES_MAX)}
        case Image():
            return "image", {"media_id": message.media_id}
        case Card():
            if not message.buttons:
                raise Refused("a new card needs at least one button")
            return "template_card", _card(message)
        case Menu() | TemplateMessage():
            raise Refused(f"a WeCom application cannot send a message of kind `{message.kind}`")
        case _:
            assert_never(message)


def _card(card: Card) -> dict[str, Json]:
    if len(card.buttons) > BUTTONS_MAX:
        raise Refused(f"a card takes at most {BUTTONS_MAX} buttons")
    body: dict[str, Json] = {
        "card_type": "button_interaction",
        "main_title": {"title": cut_characters(card.title, TITLE_CHARACTERS_MAX)},
        "task_id": card.task_id,
        "button_list": [{"text": one.text, "style": one.style, "key": one.key} for one in card.buttons],
    }
    if card.description:
        body["sub_title_text"] = cut_bytes(card.description, DESCRIPTION_BYTES_MAX)
    if card.quote:
        body["quote_area"] = {"type": 0, "quote_text": cut_bytes(card.quote, DESCRIPTION_BYTES_MAX)}
    if card.rows:
        body["horizontal_content_list"] = [{"keyname": key, "value": value} for key, value in card.rows[:ROWS_MAX]]
    return body
