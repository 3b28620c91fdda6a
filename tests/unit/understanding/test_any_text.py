"""Whatever somebody writes: never an error, never out of the text, never too long."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.understood import Expectation, Expected, Reading, SlotType
from bot.understanding import TEXT_MAX
from tests.unit.understanding.hearing import heard

TYPES: tuple[SlotType, ...] = tuple(kind for kind in get_args(SlotType) if kind != "choice")
OPTIONS = {"看车": ("看车", "试驾"), "同意": ("同意", "好")}
MOMENTS = {"2026-11-28T10:00:00+08:00": (), "14:00": (), "2026-12-01": (), "没有合适的": (), "T": ()}
EVERYTHING = Expectation(
    expected=(
        Expected(slot="j.choice", type="choice", options=OPTIONS, asked=True),
        Expected(slot="j.listed", type="datetime", options=MOMENTS, asked=True, listed=True),
        *(Expected(slot=f"j.{kind}", type=kind, asked=True, of="车型") for kind in TYPES),
        *(Expected(slot=f"k.{kind}", type=kind, answered=True, of="车型") for kind in TYPES),
    ),
    confirming=True,
)
WORDS = """
不对 改成 改到 明天 后天 周六 下周三 12月1号 1号 12/1 月底 下午 3点 半 15:30 一刻 半小时后 20万 十二万八 3万5
1.5w 以内 左右 到 - ~ 沪A12345 1M8GDM9AXKP042788 11010519491231002X 13800138000 上海 朝阳区 有 没有 是 不 第二个
2 LY7 预算 人 吗 ， 。
"""
PIECES = WORDS.split()


def is_in_range(reading: Reading, text: str) -> bool:
    return 0 <= reading.start < reading.end <= len(text)


@given(st.text(max_size=200))
def test_any_text_of_any_plane_is_read(text: str) -> None:
    found = heard(text, EVERYTHING)
    assert all(is_in_range(reading, found.text) for reading in found.readings.values())
    assert not found.ambiguous & set(found.readings)


@given(st.lists(st.characters(min_codepoint=0x10000, max_codepoint=0x10FFFF), max_size=40).map("".join))
def test_the_upper_planes_are_read(text: str) -> None:
    found = heard(f"明天{text}3点", EVERYTHING)
    assert all(is_in_range(reading, found.text) for reading in found.readings.values())


@given(st.lists(st.sampled_from([*PIECES, " ", "１", "\u200b", "\u3000", "😀", "\ud800"]), max_size=14))
def test_mixtures_of_what_the_readers_know_are_read_the_same_twice(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = heard(text, EVERYTHING)
    assert all(is_in_range(reading, found.text) for reading in found.readings.values())
    assert heard(text, EVERYTHING) == found


UNITS = (
    "1",
    "一",
    "十",
    "万",
    "12",
    "1,",
    "1.",
    "1:",
    "1/",
    "1-",
    "12月",
    "月1",
    "周",
    "周六",
    "下",
    "点",
    "3点",
    "下午",
    "改到",
    "半",
    "个",
    "后",
    "半小时后",
    "沪",
    "沪a",
    "a1",
    "沪a1234",
    "x",
    "上",
    "上海",
    "朝阳区",
    "不",
    "有",
    "是",
    "不是",
    "第",
    "第二",
    "我",
    "请",
    "20万",
    "到",
    "¥",
    "预算",
    "号",
    "手机号",
    "改",
    " ",
    "１",
    "?",
    "\u0301",
    "\U0001f600",
    "ﷺ",
    "年",
    "2026年",
)


@pytest.mark.parametrize("unit", UNITS)
def test_the_longest_texts_come_to_an_end(unit: str) -> None:
    """A pattern that goes back and forth over its text would lose the suite's patience here."""
    text = (unit * TEXT_MAX)[:TEXT_MAX]
    assert heard(text, EVERYTHING).text == text
    assert heard(text[:-1] + "!", EVERYTHING).text == text[:-1] + "!"
