"""What leaves for an official account's followers, and what becomes of it."""

import asyncio
import json
import logging
import socket
import traceback
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import structlog

from bot.channels.oa.messages import TEXT_BYTES_MAX
from bot.channels.wire import REPLY_BYTES_MAX, Wire
from bot.core.messages import Card, Image, Markdown, Menu, MenuChoice, Message, TemplateMessage, Text
from bot.errors import (
    ChannelError,
    Forbidden,
    Refused,
    TryLater,
    Unauthorised,
    Unknown,
    Unreachable,
)
from bot.runtime.ports import Accepted, Followers, Sender

from .memory_vault import MemoryVault
from .posting import fixture
from .vendor import EFFECT_ID, SECRET, Answer, Ways, effect, hang_up, oa_sender, raw, status, ways

CUSTOM = "/cgi-bin/message/custom/send"
TEMPLATE = "/cgi-bin/message/template/send"
SAMPLES = {one["msgtype"]: one for one in json.loads(fixture("oa_custom_send_requests.json"))}
ANSWERS = json.loads(fixture("oa_misc_responses.json"))
USER = "/cgi-bin/user/info"
EXPIRED = {"errcode": 42001, "errmsg": "access_token expired"}
HELLO = effect(Text(text="您好"))
BOOKING = effect(TemplateMessage(template="booking", fields=(("thing1", "试驾预约"), ("time2", "11月22日 10:00"))))


@pytest.fixture
async def out() -> AsyncIterator[Ways]:
    async with ways() as both:
        yield both


def test_it_is_a_sender(out: Ways) -> None:
    sender: Sender = out.oa
    assert (sender.channel, sender.account, sender.in_flight_max) == ("oa", "main", 32)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("text", Text(text="您好")),
        ("image", Image(media_id="M1")),
        (
            "msgmenu",
            Menu(
                head="满意吗？",
                choices=(MenuChoice(choice_id="101", text="满意"), MenuChoice(choice_id="102", text="不满意")),
                tail="谢谢",
            ),
        ),
    ],
)
async def test_a_message_leaves_in_the_platforms_form(out: Ways, kind: str, message: Message) -> None:
    assert await out.oa.send(effect(message)) == Accepted()
    (asked,) = out.vendor.of(CUSTOM)
    assert asked.body == SAMPLES[kind]
    assert asked.query == {"access_token": "token-1"}


async def test_chinese_leaves_unescaped(out: Ways) -> None:
    await out.oa.send(HELLO)
    assert "您好".encode() in out.vendor.of(CUSTOM)[0].raw


async def test_a_template_message_leaves_with_its_registered_id_and_the_effects_id(out: Ways) -> None:
    out.vendor.will_answer(TEMPLATE, ANSWERS["template_send"])
    assert await out.oa.send(BOOKING) == Accepted(provider_id="3600000001")
    assert out.vendor.of(TEMPLATE)[0].body == {
        "touser": "oDemo",
        "template_id": "TPL_booking_1",
        "client_msg_id": EFFECT_ID,
        "data": {"thing1": {"value": "试驾预约"}, "time2": {"value": "11月22日 10:00"}},
    }


async def test_a_template_field_with_a_known_limit_is_cut_to_it(out: Ways) -> None:
    await out.oa.send(
        effect(TemplateMessage(template="booking", fields=(("thing1", "车" * 21), ("phrase3", "预约成功了吗"))))
    )
    assert out.vendor.of(TEMPLATE)[0].body["data"] == {
        "thing1": {"value": "车" * 19 + "…"},
        "phrase3": {"value": "预约成功…"},
    }


async def test_a_template_that_nobody_registered_is_refused_before_anything_leaves(out: Ways) -> None:
    with pytest.raises(Refused, match="`unheard`"):
        await out.oa.send(effect(TemplateMessage(template="unheard", fields=())))
    assert out.vendor.asked == []


@pytest.mark.parametrize("message", [Markdown(text="*"), Card(task_id="t", title="t", description="d")])
async def test_a_message_for_staff_is_refused_before_anything_leaves(out: Ways, message: Message) -> None:
    with pytest.raises(Refused):
        await out.oa.send(effect(message))
    assert out.vendor.asked == []


async def test_a_long_text_is_cut_without_splitting_a_character(out: Ways) -> None:
    await out.oa.send(effect(Text(text="车" * 1000)))
    sent = out.vendor.of(CUSTOM)[0].body["text"]["content"]
    assert len(sent.encode()) <= TEXT_BYTES_MAX
    assert sent == "车" * 681 + "…"


async def test_a_link_that_does_not_fit_is_left_out_whole(out: Ways) -> None:
    text = "车" * 670 + '<a href="https://example.com/a-long-address">看车</a>'
    await out.oa.send(effect(Text(text=text)))
    assert out.vendor.of(CUSTOM)[0].body["text"]["content"] == "车" * 670 + "…"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("error_window", "window"), ("error_count", "count")],
)
async def test_a_shut_window_says_why_the_customer_cannot_be_reached(out: Ways, name: str, reason: str) -> None:
    out.vendor.will_answer(CUSTOM, ANSWERS[name])
    with pytest.raises(Unreachable) as caught:
        await out.oa.send(HELLO)
    assert caught.value.reason == reason
    assert caught.value.vendor_code == ANSWERS[name]["errcode"]
    assert "00000000-00000000-00000000" in caught.value.what


async def test_a_busy_platform_is_unknown_where_a_repeat_could_double(out: Ways) -> None:
    out.vendor.will_answer(CUSTOM, {"errcode": -1, "errmsg": "system error"})
    with pytest.raises(Unknown):
        await out.oa.send(HELLO)


async def test_a_busy_platform_is_try_later_where_a_repeat_is_recognised(out: Ways) -> None:
    out.vendor.will_answer(TEMPLATE, {"errcode": -1, "errmsg": "system error"})
    with pytest.raises(TryLater):
        await out.oa.send(BOOKING)


@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        (hang_up, Unknown),
        (status(500), Unknown),
        (status(502), Unknown),
        (status(429), TryLater),
        (status(403), Forbidden),
        (status(302, Location="https://example.invalid/"), Forbidden),
        (raw(b"<html>"), Unknown),
        (raw(b"[]"), Unknown),
        (raw(b'{"errcode":"0"}'), Unknown),
        (raw(b'{"errcode":0,"a":"' + b"x" * REPLY_BYTES_MAX + b'"}'), Unknown),
    ],
)
async def test_an_answer_that_is_none_leaves_no_doubt_unspoken(
    out: Ways, answer: Answer, decision: type[ChannelError]
) -> None:
    out.vendor.will_answer(CUSTOM, answer)
    with pytest.raises(ChannelError) as caught:
        await out.oa.send(HELLO)
    assert type(caught.value) is decision
    assert len(out.vendor.of(CUSTOM)) == 1


async def test_an_answer_that_never_comes_is_unknown() -> None:
    async with ways() as out, Wire(call_timeout_s=0.3) as hasty:
        vault = MemoryVault()
        await oa_sender(out.base, wire=out.wire, clock=out.clock, vault=vault).prepare()
        out.vendor.hold = asyncio.Event()
        with pytest.raises(Unknown, match="TimeoutError"):
            await oa_sender(out.base, wire=hasty, clock=out.clock, vault=vault).send(HELLO)
        out.vendor.hold.set()


async def test_a_platform_that_does_not_listen_is_try_later(out: Ways) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        with pytest.raises(TryLater):
            await oa_sender(base, wire=out.wire, clock=out.clock).prepare()


async def test_a_connection_refused_at_the_send_itself_is_try_later(out: Ways) -> None:
    await out.oa.prepare()
    gone = oa_sender("https" + out.base.removeprefix("http"), wire=out.wire, clock=out.clock)
    gone._api._tokens = out.oa._api._tokens
    with pytest.raises(TryLater):
        await gone.send(HELLO)
    assert out.vendor.of(CUSTOM) == []


async def test_a_refused_token_is_replaced_once_and_the_message_sent(out: Ways) -> None:
    out.vendor.will_answer(CUSTOM, {"errcode": 42001, "errmsg": "access_token expired"})
    assert await out.oa.send(HELLO) == Accepted()
    assert [one.query["access_token"] for one in out.vendor.of(CUSTOM)] == ["token-1", "token-2"]


async def test_a_token_refused_twice_parks_the_account(out: Ways) -> None:
    refusal = {"errcode": 40001, "errmsg": "invalid credential"}
    out.vendor.will_answer(CUSTOM, refusal, refusal)
    for _ in range(3):
        with pytest.raises(Unauthorised):
            await out.oa.send(HELLO)
    assert len(out.vendor.of(CUSTOM)) == 2
    assert out.oa.trouble is not None


async def test_a_token_that_another_process_stored_and_that_is_refused_too_is_replaced_by_a_new_one() -> None:
    vault = MemoryVault()
    async with ways() as out:
        ours, theirs = (oa_sender(out.base, wire=out.wire, clock=out.clock, vault=vault) for _ in range(2))
        await ours.prepare()
        await theirs.prepare()
        out.vendor.will_answer(CUSTOM, EXPIRED)
        await theirs.send(HELLO)
        out.vendor.will_answer(CUSTOM, EXPIRED, EXPIRED)
        assert await ours.send(HELLO) == Accepted()
        assert [one.query["access_token"] for one in out.vendor.of(CUSTOM)][2:] == ["token-1", "token-2", "token-3"]
        assert ours.trouble is None


async def test_nothing_that_is_logged_shows_a_token_or_a_secret(
    out: Ways, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    out.vendor.repeats_its_token = True
    with structlog.testing.capture_logs() as logged:
        out.vendor.will_answer(CUSTOM, EXPIRED, EXPIRED, EXPIRED)
        for _ in range(2):
            with pytest.raises(ChannelError) as caught:
                await out.oa.send(HELLO)
            out.clock.at += timedelta(seconds=30)
            told = "".join(traceback.format_exception(caught.value))
            assert "token-" not in told and SECRET not in told
        await out.oa.send(HELLO)
        out.vendor.will_answer(USER, hang_up)
        assert await out.oa.subscribed("oDemo") is None
    assert {one["event"] for one in logged} >= {"token_forced", "token_taken_again", "follower_not_known"}
    told = str(logged) + caplog.text + "".join(capsys.readouterr())
    for secret in ("token-", SECRET, "access_token", "您好"):
        assert secret not in told


async def test_no_error_shows_the_token_the_secret_the_text_or_the_address(out: Ways) -> None:
    for answer in (hang_up, status(500), status(403), {"errcode": 47003, "errmsg": "您好 token-1"}):
        out.vendor.will_answer(CUSTOM, answer)
        with pytest.raises(ChannelError) as caught:
            await out.oa.send(HELLO)
        told = f"{caught.value!r} {caught.value} {caught.value.hint} {caught.value.__cause__}"
        for secret in ("token-1", SECRET, "您好", "127.0.0.1", "access_token="):
            assert secret not in told
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


async def test_a_follower_is_described_by_what_the_platform_tells(out: Ways) -> None:
    out.vendor.will_answer("/cgi-bin/user/info", ANSWERS["user_info"])
    follower = await out.oa.user_info("oDemo")
    assert (follower.follows, follower.unionid, follower.scene) == (True, "oUnionDemo", "td_sh01")
    assert follower.follow_scene == "ADD_SCENE_QR_CODE"
    assert out.vendor.of("/cgi-bin/user/info")[0].query["openid"] == "oDemo"


async def test_somebody_who_does_not_follow_has_no_description(out: Ways) -> None:
    out.vendor.will_answer("/cgi-bin/user/info", {"subscribe": 0, "openid": "oDemo"})
    follower = await out.oa.user_info("oDemo")
    assert (follower.follows, follower.unionid, follower.scene, follower.follow_scene) == (False, None, None, None)


@pytest.mark.parametrize(
    ("answer", "follows"),
    [
        ({"subscribe": 1, "openid": "oDemo"}, True),
        ({"subscribe": 0, "openid": "oDemo"}, False),
        ({"errcode": 40003, "errmsg": "invalid openid"}, False),
        ({"errcode": 45009, "errmsg": "quota"}, None),
        ({"errcode": -1, "errmsg": "busy"}, None),
        ({"errcode": 48001, "errmsg": "unauthorised"}, None),
        ({"openid": "oDemo"}, None),
        (raw(b"<html>"), None),
        (hang_up, None),
    ],
)
async def test_whether_somebody_follows_is_asked_and_doubt_is_told_as_doubt(
    out: Ways, answer: Answer, follows: bool | None
) -> None:
    followers: Followers = out.oa
    out.vendor.will_answer(USER, answer)
    assert await followers.subscribed("oDemo") is follows
