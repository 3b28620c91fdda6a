"""Every fault of requests to the platforms, over HTTP, and the blow in the log by which a checker excuses it."""

import asyncio
import json
import socket

import aiohttp
import pytest
from yarl import URL

from bot.sandbox.emulator.wire import Json

from .emulator_rig import BUYER, OA, TEMPLATE_ID, WECOM, Gate, Rig, code_of, rig, standing_alone

CUSTOM = "/cgi-bin/message/custom/send"
STABLE = "/cgi-bin/stable_token"


def of_sends(what: str, **more: Json) -> dict[str, Json]:
    """A fault of everything that makes a message appear."""
    return {"on": "call", "what": what, "endpoint": "sends", **more}


async def struck(ready: Rig) -> list[dict[str, Json]]:
    """The lines of requests that a fault made what they are."""
    return [line for line in await ready.logged("in") if line["fault"]]


async def raw_send(ready: Rig) -> tuple[int, bytes]:
    """Send a text, and take the reply as it is."""
    token = await ready.oa_token()
    body: Json = {"touser": BUYER, "msgtype": "text", "text": {"content": "您好"}}
    raw = json.dumps(body, ensure_ascii=False).encode()
    async with ready.http.post(f"{ready.base}{CUSTOM}", params={"access_token": token}, data=raw) as response:
        return response.status, await response.read()


@pytest.mark.parametrize(("moment", "arrived"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("what", ["cut", "torn"])
async def test_a_connection_that_ends_early_leaves_the_message_accepted_or_not(
    what: str, moment: str, arrived: int
) -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.put_in_force(of_sends(what, moment=moment, count=1))
        with pytest.raises(aiohttp.ClientError):
            await ready.send_text("第一条")
        assert len(ready.theirs()) == arrived
        assert await ready.send_text("第二条") == 0
        (line,) = await struck(ready)
        assert (line["fault"], line["reply_sent"]) == ("f1#1", False)
        assert str(line["verdict"]).startswith("ok") is bool(arrived)


@pytest.mark.parametrize(("moment", "arrived"), [("before", 0), ("after", 1)])
async def test_a_server_error_comes_before_or_after_the_message_was_accepted(moment: str, arrived: int) -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.put_in_force(of_sends("error", moment=moment, status=504, count=1))
        assert await raw_send(ready) == (504, b"")
        assert len(ready.theirs()) == arrived
        assert [line["fault"] for line in await struck(ready)] == ["f1#1"]


@pytest.mark.parametrize(("moment", "arrived"), [("before", 0), ("after", 1)])
async def test_a_malformed_reply_is_no_json(moment: str, arrived: int) -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.put_in_force(of_sends("malformed", moment=moment, count=1))
        status, body = await raw_send(ready)
        with pytest.raises(ValueError):
            json.loads(body)
        assert (status, len(ready.theirs())) == (200, arrived)


@pytest.mark.parametrize("code", [-1, 45009, 45011, 45015, 40001, 48004])
async def test_any_code_can_be_the_answer(code: int) -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.put_in_force(of_sends("errcode", code=code, count=2))
        assert [await ready.send_text() for _ in range(3)] == [code, code, 0]
        assert [line["fault"] for line in await struck(ready)] == ["f1#1", "f1#2"]
        assert len(ready.theirs()) == 1


async def test_a_code_may_lie_about_what_was_accepted() -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.put_in_force(of_sends("errcode", code=-1, moment="after", count=1))
        assert await ready.send_text() == -1
        assert len(ready.theirs()) == 1
        (line,) = await struck(ready)
        assert line["verdict"] == "ok"


async def test_a_quota_that_is_used_up_for_an_hour_ends_with_the_hour() -> None:
    async with rig(around=standing_alone) as ready:
        await ready.act("follow")
        await ready.act("say", text="在吗")
        await ready.put_in_force({"on": "call", "what": "errcode", "code": 45009, "endpoint": CUSTOM, "for_s": 3600})
        assert await ready.send_text() == 45009
        await ready.control("POST", "/_emulator/clock", {"advance_s": 3599})
        assert await ready.send_text() == 45009
        await ready.control("POST", "/_emulator/clock", {"advance_s": 1})
        assert await ready.send_text() == 0
        state = json.loads((await ready.control("GET", "/_emulator/state"))[1])
        assert state["faults"]["f1"] == {"what": "errcode", "seen": 2, "hits": 2, "over": True}


async def test_a_slow_platform_accepts_after_its_client_has_gone() -> None:
    """The client's patience ends while the platform thinks; what it asked for happens all the same."""
    gate = Gate()
    async with rig(around=gate.around) as ready:
        await ready.act("follow")
        await ready.put_in_force(of_sends("slow", seconds=90, count=1))
        await gone_while_waiting(ready, gate)
        assert (ready.theirs(), gate.asked) == ([], [90])
        before = ready.emulator.feed.number
        gate.opened.set()
        await ready.emulator.changed(before)
        assert len(ready.theirs()) == 1
        (line,) = await struck(ready)
        assert (line["verdict"], line["fault"]) == ("ok", "f1#1")


async def gone_while_waiting(ready: Rig, gate: Gate) -> None:
    """Send a text, and hang up as soon as the platform begins to wait."""
    sending = asyncio.create_task(ready.send_text())
    await gate.entered.wait()
    sending.cancel()
    await asyncio.wait([sending])
    for _ in range(3):  # round trips at another connection, after which this one is known to be closed
        await ready.logged()


async def test_a_reply_that_is_slower_than_its_client_is_noted_as_not_sent() -> None:
    gate = Gate()
    async with rig(around=gate.around) as ready:
        await ready.act("follow")
        await ready.put_in_force(of_sends("slow", moment="after", seconds=90, count=1))
        await gone_while_waiting(ready, gate)
        (line,) = await struck(ready)
        assert (len(ready.theirs()), line["reply_sent"]) == (1, None)
        gate.opened.set()
        (note,) = await noted(ready, "reply", 1)
        assert (note["reply_sent"], note["request"]) == (False, {"of": line["seq"]})


async def test_a_reply_to_a_client_that_is_gone_counts_as_not_sent_before_the_platform_has_looked() -> None:
    gate = Gate()
    async with rig(around=gate.around) as ready:
        await ready.act("follow")
        token = await ready.oa_token()
        await ready.put_in_force(of_sends("slow", moment="after", seconds=90, count=1))
        where = URL(ready.base)
        body = json.dumps({"touser": BUYER, "msgtype": "text", "text": {"content": "hello"}}).encode()
        head = (
            f"POST {CUSTOM}?access_token={token} HTTP/1.1\r\nHost: {where.host}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection((where.host, where.port)) as client:
            client.sendall(head.encode() + body)
            await gate.entered.wait()
        gate.opened.set()
        (note,) = await noted(ready, "reply", 1)
        assert note["reply_sent"] is False


async def noted(ready: Rig, endpoint: str, count: int) -> list[dict[str, Json]]:
    """So many notes of this kind, as soon as they stand in the log; the test's own time limit ends a wait in vain."""
    found: list[dict[str, Json]] = []
    while len(found) < count:
        found = [line for line in await ready.logged("note") if line["endpoint"] == endpoint]
    return found


async def test_a_late_reply_that_is_waited_for_is_noted_as_sent() -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.put_in_force(of_sends("slow", moment="after", seconds=0.01, count=1))
        assert await ready.send_text() == 0
        assert [line["reply_sent"] for line in await noted(ready, "reply", 1)] == [True]


async def test_a_token_dies_in_the_middle_of_a_batch() -> None:
    async with rig() as ready:
        await ready.act("follow")
        token = await ready.oa_token()
        await ready.put_in_force(of_sends("token_killed", after=1, count=1))
        body: Json = {"touser": BUYER, "msgtype": "text", "text": {"content": "您好"}}
        codes = [code_of(await ready.post(CUSTOM, body, token=token)) for _ in range(3)]
        assert codes == [0, 40001, 40001]
        assert await ready.oa_token() == token, "normal mode returns the dead one again"
        fresh = await ready.oa_token(force_refresh=True)
        assert code_of(await ready.post(CUSTOM, body, token=fresh)) == 0


async def test_a_killed_token_of_an_application_is_replaced_by_the_next_request_for_one() -> None:
    async with rig() as ready:
        token = await ready.app_token()
        await ready.put_in_force(of_sends("token_killed", platform="wecom", count=1))
        body: Json = {"touser": "zhangmin", "msgtype": "text", "agentid": WECOM.agent_id, "text": {"content": "x"}}
        assert code_of(await ready.post("/cgi-bin/message/send", body, token=token)) == 40014
        assert code_of(await ready.post("/cgi-bin/message/send", body)) == 0


@pytest.mark.parametrize("platform", ["oa", "wecom"])
async def test_a_token_can_be_dead_when_it_is_handed_out(platform: str) -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.put_in_force({"on": "call", "what": "dead_token", "endpoint": "tokens", "platform": platform})
        if platform == "oa":
            assert await ready.send_text() == 40001
        else:
            assert code_of(await ready.send_app_text()) == 40014


async def test_a_dropped_message_is_accepted_and_reaches_nobody() -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.put_in_force(of_sends("drop"))
        assert await ready.send_text() == 0
        assert code_of(await ready.send_app_text()) == 0
        fields: Json = {"thing1": {"value": "试驾"}, "time2": {"value": "周六"}}
        template: Json = {"touser": BUYER, "template_id": TEMPLATE_ID, "data": fields}
        reply = await ready.post("/cgi-bin/message/template/send", template)
        assert (code_of(reply), ready.theirs(), ready.emulator.staff_chat("zhangmin")) == (0, [], [])
        assert [str(line["verdict"]).startswith("ok, silently dropped") for line in await struck(ready)] == [True] * 3


async def test_an_unreachable_platform_refuses_connections_and_comes_back() -> None:
    gate = Gate()
    async with rig(around=gate.around) as ready:
        url = f"{ready.emulator.base_url('oa')}/cgi-bin/getcallbackip"
        await ready.put_in_force({"on": "call", "what": "unreachable", "platform": "oa", "seconds": 30, "count": 1})
        with pytest.raises(aiohttp.ClientError):
            await ready.http.get(url)
        await noted(ready, "outage", 1)
        with pytest.raises(aiohttp.ClientConnectorError):
            await ready.http.get(url)
        with pytest.raises(aiohttp.ClientError):
            await ready.http.get(f"{ready.base}/cgi-bin/user/info")
        gate.opened.set()
        begun, over = await noted(ready, "outage", 2)
        async with ready.http.get(url) as response:
            assert response.status == 200
        assert (begun["verdict"], over["verdict"], gate.asked) == ("begun", "over", [30])


async def test_a_fault_strikes_only_where_it_is_told_to() -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.put_in_force(
            {"on": "call", "what": "errcode", "code": -1, "account": "other"},
            {"on": "call", "what": "errcode", "code": -1, "platform": "wecom", "account": "main"},
            {"on": "call", "what": "errcode", "code": -1, "endpoint": "/cgi-bin/user/info"},
        )
        assert await ready.send_text() == 0
        assert code_of(await ready.get("/cgi-bin/user/info", access_token=await ready.oa_token(), openid=BUYER)) == -1
        corp = {"corpid": WECOM.corp_id, "corpsecret": WECOM.secret}
        assert code_of(await ready.get("/cgi-bin/gettoken", **corp)) == -1


async def test_a_fault_can_spare_some_and_strike_every_nth_of_the_others() -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.act("say", text="在吗")
        await ready.put_in_force(of_sends("errcode", code=-1, after=1, every=2, count=2))
        assert [await ready.send_text() for _ in range(7)] == [0, 0, -1, 0, -1, 0, 0]


async def test_chance_is_the_same_for_the_same_seed() -> None:
    async def codes(seed: int) -> list[int]:
        async with rig() as ready:
            fault: dict[str, Json] = {"on": "call", "what": "errcode", "code": -1, "endpoint": STABLE}
            await ready.put_in_force({**fault, "probability": 0.5, "seed": seed})
            asked = {"grant_type": "client_credential", "appid": OA.app_id, "secret": OA.secret}
            return [code_of(await ready.post(STABLE, dict(asked), token="")) for _ in range(40)]

    first = await codes(1)
    assert first == await codes(1) != await codes(2)
    assert 5 < first.count(-1) < 35


async def test_at_most_one_fault_strikes_a_request() -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.put_in_force(of_sends("errcode", code=-1, count=1), of_sends("errcode", code=45011, count=1))
        assert [await ready.send_text() for _ in range(3)] == [-1, 45011, 0]


async def test_clearing_ends_all_faults() -> None:
    async with rig() as ready:
        await ready.act("follow")
        await ready.put_in_force(of_sends("errcode", code=-1))
        assert await ready.send_text() == -1
        status, text = await ready.control("POST", "/_emulator/faults", {"clear": True})
        assert (status, json.loads(text)) == (200, {"faults": {}})
        assert await ready.send_text() == 0
        told = [line["verdict"] for line in await ready.logged("note")]
        assert told == ["fault in force", "faults cleared"]
