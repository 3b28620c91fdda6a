"""A colleague whom the application does not reach: whoever waits for a human is given to another one at once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from .product_rig import Product, product

NOBODY_VALID, OUT_OF_SCOPE = 81013, 60011


@pytest.fixture
async def ours(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as running:
        yield running


def cards(ours: Product) -> list[tuple[str, ...]]:
    """What became of the messages to staff, in order: whom they were for, and how they ended."""
    return [
        (conversation.rpartition(":")[2], state, reason)
        for conversation, state, reason in ours.rows(
            "SELECT conversation_id, state, reason FROM outbox WHERE channel = 'app' ORDER BY seq"
        )
    ]


@pytest.mark.parametrize("code", [NOBODY_VALID, OUT_OF_SCOPE])
async def test_a_card_that_its_member_cannot_get_goes_to_another_member_at_once(ours: Product, code: int) -> None:
    await ours.does("follow")
    ours.emulator.faults.answer_with("wecom", code)
    await ours.says("人工")
    (first, state, reason), (second, *then) = cards(ours)[:2]
    assert (state, reason, then) == ("refused", "gone", ["sent", ""])
    assert first != second
    assert (await ours.ready())[1]["degraded"] == {}


BUSY, SENSITIVE = -1, 40204


async def test_a_card_whose_repeat_is_refused_for_what_it_says_is_not_taken_for_sent(ours: Product) -> None:
    """Before: any refusal of a repeated card counted as the proof that the first had arrived, and the lead was lost."""
    await ours.does("follow")
    ours.emulator.faults.answer_with("wecom", BUSY)
    ours.emulator.faults.answer_with("wecom", SENSITIVE)
    await ours.says("人工")
    await ours.world.turn(timedelta(seconds=10))
    assert cards(ours)[0][1:] == ("refused", str(SENSITIVE))


async def test_a_card_whose_repeat_finds_its_id_taken_was_sent(ours: Product) -> None:
    await ours.does("follow")
    ours.emulator.faults.lose_replies("wecom", 1)
    await ours.says("人工")
    await ours.world.turn(timedelta(seconds=10))
    assert cards(ours)[0][1:] == ("sent", "")
    assert ours.count("outbox", "channel = 'app'") == 1
