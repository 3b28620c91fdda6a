"""Segments that lead into journeys: who comes in, when, and that nobody comes in twice or for nothing."""

from datetime import timedelta

import pytest

from bot.core.program import Program
from bot.storage import Storage
from tests.storage.audience_stage import Stage, brand_with, entered_by
from tests.storage.makers import TurnedClock

BY_CITY = brand_with(entered_by("segment: 上海人"), 上海人="customer.city == '上海'")
BY_VISITS = brand_with(
    entered_by("segment: 常客"), 常客="count('shop.visit', within=days(10), where=event.first == false) >= 2"
)
BY_TIME = brand_with(
    entered_by("segment: 久未来"), 久未来="last('shop.visit') < now - days(30) and customer.city != '北京'"
)


@pytest.fixture
def stage(storage: Storage, clock: TurnedClock) -> Stage:
    return Stage(storage, clock, BY_CITY)


def on(stage: Stage, program: Program) -> Stage:
    return Stage(stage.storage, stage.clock, program)


async def test_whoever_comes_into_a_segment_enters_its_journey(stage: Stage) -> None:
    await stage.says("上海")
    assert await stage.journeys() == ["nurture"]


async def test_who_does_not_belong_to_it_enters_nothing(stage: Stage) -> None:
    await stage.says("北京")
    assert await stage.journeys() == []


async def test_staying_in_a_segment_is_no_coming_in(stage: Stage) -> None:
    await stage.says("上海")
    await stage.says("上海")
    lines = await stage.rows("SELECT type FROM inbox WHERE type = 'segment.entered'")
    assert len(lines) == 1


async def test_leaving_and_coming_back_is_told_again(stage: Stage) -> None:
    for city in ("上海", "北京", "上海"):
        await stage.says(city)
    lines = await stage.rows("SELECT type FROM inbox WHERE type = 'segment.entered'")
    assert len(lines) == 2


async def test_publishing_a_segment_enters_nobody_who_belongs_to_it_already(stage: Stage) -> None:
    program, stage.program = stage.program, brand_with()
    await stage.says("上海")
    await stage.reload(program)
    await stage.says("上海")
    assert await stage.journeys() == []
    await stage.says("北京")
    await stage.says("上海")
    assert await stage.journeys() == ["nurture"]


async def test_a_changed_condition_is_another_segment_and_enters_nobody_either(stage: Stage) -> None:
    await stage.says("杭州")
    await stage.reload(brand_with(entered_by("segment: 上海人"), 上海人="customer.city in ['上海', '杭州']"))
    await stage.says("杭州")
    assert await stage.journeys() == []


async def test_events_that_are_counted_lead_into_a_segment(stage: Stage) -> None:
    stage = on(stage, BY_VISITS)
    await stage.happens("shop.visit", first=True)
    await stage.happens("shop.visit", first=False)
    assert await stage.journeys() == []
    stage.clock.at += timedelta(days=1)
    await stage.happens("shop.visit", first=False)
    assert await stage.journeys() == ["nurture"]


async def test_events_that_lie_too_far_back_do_not_count(stage: Stage) -> None:
    stage = on(stage, BY_VISITS)
    await stage.happens("shop.visit", first=False)
    stage.clock.at += timedelta(days=10)
    await stage.happens("shop.visit", first=False)
    assert await stage.journeys() == []


async def test_time_alone_leads_into_a_segment(stage: Stage) -> None:
    stage = on(stage, BY_TIME)
    await stage.tick()
    await stage.happens("shop.visit")
    await stage.happens("shop.visit", who="oBert")
    await stage.says("北京", who="oBert")
    stage.clock.at += timedelta(days=30, hours=2)
    await stage.tick()
    assert await stage.journeys() == ["nurture"]
    assert await stage.journeys("oBert") == []
    stage.clock.at += timedelta(hours=2)
    await stage.tick()
    lines = await stage.rows("SELECT type FROM inbox WHERE type = 'segment.entered'")
    assert len(lines) == 1


async def test_whom_time_led_in_before_it_was_published_does_not_enter(stage: Stage) -> None:
    stage = on(stage, brand_with(entered_by("event: finance.apply", extra="audience: last('shop.visit') == null\n")))
    await stage.happens("shop.visit")
    stage.clock.at += timedelta(days=40)
    await stage.reload(BY_TIME)
    assert await stage.journeys() == []
    found = (await stage.customer()).segments
    assert list(found.values()) == [True]


async def test_a_library_without_segments_keeps_nothing(stage: Stage) -> None:
    stage = on(stage, brand_with())
    await stage.says("上海")
    await stage.happens("shop.visit")
    assert await stage.tick() == 0
    for table in ("customer_values", "customer_marks", "event_facts", "occurrences", "fills"):
        assert await stage.rows(f"SELECT 1 FROM {table}") == []


async def test_a_segment_that_time_cannot_change_needs_no_rows_to_be_searched(stage: Stage) -> None:
    await stage.says("上海")
    assert await stage.tick() == 0
    assert await stage.rows("SELECT 1 FROM customer_values") == []


async def test_the_journal_tells_who_came_in_and_by_which_condition(stage: Stage) -> None:
    customer = await stage.says("上海")
    lines = await stage.storage.read(lambda tx: tx.reading.journal_of(customer.customer_id))
    found = [entry.detail for line in lines for entry in line.entries if entry.kind == "segment"]
    assert found == [{"segment": "上海人", "within": True, "condition": "customer.city == '上海'"}]


async def test_counting_the_event_in_hand_counts_it_once_however_often_it_is_stepped(stage: Stage) -> None:
    stage = on(stage, BY_VISITS)
    await stage.happens("shop.visit", first=False)
    stage.number -= 1
    await stage.happens("shop.visit", first=False)
    assert len(await stage.rows("SELECT 1 FROM event_facts")) == 1


async def test_a_segment_that_was_put_away_and_is_published_again_leads_in_as_ever(stage: Stage) -> None:
    stage = on(stage, BY_TIME)
    await stage.tick()
    await stage.happens("shop.visit")
    stage.clock.at += timedelta(days=31)
    await stage.tick()
    assert await stage.journeys() == ["nurture"]
    await stage.reload(BY_VISITS)
    await stage.happens("shop.visit")
    await stage.reload(BY_TIME)
    assert await stage.rows("SELECT 1 FROM customer_marks WHERE kind = 'segment'") == []
    stage.clock.at += timedelta(days=31)
    await stage.tick()
    lines = await stage.rows("SELECT type FROM inbox WHERE type = 'segment.entered'")
    assert len(lines) == 2


async def test_one_transaction_looks_at_only_so_many_and_the_next_goes_on_behind_them(stage: Stage) -> None:
    stage = on(stage, BY_TIME)
    stage.occasions.looked_at_max = 2
    await stage.tick()
    for number in range(5):
        await stage.happens("shop.visit", f"o{number}")
    stage.clock.at += timedelta(days=31)
    assert await stage.tick() == 3
    for number in range(5):
        assert await stage.journeys(f"o{number}") == ["nurture"]
