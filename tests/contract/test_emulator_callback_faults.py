"""Every fault of callbacks: what the server under test gets, and the blow in the log."""

import asyncio
import json

import pytest
from aiohttp import web

from bot.sandbox.emulator.crypto import signature
from bot.sandbox.emulator.settings import Mode
from bot.sandbox.emulator.wire import Json, NotXml, parse

from .emulator_rig import ADVISOR, BUYER, NOON, OA, PATIENT, Gate, Rig, rig


def of_texts(what: str, **more: Json) -> dict[str, Json]:
    """A fault of the next text that anybody writes."""
    return {"on": "callback", "what": what, "kind": "text", "count": 1, **more}


async def blows(ready: Rig) -> list[str]:
    """The ids of the blows to callbacks, in the order of the log."""
    return [str(line["fault"]) for line in await ready.logged("out")]


def contents(ready: Rig) -> list[str]:
    """The texts that arrived, in order."""
    return [ready.receiver.opened(number).get("Content", "") for number in range(len(ready.receiver.received))]


@pytest.mark.parametrize("kept", ["fresh", "same"])
@pytest.mark.parametrize("what", ["duplicate", "overlap"])
async def test_a_callback_comes_twice_with_a_fresh_or_the_same_signature(what: str, kept: str) -> None:
    async with rig(conduct=PATIENT) as ready:
        await ready.act("follow")
        await ready.put_in_force(of_texts(what, signature=kept))
        await ready.act("say", text="你好")
        first, second = ready.receiver.received[1:]
        assert first.body == second.body
        assert (first.query == second.query) is (kept == "same")
        assert sorted(await blows(ready)) == ["", "", "f1#1"]


async def test_overlapping_deliveries_are_under_way_at_the_same_time() -> None:
    async with rig(conduct=PATIENT) as ready:
        await ready.act("follow")
        answer = asyncio.Event()
        ready.receiver.answers.extend([answer, answer])
        await ready.put_in_force(of_texts("overlap"))
        saying = asyncio.create_task(ready.act("say", text="你好"))
        await ready.receiver.until(3)
        assert not saying.done()
        answer.set()
        await saying
        assert contents(ready) == ["", "你好", "你好"]


async def test_a_delayed_callback_comes_later_and_keeps_its_place() -> None:
    gate = Gate()
    async with rig(conduct=PATIENT, around=gate.around) as ready:
        await ready.act("follow")
        await ready.put_in_force(of_texts("delayed", seconds=60))
        await ready.emulator.act({"do": "say", "openid": BUYER, "text": "一"})
        await gate.entered.wait()
        await ready.emulator.act({"do": "say", "openid": BUYER, "text": "二"})
        assert (contents(ready), gate.asked) == ([""], [60])
        gate.opened.set()
        await ready.emulator.idle()
        assert (contents(ready), await blows(ready)) == (["", "一", "二"], ["", "f1#1", ""])


async def test_a_callback_is_overtaken_by_the_next_of_its_sender() -> None:
    async with rig(conduct=PATIENT) as ready:
        await ready.act("follow")
        await ready.put_in_force(of_texts("reorder", seconds=10))
        await ready.emulator.act({"do": "say", "openid": BUYER, "text": "一"})
        await ready.act("say", text="二")
        await ready.act("say", text="三")
        assert (contents(ready), await blows(ready)) == (["", "二", "一", "三"], ["", "", "f1#1", ""])


async def test_a_callback_that_nothing_follows_is_not_overtaken_and_not_counted() -> None:
    async with rig(conduct=PATIENT) as ready:
        await ready.act("follow")
        await ready.put_in_force(of_texts("reorder", seconds=0.01))
        await ready.act("say", text="一")
        assert (contents(ready), await blows(ready)) == (["", "一"], ["", ""])


async def test_a_lost_callback_is_never_delivered_and_stands_in_the_log() -> None:
    async with rig(conduct=PATIENT) as ready:
        await ready.act("follow")
        await ready.put_in_force(of_texts("lost"))
        await ready.act("say", text="你好")
        await ready.act("say", text="在吗")
        assert contents(ready) == ["", "在吗"]
        lost = (await ready.logged("out"))[1]
        assert (lost["fault"], lost["verdict"]) == ("f1#1", "never delivered")
        assert "你好" in str(lost["request"])


@pytest.mark.parametrize("mode", ["safe", "compatible", "plain"])
async def test_a_wrong_signature_is_followed_by_a_sound_delivery(mode: Mode) -> None:
    async with rig(mode=mode, conduct=PATIENT) as ready:
        await ready.act("follow")
        ready.receiver.answers.append(web.Response(status=403))
        await ready.put_in_force(of_texts("wrong_signature"))
        await ready.act("say", text="你好")
        bad, good = ready.receiver.received[1:]
        assert [signed(one.query, one.body, mode) for one in (bad, good)] == [False, True]
        assert (bad.body, await blows(ready)) == (good.body, ["", "f1#1", ""])


def signed(query: dict[str, str], body: str, mode: Mode) -> bool:
    """Whether the signature that counts in this mode is right."""
    parts = (OA.token, query["timestamp"], query["nonce"])
    if mode == "plain":
        return query["signature"] == signature(*parts)
    return query["msg_signature"] == signature(*parts, parse(body)["Encrypt"])


async def test_a_stale_timestamp_is_signed_rightly_for_an_hour_ago() -> None:
    async with rig(conduct=PATIENT) as ready:
        await ready.act("follow")
        await ready.put_in_force(of_texts("stale_timestamp"))
        ready.receiver.answers.append(web.Response(status=403))
        await ready.act("say", text="你好")
        stale, fresh = ready.receiver.received[1:]
        assert [int(one.query["timestamp"]) - NOON.timestamp() for one in (stale, fresh)] == [-3600, 0]
        assert signed(stale.query, stale.body, "safe")


async def test_a_malformed_callback_is_signed_and_opens_to_no_document() -> None:
    async with rig(conduct=PATIENT) as ready:
        await ready.act("follow")
        await ready.put_in_force(of_texts("malformed"))
        await ready.act("say", text="你好")
        (bad,) = ready.receiver.received[1:]
        assert signed(bad.query, bad.body, "safe")
        with pytest.raises(NotXml):
            ready.receiver.opened()


async def test_a_garbled_callback_is_no_document_at_all() -> None:
    async with rig(conduct=PATIENT) as ready:
        await ready.act("follow")
        ready.receiver.answers.append(web.Response(status=403))
        await ready.put_in_force(of_texts("garbled"))
        await ready.act("say", text="你好")
        with pytest.raises(NotXml):
            parse(ready.receiver.received[1].body)
        assert contents_of_last(ready) == "你好"


def contents_of_last(ready: Rig) -> str:
    return ready.receiver.opened()["Content"]


async def test_an_oversize_callback_is_larger_than_anything_the_platform_sends() -> None:
    async with rig(conduct=PATIENT) as ready:
        await ready.act("follow")
        ready.receiver.answers.append(web.Response(status=413))
        await ready.put_in_force(of_texts("oversize"))
        await ready.act("say", text="你好")
        big, sound = ready.receiver.received[1:]
        assert len(big.body) > 256 * 1024 > len(sound.body)


async def test_a_callback_cut_in_the_middle_never_arrives_whole_and_is_sent_again() -> None:
    async with rig(conduct=PATIENT) as ready:
        await ready.act("follow")
        await ready.put_in_force(of_texts("cut"))
        await ready.act("say", text="你好")
        assert contents(ready) == ["", "你好"]
        cut, again = (await ready.logged("out"))[1:]
        assert str(cut["verdict"]).startswith("cut after ")
        assert (cut["fault"], again["fault"], again["verdict"]) == ("f1#1", "", "answered 200")


async def test_several_deliveries_of_one_callback_share_one_blow() -> None:
    async with rig(conduct=PATIENT) as ready:
        await ready.act("follow")
        ready.receiver.answers.extend(web.Response(status=403) for _ in range(3))
        await ready.put_in_force(of_texts("wrong_signature", attempts=3))
        await ready.act("say", text="你好")
        assert await blows(ready) == ["", "f1#1", "f1#1", "f1#1"]
        assert ready.system_lines()[-1].endswith("故障，请稍后再试")


async def test_a_fault_of_callbacks_strikes_only_where_it_is_told_to() -> None:
    async with rig(conduct=PATIENT) as ready:
        await ready.put_in_force(
            {"on": "callback", "what": "lost", "platform": "wecom", "kind": "TEXT"},
            {"on": "callback", "what": "lost", "account": "other"},
            {"on": "callback", "what": "lost", "sender": "oSomebodyElse"},
            {"on": "callback", "what": "lost", "kind": "click"},
        )
        await ready.act("follow")
        await ready.act("say", text="你好")
        await ready.act("menu", key="BRAND")
        await ready.act("say", staff_id=ADVISOR, text="收到")
        assert (contents(ready), await blows(ready)) == (["", "你好"], ["", "", "f4#1", "f1#1"])


async def test_each_blow_has_an_id_of_its_own_and_the_state_counts_them() -> None:
    async with rig(conduct=PATIENT) as ready:
        await ready.act("follow")
        await ready.put_in_force({"on": "callback", "what": "lost", "kind": "text", "every": 2})
        for text in "一二三四":
            await ready.act("say", text=text)
        assert await blows(ready) == ["", "", "f1#1", "", "f1#2"]
        state = json.loads((await ready.control("GET", "/_emulator/state"))[1])
        assert state["faults"]["f1"] == {"what": "lost", "seen": 4, "hits": 2, "over": False}
