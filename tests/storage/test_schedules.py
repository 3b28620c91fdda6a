"""Schedules: everybody whom the audience admits, once for each moment, and what is searched is written down first."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.runtime import schedules
from bot.storage import Storage
from tests.storage.audience_stage import REMEMBER, Stage, brand_with, entered_by, files
from tests.storage.makers import TurnedClock
from tests.unit.step.worlds import world

WEEKLY = "schedule: 10 10 * * tue"
AUDIENCE = "audience: customer.city in ['上海', '杭州'] and not has_tag('已放款')\nreentry: {allow: always}\n"
TUESDAY = datetime(2026, 5, 5, 2, 10, tzinfo=UTC)
"""Ten past ten in Shanghai, on the first Tuesday after the tests' noon."""


@pytest.fixture
def stage(storage: Storage, clock: TurnedClock) -> Stage:
    return Stage(storage, clock, brand_with(entered_by(WEEKLY, extra=AUDIENCE)))


async def told(stage: Stage) -> int:
    return len(await stage.rows("SELECT 1 FROM inbox WHERE type = 'schedule.due'"))


async def test_at_its_moment_a_schedule_enters_whom_the_audience_admits(stage: Stage) -> None:
    await stage.tick()
    await stage.says("上海")
    await stage.says("北京", who="oBert")
    stage.clock.at = TUESDAY - timedelta(seconds=1)
    await stage.tick()
    assert await stage.journeys() == []
    stage.clock.at = TUESDAY
    await stage.tick()
    assert await stage.journeys() == ["nurture"]
    assert await stage.journeys("oBert") == []
    assert await told(stage) == 1


async def test_a_moment_is_worked_off_once_however_often_it_is_looked_at(stage: Stage) -> None:
    await stage.tick()
    await stage.says("上海")
    stage.clock.at = TUESDAY + timedelta(minutes=5)
    for _ in range(3):
        await stage.tick()
    assert await told(stage) == 1


async def test_it_comes_again_at_its_next_moment(stage: Stage) -> None:
    await stage.tick()
    await stage.says("上海")
    for week in range(3):
        stage.clock.at = TUESDAY + timedelta(weeks=week)
        await stage.tick()
    assert await told(stage) == 3


async def test_customers_who_were_there_before_are_written_down_first(stage: Stage) -> None:
    program, stage.program = stage.program, brand_with()
    await stage.says("上海")
    await stage.says("杭州", who="oBert")
    assert await stage.rows("SELECT 1 FROM customer_values") == []
    await stage.reload(program)
    assert len(await stage.rows("SELECT 1 FROM customer_values")) == 2
    assert len(await stage.matching()) == 2


async def test_what_is_not_searched_any_more_is_written_anew_when_it_is_searched_again(stage: Stage) -> None:
    program = stage.program
    await stage.tick()
    await stage.says("上海")
    await stage.reload(brand_with())
    await stage.says("北京")
    await stage.reload(program)
    assert await stage.matching() == []


async def test_a_changed_value_and_a_new_tag_are_searched_from_the_same_moment_on(stage: Stage) -> None:
    await stage.tick()
    await stage.says("上海")
    assert len(await stage.matching()) == 1
    await stage.says("北京")
    assert await stage.matching() == []
    await stage.says("杭州")
    assert len(await stage.matching()) == 1


async def test_a_moment_that_is_long_past_is_left_out(stage: Stage) -> None:
    await stage.tick()
    await stage.says("上海")
    stage.clock.at = TUESDAY + schedules.LATE_MAX + timedelta(minutes=1)
    await stage.tick()
    assert await told(stage) == 0
    stage.clock.at = TUESDAY + timedelta(weeks=1)
    await stage.tick()
    assert await told(stage) == 1


async def test_a_schedule_that_is_no_more_does_not_come(stage: Stage) -> None:
    await stage.tick()
    await stage.says("上海")
    await stage.reload(brand_with())
    stage.clock.at = TUESDAY
    await stage.tick()
    assert await told(stage) == 0
    assert await stage.rows("SELECT 1 FROM occurrences") == []


async def test_the_alarm_knows_the_next_moment_of_a_schedule(stage: Stage) -> None:
    await stage.tick()
    assert await stage.storage.read(lambda tx: tx.quiet.next_due(stage.clock.at)) == TUESDAY
    stage.clock.at = TUESDAY
    assert await stage.storage.read(lambda tx: tx.quiet.next_due(stage.clock.at)) == TUESDAY
    await stage.tick()
    assert await stage.storage.read(lambda tx: tx.quiet.quiescent(stage.clock.at))


async def test_one_transaction_tells_only_so_many_and_the_next_goes_on_behind_them(stage: Stage) -> None:
    stage.occasions.told_max = 2
    await stage.tick()
    for number in range(5):
        await stage.says("上海" if number < 4 else "北京", who=f"o{number}")
    stage.clock.at = TUESDAY
    assert await stage.tick() == 3
    assert await told(stage) == 4


async def test_what_is_not_searched_any_more_is_taken_away(stage: Stage) -> None:
    await stage.tick()
    await stage.says("上海")
    assert await stage.rows("SELECT words FROM customer_values") == [("上海",)]
    await stage.reload(brand_with())
    assert await stage.rows("SELECT 1 FROM customer_values") == []
    assert await stage.rows("SELECT 1 FROM fills") == []
    assert stage.occasions.idle


async def test_an_attribute_that_becomes_personal_leaves_nothing_behind(stage: Stage) -> None:
    await stage.tick()
    await stage.says("上海")
    audience = "audience: has(customer.city)\nreentry: {allow: always}\n"
    attributes = "dsl: 1\nattributes:\n  city: {type: text, pii: true}\n"
    others = entered_by(WEEKLY, extra=audience)
    await stage.reload(world(REMEMBER, others, files=(*files(), ("schema/customer.yaml", attributes))))
    assert await stage.rows("SELECT name, words FROM customer_values") == [("city", None)]
    assert len(await stage.matching()) == 1
