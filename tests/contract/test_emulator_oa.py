"""The official account's API as the emulator serves it."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random

import pytest
import pytest_asyncio

from bot.sandbox.emulator import Conduct
from bot.sandbox.emulator.oa_account import MOMENTS_MAX, OfficialAccount, create_time
from bot.sandbox.emulator.transcript import Feed
from bot.sandbox.emulator.wire import Json

from .emulator_rig import BUYER, FIXTURES, NOON, OA, TEMPLATE_ID, Rig, code_of, rig

CUSTOM = "/cgi-bin/message/custom/send"
TEMPLATE = "/cgi-bin/message/template/send"
FIELDS: dict[str, Json] = {"thing1": {"value": "试驾"}, "time2": {"value": "周六"}}


@pytest_asyncio.fixture
async def talking() -> AsyncIterator[Rig]:
    """A rig whose buyer follows and has just written."""
    async with rig() as ready:
        await ready.act("follow")
        await ready.act("say", text="在吗")
        yield ready


def template(**changes: Json) -> dict[str, Json]:
    return {"touser": BUYER, "template_id": TEMPLATE_ID, "data": FIELDS, **changes}


def test_an_account_remembers_a_bounded_number_of_a_persons_deeds() -> None:
    """Before: every template job left a line for ever, as each has a number of its own."""
    account = OfficialAccount(OA, Conduct(), feed=Feed(), chance=Random(1))
    person = account.person(BUYER)
    assert [create_time(person, "CLICK a", NOON) for _ in range(2)] == [NOON.timestamp(), NOON.timestamp() + 1]
    for number in range(MOMENTS_MAX):
        create_time(person, f"TEMPLATESENDJOBFINISH {number}", NOON)
    assert len(person.moments) == MOMENTS_MAX


async def test_a_stable_token_stays_the_same_while_it_lives() -> None:
    async with rig() as ready:
        first = await ready.oa_token()
        ready.clock.advance(timedelta(hours=1))
        assert await ready.oa_token() == first


async def test_a_stable_token_is_renewed_five_minutes_early_and_both_work() -> None:
    async with rig() as ready:
        first = await ready.oa_token()
        ready.clock.advance(timedelta(minutes=115))
        second = await ready.oa_token()
        assert second != first
        for token in (first, second):
            assert "ip_list" in await ready.get("/cgi-bin/getcallbackip", access_token=token)
        ready.clock.advance(timedelta(minutes=5))
        assert code_of(await ready.get("/cgi-bin/getcallbackip", access_token=first)) == 42001


async def test_forcing_replaces_the_token_at_most_every_thirty_seconds() -> None:
    async with rig() as ready:
        first = await ready.oa_token()
        second = await ready.oa_token(force_refresh=True)
        assert code_of(await ready.get("/cgi-bin/getcallbackip", access_token=first)) == 40001
        assert await ready.oa_token(force_refresh=True) == second
        ready.clock.advance(timedelta(seconds=30))
        assert await ready.oa_token(force_refresh=True) != second


async def test_forcing_works_twenty_times_a_day() -> None:
    async with rig() as ready:
        tokens = [await ready.oa_token()]
        for _ in range(22):
            ready.clock.advance(timedelta(seconds=30))
            tokens.append(await ready.oa_token(force_refresh=True))
        assert len(set(tokens)) == 21


async def test_a_token_killed_early_stays_the_answer_until_it_is_forced_out() -> None:
    async with rig() as ready:
        dead = await ready.oa_token()
        ready.emulator.kill_tokens("oa", "main")
        assert await ready.oa_token() == dead
        assert code_of(await ready.get("/cgi-bin/getcallbackip", access_token=dead)) == 40001
        assert await ready.oa_token(force_refresh=True) != dead


async def test_the_plain_token_leaves_its_predecessor_five_minutes() -> None:
    async with rig() as ready:
        query = {"grant_type": "client_credential", "appid": OA.app_id, "secret": OA.secret}
        first = str((await ready.get("/cgi-bin/token", **query))["access_token"])
        assert (await ready.get("/cgi-bin/token", **query))["access_token"] != first
        ready.clock.advance(timedelta(minutes=4, seconds=59))
        assert "ip_list" in await ready.get("/cgi-bin/getcallbackip", access_token=first)
        ready.clock.advance(timedelta(seconds=1))
        assert code_of(await ready.get("/cgi-bin/getcallbackip", access_token=first)) == 42001


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"grant_type": "password"}, 40002),
        ({"appid": "wx_other"}, 40013),
        ({"secret": "wrong"}, 40125),
        ({"appid": ""}, 41002),
        ({"secret": ""}, 41004),
        ({"force_refresh": "yes"}, 40035),
        ({"colour": "red"}, 40035),
    ],
)
async def test_a_wrong_token_request_is_refused(changes: dict[str, Json], code: int) -> None:
    async with rig() as ready:
        body = {"grant_type": "client_credential", "appid": OA.app_id, "secret": OA.secret, **changes}
        assert code_of(await ready.post("/cgi-bin/stable_token", body, token="")) == code


@pytest.mark.parametrize(("token", "code"), [("", 41001), ("never-issued", 40014)])
async def test_a_send_without_a_right_token_is_refused(talking: Rig, token: str, code: int) -> None:
    body: Json = {"touser": BUYER, "msgtype": "text", "text": {"content": "您好"}}
    assert code_of(await talking.post(CUSTOM, body, token=token)) == code


async def test_every_message_of_the_fixtures_is_taken_and_shown(talking: Rig) -> None:
    for request in json.loads((FIXTURES / "oa_custom_send_requests.json").read_text()):
        assert code_of(await talking.post(CUSTOM, {**request, "touser": BUYER})) == 0
    assert [(bubble.kind, bubble.text) for bubble in talking.theirs()] == [
        ("text", "您好"),
        ("image", ""),
        ("text", "a"),
        ("menu", "满意吗？"),
        ("text", "试驾"),
    ]
    assert talking.theirs()[3].choices == (("101", "满意"), ("102", "不满意"))
    assert talking.emulator.traffic.unfaithful() == []


async def test_a_text_may_have_2048_bytes_and_no_more(talking: Rig) -> None:
    assert await talking.send_text("a" * 2048) == 0
    assert await talking.send_text("a" * 2046 + "车") == 45002


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"touser": "oNobody", "msgtype": "text", "text": {"content": "x"}}, 40003),
        ({"msgtype": "text", "text": {"content": "x"}}, 40003),
        ({"touser": BUYER, "msgtype": "text", "text": {"content": ""}}, 44004),
        ({"touser": BUYER, "msgtype": "text", "text": "x"}, 40035),
        ({"touser": BUYER, "msgtype": "image", "image": {"media_id": ""}}, 40007),
        ({"touser": BUYER, "msgtype": "news", "news": {"articles": [{"title": "a"}, {"title": "b"}]}}, 45008),
        ({"touser": BUYER, "msgtype": "msgmenu", "msgmenu": {"head_content": "a", "list": []}}, 40035),
        ({"touser": BUYER, "msgtype": "text", "text": {"content": "x"}, "customservice": {"kf_account": "a@b"}}, 65400),
    ],
)
async def test_a_message_that_is_not_right_is_refused_and_not_shown(talking: Rig, body: Json, code: int) -> None:
    assert code_of(await talking.post(CUSTOM, body)) == code
    assert talking.theirs() == []


@pytest.mark.parametrize(
    "body",
    [
        {"touser": BUYER, "msgtype": "text", "text": {"content": "x", "font": "big"}},
        {"touser": BUYER, "msgtype": "text", "text": {"content": "x"}, "priority": 1},
        {"touser": BUYER, "msgtype": "poll", "poll": {}},
        {"touser": BUYER, "msgtype": "voice", "voice": {"media_id": "M"}},
    ],
)
async def test_what_the_fact_sheet_does_not_list_is_noted_as_unfaithful(talking: Rig, body: Json) -> None:
    assert code_of(await talking.post(CUSTOM, body)) != 0
    assert len(talking.emulator.traffic.unfaithful()) == 1


async def test_escaped_characters_are_refused(talking: Rig) -> None:
    escaped = json.dumps({"touser": BUYER, "msgtype": "text", "text": {"content": "您好"}}).encode()
    assert code_of(await talking.post_raw(CUSTOM, escaped)) == 40033


async def test_a_backslash_before_a_u_that_is_itself_escaped_is_taken(talking: Rig) -> None:
    assert await talking.send_text("C:\\u4f60") == 0
    assert talking.theirs()[0].text == "C:\\u4f60"


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff\xfe{}", b"[" * 100_000])
async def test_a_body_that_is_no_json_object_is_refused(talking: Rig, raw: bytes) -> None:
    assert code_of(await talking.post_raw(CUSTOM, raw)) == 47001


async def test_typing_needs_a_known_command(talking: Rig) -> None:
    path = "/cgi-bin/message/custom/typing"
    assert code_of(await talking.post(path, {"touser": BUYER, "command": "Typing"})) == 0
    assert code_of(await talking.post(path, {"touser": BUYER, "command": "Sleep"})) == 40035


async def test_a_template_needs_no_window_and_reports_its_end(talking: Rig) -> None:
    talking.clock.advance(timedelta(days=30))
    reply = await talking.post(TEMPLATE, template())
    await talking.emulator.idle()
    assert code_of(reply) == 0
    assert talking.theirs()[0].rows == (("thing1", "试驾"), ("time2", "周六"))
    opened = talking.receiver.opened()
    assert (opened["Event"], opened["Status"]) == ("TEMPLATESENDJOBFINISH", "success")
    assert opened["MsgID"] == str(reply["msgid"])
    assert opened["FromUserName"] == BUYER


async def test_a_template_to_someone_who_blocks_fails_afterwards(talking: Rig) -> None:
    await talking.act("block")
    assert code_of(await talking.post(TEMPLATE, template())) == 0
    await talking.emulator.idle()
    assert talking.receiver.opened()["Status"] == "failed:user block"
    assert talking.theirs() == []


async def test_the_same_client_msg_id_sends_once_within_ten_minutes(talking: Rig) -> None:
    first = await talking.post(TEMPLATE, template(client_msg_id="E1"))
    talking.clock.advance(timedelta(minutes=9))
    again = await talking.post(TEMPLATE, template(client_msg_id="E1"))
    assert (again["errcode"], again["msgid"]) == (0, first["msgid"])
    assert len(talking.theirs()) == 1
    talking.clock.advance(timedelta(minutes=1))
    await talking.post(TEMPLATE, template(client_msg_id="E1"))
    assert len(talking.theirs()) == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"template_id": "TPL_other"}, 40037),
        ({"data": {"thing1": {"value": "试驾"}}}, 47003),
        ({"data": {**FIELDS, "thing9": {"value": "x"}}}, 47003),
        ({"data": {**FIELDS, "thing1": {"value": "车" * 21}}}, 47003),
        ({"data": {**FIELDS, "thing1": {"value": ""}}}, 47003),
        ({"touser": "oNobody"}, 40003),
    ],
)
async def test_a_template_that_is_not_right_is_refused(talking: Rig, changes: dict[str, Json], code: int) -> None:
    assert code_of(await talking.post(TEMPLATE, template(**changes))) == code
    assert talking.theirs() == []


async def test_first_and_remark_of_a_template_are_dropped_and_long_values_cut(talking: Rig) -> None:
    data: Json = {**FIELDS, "time2": {"value": "很" * 30}, "first": {"value": "您好"}, "remark": {"value": "谢谢"}}
    assert code_of(await talking.post(TEMPLATE, template(data=data))) == 0
    assert talking.theirs()[0].rows == (("thing1", "试驾"), ("time2", "很" * 20))


async def test_the_profile_tells_the_scene_and_no_name() -> None:
    async with rig() as ready:
        await ready.act("follow", scene="td_sh01")
        token = await ready.oa_token()
        profile = await ready.get("/cgi-bin/user/info", access_token=token, openid=BUYER, lang="zh_CN")
        assert (profile["subscribe"], profile["qr_scene_str"]) == (1, "td_sh01")
        assert profile["subscribe_scene"] == "ADD_SCENE_QR_CODE"
        assert "nickname" not in profile
        assert "unionid" not in profile


async def test_the_profile_of_an_unfollower_is_empty(talking: Rig) -> None:
    await talking.act("unfollow")
    token = await talking.oa_token()
    profile = await talking.get("/cgi-bin/user/info", access_token=token, openid=BUYER)
    assert profile == {"subscribe": 0, "openid": BUYER}
    assert code_of(await talking.get("/cgi-bin/user/info", access_token=token, openid="oNobody")) == 40003
