from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.calendar import is_open, next_opening, next_showing, working_day_from, zone_named
from bot.core.rules import Holidays, WeeklyHours
from bot.core.times import WallClock, Working
from bot.core.working import WORKING_MAX, working_until

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
OFFICE = WeeklyHours(weekdays=frozenset(range(5)), opens=time(9), closes=time(18), holidays=True)
LATE_BAR = WeeklyHours(weekdays=frozenset({4, 5}), opens=time(20), closes=time(2))
NEVER = WeeklyHours(weekdays=frozenset(), opens=time(9), closes=time(18))
NATIONAL_DAY = Holidays(
    off=frozenset(date(2026, 10, day) for day in range(1, 8)),
    work=frozenset({date(2026, 9, 27), date(2026, 10, 10)}),
    official=frozenset({2026}),
)


def local(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("begins", "span", "ends"),
    [
        ("2026-09-28 10:00", Working(hours=timedelta(hours=4)), "2026-09-28 14:00"),
        ("2026-09-28 10:00", Working(hours=timedelta(hours=8)), "2026-09-28 18:00"),
        ("2026-09-28 17:00", Working(hours=timedelta(hours=4)), "2026-09-29 12:00"),
        ("2026-09-28 03:00", Working(hours=timedelta(minutes=30)), "2026-09-28 09:30"),
        ("2026-09-30 17:00", Working(hours=timedelta(hours=4)), "2026-10-08 12:00"),  # over the holidays
        ("2026-10-09 17:00", Working(hours=timedelta(hours=4)), "2026-10-10 12:00"),  # into a make-up Saturday
        ("2026-10-10 17:00", Working(hours=timedelta(hours=4)), "2026-10-12 12:00"),
        ("2026-09-30 16:00", Working(days=1), "2026-10-08 16:00"),
        ("2026-09-26 16:00", Working(days=1), "2026-09-28 09:00"),  # from a Saturday, begins on the make-up Sunday
        ("2026-10-03 12:00", Working(days=2), "2026-10-10 09:00"),
        ("2026-09-28 19:00", Working(days=1), "2026-09-30 09:00"),
    ],
)
def test_working_time_passes_only_in_working_hours(begins: str, span: Working, ends: str) -> None:
    found = working_until(span, local(begins), hours=OFFICE, zone=SHANGHAI, holidays=NATIONAL_DAY)
    assert found == local(ends)


@pytest.mark.parametrize(
    ("begins", "span", "ends"),
    [
        ("2026-11-20 23:00", Working(hours=timedelta(hours=4)), "2026-11-21 21:00"),  # Friday night, then Saturday
        ("2026-11-21 01:00", Working(hours=timedelta(hours=2)), "2026-11-21 21:00"),
        ("2026-11-21 01:00", Working(days=1), "2026-11-22 01:00"),  # still Friday's opening: the next is Saturday's
        ("2026-11-21 23:00", Working(days=1), "2026-11-27 23:00"),
    ],
)
def test_working_time_of_hours_that_cross_midnight(begins: str, span: Working, ends: str) -> None:
    found = working_until(span, local(begins), hours=LATE_BAR, zone=SHANGHAI, holidays=Holidays())
    assert found == local(ends)


@pytest.mark.parametrize("span", [Working(days=3), Working(hours=timedelta(hours=1))])
def test_hours_that_never_open_end_with_the_longest_wait(span: Working) -> None:
    begins = local("2026-11-20 10:00")
    assert working_until(span, begins, hours=NEVER, zone=SHANGHAI, holidays=Holidays()) == begins + WORKING_MAX


def test_hours_heed_holidays_and_make_up_days_only_if_they_say_so() -> None:
    holiday, made_up = local("2026-10-01 10:00"), local("2026-10-10 10:00")
    assert not is_open(OFFICE, holiday, SHANGHAI, holidays=NATIONAL_DAY)
    assert is_open(OFFICE, made_up, SHANGHAI, holidays=NATIONAL_DAY)
    careless = WeeklyHours(weekdays=frozenset(range(5)), opens=time(9), closes=time(18))
    assert is_open(careless, holiday, SHANGHAI, holidays=NATIONAL_DAY)
    assert not is_open(careless, made_up, SHANGHAI, holidays=NATIONAL_DAY)


def test_the_next_opening_lies_behind_the_holidays() -> None:
    found = next_opening(OFFICE, local("2026-09-30 18:00"), SHANGHAI, holidays=NATIONAL_DAY)
    assert found == local("2026-10-08 09:00")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-09-30 22:00", "2026-09-30 22:00"),
        ("2026-10-01 00:00", "2026-10-08 00:00"),
        ("2026-10-10 12:00", "2026-10-10 12:00"),
        ("2026-10-11 12:00", "2026-10-12 00:00"),
    ],
)
def test_a_working_day_begins_at_midnight_behind_days_off(at: str, expected: str) -> None:
    assert working_day_from(local(at), SHANGHAI, NATIONAL_DAY) == local(expected)


@pytest.mark.parametrize(
    ("phrase", "at", "expected"),
    [
        (WallClock(at=time(10)), "2026-11-20 09:59", "2026-11-20 10:00"),
        (WallClock(at=time(10)), "2026-11-20 10:00", "2026-11-21 10:00"),
        (WallClock(at=time(10), day="tomorrow"), "2026-11-20 23:59", "2026-11-21 10:00"),
        (WallClock(at=time(10), day="weekday", weekday=5), "2026-11-20 12:00", "2026-11-21 10:00"),
        (WallClock(at=time(10), day="weekday", weekday=4), "2026-11-20 08:00", "2026-11-27 10:00"),
        (WallClock(at=time(18), day="month_end"), "2026-02-03 12:00", "2026-02-28 18:00"),
        (WallClock(at=time(18), day="month_end"), "2026-12-31 18:00", "2027-01-31 18:00"),
        (WallClock(at=time(18), day="month_end"), "2028-01-31 19:00", "2028-02-29 18:00"),
    ],
)
def test_a_phrase_names_the_next_moment_that_fits(phrase: WallClock, at: str, expected: str) -> None:
    assert next_showing(phrase, local(at), SHANGHAI) == local(expected)


def test_a_time_that_the_clocks_skip_comes_an_hour_later() -> None:
    found = next_showing(WallClock(at=time(2, 30)), local("2026-03-07 12:00", NEW_YORK), NEW_YORK)
    assert found == local("2026-03-08 03:30", NEW_YORK)


def test_a_time_that_the_clocks_show_twice_is_the_first_of_the_two() -> None:
    before = local("2026-10-31 12:00", NEW_YORK)
    first = next_showing(WallClock(at=time(1, 30)), before, NEW_YORK)
    assert first - before == timedelta(hours=13, minutes=30)
    assert next_showing(WallClock(at=time(1, 30)), first, NEW_YORK) == local("2026-11-02 01:30", NEW_YORK)


START = datetime(2020, 1, 1, tzinfo=UTC)
moments = st.integers(0, 15 * 365 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds))
clock_times = st.times().map(lambda t: t.replace(microsecond=0))
zones = st.sampled_from([SHANGHAI, NEW_YORK, ZoneInfo("Europe/London"), ZoneInfo("Australia/Lord_Howe")])
phrases = st.builds(
    WallClock,
    at=clock_times,
    day=st.sampled_from(["any", "tomorrow", "weekday", "month_end"]),
    weekday=st.integers(0, 6),
)


@given(phrase=phrases, at=moments, zone=zones)
def test_every_phrase_lies_ahead_and_shows_its_time_unless_the_clocks_skip_it(
    phrase: WallClock, at: datetime, zone: ZoneInfo
) -> None:
    found = next_showing(phrase, at, zone)
    assert at < found < at + timedelta(days=64)
    shown = found.astimezone(zone)
    if shown.time() != phrase.at:
        # What the clocks skip is shown as much later as they skip, one hour or half of one.
        assert found.astimezone(zone).utcoffset() != (found - timedelta(hours=3)).astimezone(zone).utcoffset()


spans = st.one_of(
    st.builds(Working, hours=st.integers(1, 100_000).map(lambda m: timedelta(minutes=m))),
    st.builds(Working, days=st.integers(1, 400)),
)
opening = st.builds(
    WeeklyHours,
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    opens=clock_times,
    closes=clock_times,
    holidays=st.booleans(),
)


@given(span=spans, hours=opening, at=moments, zone=zones)
def test_working_time_ends_later_in_its_hours_and_more_of_it_never_earlier(
    span: Working, hours: WeeklyHours, at: datetime, zone: ZoneInfo
) -> None:
    ends = working_until(span, at, hours=hours, zone=zone, holidays=NATIONAL_DAY)
    assert at < ends <= at + WORKING_MAX
    more = Working(hours=span.hours * 2, days=span.days * 2)
    assert working_until(more, at, hours=hours, zone=zone, holidays=NATIONAL_DAY) >= ends


@pytest.mark.parametrize("name", ["", "Nowhere/Land", "../../etc/passwd", "Asia", "\0", "\ud800", 7, None, "a" * 5000])
def test_what_names_no_zone_is_the_default(name: object) -> None:
    assert zone_named(name, SHANGHAI) is SHANGHAI


def test_a_zone_has_its_name() -> None:
    assert zone_named("America/New_York", SHANGHAI) == NEW_YORK
