"""The play behind the phone page, without a browser."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import BotError
from bot.sandbox.clock import VirtualClock
from bot.sandbox.stage import BUYERS_MAX, DemoStage
from bot.sandbox.world import world

ROOT = Path(__file__).parents[1]
NOON = datetime(2026, 12, 1, 4, tzinfo=UTC)


@pytest.fixture
async def stage() -> AsyncIterator[DemoStage]:
    files = (ROOT / "config.toml", ROOT / "journeys", ROOT / "content")
    async with world(*files, clock=VirtualClock(NOON)) as played:
        yield DemoStage(world=played)


async def test_only_buyers_of_this_demo_can_act(stage: DemoStage) -> None:
    """Before: a page that was left open over a restart went on for a buyer whom nobody could see."""
    stranger = "oStranger000000000000000000"
    with pytest.raises(BotError, match="没有这位买家"):
        await stage.act({"do": "follow", "openid": stranger})
    assert not stage.world.emulator.following(stranger)
    assert await stage.snapshot(stranger) is None


async def test_a_new_buyer_can_follow_and_is_welcomed(stage: DemoStage) -> None:
    openid = str((await stage.act({"do": "new_buyer"}))["openid"])
    await stage.act({"do": "follow", "openid": openid})
    shown = await stage.snapshot(openid)
    assert shown is not None
    assert "欢迎" in "".join(bubble.text for bubble in shown.buyer.bubbles)
    assert shown.inside.journeys[0].journey == "oa-welcome"


async def test_one_buyer_too_many_is_refused(stage: DemoStage) -> None:
    for _ in range(BUYERS_MAX):
        await stage.act({"do": "new_buyer"})
    with pytest.raises(BotError, match="最多"):
        await stage.act({"do": "new_buyer"})
