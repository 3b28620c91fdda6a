"""How many messages a follower may be sent, and until when: over HTTP, on a clock that is turned."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from bot.sandbox.emulator import Conduct
from bot.sandbox.emulator.wire import Json

from .emulator_rig import BUYER, NOON, QUICK, Rig, rig

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest_asyncio.fixture
async def followed() -> AsyncIterator[Rig]:
    """A rig whose buyer follows, with the follow's own window already closed."""
    async with rig() as ready:
        await ready.act("follow")
        ready.clock.advance(MINUTE)
        yield ready


async def allowed(ready: Rig, tries: int = 8) -> list[int]:
    return [await ready.send_text() for _ in range(tries)]


async def test_after_a_message_five_may_be_sent(followed: Rig) -> None:
    await followed.act("say", text="在吗")
    assert await allowed(followed) == [0] * 5 + [45047] * 3


@pytest.mark.parametrize("deed", [{"do": "menu", "key": "K"}, {"do": "scan", "scene": "s1"}])
async def test_after_a_menu_click_or_a_scan_three_may_be_sent(followed: Rig, deed: dict[str, str]) -> None:
    await followed.act(**deed)
    assert await allowed(followed, 4) == [0, 0, 0, 45047]


async def test_after_a_follow_three_may_be_sent() -> None:
    async with rig() as ready:
        await ready.act("follow")
        assert await allowed(ready, 4) == [0, 0, 0, 45047]


async def test_following_by_a_scanned_code_counts_as_a_follow_only() -> None:
    async with rig() as ready:
        await ready.act("scan", scene="td_sh01")
        assert await allowed(ready, 4) == [0, 0, 0, 45047]


async def test_the_window_of_a_message_shuts_after_48_hours_to_the_second(followed: Rig) -> None:
    await followed.act("say", text="在吗")
    followed.clock.advance(timedelta(hours=48) - SECOND)
    assert await followed.send_text() == 0
    followed.clock.advance(SECOND)
    assert await followed.send_text() == 45015


async def test_the_window_of_a_menu_click_shuts_after_a_minute(followed: Rig) -> None:
    await followed.act("menu", key="K")
    followed.clock.advance(MINUTE - SECOND)
    assert await followed.send_text() == 0
    followed.clock.advance(SECOND)
    assert await followed.send_text() == 45015


async def test_without_any_window_a_send_is_too_late(followed: Rig) -> None:
    assert await followed.send_text() == 45015


async def test_a_tap_on_a_menu_line_counts_as_a_menu_click(followed: Rig) -> None:
    await followed.act("say", text="在吗")
    await send_menu(followed)
    followed.clock.advance(timedelta(hours=49))
    await followed.act("tap", menu_id="101")
    assert await allowed(followed, 4) == [0, 0, 0, 45047]


async def test_a_send_takes_from_the_window_that_ends_first(followed: Rig) -> None:
    await followed.act("say", text="在吗")
    await followed.act("menu", key="K")
    assert await allowed(followed, 4) == [0] * 4
    followed.clock.advance(MINUTE)
    assert await allowed(followed, 5) == [0] * 4 + [45047]


async def test_a_trigger_refills_only_its_own_window(followed: Rig) -> None:
    await followed.act("say", text="在吗")
    assert await allowed(followed, 5) == [0] * 5
    await followed.act("menu", key="K")
    assert await allowed(followed, 4) == [0, 0, 0, 45047]


async def test_a_second_message_fills_up_to_five_and_not_beyond(followed: Rig) -> None:
    await followed.act("say", text="在吗")
    assert await followed.send_text() == 0
    await followed.act("say", text="还在吗")
    assert await allowed(followed, 6) == [0] * 5 + [45047]


async def test_merged_windows_keep_the_larger_count_and_the_later_end() -> None:
    async with rig(conduct=replace(QUICK, merge="max")) as ready:
        await ready.act("follow")
        await ready.act("say", text="在吗")
        await ready.act("menu", key="K")
        ready.clock.advance(MINUTE)
        assert await allowed(ready, 6) == [0] * 5 + [45047]


async def test_an_unfollower_cannot_be_reached_and_starts_anew_on_return(followed: Rig) -> None:
    await followed.act("say", text="在吗")
    await followed.act("unfollow")
    assert await followed.send_text() == 43004
    await followed.act("follow")
    assert await allowed(followed, 4) == [0, 0, 0, 45047]


async def test_a_follower_who_blocks_refuses_and_spends_nothing(followed: Rig) -> None:
    await followed.act("say", text="在吗")
    await followed.act("block")
    assert await allowed(followed, 6) == [48002] * 6
    await followed.act("unblock")
    assert await followed.send_text() == 0


async def test_a_refused_message_spends_nothing(followed: Rig) -> None:
    await followed.act("say", text="在吗")
    assert await followed.send_text("车" * 1000) == 45002
    assert await allowed(followed, 6) == [0] * 5 + [45047]


async def test_the_next_due_moment_is_the_first_window_to_shut() -> None:
    async with rig(conduct=Conduct()) as ready:
        assert ready.emulator.next_due() is None
        await ready.act("follow")
        await ready.act("say", text="在吗")
        assert ready.emulator.next_due() == NOON + MINUTE
        ready.clock.advance(MINUTE)
        assert ready.emulator.next_due() == NOON + timedelta(hours=48)


async def send_menu(ready: Rig) -> None:
    content: Json = {"head_content": "满意吗？", "list": [{"id": "101", "content": "满意"}], "tail_content": ""}
    body: Json = {"touser": BUYER, "msgtype": "msgmenu", "msgmenu": content}
    reply = await ready.post("/cgi-bin/message/custom/send", body)
    assert reply["errcode"] == 0
