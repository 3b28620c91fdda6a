"""The five fields of a schedule, and when they come."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.core.cron import CronFault, parse_cron

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def next_of(cron: str, after: str, zone: ZoneInfo = SHANGHAI) -> str | None:
    """When it comes next after this wall clock time, on the same clocks."""
    begins = datetime.fromisoformat(after).replace(tzinfo=zone).astimezone(UTC)
    found = parse_cron(cron).next_after(begins, zone)
    return f"{found.astimezone(zone):%Y-%m-%d %H:%M}" if found else None


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        ("0 10 * * tue", "2026-12-01 09:59", "2026-12-01 10:00"),
        ("0 10 * * tue", "2026-12-01 10:00", "2026-12-08 10:00"),
        ("0 10 * * 2", "2026-12-02 00:00", "2026-12-08 10:00"),
        ("0 10 * * 0", "2026-12-02 00:00", "2026-12-06 10:00"),
        ("0 10 * * 7", "2026-12-02 00:00", "2026-12-06 10:00"),
        ("0 10 * * sun", "2026-12-02 00:00", "2026-12-06 10:00"),
        ("0 9 * * 1", "2026-12-02 00:00", "2026-12-07 09:00"),
        ("0 9 * * mon-fri", "2026-12-04 09:00", "2026-12-07 09:00"),
        ("0 9 * * fri-sun", "2026-12-04 09:00", "2026-12-05 09:00"),
        ("*/20 * * * *", "2026-12-02 00:05", "2026-12-02 00:20"),
        ("5,35 8-9 * * *", "2026-12-02 08:35", "2026-12-02 09:05"),
        ("0 0 1 jan *", "2026-12-02 00:00", "2027-01-01 00:00"),
        ("0 0 29 2 *", "2026-12-02 00:00", "2028-02-29 00:00"),
        ("0 0 31 * *", "2026-11-01 00:00", "2026-12-31 00:00"),
        ("0 0 13 * fri", "2026-12-02 00:00", "2026-12-04 00:00"),
        ("0 0 13 * fri", "2026-12-12 00:00", "2026-12-13 00:00"),
        ("30 23 * * *", "2026-12-31 23:30", "2027-01-01 23:30"),
    ],
)
def test_a_schedule_comes_when_its_fields_say(cron: str, after: str, expected: str) -> None:
    assert next_of(cron, after) == expected


def test_a_time_that_the_clocks_skip_comes_an_hour_later() -> None:
    assert next_of("30 2 * * *", "2026-03-28 12:00", BERLIN) == "2026-03-29 03:30"


def test_a_time_that_the_clocks_show_twice_comes_once() -> None:
    first = parse_cron("30 2 * * *").next_after(datetime(2026, 10, 24, 12, tzinfo=UTC), BERLIN)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert parse_cron("30 2 * * *").next_after(first, BERLIN) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "why"),
    [
        ("0 25 * * *", "小时"),
        ("60 * * * *", "分钟"),
        ("0 0 0 * *", "日"),
        ("0 0 * 13 *", "月"),
        ("0 0 * * 8", "星期"),
        ("0 0 * * tues", "星期"),
        ("0 0 * *", "五段"),
        ("0 0 * * * *", "五段"),
        ("0 9-8 * * *", "小时"),
        ("*/0 * * * *", "分钟"),
        ("0 0 30 2 *", "没有这一天"),
        ("1,,2 * * * *", "分钟"),
        ("，", "五段"),
        ("0 " * 400, "五段"),
        (",".join(["1"] * 61) + " * * * *", "最多"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_field(cron: str, why: str) -> None:
    with pytest.raises(CronFault, match=why):
        parse_cron(cron)


def test_the_minutes_of_a_schedule_are_known() -> None:
    assert parse_cron("0,30 9-11 * * *").minutes == {0, 30}
