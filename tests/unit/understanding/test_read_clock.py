"""Times of day, moments, and entries of a list of them, on a Saturday at ten in the morning (21 November 2026)."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding import read
from tests.unit.understanding.hearing import ASK_BACK, SATURDAY, ZONE, value, wanting

TIME = wanting("time")
MOMENT = wanting("datetime")
SLOTS = ("2026-11-28T10:00:00+08:00", "2026-11-28T14:00:00+08:00", "2026-11-28T15:30:00+08:00")
LISTED = wanting("datetime", options=dict.fromkeys(SLOTS, ()), listed=True)
TIMES = wanting("time", options={"10:00": (), "14:00": (), "15:30": ()}, listed=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15:30", "15:30"),
        ("15：30", "15:30"),
        ("9:30", "09:30"),
        ("08:30", "08:30"),
        ("3:30", "15:30"),
        ("03:30", "03:30"),
        ("下午3点", "15:00"),
        ("下午三点", "15:00"),
        ("下午3:30", "15:30"),
        ("下午15点", "15:00"),
        ("3点", "15:00"),
        ("3点钟", "15:00"),
        ("三点整", "15:00"),
        ("三点半", "15:30"),
        ("三点一刻", "15:15"),
        ("三点三刻", "15:45"),
        ("三点十五", "15:15"),
        ("三点二十五分", "15:25"),
        ("三点零五", "15:05"),
        ("3点05分", "15:05"),
        ("3点20", "15:20"),
        ("两点", "14:00"),
        ("十点", "10:00"),
        ("十一点半", "11:30"),
        ("上午10点", "10:00"),
        ("上午十点半", "10:30"),
        ("早上9点", "09:00"),
        ("早上8点", "08:00"),
        ("中午", "12:00"),
        ("中午12点", "12:00"),
        ("12点", "12:00"),
        ("中午1点", "13:00"),
        ("傍晚六点", "18:00"),
        ("晚上七点半", "19:30"),
        ("晚上8点", "20:00"),
        ("今晚七点半下班路过 还开门吗", "19:30"),
        ("19点", "19:00"),
        ("3pm", "15:00"),
        ("10 AM", "10:00"),
        ("3:30pm", "15:30"),
        ("一点", "13:00"),
        ("一点半", "13:30"),
        ("下午一点", "13:00"),
        ("周六一点", "13:00"),
        ("周六十点", "10:00"),
        ("周六，三点", "15:00"),
        ("周六三点半", "15:30"),
        ("12月1号10点", "10:00"),
        ("半小时后", "10:30"),
        ("一个小时后", "11:00"),
        ("1小时以后", "11:00"),
        ("两个半小时后", "12:30"),
        ("一个半小时之后", "11:30"),
        ("20分钟后", "10:20"),
        ("一刻钟后", "10:15"),
        ("改到3点", "15:00"),
        ("3点到店", "15:00"),
        ("约3点吧", "15:00"),
        ("不是3点，是4点", "16:00"),
    ],
)
def test_a_time_of_day_is_read(text: str, expected: str) -> None:
    assert value(text, TIME) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "下午",
        "晚上",
        "几点",
        "晚点",
        "快一点",
        "便宜一点",
        "一点都不贵",
        "有点贵",
        "三四点",
        "3点多",
        "晚上八点以后方便",
        "三点之前",
        "10点前",
        "10点后",
        "3点到5点",
        "10:00-12:00",
        "晚上12点",
        "晚上3点",
        "25:00",
        "10:75",
        "25点",
        "上午3点",
        "10:30:15",
        "差五分三点",
        "三点差五分",
        "中午不行",
        "1.5小时后",
        "能往后推一个小时吗",
        "约好的三点 我等了四十分钟没人理",
        "首付三点五成",
        "有时候",
        "12.30",
        "同一时间",
    ],
)
def test_what_names_no_time_is_not_read(text: str) -> None:
    assert value(text, TIME) is None


@pytest.mark.parametrize("text", ["7点", "八点半", "3点或者4点", "上午10点和下午2点都行"])
def test_two_times_are_asked_back(text: str) -> None:
    assert value(text, TIME) == ASK_BACK


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("明天下午3点", "2026-11-22T15:00:00+08:00"),
        ("明天下午三点", "2026-11-22T15:00:00+08:00"),
        ("预约 张伟 13800000000 LY9 周日下午2点", "2026-11-22T14:00:00+08:00"),
        ("今晚七点半下班路过 还开门吗", "2026-11-21T19:30:00+08:00"),
        ("明早10点", "2026-11-22T10:00:00+08:00"),
        ("明晚8点", "2026-11-22T20:00:00+08:00"),
        ("下周六上午十点半", "2026-11-28T10:30:00+08:00"),
        ("12月1号15:30", "2026-12-01T15:30:00+08:00"),
        ("12月1日 下午3点", "2026-12-01T15:00:00+08:00"),
        ("2026-12-01 15:30", "2026-12-01T15:30:00+08:00"),
        ("2026/12/1 9:30", "2026-12-01T09:30:00+08:00"),
        ("下午3点，明天", "2026-11-22T15:00:00+08:00"),
        ("明天中午", "2026-11-22T12:00:00+08:00"),
        ("半小时后", "2026-11-21T10:30:00+08:00"),
        ("周六上午9点", "2026-11-28T09:00:00+08:00"),  # over for today
        ("今天8点", "2026-11-21T20:00:00+08:00"),  # eight in the morning is over
        ("28号周六下午3点", "2026-11-28T15:00:00+08:00"),
        ("明天的改到下周六下午两点", "2026-11-28T14:00:00+08:00"),
        ("明天的改到三点", "2026-11-22T15:00:00+08:00"),
        ("周日10点不行，周一10点", "2026-11-23T10:00:00+08:00"),
    ],
)
def test_a_moment_is_read_by_its_day_and_time(text: str, expected: str) -> None:
    assert value(text, MOMENT) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "明天",
        "下午3点",
        "明天下午",
        "今天上午9点",
        "周六",
        "这周三下午3点",
        "约好的三点 我等了四十分钟没人理",
        "明天7点以后",
    ],
)
def test_half_a_moment_and_one_that_is_over_are_not_read(text: str) -> None:
    assert value(text, MOMENT) is None


@pytest.mark.parametrize(
    "text", ["周六下午三点能试驾吗", "明天7点", "明天3点或者4点", "周日或者周一上午10点", "周末下午2点"]
)
def test_moments_of_which_several_are_possible_are_asked_back(text: str) -> None:
    assert value(text, MOMENT) == ASK_BACK


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("1", 0),
        ("2", 1),
        ("２", 1),
        ("第二个", 1),
        ("第2个吧", 1),
        ("选3", 2),
        ("我选3", 2),
        ("二", 1),
        ("最后一个", 2),
        ("10点", 0),
        ("下午两点", 1),
        ("14:00", 1),
        ("三点半", 2),
        ("28号下午2点", 1),
        ("下周六上午10点", 0),
        ("上午", None),
        ("11点", None),
        ("29号10点", None),
        ("4", None),
        ("0", None),
        ("都行", None),
        ("28号", ASK_BACK),
        ("", None),
    ],
)
def test_an_entry_of_a_list_is_chosen_by_its_number_or_by_what_it_says(text: str, place: int | str | None) -> None:
    expected = SLOTS[place] if isinstance(place, int) else place
    assert value(text, LISTED) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("2", "14:00"), ("三点半", "15:30"), ("10:00", "10:00"), ("12点", None)]
)
def test_a_list_may_hold_times_alone(text: str, expected: str | None) -> None:
    assert value(text, TIMES) == expected


def test_a_list_may_hold_days_or_texts() -> None:
    days = wanting("date", options={"2026-11-28": (), "2026-11-29": ()}, listed=True)
    assert value("下周日", days) == "2026-11-29"
    assert value("1", days) == "2026-11-28"
    shops = wanting("text", options={"浦东店": (), "徐汇店": ()}, listed=True)
    assert value("徐汇店", shops) == "徐汇店"
    assert value("去徐汇店吧", shops) == "徐汇店"
    assert value("第一个", shops) == "浦东店"
    assert value("随便", shops) is None


def test_moments_are_those_of_the_customers_zone() -> None:
    urumqi = ZoneInfo("Asia/Urumqi")
    found = read("明天下午3点", MOMENT, now=SATURDAY, zone=urumqi)
    assert found.readings["j.s"].value == "2026-11-22T15:00:00+06:00"


def test_an_hour_is_an_hour_when_the_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 10, 25, 2, 30, tzinfo=berlin)
    found = read("两小时后", MOMENT, now=before, zone=berlin)
    assert found.readings["j.s"].value == "2026-10-25T03:30:00+01:00"


@given(hour=st.integers(min_value=0, max_value=23), minute=st.integers(min_value=0, max_value=59))
def test_a_time_in_full_is_read_as_it_stands(hour: int, minute: int) -> None:
    assert value(f"{hour:02}:{minute:02}", TIME) == f"{hour:02}:{minute:02}"


@given(text=st.text(alphabet="今明后天周六上下午晚0123456789:点半刻三十分小时后改到 不行", max_size=24))
def test_whatever_moment_is_read_is_still_to_come(text: str) -> None:
    found = value(text, MOMENT)
    if found is not None and found != ASK_BACK:
        moment = datetime.fromisoformat(str(found))
        assert SATURDAY < moment < SATURDAY + timedelta(days=800)
        assert moment.utcoffset() == ZONE.utcoffset(moment)


@given(text=st.text(alphabet="今明上下午晚中0123456789:点半刻三十分零一二两小时后 ", max_size=16))
def test_whatever_time_is_read_is_one(text: str) -> None:
    found = value(text, TIME)
    if found is not None and found != ASK_BACK:
        assert f"{time.fromisoformat(str(found)):%H:%M}" == found
