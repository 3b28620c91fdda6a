"""A platform that takes no token, an account that may not send: little is asked, all is told, it ends by itself."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.storage import KeyRing

from .product_rig import OTHER, Product, product

PEOPLE = [f"oMany{number:023d}" for number in range(8)]
TOKEN_REFUSED, NO_RIGHT, NO_FOLLOWER = 40014, 48001, 43004


@pytest.fixture
async def ours(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as running:
        yield running


def asked(ours: Product, after: int = 0) -> Counter[str]:
    """How often each endpoint of the platforms was asked."""
    lines = [line.endpoint.partition("/cgi-bin/") for line in ours.emulator.traffic.after(after)]
    return Counter(path for _, found, path in lines if found)


async def degraded(ours: Product) -> dict[str, str]:
    """The accounts that /readyz says are down."""
    found: dict[str, str] = (await ours.ready())[1]["degraded"]
    return found


async def test_a_platform_that_answers_40014_for_ever_gets_one_refresh_then_a_probe_every_30_seconds(
    ours: Product,
) -> None:
    for openid in PEOPLE:
        await ours.does("follow", openid=openid)
    before = asked(ours)
    ours.emulator.faults.answer_with("oa", TOKEN_REFUSED, count=1000)
    for openid in PEOPLE:
        await ours.says("看车", openid=openid)
    # One normal request, answered with the same token, and one that forces a new one: that is the refresh.
    assert asked(ours) - before == {"message/custom/send": 2, "stable_token": 2}
    assert (await degraded(ours)).keys() == {"oa:main"}
    probes = Counter[str]()
    for _ in range(8):
        at = asked(ours)
        await ours.world.turn(timedelta(seconds=31))
        probes += asked(ours) - at
    assert probes == {"message/custom/send": 8}


async def test_the_platform_that_takes_our_token_again_gets_all_that_waited(ours: Product) -> None:
    for openid in PEOPLE:
        await ours.does("follow", openid=openid)
    ours.emulator.faults.answer_with("oa", TOKEN_REFUSED, count=3)
    for openid in PEOPLE:
        await ours.says("看车", openid=openid)
    await ours.world.turn(timedelta(minutes=3))
    assert {len(ours.texts(openid)) for openid in PEOPLE} == {3}
    assert await degraded(ours) == {}


async def test_a_missing_right_opens_the_circuit_of_its_account_and_a_probe_that_passes_closes_it(
    ours: Product,
) -> None:
    for openid in PEOPLE:
        await ours.does("follow", openid=openid)
    ours.emulator.faults.answer_with("oa", NO_RIGHT, count=3)
    before = asked(ours)["message/custom/send"]
    for openid in PEOPLE:
        await ours.says("看车", openid=openid)
    assert asked(ours)["message/custom/send"] - before == 1
    assert (await degraded(ours)).keys() == {"oa:main"}
    for probes in (2, 3):
        await ours.world.turn(timedelta(seconds=31))
        assert asked(ours)["message/custom/send"] - before == probes
    await ours.world.turn(timedelta(minutes=2))
    assert {len(ours.texts(openid)) for openid in PEOPLE} == {3}
    assert await degraded(ours) == {}


async def test_one_customer_who_cannot_be_reached_leaves_the_circuit_shut(ours: Product) -> None:
    ours.emulator.faults.answer_with("oa", NO_FOLLOWER)
    await ours.does("follow")
    assert len(await ours.does("follow", openid=OTHER)) == 2
    assert await degraded(ours) == {}


async def test_a_restart_asks_for_no_token(tmp_path: Path) -> None:
    keys = KeyRing.generate()
    kept: set[tuple[object, ...]] = set()
    for asked_for in (1, 0):
        async with product(tmp_path, keys=keys) as ours:
            await ours.does("follow")
            seen = asked(ours)
        assert (seen["stable_token"], seen["gettoken"]) == (asked_for, asked_for)
        kept |= set(ours.rows("SELECT account, channel, sealed FROM tokens"))
    assert len(kept) == 2
