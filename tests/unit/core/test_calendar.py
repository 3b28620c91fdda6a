from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.calendar import is_open, next_opening, quiet_until
from bot.core.rules import QuietHours, WeeklyHours

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")

WORKDAYS = WeeklyHours(weekdays=frozenset(range(5)), opens=time(9), closes=time(18, 30))
LATE_BAR = WeeklyHours(weekdays=frozenset({5}), opens=time(20), closes=time(2))
ROUND_THE_CLOCK = WeeklyHours(weekdays=frozenset({6}), opens=time(0), closes=time(0))
NIGHT = QuietHours(begins=time(21), ends=time(9))
NOON = QuietHours(begins=time(12), ends=time(14))


def local(text: str, zone: ZoneInfo = SHANGHAI, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-20 08:59:59", False),
        ("2026-11-20 09:00", True),
        ("2026-11-20 18:29:59", True),
        ("2026-11-20 18:30", False),
        ("2026-11-21 10:00", False),  # a Saturday
        ("2026-11-23 10:00", True),
    ],
)
def test_working_hours_hold_from_opening_to_just_before_closing(at: str, expected: bool) -> None:
    assert is_open(WORKDAYS, local(at), SHANGHAI) is expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-21 19:59", False),
        ("2026-11-21 23:00", True),
        ("2026-11-22 01:59", True),
        ("2026-11-22 02:00", False),
        ("2026-11-22 23:00", False),
    ],
)
def test_hours_that_cross_midnight_belong_to_the_day_they_began(at: str, expected: bool) -> None:
    assert is_open(LATE_BAR, local(at), SHANGHAI) is expected


@pytest.mark.parametrize(("at", "expected"), [("2026-11-22 00:00", True), ("2026-11-22 23:59", True)])
def test_equal_times_mean_the_whole_day(at: str, expected: bool) -> None:
    assert is_open(ROUND_THE_CLOCK, local(at), SHANGHAI) is expected


def test_the_whole_day_ends_with_the_day() -> None:
    assert not is_open(ROUND_THE_CLOCK, local("2026-11-23 00:00"), SHANGHAI)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-20 10:00", "2026-11-20 10:00"),
        ("2026-11-20 08:00", "2026-11-20 09:00"),
        ("2026-11-20 18:30", "2026-11-23 09:00"),  # Friday evening to Monday morning
        ("2026-11-21 03:00", "2026-11-23 09:00"),
    ],
)
def test_next_opening_is_now_when_open_and_else_the_next_morning_of_work(at: str, expected: str) -> None:
    assert next_opening(WORKDAYS, local(at), SHANGHAI) == local(expected)


def test_next_opening_of_a_single_weekday_may_lie_a_week_ahead() -> None:
    assert next_opening(LATE_BAR, local("2026-11-22 02:00"), SHANGHAI) == local("2026-11-28 20:00")


def test_hours_without_a_weekday_have_no_next_opening() -> None:
    never = WeeklyHours(weekdays=frozenset(), opens=time(9), closes=time(18))
    with pytest.raises(ValueError, match="weekday"):
        next_opening(never, local("2026-11-20 10:00"), SHANGHAI)


@pytest.mark.parametrize(
    ("quiet", "at", "expected"),
    [
        (NIGHT, "2026-11-20 20:59:59", None),
        (NIGHT, "2026-11-20 21:00", "2026-11-21 09:00"),
        (NIGHT, "2026-11-21 03:00", "2026-11-21 09:00"),
        (NIGHT, "2026-11-21 08:59:59", "2026-11-21 09:00"),
        (NIGHT, "2026-11-21 09:00", None),
        (NOON, "2026-11-20 13:00", "2026-11-20 14:00"),
        (NOON, "2026-11-20 11:59", None),
        (NOON, "2026-11-20 14:00", None),
        (None, "2026-11-20 23:00", None),
        (QuietHours(begins=time(21), ends=time(21)), "2026-11-20 23:00", None),
    ],
)
def test_quiet_hours_last_until_their_end_on_the_local_clock(
    quiet: QuietHours | None, at: str, expected: str | None
) -> None:
    assert quiet_until(quiet, local(at), SHANGHAI) == (local(expected) if expected else None)


def test_quiet_hours_follow_the_clocks_when_they_go_forward() -> None:
    evening = local("2026-03-07 23:00", NEW_YORK)
    end = quiet_until(NIGHT, evening, NEW_YORK)
    assert end == local("2026-03-08 09:00", NEW_YORK)
    assert end - evening == timedelta(hours=9)  # an hour of that night does not exist


def test_an_end_that_the_clocks_skip_comes_after_the_gap() -> None:
    quiet = QuietHours(begins=time(22), ends=time(2, 30))
    assert quiet_until(quiet, local("2026-03-08 01:00", NEW_YORK), NEW_YORK) == local("2026-03-08 03:30", NEW_YORK)


def test_an_hour_shown_twice_is_quiet_both_times() -> None:
    quiet = QuietHours(begins=time(22), ends=time(1, 30))
    second_time = local("2026-11-01 01:15", NEW_YORK, fold=1)
    assert quiet_until(quiet, second_time, NEW_YORK) == local("2026-11-01 01:30", NEW_YORK, fold=1)


START = datetime(2020, 1, 1, tzinfo=UTC)
moments = st.integers(0, 15 * 365 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds))
clock_times = st.times().map(lambda t: t.replace(microsecond=0))
zones = st.sampled_from([SHANGHAI, NEW_YORK, ZoneInfo("Europe/London"), ZoneInfo("Australia/Lord_Howe")])


@given(begins=clock_times, ends=clock_times, at=moments, zone=zones)
def test_a_quiet_stretch_ends_later_and_its_end_is_not_quiet(
    begins: time, ends: time, at: datetime, zone: ZoneInfo
) -> None:
    quiet = QuietHours(begins=begins, ends=ends)
    end = quiet_until(quiet, at, zone)
    if end is not None:
        assert at < end <= at + timedelta(hours=27)
        again = quiet_until(quiet, end, zone)
        assert again is None or again > end


@given(weekdays=st.frozensets(st.integers(0, 6), min_size=1), opens=clock_times, closes=clock_times, at=moments)
def test_the_next_opening_is_open_and_not_in_the_past(
    weekdays: frozenset[int], opens: time, closes: time, at: datetime
) -> None:
    hours = WeeklyHours(weekdays=weekdays, opens=opens, closes=closes)
    opening = next_opening(hours, at, SHANGHAI)
    assert at <= opening <= at + timedelta(days=8)
    assert is_open(hours, opening, SHANGHAI)
