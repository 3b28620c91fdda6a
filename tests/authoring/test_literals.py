"""Durations, times, ranges and names as marketers write them."""

from datetime import time, timedelta

import pytest

from bot.authoring import literals
from bot.authoring.suggest import nearest


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30m", timedelta(minutes=30)),
        ("2d", timedelta(days=2)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("1h 30m", timedelta(hours=1, minutes=30)),
        ("30分钟", timedelta(minutes=30)),
        ("３０分", timedelta(minutes=30)),
        ("2天", timedelta(days=2)),
        ("1周", timedelta(weeks=1)),
        ("20秒", timedelta(seconds=20)),
    ],
)
def test_a_duration_is_read(text: str, length: timedelta) -> None:
    assert literals.duration(text) == length


@pytest.mark.parametrize(
    "text", ["", "30", "m", "0m", "-5m", "1.5h", "半小时", "6000d", "30m后", "9999999d", "1h, 30m"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(literals.LiteralFault):
        literals.duration(text)


@pytest.mark.parametrize(("text", "moment"), [("08:30", time(8, 30)), ("8:30", time(8, 30)), ("23：59", time(23, 59))])
def test_a_time_of_day_is_read(text: str, moment: time) -> None:
    assert literals.time_of_day(text) == moment


@pytest.mark.parametrize("text", ["24:00", "8", "8:5", "25:00", "0830", "八点"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(literals.LiteralFault):
        literals.time_of_day(text)


def test_a_range_may_cross_midnight_and_is_never_empty() -> None:
    assert literals.time_range("21:30-08:30") == (time(21, 30), time(8, 30))
    with pytest.raises(literals.LiteralFault):
        literals.time_range("09:00-09:00")


@pytest.mark.parametrize("text", ["yes", "True", "1", "是", "on"])
def test_only_true_and_false_are_flags(text: str) -> None:
    with pytest.raises(literals.LiteralFault):
        literals.flag(text)


@pytest.mark.parametrize("text", ["需求", "need_2", "a"])
def test_names_may_be_chinese(text: str) -> None:
    assert literals.name(text) == text


@pytest.mark.parametrize("text", ["_x", "2a", "a b", "a.b", "", "a-b", "长" * 61])
def test_names_that_expressions_could_not_use_are_refused(text: str) -> None:
    with pytest.raises(literals.LiteralFault):
        literals.name(text)


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("timout", ("timeout", "then"), "timeout"),
        ("slepp", ("done", "sleep"), "sleep"),
        ("tehn", ("then", "when"), "then"),
        ("店掌", ("顾问", "店长"), "店长"),
        ("q", ("a", "b"), None),
        ("完全不同", ("另一个词", "别的"), None),
    ],
)
def test_the_nearest_known_word_is_suggested(word: str, known: tuple[str, ...], found: str | None) -> None:
    assert nearest(word, known) == found
