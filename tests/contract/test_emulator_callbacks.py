"""What the emulator pushes: sealed and signed as each mode wants it, in order, retried, its answers judged."""

import asyncio
import json
import socket
from dataclasses import replace
from urllib.parse import parse_qs, urlencode

import pytest
from aiohttp import web
from wechatpy.crypto import WeChatCrypto
from wechatpy.work.crypto import WeChatCrypto as WorkCrypto

from bot.sandbox.emulator import Impossible
from bot.sandbox.emulator.crypto import Lock, signature
from bot.sandbox.emulator.oa_push import FAILURE_TEXT
from bot.sandbox.emulator.settings import Mode
from bot.sandbox.emulator.wire import Json, XmlField, compose, parse

from .emulator_rig import ADVISOR, AES_KEY, BUYER, FIXTURES, NOON, OA, PATIENT, QUICK, WECOM, Rig, rig

AT = str(int(NOON.timestamp()))


async def spoken(ready: Rig, text: str = "想预约试驾") -> None:
    """Let the buyer follow and say `text`; forget the follow's callback."""
    await ready.act("follow")
    ready.receiver.received.clear()
    await ready.act("say", text=text)


def keys_of_fixture(name: str) -> list[str]:
    return list(parse((FIXTURES / name).read_text().replace("\n", "")))


async def test_a_plain_callback_is_signed_and_readable() -> None:
    async with rig(mode="plain") as ready:
        await spoken(ready)
        (got,) = ready.receiver.received
        assert got.query["signature"] == signature(OA.token, got.query["timestamp"], got.query["nonce"])
        assert (got.query["timestamp"], got.query["openid"]) == (AT, BUYER)
        assert not {"encrypt_type", "msg_signature"} & set(got.query)
        assert list(parse(got.body)) == keys_of_fixture("oa_text.xml")
        assert parse(got.body)["Content"] == "想预约试驾"


async def test_a_safe_callback_hides_everything_and_opens_with_another_library() -> None:
    async with rig(mode="safe") as ready:
        await spoken(ready)
        (got,) = ready.receiver.received
        assert list(parse(got.body)) == ["ToUserName", "Encrypt"]
        assert got.query["encrypt_type"] == "aes"
        judge = WeChatCrypto(OA.token, AES_KEY, OA.app_id)
        opened = judge.decrypt_message(got.body, got.query["msg_signature"], got.query["timestamp"], got.query["nonce"])
        assert parse(opened)["Content"] == "想预约试驾"


async def test_a_compatible_callback_carries_both_forms() -> None:
    async with rig(mode="compatible") as ready:
        await spoken(ready)
        outer = parse(ready.receiver.received[0].body)
        assert outer["Content"] == "想预约试驾"
        inner = parse(Lock(aes_key=AES_KEY, receiver=OA.app_id).open(outer.pop("Encrypt")).decode())
        assert inner == outer


async def test_an_app_callback_opens_with_another_library() -> None:
    async with rig() as ready:
        await ready.act("staff_say", staff_id=ADVISOR, text="今日线索")
        (got,) = ready.receiver.received
        assert list(parse(got.body)) == keys_of_fixture("wecom_outer_envelope.xml")
        assert set(got.query) == {"msg_signature", "timestamp", "nonce"}
        judge = WorkCrypto(WECOM.token, AES_KEY, WECOM.corp_id)
        opened = judge.decrypt_message(got.body, got.query["msg_signature"], got.query["timestamp"], got.query["nonce"])
        assert list(parse(opened)) == keys_of_fixture("wecom_app_text.xml")


@pytest.mark.parametrize(
    ("deed", "fixture"),
    [
        ({"do": "say", "text": "想预约试驾"}, "oa_text.xml"),
        ({"do": "image"}, "oa_image.xml"),
        ({"do": "voice"}, "oa_voice.xml"),
        ({"do": "video"}, "oa_video.xml"),
        ({"do": "location"}, "oa_location.xml"),
        ({"do": "link"}, "oa_link.xml"),
        ({"do": "menu", "key": "MENU_TESTDRIVE"}, "oa_event_click.xml"),
        ({"do": "scan", "scene": "td_sh01"}, "oa_event_scan.xml"),
        ({"do": "unfollow"}, "oa_event_unsubscribe.xml"),
    ],
)
async def test_callbacks_have_the_fields_of_the_fixtures(deed: dict[str, Json], fixture: str) -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.act(**deed)  # type: ignore[arg-type]  # each case brings its own `do`
        assert list(ready.receiver.opened()) == keys_of_fixture(fixture)


async def test_following_has_the_fields_of_the_fixtures_with_and_without_a_scene() -> None:
    async with rig() as ready:
        await ready.act("follow")
        assert list(ready.receiver.opened()) == keys_of_fixture("oa_event_subscribe.xml")
        await ready.act("unfollow")
        await ready.act("scan", scene="td_sh01")
        opened = ready.receiver.opened()
        assert list(opened) == keys_of_fixture("oa_event_subscribe_qr.xml")
        assert (opened["Event"], opened["EventKey"]) == ("subscribe", "qrscene_td_sh01")


async def test_a_tap_comes_back_as_text_with_the_menu_id() -> None:
    async with rig() as ready:
        await spoken(ready)
        menu: Json = {"head_content": "哪款？", "list": [{"id": "E.1.0", "content": "星澜 S5"}], "tail_content": ""}
        await ready.post("/cgi-bin/message/custom/send", {"touser": BUYER, "msgtype": "msgmenu", "msgmenu": menu})
        await ready.act("tap", menu_id="E.1.0")
        opened = ready.receiver.opened()
        assert (opened["MsgType"], opened["Content"], opened["bizmsgmenuid"]) == ("text", "星澜 S5", "E.1.0")
        with pytest.raises(Impossible):
            await ready.act("tap", menu_id="E.1.9")


async def test_message_ids_and_events_never_repeat_on_a_standing_clock() -> None:
    async with rig(mode="plain") as ready:
        for _ in range(3):
            await ready.act("follow")
            await ready.act("menu", key="K")
            await ready.act("say", text="在吗")
            await ready.act("unfollow")
        bodies = [got.body for got in ready.receiver.received]
        assert len(set(bodies)) == len(bodies) == 12


async def test_an_emulator_started_anew_goes_on_with_larger_message_ids() -> None:
    ids = []
    for _ in range(2):
        async with rig() as ready:
            await spoken(ready)
            ids.append(int(ready.receiver.opened()["MsgId"]))
    assert 0 < ids[0] < ids[1] < 2**63


@pytest.mark.parametrize("mode", ["plain", "safe"])
async def test_a_callback_refused_with_an_error_is_sent_three_times_with_one_body(mode: Mode) -> None:
    async with rig(mode=mode) as ready:
        await ready.act("follow")
        ready.receiver.received.clear()
        ready.receiver.answers.extend(web.Response(status=503) for _ in range(3))
        await ready.act("say", text="在吗")
        assert len(ready.receiver.received) == 3
        assert len({got.body for got in ready.receiver.received}) == 1
        assert len({got.query["nonce"] for got in ready.receiver.received}) == 3
        assert ready.system_lines()[-1] == FAILURE_TEXT


async def test_a_redelivery_may_carry_the_same_signature() -> None:
    async with rig(conduct=replace(QUICK, retry_signature="same")) as ready:
        ready.receiver.answers.extend(web.Response(status=500) for _ in range(2))
        await ready.act("follow")
        assert len(ready.receiver.received) == 3
        assert len({urlencode(got.query) for got in ready.receiver.received}) == 1


async def test_retries_stop_at_the_first_success() -> None:
    async with rig() as ready:
        ready.receiver.answers.append(web.Response(status=500))
        await ready.act("follow")
        assert len(ready.receiver.received) == 2
        assert FAILURE_TEXT not in ready.system_lines()


async def test_a_server_that_does_not_answer_in_time_is_asked_again() -> None:
    async with rig(conduct=replace(QUICK, reply_within_s=0.05)) as ready:
        never = asyncio.Event()
        ready.receiver.answers.append(never)
        await ready.act("follow")
        assert len(ready.receiver.received) == 2
        verdicts = [line.verdict for line in ready.emulator.traffic.after(0) if line.direction == "out"]
        assert verdicts == ["no answer in time", "answered 200"]


async def test_nobody_listening_is_tried_three_times_and_shown() -> None:
    async with rig() as ready:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            ready.emulator.set_callback("oa", "main", f"http://127.0.0.1:{closed.getsockname()[1]}/callback")
            await ready.act("follow")
        out = [line for line in ready.emulator.traffic.after(0) if line.direction == "out"]
        assert [line.verdict for line in out] == ["ClientConnectorError"] * 3
        assert ready.system_lines()[-1] == FAILURE_TEXT


async def test_without_a_callback_url_nothing_is_pushed() -> None:
    async with rig() as ready:
        ready.emulator.set_callback("oa", "main", "")
        await ready.act("follow")
        assert ready.receiver.received == []
        assert FAILURE_TEXT not in ready.system_lines()


async def test_one_persons_second_message_waits_for_the_first_to_be_answered() -> None:
    async with rig(conduct=replace(QUICK, reply_within_s=30.0)) as ready:
        gate = asyncio.Event()
        ready.receiver.answers.append(gate)
        await ready.emulator.act({"do": "follow", "openid": BUYER})
        await ready.emulator.act({"do": "say", "openid": BUYER, "text": "一"})
        await ready.emulator.act({"do": "follow", "openid": "oOther"})
        await ready.receiver.until(2)
        assert ready.emulator.busy()
        # Her own two, and the other's: as soon as that one is answered, it does not count any more.
        assert ready.emulator.waiting() + ready.emulator.answered() == 3
        assert [ready.receiver.opened(number)["FromUserName"] for number in (0, 1)] == [BUYER, "oOther"]
        gate.set()
        await ready.emulator.idle()
        assert not ready.emulator.busy()
        assert (ready.emulator.waiting(), ready.emulator.answered()) == (0, 3)
        assert ready.receiver.opened()["Content"] == "一"


def passive(mode: Mode, content: str = "好的", **changes: str) -> str:
    fields: dict[str, XmlField] = {
        "ToUserName": BUYER,
        "FromUserName": OA.gh_id,
        "CreateTime": int(AT),
        "MsgType": "text",
    }
    inner = compose({**fields, "Content": content, **changes})
    if mode == "plain":
        return inner
    encrypt = Lock(aes_key=AES_KEY, receiver=OA.app_id).seal(inner.encode())
    signed = signature(OA.token, AT, "77", encrypt)
    return compose({"Encrypt": encrypt, "MsgSignature": signed, "TimeStamp": int(AT), "Nonce": "77"})


@pytest.mark.parametrize(
    ("mode", "form"), [("plain", "plain"), ("safe", "safe"), ("compatible", "plain"), ("compatible", "safe")]
)
async def test_a_passive_reply_in_the_form_of_the_mode_is_shown(mode: Mode, form: Mode) -> None:
    async with rig(mode=mode, conduct=PATIENT) as ready:
        ready.receiver.answers.append(web.Response(text=passive(form)))
        await ready.act("follow")
        assert [bubble.text for bubble in ready.theirs()] == ["好的"]


@pytest.mark.parametrize("body", ["", "success"])
async def test_a_bare_acknowledgement_shows_nothing(body: str) -> None:
    async with rig(conduct=PATIENT) as ready:
        ready.receiver.answers.append(web.Response(text=body))
        await ready.act("follow")
        assert [bubble.side for bubble in ready.emulator.buyer_chat(BUYER)] == ["system"]
        assert FAILURE_TEXT not in ready.system_lines()


@pytest.mark.parametrize(
    "body",
    [
        "ok",
        "success ",
        "{}",
        "<xml/>",
        passive("plain"),
        passive("safe").replace("TimeStamp", "Timestamp"),
        passive("safe").replace("<Nonce><![CDATA[77", "<Nonce><![CDATA[78"),
        passive("safe", ToUserName="oSomebodyElse"),
        passive("safe", MsgType="poem"),
        "x" * 70_000,
    ],
)
async def test_a_malformed_answer_shows_the_failure_and_is_not_asked_again(body: str) -> None:
    async with rig(mode="safe", conduct=PATIENT) as ready:
        ready.receiver.answers.append(web.Response(text=body))
        await ready.act("follow")
        assert len(ready.receiver.received) == 1
        assert ready.system_lines()[-1] == FAILURE_TEXT


async def test_an_answer_that_is_no_utf8_is_malformed() -> None:
    async with rig(conduct=PATIENT) as ready:
        ready.receiver.answers.append(web.Response(body=b"\xff\xfe\xfd"))
        await ready.act("follow")
        assert ready.system_lines()[-1] == FAILURE_TEXT


async def test_a_failure_is_not_shown_to_someone_who_is_leaving() -> None:
    async with rig() as ready:
        await ready.act("follow")
        ready.receiver.answers.append(web.Response(text="ok"))
        await ready.act("unfollow")
        assert FAILURE_TEXT not in ready.system_lines()


async def test_a_passive_reply_of_an_app_is_noted_as_not_played() -> None:
    async with rig() as ready:
        ready.receiver.answers.append(web.Response(text="ok"))
        await ready.act("staff_say", staff_id=ADVISOR, text="在吗")
        assert [line.direction for line in ready.emulator.traffic.unfaithful()] == ["note"]
        assert len(ready.receiver.received) == 1


async def test_the_url_check_of_an_official_account_wants_its_echo_back() -> None:
    async with rig() as ready:
        assert (await ready.emulator.verify_callback("oa", "main")).accepted
        query = ready.receiver.received[0].query
        assert query["signature"] == signature(OA.token, query["timestamp"], query["nonce"])
        ready.receiver.echo = query["echostr"].encode() + b"\n"
        assert not (await ready.emulator.verify_callback("oa", "main")).accepted


async def test_the_url_check_of_an_app_wants_its_echo_decrypted() -> None:
    async with rig() as ready:
        assert not (await ready.emulator.verify_callback("wecom", "main")).accepted
        query = ready.receiver.received[0].query
        plain = WorkCrypto(WECOM.token, AES_KEY, WECOM.corp_id).check_signature(
            query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"]
        )
        assert str(plain).isdigit()
        assert parse_qs(urlencode({"e": query["echostr"]}))["e"] == [query["echostr"]]


@pytest.mark.parametrize(
    "action",
    [
        {"do": "say", "text": "在吗"},
        {"do": "menu", "key": "K"},
        {"do": "unfollow"},
        {"do": "follow", "openid": ""},
        {"do": "say"},
        {"do": "follow", "openid": BUYER, "scene": "\x00"},
        {"do": "follow", "openid": BUYER, "scene": "\ud800"},
        {"do": "follow", "openid": BUYER, "scene": 7},
        {"do": "follow", "account": "other"},
        {"do": "fly"},
        {},
        {"do": "follow", "scene": "x" * 5000},
    ],
)
async def test_what_nobody_can_do_is_refused_and_pushes_nothing(action: dict[str, Json]) -> None:
    async with rig() as ready:
        with pytest.raises(Impossible):
            await ready.emulator.act({"openid": BUYER, **action})
        assert not ready.emulator.busy()
        assert json.dumps(ready.emulator.state()["oa"]).count('"following": true') == 0


async def test_nobody_follows_twice() -> None:
    async with rig() as ready:
        await ready.act("follow")
        with pytest.raises(Impossible):
            await ready.act("follow")
        assert len(ready.receiver.received) == 1
