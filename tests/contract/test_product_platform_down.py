"""A platform that does not answer, or not now: what is planned waits, others are served, and all of it recovers."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from .product_rig import BUYER, OTHER, Product, product

A_WHILE = timedelta(minutes=1)
DAILY_QUOTA, MINUTE_QUOTA, TOO_MANY_AT_ONCE, WINDOW_SHUT = 45009, 45011, 45033, 45015


@pytest.fixture
async def ours(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as running:
        yield running


def sends(ours: Product) -> list[str]:
    """What became of the attempts to send to buyers, in order."""
    lines = ours.emulator.traffic.after(0)
    return [line.verdict for line in lines if line.endpoint.endswith(("custom/send", "template/send"))]


async def test_while_a_platform_is_down_messages_wait_and_leave_in_order_when_it_is_back(ours: Product) -> None:
    await ours.emulator.faults.take_down("oa")
    assert await ours.does("follow") == []
    assert ours.rows("SELECT content, state FROM outbox ORDER BY seq") == [("welcome", "ready"), ("ask-need", "ready")]
    status, told = await ours.ready()
    assert (status, told["ready"], list(told["degraded"])) == (200, True, ["oa:main"])
    await ours.world.turn(timedelta(seconds=20))
    assert ours.texts() == []
    await ours.emulator.faults.bring_up("oa")
    await ours.world.turn(timedelta(seconds=35))
    assert len(ours.texts()) == 2
    assert ours.rows("SELECT content, state FROM outbox ORDER BY seq") == [("welcome", "sent"), ("ask-need", "sent")]
    status, told = await ours.ready()
    assert (status, told["ready"], told["degraded"]) == (200, True, {})


async def test_a_platform_that_is_down_is_not_asked_again_and_again_for_every_message(ours: Product) -> None:
    for number in range(20):
        await ours.does("follow", openid=f"oMany{number:023d}")
    before = len(ours.emulator.traffic.after(0))
    ours.emulator.faults.answer_with("oa", DAILY_QUOTA, count=1000)
    for number in range(20):
        await ours.says("看车", openid=f"oMany{number:023d}")
    asked = [line for line in ours.emulator.traffic.after(0)[before:] if line.endpoint.endswith("custom/send")]
    assert len(asked) == 1
    assert (await ours.ready())[1]["degraded"].keys() == {"oa:main"}


async def test_the_quota_of_an_account_rests_the_whole_account(ours: Product) -> None:
    for openid in (BUYER, OTHER):
        await ours.does("follow", openid=openid)
    ours.emulator.faults.answer_with("oa", MINUTE_QUOTA)
    assert await ours.says("看车") == []
    assert await ours.says("看车", openid=OTHER) == []
    assert (await ours.ready())[1]["degraded"].keys() == {"oa:main"}
    await ours.world.turn(A_WHILE + timedelta(seconds=1))
    assert [len(ours.texts(openid)) for openid in (BUYER, OTHER)] == [3, 3]


async def test_a_short_pause_for_one_message_rests_nobody_else(ours: Product) -> None:
    for openid in (BUYER, OTHER):
        await ours.does("follow", openid=openid)
    ours.emulator.faults.answer_with("oa", TOO_MANY_AT_ONCE)
    assert await ours.says("看车") == []
    assert len(await ours.says("看车", openid=OTHER)) == 1
    assert (await ours.ready())[1]["degraded"] == {}
    await ours.world.turn(A_WHILE)
    assert len(ours.texts()) == 3


async def test_requests_that_nobody_answers_rest_the_account_before_any_of_them_is_lost(ours: Product) -> None:
    openids = [f"oMany{number:023d}" for number in range(20)]
    for openid in openids:
        await ours.does("follow", openid=openid)
    await ours.emulator.faults.take_down("oa", "error")
    for openid in openids:
        await ours.says("看车", openid=openid)
    assert ours.count("outbox", "content = 'ask-nick' AND attempts > 0") <= 3
    assert (await ours.ready())[1]["degraded"].keys() == {"oa:main"}
    await ours.emulator.faults.bring_up("oa")
    await ours.world.turn(timedelta(minutes=2))
    assert [len(ours.texts(openid)) for openid in openids] == [3] * 20


async def test_an_answer_that_got_lost_is_repeated_once_for_a_buyer_who_waits(ours: Product) -> None:
    ours.emulator.faults.lose_replies("oa", 1)
    await ours.does("follow")
    await ours.world.turn(timedelta(seconds=5))
    assert sends(ours) == ["ok"] * 3
    assert len(ours.texts()) == 3 and len(set(ours.texts())) == 2
    assert ours.rows("SELECT content, attempts, state FROM outbox ORDER BY seq") == [
        ("welcome", 2, "sent"),
        ("ask-need", 1, "sent"),
    ]


async def test_a_window_that_the_platform_says_is_shut_leads_to_the_template(ours: Product) -> None:
    await ours.does("follow")
    await ours.says("看车", "王先生")
    ours.emulator.faults.answer_with("oa", WINDOW_SHUT)
    await ours.says("同意")
    assert ours.rows("SELECT content, state, reason FROM outbox ORDER BY seq DESC LIMIT 2") == [
        ("ask-phone", "delivered", ""),
        ("ask-phone", "refused", "window"),
    ]


async def test_a_template_that_did_not_arrive_is_refused_and_the_next_fallback_comes(ours: Product) -> None:
    await ours.does("follow")
    await ours.says("看车", "王先生")
    ours.emulator.faults.answer_with("oa", WINDOW_SHUT)
    await ours.emulator.act({"do": "say", "openid": BUYER, "text": "同意"})
    await ours.does("block")
    assert ours.rows("SELECT content, state, reason FROM outbox WHERE content = 'ask-phone' ORDER BY seq") == [
        ("ask-phone", "refused", "window"),
        ("ask-phone", "refused", "user_block"),
    ]
    ((title,),) = ours.rows("SELECT kind FROM tasks")
    assert title == "task"
