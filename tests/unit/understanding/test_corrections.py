"""What corrects an earlier answer."""

import pytest

from bot.core.understood import Expectation, Expected, Understanding
from tests.unit.understanding.hearing import heard

ANSWERED = Expectation(
    expected=(
        Expected(slot="j.need", type="choice", options={"看车": ("试驾",), "养车": ("保养",)}, asked=True),
        Expected(slot="j.phone", type="phone_cn", answered=True),
        Expected(slot="j.day", type="date", answered=True),
        Expected(slot="j.people", type="number", answered=True),
        Expected(slot="j.nick", type="text", answered=True),
    )
)


def values(found: Understanding) -> dict[str, object]:
    return {slot.removeprefix("j."): reading.value for slot, reading in found.readings.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("不对，是13800138000", {"phone": "13800138000"}),
        ("手机号错了，应该是13800138000", {"phone": "13800138000"}),
        ("我手机号写错了 13800138000", {"phone": "13800138000"}),
        ("刚才的号码发错了，13800138000", {"phone": "13800138000"}),
        ("电话改成13800138000", {"phone": "13800138000"}),
        ("把手机号改成13800138000", {"phone": "13800138000"}),
        ("帮我把日期改到周日", {"day": "2026-11-22"}),
        ("改成周日", {"day": "2026-11-22"}),
        ("日期不对，是12月1号", {"day": "2026-12-01"}),
        ("明天的试驾改到下周六", {"day": "2026-11-28", "need": "看车"}),
        ("不对，是3个人", {"people": 3}),
        ("不对，是汪先生", {"nick": "汪先生"}),
        ("称呼错了，我叫汪伟", {"nick": "汪伟"}),
        ("名字打错了，应该是汪女士", {"nick": "汪女士"}),
    ],
)
def test_a_correction_names_the_answer_it_is_about(text: str, expected: dict[str, object]) -> None:
    found = heard(text, ANSWERED)
    assert found.change
    assert values(found) == expected


@pytest.mark.parametrize("text", ["不对，我问的是别的", "错了", "不对", "改一下", "不对吧，他叫什么名字？"])
def test_a_correction_without_a_value_corrects_nothing(text: str) -> None:
    found = heard(text, ANSWERED)
    assert found.change
    assert values(found) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("保养", {"need": "养车"}),
        ("王先生", {}),
        ("3个人", {}),
        ("时间过得真快", {}),
        ("号码牌在哪", {}),
        ("城市里堵车", {}),
    ],
)
def test_an_ordinary_answer_corrects_nothing(text: str, expected: dict[str, object]) -> None:
    found = heard(text, ANSWERED)
    assert not found.change
    assert values(found) == expected


def test_a_name_is_not_corrected_by_what_corrects_something_else() -> None:
    assert values(heard("不对，王先生的电话是13800138000", ANSWERED)) == {"phone": "13800138000"}
