"""What leaves for our own advisors, and what becomes of it."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.core.messages import Card, CardButton, Image, Markdown, Menu, Message, TemplateMessage, Text
from bot.errors import ChannelError, Forbidden, Refused, TryLater, Unauthorised, Unknown, Unreachable
from bot.runtime.ports import Accepted, Sender

from .posting import fixture
from .vendor import SECRET, Ways, effect, hang_up, ways

SEND = "/cgi-bin/message/send"
UPDATE = "/cgi-bin/message/update_template_card"
SAMPLE = json.loads(fixture("wecom_message_send_button_card.json"))
LEAD = Card(
    task_id="lead_1001",
    title="新试驾线索",
    description="上海 / 今天",
    rows=(("车型", "示例SUV"), ("来源", "公众号")),
    quote="想预约试驾",
    buttons=(CardButton(key="btn_accept", text="接受"), CardButton(key="btn_reassign", text="转派", style=2)),
)


@pytest.fixture
async def out() -> AsyncIterator[Ways]:
    async with ways() as both:
        yield both


async def _send(out: Ways, message: Message, *, to: str = "adviser01") -> Accepted:
    return await out.app.send(effect(message, to=to, channel="app"))


def test_it_is_a_sender(out: Ways) -> None:
    sender: Sender = out.app
    assert (sender.channel, sender.account, sender.in_flight_max) == ("app", "main", 32)


@pytest.mark.parametrize(
    ("message", "kind", "content"),
    [
        (Text(text="客户说：您好"), "text", {"content": "客户说：您好"}),
        (Markdown(text="**新线索**"), "markdown", {"content": "**新线索**"}),
        (Image(media_id="M1"), "image", {"media_id": "M1"}),
    ],
)
async def test_a_message_leaves_for_one_member_without_duplicate_check(
    out: Ways, message: Message, kind: str, content: dict[str, str]
) -> None:
    out.vendor.will_answer(SEND, json.loads(fixture("wecom_message_send_reply.json")))
    assert await _send(out, message) == Accepted(provider_id="MSGID_demo", response_code="RESP_demo_0")
    (asked,) = out.vendor.of(SEND)
    assert asked.body == {
        "touser": "adviser01",
        "msgtype": kind,
        "agentid": 1000002,
        kind: content,
        "enable_duplicate_check": 0,
    }


async def test_a_card_leaves_in_the_platforms_form(out: Ways) -> None:
    await _send(out, LEAD)
    card = out.vendor.of(SEND)[0].body["template_card"]
    sample = SAMPLE["template_card"]
    for key in ("card_type", "horizontal_content_list", "task_id", "button_list"):
        assert card[key] == sample[key]
    assert card["main_title"] == {"title": "新试驾线索"}
    assert card["sub_title_text"] == "上海 / 今天"
    assert card["quote_area"] == {"type": 0, "quote_text": "想预约试驾"}


async def test_rows_beyond_six_are_left_off(out: Ways) -> None:
    await _send(out, replace(LEAD, rows=tuple((str(n), "x") for n in range(8))))
    assert len(out.vendor.of(SEND)[0].body["template_card"]["horizontal_content_list"]) == 6


async def test_a_card_that_is_done_only_changes_its_button(out: Ways) -> None:
    await _send(out, replace(LEAD, buttons=(), done="已接受", response_code="RESP_demo_1"))
    assert out.vendor.of(UPDATE)[0].body == json.loads(fixture("wecom_update_template_card.json"))


async def test_a_card_with_new_buttons_is_replaced_whole(out: Ways) -> None:
    buttons = (CardButton(key="open", text="对话"), CardButton(key="close", text="结束", style=2))
    await _send(out, replace(LEAD, buttons=buttons, response_code="RESP_demo_1"))
    body = out.vendor.of(UPDATE)[0].body
    assert body["response_code"] == "RESP_demo_1"
    assert [one["key"] for one in body["template_card"]["button_list"]] == ["open", "close"]
    assert out.vendor.of(SEND) == []


@pytest.mark.parametrize("to", ["@all", "@ALL", "a|b", ""])
async def test_a_message_to_everybody_is_refused_before_anything_leaves(out: Ways, to: str) -> None:
    for message in (LEAD, replace(LEAD, response_code="R")):
        with pytest.raises(Refused):
            await _send(out, message, to=to)
    assert out.vendor.asked == []


@pytest.mark.parametrize(
    "message",
    [
        Menu(head="?", choices=()),
        TemplateMessage(template="booking", fields=()),
        replace(LEAD, buttons=()),
        replace(LEAD, buttons=LEAD.buttons * 4),
    ],
)
async def test_what_wecom_cannot_carry_is_refused_before_anything_leaves(out: Ways, message: Message) -> None:
    with pytest.raises(Refused):
        await _send(out, message)
    assert out.vendor.asked == []


@pytest.mark.parametrize("field", ["invaliduser", "unlicenseduser"])
async def test_a_member_that_the_answer_names_as_invalid_is_gone(out: Ways, field: str) -> None:
    out.vendor.will_answer(SEND, {"errcode": 0, "errmsg": "ok", field: "adviser01"})
    with pytest.raises(Unreachable) as caught:
        await _send(out, LEAD)
    assert caught.value.reason == "gone"


@pytest.mark.parametrize("invalid", ["adviser01", ["adviser01"]])
async def test_a_member_who_cannot_get_the_update_of_her_card_is_gone(out: Ways, invalid: object) -> None:
    """Some answers name them with bars, others in a list. Before: such an update counted as seen."""
    out.vendor.will_answer(UPDATE, {"errcode": 0, "errmsg": "ok", "invaliduser": invalid})
    with pytest.raises(Unreachable):
        await _send(out, replace(LEAD, response_code="R"))


async def test_parties_and_tags_that_an_answer_calls_invalid_are_none_of_ours(out: Ways) -> None:
    answer = {"errcode": 0, "errmsg": "ok", "invaliduser": "", "invalidparty": "1|2", "invalidtag": "3", "msgid": "M"}
    out.vendor.will_answer(SEND, answer)
    assert await _send(out, LEAD) == Accepted(provider_id="M")


async def test_a_buyers_markup_reaches_a_colleague_as_plain_text(out: Ways) -> None:
    """Before: a buyer could put a link of her own under words of her own into an advisor's chat."""
    await _send(out, Text(text='客户说：<a href="https://x.example">点这里</a>'))
    assert out.vendor.of(SEND)[0].body["text"] == {"content": '客户说：＜a href="https://x.example">点这里＜/a>'}


@pytest.mark.parametrize(
    ("path", "message", "answer", "decision"),
    [
        (SEND, LEAD, {"errcode": -1}, Unknown),
        (SEND, LEAD, hang_up, Unknown),
        (SEND, LEAD, json.loads(fixture("wecom_misc.json"))["err_freq"], TryLater),
        (SEND, LEAD, {"errcode": 81013}, Unreachable),
        (SEND, LEAD, {"errcode": 60020}, Forbidden),
        (SEND, LEAD, {"errcode": 42039}, Refused),
        (UPDATE, replace(LEAD, response_code="R"), {"errcode": -1}, TryLater),
        (UPDATE, replace(LEAD, response_code="R"), {"errcode": 60140}, Unreachable),
    ],
)
async def test_an_error_becomes_its_decision(
    out: Ways, path: str, message: Card, answer: dict[str, int], decision: type[ChannelError]
) -> None:
    out.vendor.will_answer(path, answer)
    with pytest.raises(ChannelError) as caught:
        await _send(out, message)
    assert type(caught.value) is decision


async def test_a_token_that_was_killed_early_is_replaced_once(out: Ways) -> None:
    out.vendor.will_answer(SEND, {"errcode": 40014, "errmsg": "invalid access_token"})
    await _send(out, LEAD)
    assert [one.query["access_token"] for one in out.vendor.of(SEND)] == ["token-1", "token-2"]
    assert out.vendor.of("/cgi-bin/gettoken")[0].query == {"corpid": "ww1", "corpsecret": SECRET}


async def test_a_wrong_secret_is_asked_with_once_in_thirty_seconds(out: Ways) -> None:
    out.vendor.will_answer("/cgi-bin/gettoken", {"errcode": 40001, "errmsg": "invalid secret"})
    for _ in range(3):
        with pytest.raises(Unauthorised):
            await _send(out, LEAD)
    assert len(out.vendor.asked) == 1
