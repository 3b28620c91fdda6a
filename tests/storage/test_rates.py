"""Limits whose excess a platform drops silently are counted in the database."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from bot.runtime.rates import MEMBER_HOUR, MEMBER_MINUTE, TEMPLATES_DAY
from bot.storage import Rate, Storage
from bot.storage.database import parse_url, writing_engine
from bot.storage.rates import RateRows
from tests.storage.makers import NOON, later, write

SMALL = Rate(limit=3, per=timedelta(seconds=60), slices=6)
DAY = Rate(limit=2, per=timedelta(days=1), slices=1)


async def take(storage: Storage, *limits: tuple[str, Rate], at: datetime = NOON) -> datetime | None:
    return await write(storage, lambda t: t.rates.take(limits, at))


async def test_what_is_over_the_limit_waits_until_enough_of_it_is_past(storage: Storage) -> None:
    for second in (0, 0, 25):
        assert await take(storage, ("zhang", SMALL), at=later(second)) is None
    # The two of the first ten seconds count until those ten seconds are wholly a minute past.
    assert await take(storage, ("zhang", SMALL), at=later(30)) == later(70)
    assert await take(storage, ("zhang", SMALL), at=later(69)) == later(70)
    assert await take(storage, ("zhang", SMALL), at=later(70)) is None


async def test_each_scope_is_counted_by_itself(storage: Storage) -> None:
    for _ in range(3):
        await take(storage, ("zhang", SMALL))
    assert await take(storage, ("zhang", SMALL)) is not None
    assert await take(storage, ("li", SMALL)) is None


async def test_under_several_limits_the_strictest_counts_and_a_refusal_uses_up_none(storage: Storage) -> None:
    wide = Rate(limit=9, per=timedelta(hours=1), slices=12)
    for _ in range(5):
        await take(storage, ("minute", SMALL), ("hour", wide))
    assert await storage.read(lambda t: t.rates.used(("hour", wide), NOON)) == 3


async def test_the_platforms_day_begins_at_midnight_in_beijing(storage: Storage) -> None:
    evening = datetime(2026, 5, 1, 15, 59, tzinfo=UTC)
    for _ in range(2):
        assert await take(storage, ("templates", DAY), at=evening) is None
    midnight = datetime(2026, 5, 1, 16, tzinfo=UTC)
    assert await take(storage, ("templates", DAY), at=evening) == midnight
    assert await take(storage, ("templates", DAY), at=midnight) is None


async def test_old_counts_are_forgotten(storage: Storage) -> None:
    await take(storage, ("zhang", SMALL))
    assert await write(storage, lambda t: t.rates.forget(before=NOON)) == 0
    assert await write(storage, lambda t: t.rates.forget(before=later(1))) == 1


@pytest.mark.parametrize(
    ("rate", "limit", "per_s"), [(MEMBER_MINUTE, 30, 60), (MEMBER_HOUR, 1_000, 3_600), (TEMPLATES_DAY, 100_000, 86_400)]
)
def test_the_limits_are_those_of_the_platforms(rate: Rate, limit: int, per_s: int) -> None:
    assert (rate.limit, rate.per.total_seconds()) == (limit, per_s)


@given(gaps=st.lists(st.integers(0, 400), min_size=1, max_size=60))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_stretch_of_a_minute_ever_holds_more_than_the_limit(gaps: list[int], counted: Connection) -> None:
    """However the calls fall, and as the database counts them."""
    rows = RateRows(counted)
    counted.execute(text("DELETE FROM rates"))
    taken: list[datetime] = []
    at = NOON
    for gap in gaps:
        at += timedelta(milliseconds=100 * gap)
        free_at = rows.take([("zhang", SMALL)], at)
        if free_at is None:
            taken.append(at)
        else:
            assert at < free_at <= at + SMALL.per + timedelta(seconds=10)
    for first in taken:
        assert sum(1 for other in taken if first <= other < first + SMALL.per) <= SMALL.limit


@pytest.fixture
def counted(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Connection]:
    """A transaction on a real file."""
    shutil.copy(migrated_sqlite, tmp_path / "rates.db")
    engine = writing_engine(parse_url(f"sqlite:///{tmp_path}/rates.db"))
    with engine.begin() as connection:
        yield connection
    engine.dispose()
