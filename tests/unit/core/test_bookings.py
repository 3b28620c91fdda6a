"""Slots of a resource: they fill the opening hours, and may be booked when they lie ahead and not too far."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.bookings import SLOTS_A_DAY_MAX, Resource, in_time, is_slot, resource_of, slots_on
from bot.core.rules import Holidays, WeeklyHours

SHANGHAI = ZoneInfo("Asia/Shanghai")
TUESDAY = date(2026, 12, 1)
OFFICE = WeeklyHours(weekdays=frozenset(range(5)), opens=time(9), closes=time(18, 30), holidays=True)


def resource(each: timedelta = timedelta(hours=1), name: str = "试驾车", dealer: str = "one") -> Resource:
    return Resource(resource=name, dealer=dealer, hours="工作时间", each=each, capacity=1)


def starts(day: date, *, each: timedelta = timedelta(hours=1), holidays: Holidays = Holidays()) -> list[str]:  # noqa: B008
    found = slots_on(resource(each), day, hours=OFFICE, zone=SHANGHAI, holidays=holidays)
    return [start.astimezone(SHANGHAI).strftime("%H:%M") for start in found]


def test_slots_follow_one_another_and_end_before_the_door_is_shut() -> None:
    assert starts(TUESDAY) == [f"{hour:02}:00" for hour in range(9, 18)]
    assert starts(TUESDAY, each=timedelta(hours=4)) == ["09:00", "13:00"]


def test_a_day_off_has_no_slots_and_a_make_up_day_has() -> None:
    assert starts(date(2026, 12, 5)) == []
    assert starts(TUESDAY, holidays=Holidays(off=frozenset({TUESDAY}))) == []
    assert starts(date(2026, 12, 5), holidays=Holidays(work=frozenset({date(2026, 12, 5)}))) != []


@given(day=st.dates(date(2026, 1, 1), date(2027, 12, 31)), minutes=st.integers(15, 720))
def test_every_slot_is_one_and_no_other_moment_is(day: date, minutes: int) -> None:
    wanted = resource(timedelta(minutes=minutes))
    found = slots_on(wanted, day, hours=OFFICE, zone=SHANGHAI, holidays=Holidays())
    assert len(found) <= SLOTS_A_DAY_MAX
    for start in found:
        assert is_slot(wanted, start, hours=OFFICE, zone=SHANGHAI, holidays=Holidays())
        aside = start + timedelta(minutes=1)
        assert not is_slot(wanted, aside, hours=OFFICE, zone=SHANGHAI, holidays=Holidays())


def test_hours_that_cross_midnight_have_slots_after_it() -> None:
    night = WeeklyHours(weekdays=frozenset(range(7)), opens=time(22), closes=time(2))
    found = slots_on(resource(), TUESDAY, hours=night, zone=SHANGHAI, holidays=Holidays())
    assert [start.astimezone(SHANGHAI).hour for start in found] == [22, 23, 0, 1]
    assert all(is_slot(resource(), start, hours=night, zone=SHANGHAI, holidays=Holidays()) for start in found)


@pytest.mark.parametrize(("ahead", "may"), [(0, False), (1, True), (30 * 86_400, True), (30 * 86_400 + 1, False)])
def test_a_slot_is_booked_ahead_and_not_too_far(ahead: int, may: bool) -> None:
    now = datetime(2026, 12, 1, tzinfo=UTC)
    assert in_time(resource(), now + timedelta(seconds=ahead), now) is may


def test_a_resource_is_found_at_its_dealer_and_the_first_without_a_name() -> None:
    all_of_them = [resource(dealer="two"), resource(), resource(name="工位")]
    assert resource_of(all_of_them, "工位", "one") == all_of_them[2]
    assert resource_of(all_of_them, "", "one") == all_of_them[1]
    assert resource_of(all_of_them, "工位", "two") is None
