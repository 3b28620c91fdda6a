"""A buyer's whole first journey on a real PostgreSQL: the statements are the same, and so is what everybody sees."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from bot.storage import KeyRing, Transaction
from tests.contract.product_rig import BUYER, OTHER, Product, product

ACCEPTED, WORDS = "accept", "您好，我是您的顾问"


@pytest.fixture
async def ours(migrated_postgres: str, emptied: None, tmp_path: Path, keys: KeyRing) -> AsyncIterator[Product]:
    async with product(tmp_path, url=migrated_postgres, keys=keys) as running:
        yield running


@pytest.fixture
def emptied(migrated_postgres: str) -> None:
    """Nothing stands in the tables."""
    with psycopg.connect(migrated_postgres) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        names = sorted({name for (name,) in rows} - {"alembic_version", "counters"})
        connection.execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY")
        connection.execute("UPDATE counters SET value = 0")


async def whole_path(ours: Product) -> str:
    """From the follow to the advisor's first words; who the advisor is."""
    assert len(await ours.does("follow")) == 2
    for line in ("看车", "王先生", "同意", "138 0013 8000", "对"):
        assert len(await ours.says(line)) == 1
    staff_id, card = next(
        (staff_id, bubble)
        for staff_id in ours.world.staff
        for bubble in ours.emulator.staff_chat(staff_id)
        if bubble.kind == "card"
    )
    assert next(button.key for button in card.buttons) == ACCEPTED
    await ours.advisor("click", staff_id, task_id=card.task_id, key=ACCEPTED)
    await ours.advisor("staff_say", staff_id, text=WORDS)
    return staff_id


async def test_a_buyer_becomes_a_lead_and_talks_with_her_advisor(ours: Product) -> None:
    staff_id = await whole_path(ours)
    assert ours.texts()[-1] == WORDS
    assert await ours.says("周末见") == []
    assert "周末见" in ours.emulator.staff_chat(staff_id)[-1].text

    def look(tx: Transaction) -> tuple[str | None, list[str], dict[str, int]]:
        customer_id = tx.reading.find_customer("13800138000")
        assert customer_id is not None
        tasks = [task.status for task in tx.reading.tasks_of(customer_id)]
        return tx.reading.advisor_of(customer_id), tasks, dict(tx.outbox.states())

    assert await ours.running.storage.read(look) == (staff_id, ["accepted"], {"sent": 12})
    status, told = await ours.ready()
    assert (status, told["ready"], told["degraded"]) == (200, True, {})


async def test_timers_fire_and_messages_that_must_wait_leave_later(ours: Product) -> None:
    for openid in (BUYER, OTHER):
        await ours.does("follow", openid=openid)
    await ours.says("看车")
    await ours.emulator.faults.take_down("oa")
    await ours.says("王先生")
    assert len(ours.texts()) == 3
    await ours.emulator.faults.bring_up("oa")
    await ours.world.turn(timedelta(hours=21))
    assert len(ours.texts()) > 4
    assert await ours.running.storage.read(lambda tx: tx.quiet.quiescent(ours.clock.now()))


async def test_a_buyer_who_comes_back_after_a_restart_is_known(
    migrated_postgres: str, emptied: None, tmp_path: Path, keys: KeyRing
) -> None:
    async with product(tmp_path, url=migrated_postgres, keys=keys) as ours:
        await ours.does("follow")
        await ours.says("看车", "王先生")
        moment = ours.clock.now()
    async with product(tmp_path, url=migrated_postgres, keys=keys, at=moment) as ours:
        await ours.emulator.act({"do": "follow", "openid": BUYER})
        await ours.world.settle()
        assert len(await ours.says("同意")) == 1
