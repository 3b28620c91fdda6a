"""The whole product and a partner's server of the emulator: a journey asks, and gets its answer over real HTTP."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from bot.core.events import Json
from bot.sandbox.clock import VirtualClock
from bot.sandbox.emulator.answers import Answers, BadAnswer, read_answer
from bot.sandbox.watching import look
from bot.sandbox.world import World, world

from .posting import NOW
from .product_rig import BUYER, ROOT

JOURNEY = """
dsl: 1
journey: order
name: 建单
channel: oa
enter: [{keyword: [建单]}]
states:
  ask:
    webhook: {call: crm.create_lead, body: {customer: customer.id}, save: crm, fail: {goto: failed}}
    then: done
  done: {do: [{tag: 建好了}], end: done}
  failed: {do: [{tag: 没建成}], end: failed}
"""


@asynccontextmanager
async def asking(place: Path) -> AsyncIterator[World]:
    """A world with the shipped journeys and one that asks a webhook."""
    for name in ("journeys", "content"):
        shutil.copytree(ROOT / name, place / name)
    (place / "journeys" / "order.yaml").write_text(JOURNEY, encoding="utf-8")
    async with world(
        ROOT / "config.toml", place / "journeys", place / "content", clock=VirtualClock(NOW), directory=place
    ) as found:
        yield found


async def order(at: World) -> None:
    await at.act({"do": "follow", "openid": BUYER})
    await at.act({"do": "say", "openid": BUYER, "text": "建单"})


async def tags(at: World) -> frozenset[str]:
    sight = await look(at, BUYER)
    assert sight is not None
    return sight.customer.tags & {"建好了", "没建成"}


async def test_a_journey_asks_a_partner_that_answers_well_unless_told_otherwise(tmp_path: Path) -> None:
    async with asking(tmp_path) as at:
        await order(at)
        assert await tags(at) == {"建好了"}
        assert at.emulator.state()["partners"] == {"crm.create_lead": 1}


async def test_a_lost_reply_and_trouble_lead_to_one_order(tmp_path: Path) -> None:
    """The first try meets an error, the second is done and its reply is lost, the third hears what was done."""
    async with asking(tmp_path) as at:
        await at.emulator.answer_partners({"crm.create_lead": {"lost": {"id": "L1"}, "times": 1}})
        await at.emulator.answer_partners({"crm.create_lead": {"fail": 500, "times": 1}})
        await order(at)
        assert await tags(at) == frozenset()
        await at.turn(timedelta(seconds=30))
        assert await tags(at) == {"建好了"}
        asked = [line for line in at.emulator.traffic.after(0, limit=1000) if line.endpoint == "crm.create_lead"]
        assert [line.verdict for line in asked] == ["500", "lost", "200"]
        assert at.emulator.state()["partners"] == {"crm.create_lead": 1}


async def test_a_refusal_is_heard_by_the_journey(tmp_path: Path) -> None:
    async with asking(tmp_path) as at:
        url, token = at.emulator.base_url(), at.emulator.control_token
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
            async with http.post(f"{url}/_emulator/partners", json={"crm.create_lead": {"fail": 404}}) as reply:
                assert reply.status == 200
            async with http.post(f"{url}/_emulator/partners", json={"crm.create_lead": {"fail": "no"}}) as reply:
                assert reply.status == 400
        await order(at)
        assert await tags(at) == {"没建成"}


async def test_a_partner_takes_nothing_that_is_not_signed(tmp_path: Path) -> None:
    async with asking(tmp_path) as at, aiohttp.ClientSession() as http:
        async with http.post(f"{at.emulator.base_url()}/_partners/crm/create_lead", json={}) as reply:
            assert reply.status == 401
        assert at.emulator.state()["partners"] == {}


@pytest.mark.parametrize(
    "wrong",
    [None, {}, {"fail": 200}, {"fail": True}, {"timeout": False}, {"ok": 1, "fail": 500}, {"ok": 1, "times": 0}],
)
def test_what_is_no_answer_is_refused(wrong: Json) -> None:
    with pytest.raises(BadAnswer):
        read_answer(wrong)


def test_an_errand_that_was_done_is_answered_so_again_and_not_done_twice() -> None:
    answers = Answers()
    first = answers.answer("crm.create_lead", "KEY")
    answers.put("crm.create_lead", read_answer({"fail": 500}))
    assert answers.answer("crm.create_lead", "KEY") == first
    assert answers.answer("crm.create_lead", "OTHER").status == 500
    assert answers.done == {"crm.create_lead": 1}
