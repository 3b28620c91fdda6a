"""What is kept of events to be counted: what guards hear of it, what the journal keeps, and when it is forgotten."""

from datetime import timedelta

import pytest

from bot.core.program import Program
from bot.runtime.live import Live
from bot.runtime.schedules import Schedules
from bot.storage import Storage
from tests.storage.audience_stage import Stage, brand_with, entered_by
from tests.storage.makers import TurnedClock, ingest

TWICE = "count('shop.visit', within=days(10)) == 2"
COUNTED = brand_with(entered_by("event: shop.visit", extra=f"audience: {TWICE}\n"))
LATEST = brand_with(entered_by("event: finance.apply", extra="audience: last('shop.visit') < now - days(5)\n"))


@pytest.fixture
def stage(storage: Storage, clock: TurnedClock) -> Stage:
    return Stage(storage, clock, COUNTED)


async def forget(stage: Stage, program: Program) -> None:
    await Schedules(stage.storage, live=Live(program=program), clock=stage.clock).forget()


async def test_a_guard_counts_the_event_in_hand_and_those_before(stage: Stage) -> None:
    await stage.happens("shop.visit")
    assert await stage.journeys() == []
    await stage.happens("shop.visit")
    assert await stage.journeys() == ["nurture"]


async def test_a_guard_counts_only_its_own_customer(stage: Stage) -> None:
    await stage.happens("shop.visit")
    await stage.happens("shop.visit", who="oBert")
    assert await stage.journeys() == await stage.journeys("oBert") == []


async def test_events_of_one_batch_are_counted_as_far_as_they_were_stepped(stage: Stage) -> None:
    stage.program = brand_with(
        entered_by("event: shop.visit", extra="audience: count('shop.visit', within=days(10)) > 9\n")
    )
    for _ in range(3):
        stage.number += 1
        await ingest(stage.storage, stage.made("shop.visit", "oAnna"))
    await stage.step()
    customer = await stage.customer()
    lines = await stage.storage.read(lambda tx: tx.reading.journal_of(customer.customer_id))
    asked = "count('shop.visit', within=days(10))"
    assert [line.facts.counts.get(asked) for line in lines] == [1, 2, 3]


async def test_the_journal_keeps_the_answers_that_a_step_used_and_no_others(stage: Stage) -> None:
    stage.program = brand_with(
        entered_by("event: shop.visit", extra=f"audience: {TWICE}\n"),
        entered_by(
            "event: finance.apply", name="other", extra="audience: count('finance.apply', within=days(1)) > 5\n"
        ),
    )
    customer = await stage.happens("shop.visit")
    (line,) = await stage.storage.read(lambda tx: tx.reading.journal_of(customer.customer_id))
    assert line.facts.counts == {"count('shop.visit', within=days(10))": 1}


async def test_the_latest_time_of_an_event_is_a_time(stage: Stage) -> None:
    stage.program = LATEST
    await stage.happens("shop.visit")
    await stage.happens("finance.apply")
    assert await stage.journeys() == []
    stage.clock.at += timedelta(days=6)
    await stage.happens("finance.apply")
    assert await stage.journeys() == ["nurture"]


async def test_events_are_forgotten_a_day_after_anybody_can_count_them(stage: Stage) -> None:
    await stage.happens("shop.visit")
    stage.clock.at += timedelta(days=10, hours=23)
    await forget(stage, COUNTED)
    assert len(await stage.rows("SELECT 1 FROM event_facts")) == 1
    stage.clock.at += timedelta(hours=2)
    await forget(stage, COUNTED)
    assert await stage.rows("SELECT 1 FROM event_facts") == []


async def test_the_latest_event_of_a_customer_stays_as_long_as_somebody_asks_for_it(stage: Stage) -> None:
    stage.program = LATEST
    for _ in range(2):
        await stage.happens("shop.visit")
        stage.clock.at += timedelta(days=1)
    stage.clock.at += timedelta(days=900)
    await forget(stage, LATEST)
    assert len(await stage.rows("SELECT 1 FROM event_facts")) == 1
    await forget(stage, brand_with())
    assert await stage.rows("SELECT 1 FROM event_facts") == []


async def test_no_words_of_a_customer_stand_beside_the_inbox(stage: Stage) -> None:
    stage.program = brand_with(
        entered_by(
            "event: shop.visit", extra="audience: count('message', within=days(1), where=event.kind == 'text') > 0\n"
        )
    )
    await stage.says("我住在上海")
    assert await stage.rows("SELECT type, fields FROM event_facts") == [("message", '{"kind": "text"}')]
