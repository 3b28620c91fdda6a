"""The sandbox's clock."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.sandbox.clock import VirtualClock

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Ticks:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_frozen_clock_stands_still_while_real_time_passes() -> None:
    ticks = Ticks()
    clock = VirtualClock(NOON, monotonic=ticks)
    ticks.seconds += 60
    assert clock.now() == NOON


def test_a_flowing_clock_runs_along_with_real_time() -> None:
    ticks = Ticks()
    clock = VirtualClock(NOON, flowing=True, monotonic=ticks)
    ticks.seconds += 60
    assert clock.now() == NOON + timedelta(minutes=1)


def test_a_flowing_clock_keeps_its_offset_after_being_turned() -> None:
    ticks = Ticks()
    clock = VirtualClock(NOON, flowing=True, monotonic=ticks)
    ticks.seconds += 60
    clock.advance(timedelta(days=1))
    ticks.seconds += 1
    assert clock.now() == NOON + timedelta(days=1, seconds=61)


def test_turning_by_and_turning_to_end_at_the_same_moment() -> None:
    by, to = VirtualClock(NOON), VirtualClock(NOON)
    by.advance(timedelta(hours=2))
    to.set(NOON + timedelta(hours=2))
    assert by.now() == to.now() == NOON + timedelta(hours=2)


def test_times_of_other_zones_are_kept_in_utc() -> None:
    clock = VirtualClock(datetime(2026, 5, 1, 20, tzinfo=timezone(timedelta(hours=8))))
    assert (clock.now(), clock.now().tzinfo) == (NOON, UTC)


def test_the_clock_never_turns_back() -> None:
    clock = VirtualClock(NOON)
    with pytest.raises(ValueError, match="only turns forward"):
        clock.set(NOON - timedelta(seconds=1))
    with pytest.raises(ValueError, match="only turns forward"):
        clock.advance(timedelta(seconds=-1))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        VirtualClock(datetime(2026, 5, 1))  # noqa: DTZ001 - the naive time is what is tested


def test_without_a_start_it_begins_at_the_machines_time() -> None:
    before = datetime.now(UTC)
    assert before <= VirtualClock().now() <= datetime.now(UTC)
