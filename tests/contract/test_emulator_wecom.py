"""The WeCom API as the emulator serves it: application messages, cards and their updates."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from bot.sandbox.emulator import Button, Impossible
from bot.sandbox.emulator.wire import Json

from .emulator_rig import ADVISOR, WECOM, Rig, card_request, code_of, rig

SEND = "/cgi-bin/message/send"
UPDATE = "/cgi-bin/message/update_template_card"


@pytest_asyncio.fixture
async def ready() -> AsyncIterator[Rig]:
    async with rig() as started:
        yield started


def text_request(**changes: Json) -> dict[str, Json]:
    return {"touser": ADVISOR, "msgtype": "text", "agentid": 1000002, "text": {"content": "新线索"}, **changes}


def update_request(response_code: Json, **changes: Json) -> dict[str, Json]:
    button: dict[str, Json] = {"button": {"replace_name": "已接受"}}
    return {"userids": [ADVISOR], "agentid": 1000002, "response_code": response_code, **(changes or button)}


def buttons_of(ready: Rig, staff_id: str = ADVISOR) -> tuple[Button, ...]:
    return ready.emulator.staff_chat(staff_id)[0].buttons


async def test_the_token_is_the_same_until_it_expires(ready: Rig) -> None:
    first = await ready.app_token()
    ready.clock.advance(timedelta(seconds=7199))
    assert await ready.app_token() == first
    ready.clock.advance(timedelta(seconds=1))
    assert code_of(await ready.post(SEND, text_request(), token=first)) == 42001
    assert await ready.app_token() != first


async def test_a_token_killed_early_is_invalid_and_replaced(ready: Rig) -> None:
    first = await ready.app_token()
    ready.emulator.kill_tokens("wecom", "main")
    assert code_of(await ready.post(SEND, text_request(), token=first)) == 40014
    assert await ready.app_token() != first


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"corpid": "ww_other", "corpsecret": WECOM.secret}, 40013),
        ({"corpid": WECOM.corp_id, "corpsecret": "wrong"}, 40001),
        ({"corpid": WECOM.corp_id}, 41004),
        ({"corpsecret": WECOM.secret}, 41002),
        ({"corpid": WECOM.corp_id, "corpsecret": WECOM.secret, "debug": "1"}, 40058),
    ],
)
async def test_a_wrong_token_request_of_an_app_is_refused(ready: Rig, query: dict[str, str], code: int) -> None:
    assert code_of(await ready.get("/cgi-bin/gettoken", **query)) == code


@pytest.mark.parametrize(("token", "code"), [("", 41001), ("never-issued", 40014)])
async def test_an_app_message_without_a_right_token_is_refused(ready: Rig, token: str, code: int) -> None:
    assert code_of(await ready.post(SEND, text_request(), token=token)) == code


async def test_texts_markdown_and_images_reach_the_member(ready: Rig) -> None:
    await ready.send_app_text("新线索")
    markdown = text_request(msgtype="markdown", markdown={"content": "**新线索**"})
    del markdown["text"]
    assert code_of(await ready.post(SEND, markdown)) == 0
    image = text_request(msgtype="image", image={"media_id": "M1"})
    del image["text"]
    assert code_of(await ready.post(SEND, image)) == 0
    shown = [(bubble.kind, bubble.text, bubble.media_id) for bubble in ready.emulator.staff_chat(ADVISOR)]
    assert shown == [("text", "新线索", ""), ("markdown", "**新线索**", ""), ("image", "", "M1")]


async def test_a_long_text_is_cut_without_splitting_a_character(ready: Rig) -> None:
    await ready.send_app_text("a" * 2047 + "车")
    assert ready.emulator.staff_chat(ADVISOR)[0].text == "a" * 2047


async def test_unknown_receivers_are_named_while_the_others_get_it(ready: Rig) -> None:
    reply = await ready.send_app_text(to=f"{ADVISOR}|nobody|wangwei")
    assert (reply["errcode"], reply["invaliduser"]) == (0, "nobody")
    assert len(ready.emulator.staff_chat(ADVISOR)) == len(ready.emulator.staff_chat("wangwei")) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"touser": "nobody"}, 81013),
        ({"touser": ""}, 82001),
        ({"agentid": 1000003}, 301002),
        ({"agentid": None}, 40056),
        ({"agentid": "1000002"}, 40058),
        ({"text": {"content": ""}}, 44004),
        ({"msgtype": "poem"}, 40008),
        ({"toparty": "1"}, 40058),
        ({"enable_duplicate_check": 2}, 40058),
        ({"urgent": 1}, 40058),
    ],
)
async def test_an_app_message_that_is_not_right_is_refused(ready: Rig, changes: dict[str, Json], code: int) -> None:
    assert code_of(await ready.post(SEND, text_request(**changes))) == code
    assert ready.emulator.staff_chat(ADVISOR) == []


async def test_more_than_thirty_a_minute_are_silently_dropped(ready: Rig) -> None:
    replies = [code_of(await ready.send_app_text(f"第{number}条")) for number in range(31)]
    assert replies == [0] * 31
    assert len(ready.emulator.staff_chat(ADVISOR)) == 30
    assert "silently dropped" in ready.emulator.traffic.after(0)[-1].verdict
    ready.clock.advance(timedelta(minutes=1))
    await ready.send_app_text("下一分钟")
    assert ready.emulator.staff_chat(ADVISOR)[-1].text == "下一分钟"


async def test_equal_content_is_swallowed_only_when_the_check_is_on(ready: Rig) -> None:
    for _ in range(2):
        await ready.post(SEND, text_request(enable_duplicate_check=0))
    assert len(ready.emulator.staff_chat(ADVISOR)) == 2
    for _ in range(2):
        assert code_of(await ready.post(SEND, text_request(enable_duplicate_check=1))) == 0
    assert len(ready.emulator.staff_chat(ADVISOR)) == 3
    ready.clock.advance(timedelta(minutes=30))
    await ready.post(SEND, text_request(enable_duplicate_check=1))
    assert len(ready.emulator.staff_chat(ADVISOR)) == 4


async def test_a_card_shows_its_fields_and_comes_with_a_code(ready: Rig) -> None:
    reply = await ready.send_card(quote_area={"type": 0, "title": "她说", "quote_text": "想看车"})
    assert reply["response_code"]
    (card,) = ready.emulator.staff_chat(ADVISOR)
    assert (card.kind, card.title, card.description) == ("card", "新试驾线索", "上海 / 今天")
    assert card.rows == (("车型", "示例SUV"), ("来源", "公众号"))
    assert card.quote == "她说\n想看车"
    assert [(button.key, button.text) for button in card.buttons] == [("btn_accept", "接受"), ("btn_reassign", "转派")]
    assert ready.emulator.traffic.unfaithful() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"task_id": ""}, 42014),
        ({"task_id": "a" * 129}, 42014),
        ({"task_id": "线索"}, 42014),
        ({"card_type": "text_notice"}, 42031),
        ({"main_title": {}}, 40058),
        ({"button_list": []}, 40058),
        ({"button_list": [{"text": "好", "key": str(number)} for number in range(7)]}, 40058),
        ({"button_list": [{"text": "", "key": "a"}]}, 42038),
        ({"button_list": [{"text": "好"}]}, 42039),
        ({"button_list": [{"text": "好", "key": "a"}, {"text": "不", "key": "a"}]}, 42039),
        ({"button_list": [{"text": "好", "key": "a", "style": 5}]}, 40058),
        ({"button_list": [{"text": "好", "key": "车" * 342}]}, 42039),
        ({"horizontal_content_list": [{"keyname": "a", "value": "b"}] * 7}, 42035),
        ({"horizontal_content_list": [{"value": "b"}]}, 42027),
        ({"horizontal_content_list": [{"keyname": "a", "value": "b", "type": 1}]}, 42028),
        ({"button_selection": {"title": "城市", "option_list": [{"id": "1", "text": "上海"}]}}, 42043),
        ({"button_selection": {"question_key": "city", "option_list": []}}, 42037),
        ({"action_menu": {"desc": "x", "action_list": [{"text": "a", "key": "k"}, {"text": "b", "key": "k"}]}}, 42051),
        ({"card_action": {"type": 7}}, 42045),
        ({"colour": "red"}, 40058),
    ],
)
async def test_a_card_that_breaks_a_field_rule_is_refused(ready: Rig, changes: dict[str, Json], code: int) -> None:
    assert code_of(await ready.post(SEND, card_request("lead_1", **changes))) == code
    assert ready.emulator.staff_chat(ADVISOR) == []


async def test_a_task_id_is_taken_once(ready: Rig) -> None:
    assert code_of(await ready.send_card("lead_1")) == 0
    assert code_of(await ready.send_card("lead_1")) == 42014


async def test_a_card_needs_a_callback_url(ready: Rig) -> None:
    ready.emulator.set_callback("wecom", "main", "")
    assert code_of(await ready.send_card()) == 43012


async def test_a_click_is_pushed_with_a_code_that_updates_the_card(ready: Rig) -> None:
    await ready.send_card("lead_1")
    await ready.act("click", staff_id=ADVISOR, task_id="lead_1", key="btn_accept")
    click = ready.receiver.opened()
    assert (click["FromUserName"], click["Event"], click["EventKey"]) == (ADVISOR, "template_card_event", "btn_accept")
    assert (click["TaskId"], click["CardType"], click["AgentID"]) == ("lead_1", "button_interaction", "1000002")
    assert code_of(await ready.post(UPDATE, update_request(click["ResponseCode"]))) == 0
    (button,) = buttons_of(ready)
    assert (button.text, button.disabled) == ("已接受", True)


async def test_a_code_updates_once(ready: Rig) -> None:
    code = (await ready.send_card())["response_code"]
    assert code_of(await ready.post(UPDATE, update_request(code))) == 0
    assert code_of(await ready.post(UPDATE, update_request(code))) == 60140


async def test_a_refused_update_leaves_its_code_unspent(ready: Rig) -> None:
    code = (await ready.send_card())["response_code"]
    assert code_of(await ready.post(UPDATE, update_request(code, button={}))) == 40058
    assert code_of(await ready.post(UPDATE, update_request(code))) == 0


async def test_a_code_lives_72_hours_to_the_second(ready: Rig) -> None:
    first = (await ready.send_card("lead_1"))["response_code"]
    second = (await ready.send_card("lead_2"))["response_code"]
    ready.clock.advance(timedelta(hours=72) - timedelta(seconds=1))
    assert code_of(await ready.post(UPDATE, update_request(first))) == 0
    ready.clock.advance(timedelta(seconds=1))
    assert code_of(await ready.post(UPDATE, update_request(second))) == 60140


async def test_a_whole_new_card_takes_the_old_ones_place(ready: Rig) -> None:
    code = (await ready.send_card("lead_1"))["response_code"]
    await ready.send_app_text("之后的一条")
    before = ready.emulator.feed.number
    new: Json = {
        "card_type": "button_interaction",
        "main_title": {"title": "跟进中", "desc": "张敏"},
        "task_id": "lead_1",
        "button_list": [{"text": "已联系", "style": 1, "key": "done"}],
    }
    assert code_of(await ready.post(UPDATE, update_request(code, template_card=new))) == 0
    card, later = ready.emulator.staff_chat(ADVISOR)
    assert (card.title, card.rows, later.text) == ("跟进中", (), "之后的一条")
    assert [(button.key, button.disabled) for button in card.buttons] == [("done", False)]
    assert card.seq == before + 1


async def test_a_new_card_with_a_replacing_text_has_one_grey_button(ready: Rig) -> None:
    code = (await ready.send_card("lead_1"))["response_code"]
    new: Json = {
        "card_type": "button_interaction",
        "main_title": {"title": "跟进中"},
        "button_list": [{"text": "已联系", "key": "done"}],
        "replace_text": "已完成",
    }
    assert code_of(await ready.post(UPDATE, update_request(code, template_card=new))) == 0
    (button,) = buttons_of(ready)
    assert (button.text, button.disabled) == ("已完成", True)


async def test_an_update_changes_only_the_named_members_cards(ready: Rig) -> None:
    request = card_request("lead_1")
    code = (await ready.post(SEND, {**request, "touser": "@all"}))["response_code"]
    await ready.post(UPDATE, update_request(code))
    assert [button.disabled for button in buttons_of(ready)] == [True]
    assert [button.disabled for button in buttons_of(ready, "wangwei")] == [False, False]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"userids": ["nobody"]}, 81013),
        ({"userids": []}, 82001),
        ({"userids": [1]}, 40058),
        ({"agentid": 7}, 301002),
        ({"response_code": "made-up"}, 60140),
        ({"template_card": {}}, 40058),
        ({"partyids": [1]}, 40058),
        ({"note": "x"}, 40058),
    ],
)
async def test_an_update_that_is_not_right_is_refused(ready: Rig, changes: dict[str, Json], code: int) -> None:
    issued = (await ready.send_card())["response_code"]
    assert code_of(await ready.post(UPDATE, {**update_request(issued), **changes})) == code
    assert len(buttons_of(ready)) == 2


async def test_a_grey_or_unknown_button_cannot_be_pressed(ready: Rig) -> None:
    code = (await ready.send_card("lead_1"))["response_code"]
    with pytest.raises(Impossible):
        await ready.act("click", staff_id=ADVISOR, task_id="lead_1", key="other")
    with pytest.raises(Impossible):
        await ready.act("click", staff_id=ADVISOR, task_id="lead_2", key="btn_accept")
    await ready.post(UPDATE, update_request(code))
    with pytest.raises(Impossible):
        await ready.act("click", staff_id=ADVISOR, task_id="lead_1", key="btn_accept")
    assert ready.receiver.received == []


async def test_what_a_member_writes_is_pushed_and_shown(ready: Rig) -> None:
    done = await ready.act("staff_say", staff_id=ADVISOR, text="您好，我是张敏")
    said = ready.receiver.opened()
    assert (said["MsgType"], said["Content"], said["MsgId"]) == ("text", "您好，我是张敏", str(done["msg_id"]))
    assert (said["FromUserName"], said["AgentID"]) == (ADVISOR, "1000002")
    assert [bubble.side for bubble in ready.emulator.staff_chat(ADVISOR)] == ["me"]
    with pytest.raises(Impossible):
        await ready.act("staff_say", staff_id="nobody", text="x")
