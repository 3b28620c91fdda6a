"""Moments as the database holds them: whole microseconds since 1970, UTC. Portable, exact, quick to compare."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Microseconds since the epoch. TypeError: `at` has no time zone, so it is no moment."""
    return (at - _EPOCH) // _ONE


def maybe_micros(at: datetime | None) -> int | None:
    """As `micros`; None stays None."""
    return None if at is None else micros(at)


def moment(value: int) -> datetime:
    """The aware UTC datetime of `value` microseconds."""
    return _EPOCH + value * _ONE


def maybe_moment(value: int | None) -> datetime | None:
    """As `moment`; None stays None."""
    return None if value is None else moment(value)
