"""The whole product in a browser: a buyer becomes a lead, an advisor takes over, the bot keeps silent."""

import asyncio
import re
import shutil
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
        assert b"[warning" not in line
    raise AssertionError("zhitu demo ended without saying where it is")


@asynccontextmanager
async def demonstration(*options: str) -> AsyncIterator[tuple[str, Process]]:
    """`zhitu demo` as a person starts it, with its address; both of its streams are read as one."""
    command = (sys.executable, "-m", "bot", "demo", "--port", "0", *options)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, stderr=STDOUT)
    try:
        yield await asyncio.wait_for(_address(process), 120), process
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 120) == 0


@pytest_asyncio.fixture(loop_scope="session")
async def demo() -> AsyncIterator[str]:
    """The address of a demo."""
    async with demonstration() as (address, _process):
        yield address


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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the journeys and contents that a test may spoil."""
    for name in ("journeys", "content"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


async def test_a_save_with_errors_is_said_on_the_page_and_in_the_terminal_while_nobody_does_anything(
    folder: Path, phone: Phone
) -> None:
    """Before: the page was silent until the buyer's next act, and the terminal told the report as one escaped line."""
    options = ("--journeys", str(folder / "journeys"), "--content", str(folder / "content"))
    async with demonstration(*options) as (address, process):
        await phone.open(address)
        note = phone.page.get_by_test_id("files-refused")
        file = folder / "journeys" / "store-visit.yaml"
        written = file.read_text(encoding="utf-8")
        file.write_text(written.replace("then: note\n", "then: nowhere\n", 1), encoding="utf-8")
        await expect(note).to_contain_text("then: nowhere 不存在")
        file.write_text(written, encoding="utf-8")
        await expect(note).to_be_hidden()
        told = await said_until(process, "旅程已重新载入")
    assert told.count("这些旅程照样检查，但没有人能进入：after-drive、finance-nurture、test-drive") == 1
    assert re.search(r"改动有错，仍用原来的旅程：\n\n.*error\[J103\].*\n +[0-9]+ │ +then: nowhere\n", told)


async def said_until(process: Process, words: str) -> str:
    """What the demo has said, from now on, up to the line with `words`."""
    assert process.stdout is not None
    told = ""
    while words not in told:
        line = await process.stdout.readline()
        assert line, told
        told += line.decode()
    return told
