"""Days as answers. It is Saturday, the 21st of November 2026, ten in the morning."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.understanding.hearing import ASK_BACK, ZONE, value, wanting

DATE = wanting("date")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("今天", "2026-11-21"),
        ("今晚", "2026-11-21"),
        ("明天", "2026-11-22"),
        ("明天吧！", "2026-11-22"),
        ("明儿", "2026-11-22"),
        ("后天", "2026-11-23"),
        ("大后天", "2026-11-24"),
        ("周日", "2026-11-22"),
        ("星期天", "2026-11-22"),
        ("礼拜一", "2026-11-23"),
        ("周三", "2026-11-25"),
        ("周5", "2026-11-27"),
        ("这周六", "2026-11-21"),
        ("本周日", "2026-11-22"),
        ("这个周日", "2026-11-22"),
        ("下周三", "2026-11-25"),
        ("下周六", "2026-11-28"),
        ("下周日", "2026-11-29"),
        ("下个周一", "2026-11-23"),
        ("下个星期五", "2026-11-27"),
        ("下下周六", "2026-12-05"),
        ("下下周六有空位吗", "2026-12-05"),
        ("想约下周三晚上试驾LY7", "2026-11-25"),
        ("12月1号", "2026-12-01"),
        ("12月1日", "2026-12-01"),
        ("１２月１号", "2026-12-01"),
        ("12月1", "2026-12-01"),
        ("12 月 1 号", "2026-12-01"),
        ("十二月一号", "2026-12-01"),
        ("十二月二十五号", "2026-12-25"),
        ("1月5号", "2027-01-05"),
        ("今年12月1号", "2026-12-01"),
        ("明年1月5号", "2027-01-05"),
        ("2026年12月1日", "2026-12-01"),
        ("2026-12-01", "2026-12-01"),
        ("2026/12/1", "2026-12-01"),
        ("2026.12.1", "2026-12-01"),
        ("二零二六年十二月一日", "2026-12-01"),
        ("12/1", "2026-12-01"),
        ("12.1", "2026-12-01"),
        ("1号", "2026-12-01"),
        ("25号", "2026-11-25"),
        ("21号", "2026-11-21"),
        ("31号", "2026-12-31"),
        ("二十五号", "2026-11-25"),
        ("这个月25号", "2026-11-25"),
        ("下个月3号", "2026-12-03"),
        ("下月3号", "2026-12-03"),
        ("三天后", "2026-11-24"),
        ("3天之后", "2026-11-24"),
        ("一周后", "2026-11-28"),
        ("两个星期后", "2026-12-05"),
        ("28号周六", "2026-11-28"),
        ("周六（28号）", "2026-11-28"),
        ("12月5号星期六", "2026-12-05"),
        ("明天周日", "2026-11-22"),
        ("周六周六，28号那个周六", "2026-11-28"),
        ("明天不行，后天可以", "2026-11-23"),
        ("周日没空，下周六吧", "2026-11-28"),
        ("不是周日，是周三", "2026-11-25"),
        ("临时加班,明天的试驾改到下周六行不", "2026-11-28"),
        ("改到后天同一时间", "2026-11-23"),
        ("我13800138000，周日过来", "2026-11-22"),
    ],
)
def test_a_day_is_read_as_the_next_one_that_is_meant(text: str, expected: str) -> None:
    assert value(text, DATE) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "这周三",  # over
        "上周六",
        "昨天",
        "前天",
        "11月20号",  # yesterday; hardly in a year
        "2026-11-20",
        "2025年12月1号",
        "2月30号",
        "13月1号",
        "32号",
        "0号",
        "春节",
        "过年以后",
        "国庆",
        "下周",
        "下个月",
        "过几天",
        "过两天",
        "以后再说",
        "12月1号买的车",
        "25号到期",
        "周日不行",
        "明天没空",
        "每周六",
        "1号线",
        "2号楼",
        "95号汽油",
        "号码1号码",
        "一周五天",
        "以后天气好再说",
        "12.5万",
        "能把周六改到别的时间吗",
        "十二月一般都忙",
        "声明",
        "12/45",
        "15号之前",
        "15号以后",
        "周日之前",
        "从周日开始",
        "10号左右",
        "我生日是12月1号",
        "等12月1号发工资再说",
        "24/7",
        "1/2/3",
    ],
)
def test_what_names_no_day_ahead_is_not_read(text: str) -> None:
    assert value(text, DATE) is None


@pytest.mark.parametrize(
    "text",
    [
        "周六",  # today, or in a week
        "星期六",
        "周末",
        "周六日",
        "星期二/三",
        "12月1号到3号",
        "下周末",
        "月底",
        "12月底",
        "下个月初 大概1号2号",
        "周一或者周二",
        "明后天",
        "周一到周五",
        "周一至周三都行",
        "明天或后天",
        "25号26号",
    ],
)
def test_several_days_are_asked_back(text: str) -> None:
    assert value(text, DATE) == ASK_BACK


@pytest.mark.parametrize("text", ["12/1", "12.1"])
def test_a_bare_fraction_is_a_day_only_for_whoever_was_asked(text: str) -> None:
    assert value(text, wanting("date", asked=False)) is None


def test_the_days_are_those_of_the_customers_zone() -> None:
    late = datetime(2026, 11, 21, 23, 30, tzinfo=ZONE)
    assert value("明天", DATE, now=late) == "2026-11-22"
    assert value("明天", DATE, now=late + timedelta(hours=1)) == "2026-11-23"


def test_on_other_days_a_weekday_is_simply_the_next() -> None:
    monday = datetime(2026, 11, 23, 10, 0, tzinfo=ZONE)
    assert value("周六", DATE, now=monday) == "2026-11-28"
    assert value("周末", DATE, now=monday) == ASK_BACK
    assert value("周日", DATE, now=datetime(2026, 11, 22, 9, 0, tzinfo=ZONE)) == ASK_BACK


def test_the_last_day_of_a_month_is_its_end() -> None:
    assert value("月底", DATE, now=datetime(2026, 11, 30, 9, 0, tzinfo=ZONE)) == "2026-11-30"


def test_the_29th_of_february_is_found_in_a_leap_year_only() -> None:
    assert value("2月29号", DATE, now=datetime(2027, 12, 1, 9, 0, tzinfo=ZONE)) == "2028-02-29"
    assert value("2月29号", DATE) is None


moments = st.integers(min_value=0, max_value=10 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=ZONE) + timedelta(minutes=minutes)
)


@given(now=moments, ahead=st.integers(min_value=0, max_value=270))
def test_any_day_of_the_coming_months_is_read_in_its_usual_spellings(now: datetime, ahead: int) -> None:
    day = now.date() + timedelta(days=ahead)
    for written in (
        f"{day.month}月{day.day}号",
        f"{day.month}月{day.day}日",
        f"{day:%Y-%m-%d}",
        f"{day.month}/{day.day}",
    ):
        assert value(written, DATE, now=now) == day.isoformat()


@given(now=moments, text=st.text(alphabet="今明后天周下这星期日一二三十月号12/. 改到不行年", max_size=20))
def test_whatever_is_read_lies_ahead_within_two_years(now: datetime, text: str) -> None:
    found = value(text, DATE, now=now)
    if found is not None and found != ASK_BACK:
        assert 0 <= (date.fromisoformat(str(found)) - now.date()).days <= 730
