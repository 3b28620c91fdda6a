"""The emulator within a process, without a socket: the same bytes for the same seed."""

import json
from collections.abc import Mapping
from random import Random

import pytest

from bot.sandbox.clock import VirtualClock
from bot.sandbox.emulator import (
    Answered,
    Conduct,
    ConnectionCut,
    Emulator,
    EmulatorSettings,
    GaveUp,
    Letter,
    Outcome,
    Surroundings,
)
from bot.sandbox.emulator.fault_rules import CallbackFault, CallFault, When
from bot.sandbox.emulator.wire import Json

from .emulator_rig import ADVISOR, BUYER, NOON, OA, WECOM, card_request

CUSTOM = "/cgi-bin/message/custom/send"
TEXT: Json = {"touser": BUYER, "msgtype": "text", "text": {"content": "您好"}}


class Inside:
    """An emulator with the server under test in the same process."""

    def __init__(self, seed: int) -> None:
        self.letters: list[Letter] = []
        self.statuses: list[int] = []
        clock = VirtualClock(NOON)
        self.emulator = Emulator(
            settings=EmulatorSettings(oa=(OA,), wecom=(WECOM,), conduct=Conduct(retry_every_s=0)),
            clock=clock,
            surroundings=Surroundings(chance=Random(seed), real=clock.now, carrier=self.carry),
        )
        self.emulator.set_callback("oa", "main", "http://product/callback/oa/main")
        self.emulator.set_callback("wecom", "main", "http://product/callback/wecom/main")

    async def carry(self, letter: Letter) -> Outcome:
        self.letters.append(letter)
        status = self.statuses.pop(0) if self.statuses else 200
        return Answered(body=b"success") if status == 200 else GaveUp(why=f"HTTP {status}")

    async def act(self, do: str, **fields: Json) -> None:
        who: dict[str, Json] = {} if "staff_id" in fields else {"openid": BUYER}
        await self.emulator.act({"do": do, **who, **fields})
        await self.emulator.idle()

    async def post(self, path: str, body: Json, **query: str) -> Mapping[str, Json]:
        raw = json.dumps(body, ensure_ascii=False).encode()
        reply = (await self.emulator.call("POST", path, query=query, body=raw)).json()
        assert isinstance(reply, dict)
        return reply

    async def token(self) -> str:
        asked: Json = {"grant_type": "client_credential", "appid": OA.app_id, "secret": OA.secret}
        return str((await self.post("/cgi-bin/stable_token", asked))["access_token"])

    async def app_token(self) -> str:
        query = {"corpid": WECOM.corp_id, "corpsecret": WECOM.secret}
        reply = (await self.emulator.call("GET", "/cgi-bin/gettoken", query=query)).json()
        assert isinstance(reply, dict)
        return str(reply["access_token"])


async def story(seed: int) -> tuple[list[object], Inside]:
    """Everything that came out of an emulator: callbacks, replies and log."""
    inside = Inside(seed)
    await inside.act("follow", scene="td_sh01")
    replies = [await inside.post(CUSTOM, TEXT, access_token=await inside.token()), await inside.post(CUSTOM, {})]
    card = await inside.post("/cgi-bin/message/send", card_request("lead_1"), access_token=await inside.app_token())
    await inside.act("click", staff_id=ADVISOR, task_id="lead_1", key="btn_accept")
    return [*inside.letters, *replies, card, *inside.emulator.traffic.after(0)], inside


async def test_two_runs_with_one_seed_are_alike_to_the_byte_and_with_another_are_not() -> None:
    first, second, other = (await story(1))[0], (await story(1))[0], (await story(2))[0]
    assert first == second
    assert first != other
    assert len(first) == len(other)


async def test_a_call_within_the_process_is_judged_like_one_over_http() -> None:
    _, inside = await story(1)
    assert (await inside.post(CUSTOM, TEXT, access_token="nobody's"))["errcode"] == 40014
    assert (await inside.emulator.call("POST", "/cgi-bin/menu/create", query={})).status == 404
    assert inside.emulator.traffic.unfaithful()[-1].endpoint == "POST /cgi-bin/menu/create"


async def test_a_connection_that_is_cut_raises_and_tells_a_refusal_apart() -> None:
    _, inside = await story(1)
    token = await inside.token()
    cut = CallFault(fault_id="a", what="cut", moment="after", endpoint="sends", when=When(count=1))
    torn = CallFault(fault_id="b", what="torn", moment="after", endpoint="sends", when=When(count=1))
    for fault in (cut, torn):
        inside.emulator.faults.add([fault])
        with pytest.raises(ConnectionCut) as caught:
            await inside.post(CUSTOM, TEXT, access_token=token)
        assert not caught.value.refused
    await inside.emulator.faults.take_down("oa")
    with pytest.raises(ConnectionCut) as caught:
        await inside.post(CUSTOM, TEXT, access_token=token)
    assert caught.value.refused
    assert [bubble.side for bubble in inside.emulator.buyer_chat(BUYER)].count("them") == 3


async def test_a_carrier_sees_retries_and_spoiled_letters() -> None:
    inside = Inside(1)
    inside.emulator.faults.add([CallbackFault(fault_id="c", what="cut", when=When(count=1))])
    inside.statuses = [500, 500]
    await inside.act("follow")
    assert [letter.cut_at is None for letter in inside.letters] == [False, True, True]
    assert {letter.url for letter in inside.letters} == {"http://product/callback/oa/main"}
    assert [line.fault for line in inside.emulator.traffic.after(0) if line.direction == "out"] == ["c#1", "", ""]


async def test_an_emulator_that_was_never_started_can_be_stopped() -> None:
    _, inside = await story(1)
    await inside.emulator.stop()
    assert not inside.emulator.busy()
