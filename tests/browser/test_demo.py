"""The whole product in a browser: a buyer becomes a lead, an advisor takes over, the bot keeps silent."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from .phone import Phone

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(rb"http://[0-9.]+:[0-9]+")


async def _address(process: Process) -> str:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        found = ADDRESS.search(line)
        if found is not None:
            return found.group().decode()
    raise AssertionError("zhitu demo ended without saying where it is")


@pytest_asyncio.fixture(loop_scope="session")
async def demo() -> AsyncIterator[str]:
    """`zhitu demo` as a person starts it."""
    command = (sys.executable, "-m", "bot", "demo", "--port", "0")
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE)
    try:
        yield await asyncio.wait_for(_address(process), 30)
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_a_buyer_becomes_a_lead_and_an_advisor_talks_to_her(demo: str, phone: Phone) -> None:
    await phone.open(demo)
    await phone.follow()
    await phone.buyer.shows("欢迎")
    await phone.buyer.tap("看车")
    await phone.buyer.shows("怎么称呼您")
    await phone.buyer.say("王先生")
    await phone.buyer.shows("您同意吗")
    await phone.buyer.tap("同意")
    await phone.in_state("oa-welcome", "phone")
    await phone.buyer.say("１３８ ００１３ ８０００")
    await phone.buyer.shows("138****8000")
    await phone.buyer.say("对")
    await phone.buyer.shows("谢谢王先生")
    await phone.advisor.shows("新线索 王先生：看车")

    await phone.advisor.click("accept")
    await expect(phone.advisor.button("close")).to_be_visible()
    await phone.advisor.say("王先生您好，我是张敏，周六上午方便来店里看看吗？")
    said = await phone.buyer.shows("我是张敏")
    assert said.side == "them"

    before = [seen for seen in await phone.buyer.bubbles() if seen.side == "them"]
    await phone.buyer.say("可以的，上午十点")
    await phone.advisor.shows("王先生：可以的，上午十点")
    await phone.idle()
    after = [seen for seen in await phone.buyer.bubbles() if seen.side == "them"]
    assert after == before, "the bot must be silent while a colleague talks"


async def test_a_buyer_who_falls_silent_is_let_go_when_the_clock_turns(demo: str, phone: Phone) -> None:
    await phone.open(demo)
    await phone.follow()
    await phone.buyer.say("看车")
    await phone.buyer.shows("怎么称呼您")
    await phone.turn(86_400)
    await phone.in_state("oa-welcome", "sleep")
    assert any("结束" in reason for reason in await phone.reasons())
