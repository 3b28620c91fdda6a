"""What a journey limits its own messages to is asked again when they are about to leave, by what is in force then."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from bot.core.entries import JourneyCap, Limits
from bot.core.program import Program, compile_library
from bot.core.rules import QuietHours
from bot.runtime.live import Live
from bot.storage import Storage
from tests.storage.makers import TurnedClock
from tests.storage.why_stage import Stage, brand, staged

AFTER_HOLIDAYS = datetime(2026, 5, 6, 1, 0, tzinfo=UTC)
"""Nine in the morning in Shanghai, behind the holidays of May, which the product knows."""


@pytest.fixture
async def stage(storage: Storage, clock: TurnedClock, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(storage, clock, brand(tmp_path)) as ours:
        yield ours


def limited(stage: Stage, limits: Limits) -> None:
    """From now on the journey is limited like this."""
    live = stage.engine.live
    live.program = with_limits(live, limits)


def with_limits(live: Live, limits: Limits) -> Program:
    library = live.program.library
    journey = replace(library.journeys["oa-why"], limits=limits)
    return compile_library(replace(library, journeys={**library.journeys, "oa-why": journey}))


async def test_quiet_hours_of_a_journey_hold_instead_of_everybodys(stage: Stage) -> None:
    limited(stage, Limits(quiet=QuietHours(begins=time(23), ends=time(8))))
    await stage.act("oa.follow")
    await stage.say("你好")
    await stage.turn(hours=1, minutes=1)  # nine in the evening
    assert "nudge" in stage.oa.asked


async def test_days_off_are_asked_about_when_the_message_is_about_to_leave(stage: Stage) -> None:
    await stage.act("oa.follow")
    await stage.say("你好")
    await stage.turn(hours=2)
    limited(stage, Limits(days="working", quiet=QuietHours(begins=time(21), ends=time(9))))
    await stage.turn(hours=14)  # Saturday noon
    assert "nudge" not in stage.oa.asked
    customer_id = await stage.customer()
    (line,) = [
        line
        for line in await stage.storage.read(lambda tx: tx.reading.outbox_of(customer_id))
        if line.effect.content == "nudge"
    ]
    assert line.not_before is not None
    assert AFTER_HOLIDAYS <= line.not_before < AFTER_HOLIDAYS + timedelta(minutes=10)


async def test_a_message_that_left_is_remembered_with_its_journey(stage: Stage) -> None:
    limits = Limits(
        quiet=QuietHours(begins=time(23), ends=time(8)), cap=JourneyCap(max=1, per=timedelta(days=1), scope="journey")
    )
    limited(stage, limits)
    await stage.act("oa.follow")
    await stage.say("你好")
    await stage.turn(hours=1, minutes=1)
    customer_id = await stage.customer()
    customers = await stage.storage.read(lambda tx: tx.customers.load([customer_id]))
    assert [(one.journey, one.send_class) for one in customers[customer_id].sent] == [("oa-why", "reminder")]
