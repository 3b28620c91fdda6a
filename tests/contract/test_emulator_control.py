"""The control interface, the log, the change feed and the faults of the emulator."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from bot.sandbox.emulator import Emulator, EmulatorSettings, OaSettings, Platform
from bot.sandbox.emulator.traffic import Line, Traffic
from bot.sandbox.emulator.transcript import BUBBLES_MAX
from bot.sandbox.emulator.wire import Json

from .emulator_rig import ADVISOR, AES_KEY, BUYER, CONTROL_TOKEN, NOON, OA, WECOM, code_of, rig

CUSTOM = "/cgi-bin/message/custom/send"


async def test_acting_over_http_does_what_acting_in_the_process_does() -> None:
    async with rig() as ready:
        status, _ = await ready.control("POST", "/_emulator/act", {"do": "follow", "openid": BUYER})
        await ready.emulator.idle()
        assert status == 200
        assert ready.receiver.opened()["Event"] == "subscribe"
        assert ready.emulator.following(BUYER)


@pytest.mark.parametrize(
    ("body", "status"), [({"do": "say", "openid": BUYER, "text": "x"}, 409), ([], 400), ({"do": "fly"}, 409)]
)
async def test_an_impossible_act_over_http_says_why(body: Json, status: int) -> None:
    async with rig() as ready:
        got, text = await ready.control("POST", "/_emulator/act", body)
        assert (got, bool(json.loads(text)["error"])) == (status, True)


@pytest.mark.parametrize("do", ["add", "delete", "confirm", "enter", "trans"])
async def test_what_belongs_to_a_channel_that_is_not_emulated_says_so(do: str) -> None:
    async with rig() as ready:
        status, text = await ready.control("POST", "/_emulator/act", {"do": do, "openid": BUYER})
        assert (status, "没有这个通道" in json.loads(text)["error"]) == (501, True)


async def test_a_member_says_something_under_either_name() -> None:
    async with rig() as ready:
        for do in ("say", "staff_say"):
            await ready.act(do, staff_id=ADVISOR, text="收到")
        assert [ready.receiver.opened(number)["Content"] for number in (0, 1)] == ["收到", "收到"]


ROUTES = [("GET", "state"), ("GET", "log"), ("POST", "act"), ("POST", "faults"), ("POST", "clock"), ("PUT", "nothing")]


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer wrong", CONTROL_TOKEN, "Bearer \udcff"])
async def test_only_the_bearer_of_the_token_is_served(authorization: str) -> None:
    async with rig() as ready:
        for method, name in ROUTES:
            status, _ = await ready.control(method, f"/_emulator/{name}", authorization=authorization)
            assert status == (403 if authorization else 401)
        assert (await ready.control("GET", "/_emulator/state"))[0] == 200


async def test_without_a_token_of_ones_own_nobody_knows_it() -> None:
    """Before: whoever did not think of a token, as the demo did not, left the control interface open."""
    async with rig(control_token="") as ready:
        for authorization in ("Bearer", "Bearer "):
            assert (await ready.control("GET", "/_emulator/state", authorization=authorization))[0] == 403


async def test_the_state_shows_followers_and_their_windows() -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.send_text()
        state = json.loads((await ready.control("GET", "/_emulator/state"))[1])
        buyer = state["oa"]["main"]["people"][BUYER]
        assert buyer["following"] is True
        assert buyer["windows"] == [{"kind": "follow", "left": 2, "closes_at": "2026-05-01T04:01:00+00:00"}]
        assert state["wecom"]["main"]["members"][ADVISOR]["name"] == "张敏"
        assert (state["now"], state["busy"]) == (NOON.isoformat(), False)


async def test_the_log_tells_acts_callbacks_and_requests_in_order() -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.send_text("您好")
        lines = await ready.logged()
        assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
        assert [(line["direction"], line["endpoint"]) for line in lines] == [
            ("act", "follow"),
            ("out", "callback"),
            ("in", "POST /cgi-bin/stable_token"),
            ("in", f"POST {CUSTOM}"),
        ]
        sent = lines[-1]
        assert (sent["verdict"], sent["reply_sent"], sent["virtual_at"]) == ("ok", True, NOON.isoformat())
        assert "您好" in json.dumps(sent["request"], ensure_ascii=False)
        assert [line["seq"] for line in await ready.logged(after=3)] == [4]


async def test_the_log_holds_no_secret_and_no_token() -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.send_text()
        await ready.send_app_text()
        text = json.dumps(await ready.logged())
        tokens = [await ready.oa_token(), await ready.app_token()]
        assert not [secret for secret in (OA.secret, WECOM.secret, *tokens) if secret in text]


async def test_the_log_file_has_the_same_lines_and_outlives_the_emulator(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    async with rig(log_path=path) as ready:
        await ready.act("follow")
        await ready.send_text()
        lines = await ready.logged()
        assert [json.loads(line) for line in path.read_text().splitlines()] == lines
    async with rig(log_path=path) as again:
        await again.act("follow")
    assert len(path.read_text().splitlines()) == len(lines) + 2


async def test_an_unknown_endpoint_is_an_error_and_noted() -> None:
    async with rig() as ready:
        async with ready.http.post(f"{ready.base}/cgi-bin/menu/create", json={}) as response:
            assert response.status == 404
        async with ready.http.get(f"{ready.base}{CUSTOM}") as response:
            assert response.status == 404
        assert [line["unfaithful"] for line in await ready.logged()] == [True, True]


async def test_a_request_with_a_strange_query_is_unfaithful() -> None:
    async with rig() as ready:
        url = f"{ready.base}{CUSTOM}?access_token={await ready.oa_token()}&debug=1"
        async with ready.http.post(url, data=b"{}") as response:
            assert code_of(await response.json()) == 40035
        assert (await ready.logged())[-1]["unfaithful"] is True


async def test_each_platform_has_an_address_that_serves_it_alone() -> None:
    async with rig() as ready:
        oa, wecom = ready.emulator.base_url("oa"), ready.emulator.base_url("wecom")
        assert len({oa, wecom, ready.base}) == 3
        query = {"corpid": WECOM.corp_id, "corpsecret": WECOM.secret}
        for base, status in ((wecom, 200), (ready.base, 200), (oa, 404)):
            async with ready.http.get(f"{base}/cgi-bin/gettoken", params=query) as response:
                assert response.status == status


async def test_the_callback_addresses_are_told_to_the_platform_that_asks() -> None:
    async with rig() as ready:
        for token in (await ready.oa_token(), await ready.app_token()):
            assert (await ready.get("/cgi-bin/getcallbackip", access_token=token))["ip_list"] == ["127.0.0.1"]
        assert [line["platform"] for line in await ready.logged()] == ["oa", "wecom", "oa", "wecom"]


@pytest.mark.parametrize("platform", ["oa", "wecom"])
async def test_a_platform_that_is_down_refuses_connections_and_comes_back(platform: Platform) -> None:
    async with rig() as ready:
        url = f"{ready.emulator.base_url(platform)}/cgi-bin/getcallbackip"
        async with ready.http.get(url) as response:
            assert response.status == 200
        await ready.emulator.faults.take_down(platform)
        with pytest.raises(aiohttp.ClientConnectorError):
            await ready.http.get(url)
        await ready.emulator.faults.bring_up(platform)
        async with ready.http.get(url) as response:
            assert response.status == 200


async def test_one_platform_down_leaves_the_other_up_at_the_shared_address() -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.emulator.faults.take_down("oa")
        with pytest.raises(aiohttp.ClientError):
            await ready.send_text()
        assert code_of(await ready.send_app_text()) == 0
        await ready.emulator.faults.bring_up("oa")
        assert await ready.send_text() == 0


async def test_a_platform_in_error_answers_503_and_does_nothing() -> None:
    async with rig() as ready:
        await ready.act("follow")
        token = await ready.oa_token()
        await ready.emulator.faults.take_down("oa", "error")
        async with ready.http.post(f"{ready.base}{CUSTOM}?access_token={token}", data=b"{}") as response:
            assert response.status == 503
        assert ready.theirs() == []


async def test_a_lost_reply_happened_and_is_logged_as_not_sent() -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.oa_token()
        ready.emulator.faults.lose_replies("oa", 1)
        with pytest.raises(aiohttp.ClientError):
            await ready.send_text("第一条")
        assert await ready.send_text("第二条") == 0
        assert [bubble.text for bubble in ready.theirs()] == ["第一条", "第二条"]
        sends = [line for line in await ready.logged() if line["endpoint"] == f"POST {CUSTOM}"]
        assert [(line["verdict"], line["reply_sent"]) for line in sends] == [("ok", False), ("ok", True)]


async def test_a_refused_send_does_not_use_up_a_lost_reply() -> None:
    async with rig() as ready:
        await ready.act("follow")
        ready.emulator.faults.lose_replies("oa", 1)
        assert await ready.send_text("a" * 3000) == 45002
        with pytest.raises(aiohttp.ClientError):
            await ready.send_text()


async def test_a_forced_answer_refuses_the_next_sends_only() -> None:
    async with rig() as ready:
        await ready.act("follow")
        ready.emulator.faults.answer_with("oa", -1, count=2)
        assert [await ready.send_text() for _ in range(3)] == [-1, -1, 0]
        assert len(ready.theirs()) == 1


async def test_a_slow_platform_answers_after_its_delay() -> None:
    async with rig() as ready:
        await ready.act("follow")
        token = await ready.oa_token()
        ready.emulator.faults.delay("oa", 30.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await ready.post(CUSTOM, {}, token=token)
        ready.emulator.faults.delay("oa", 0)
        assert await ready.send_text() == 0


async def test_whoever_waits_for_a_change_is_woken_by_it() -> None:
    async with rig() as ready:
        before = ready.emulator.feed.number
        waiting = asyncio.create_task(ready.emulator.changed(before))
        await ready.act("follow")
        assert await waiting == ready.emulator.feed.number > before


async def test_bubbles_are_numbered_in_the_order_they_appeared_on_all_phones() -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.send_app_text("一")
        await ready.act("say", text="二")
        buyer, staff = ready.emulator.buyer_chat(BUYER), ready.emulator.staff_chat(ADVISOR)
        assert [bubble.seq for bubble in (buyer[0], staff[0], buyer[1])] == [1, 2, 3]
        assert {bubble.at for bubble in (*buyer, *staff)} == {NOON}


async def test_a_conversation_keeps_its_newest_bubbles() -> None:
    async with rig() as ready:
        ready.emulator.set_callback("oa", "main", "")
        await ready.act("follow")
        for number in range(BUBBLES_MAX):
            await ready.act("say", text=str(number))
        bubbles = ready.emulator.buyer_chat(BUYER)
        assert (len(bubbles), bubbles[0].text, bubbles[-1].text) == (BUBBLES_MAX, "0", str(BUBBLES_MAX - 1))


async def test_the_conversation_of_a_stranger_is_empty() -> None:
    async with rig() as ready:
        assert ready.emulator.buyer_chat("oNobody") == ready.emulator.staff_chat("nobody") == []


async def test_the_emulator_listens_on_loopback_only() -> None:
    async with rig() as ready:
        emulator = Emulator(settings=EmulatorSettings(), clock=ready.clock)
        with pytest.raises(ValueError, match="not a loopback address"):
            await emulator.start("0.0.0.0")
        await emulator.stop()


def test_settings_refuse_two_accounts_of_one_name_and_a_short_key() -> None:
    with pytest.raises(ValueError, match="names repeat"):
        EmulatorSettings(oa=(OA, OA))
    with pytest.raises(ValueError, match="43 letters"):
        OaSettings(name="x", app_id="a", secret="s", token="t", aes_key=AES_KEY[:42], gh_id="g")


def test_settings_do_not_show_their_secrets() -> None:
    shown = repr(EmulatorSettings(oa=(OA,), wecom=(WECOM,)))
    assert not [secret for secret in (OA.secret, OA.token, WECOM.secret, AES_KEY) if secret in shown]


async def test_lines_that_no_longer_fit_in_memory_are_dropped_from_the_front() -> None:
    async with rig() as ready:
        traffic = Traffic(ready.clock)
        for _ in range(3):
            traffic.append(Line(direction="note", platform="oa", endpoint="x"))
        assert [line.seq for line in traffic.after(1, limit=1)] == [2]
