"""What a dealer has free on a day: its slots without those that are taken."""

from datetime import date, datetime, timedelta

import pytest

from bot.core.arrival import OpenSlotsRead
from bot.core.effects import SettlePlace
from bot.core.ids import CustomerId, EffectId
from bot.core.program import Program
from bot.runtime.open_slots import open_slots
from bot.storage import Storage
from tests.storage.audience_stage import EVENTS, Stage
from tests.storage.errand_makers import wanted
from tests.storage.makers import TurnedClock, carry_out, later, write
from tests.unit.step.test_bookings import CALENDAR, DRIVE
from tests.unit.step.worlds import STAFF, journey, world

DAY = date(2026, 5, 2)
FIRST = later(13 * 3600)
"""Noon UTC on the first of May is eight in the evening in Shanghai; its slots begin at nine the next morning."""


@pytest.fixture(scope="module")
def program() -> Program:
    return world(DRIVE, files=CALENDAR)


async def free(
    storage: Storage, program: Program, *, at: datetime, resource: str = "", dealer: str = "one"
) -> list[datetime]:
    read = OpenSlotsRead(dealer=dealer, resource=resource, on=DAY)
    return list(await storage.read(lambda t: open_slots(t, program, read, now=at)))


async def test_every_slot_of_a_day_that_lies_ahead_is_free(storage: Storage, program: Program) -> None:
    found = await free(storage, program, at=later())
    assert found == [FIRST + timedelta(hours=n) for n in range(9)]


async def test_slots_that_are_over_are_not_offered(storage: Storage, program: Program) -> None:
    assert await free(storage, program, at=FIRST + timedelta(hours=7)) == [FIRST + timedelta(hours=8)]
    assert await free(storage, program, at=FIRST + timedelta(hours=9)) == []


async def test_a_slot_whose_places_are_taken_is_not_free(storage: Storage, program: Program) -> None:
    want = wanted("A", 1, at=FIRST)
    await write(storage, lambda t: t.bookings.hold(want, capacity=1, now=later()))
    assert (await free(storage, program, at=later()))[0] == FIRST + timedelta(hours=1)
    assert (await free(storage, program, at=later(600)))[0] == FIRST
    await carry_out(storage, CustomerId(1), SettlePlace(effect_id=EffectId("A"), keep=True), at=later(60))
    assert (await free(storage, program, at=later(600)))[0] == FIRST + timedelta(hours=1)


@pytest.mark.parametrize(("resource", "dealer"), [("游艇", "one"), ("", "nowhere")])
async def test_what_a_dealer_does_not_have_is_never_free(
    storage: Storage, program: Program, resource: str, dealer: str
) -> None:
    assert await free(storage, program, at=later(), resource=resource, dealer=dealer) == []


FULL = journey(
    "full",
    """audience: count('shop.visit', within=days(7)) == 1
slots: {at: {type: datetime, ask: ask-at, options_from: dealer.open_slots(today - days(3))}}
states:
  a: {ask: {slot: at, class: service}, timeout: {after: 4h, goto: done}, give_up: {goto: hand}, then: done}
  hand: {handoff: {to: advisor, note: 没有空位, accept_within: 5m, fallback: {goto: done}}, then: done}
  done: {end: done}
""",
    enter="event: shop.visit",
)


async def test_a_step_may_read_what_happened_then_what_is_free_and_then_who_is_there(
    storage: Storage, clock: TurnedClock
) -> None:
    always = STAFF.replace(", hours: 工作时间", "")
    stage = Stage(storage, clock, world(FULL, staff=always, files=(*CALENDAR, ("schema/events.yaml", EVENTS))))
    customer = await stage.happens("shop.visit")
    assert [run.state for run in customer.enrolments.values()] == ["hand"]
