"""What the marketers' files make a text mean: the catalogue, intents and frequent questions."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.catalogue import CarModel
from bot.core.library import Faq, Intent
from bot.core.program import compile_library
from bot.core.understood import Expectation
from bot.understanding import index_of, indexed
from tests.unit.understanding.hearing import ASK_BACK, ZONE, heard, value, wanting
from tests.unit.understanding.libraries import library

MODELS = (
    CarModel(model="LY5", aliases=("五系", "小五")),
    CarModel(model="LY7", aliases=("7", "七系")),
    CarModel(model="LY7 Max", aliases=("7max",)),
    CarModel(model="老款LY3", aliases=("LY3",), valid_to=date(2026, 6, 30)),
    CarModel(model="LY9", valid_from=date(2027, 1, 1)),
    CarModel(model="Model Y", aliases=("毛豆歪", "Y")),
    CarModel(model="甲", aliases=("同名",)),
    CarModel(model="乙", aliases=("同名",)),
)
INTENTS = (
    Intent(intent="想试驾", patterns=("试驾", "想试*车", "开一下"), without=("取消", "试驾过")),
    Intent(intent="取消", patterns=("取消", "不去了", "不来了"), without=("怎么取消",)),
    Intent(intent="单字", patterns=("约",)),
)
FAQS = (
    Faq(faq="价格", questions=("多少钱", "什么价格", "落地价是多少"), content="faq/价格"),
    Faq(faq="续航", questions=("续航多少公里", "能跑多远", "LY9续航多少"), content="faq/续航"),
    Faq(faq="质保", questions=("电池质保几年", "保修多久"), content="faq/质保"),
)


INDEX = indexed(library(models=MODELS, intents=INTENTS, faqs=FAQS))
CAR = wanting("entity", of="车型")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LY7", "LY7"),
        ("ly7", "LY7"),
        ("ＬＹ７", "LY7"),
        ("LY 7", "LY7"),
        ("想看LY7", "LY7"),
        ("7", "LY7"),
        ("七系", "LY7"),
        ("LY7 Max 有现车吗", "LY7 Max"),
        ("小五怎么样", "LY5"),
        ("不要LY7，要LY5", "LY5"),
        ("在LY7和特斯拉之间纠结", "LY7"),
        ("model y", "Model Y"),
        ("LY70", None),
        ("LY8", None),
        ("预算7万", None),
        ("LY3", None),  # no longer sold
        ("LY9", None),  # not sold yet
        ("不要LY7", None),
        ("", None),
        ("LY5和LY7比", ASK_BACK),
        ("同名", ASK_BACK),
    ],
)
def test_a_car_is_read_by_the_names_in_the_catalogue(text: str, expected: str | None) -> None:
    assert value(text, CAR, index=INDEX) == expected


def test_a_car_counts_from_its_first_day_to_its_last() -> None:
    assert value("LY9", CAR, index=INDEX, now=datetime(2027, 1, 1, 0, 0, tzinfo=ZONE)) == "LY9"
    assert value("LY3", CAR, index=INDEX, now=datetime(2026, 6, 30, 23, 59, tzinfo=ZONE)) == "老款LY3"


def test_things_of_another_kind_are_unknown() -> None:
    assert value("LY7", wanting("entity", of="门店"), index=INDEX) is None
    assert value("LY7", CAR) is None


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("试驾", {"想试驾": 100}),
        ("我想试驾", {"想试驾": 100}),
        ("周六下午三点能试驾吗", {"想试驾": 83}),
        ("想试一下新车", {"想试驾": 89}),
        ("想试一下你们家新出的那款车", {}),
        ("不想试驾", {}),
        ("试驾就不用了", {}),
        ("试驾过了", {}),
        ("取消试驾", {"取消": 89}),
        ("怎么取消", {}),
        ("不去了 谢谢", {"取消": 100}),
        ("别取消", {}),
        ("约", {"单字": 100}),
        ("约个时间", {}),
        ("你好", {}),
        ("", {}),
    ],
)
def test_intents_are_found_by_their_patterns(text: str, intents: dict[str, int]) -> None:
    assert heard(text, index=INDEX).intents == intents


@pytest.mark.parametrize(
    ("text", "faq"),
    [
        ("多少钱", ("价格", 100)),
        ("多少钱？", ("价格", 100)),
        ("请问多少钱呀", ("价格", 100)),
        ("LY7多少钱", ("价格", 99)),
        ("LY9续航多少", ("续航", 100)),
        ("续航多少公里呢", ("续航", 100)),
        ("电池质保几年啊", ("质保", 100)),
        ("哈哈", None),
        ("", None),
    ],
)
def test_a_frequent_question_is_found_by_its_wordings(text: str, faq: tuple[str, int] | None) -> None:
    assert heard(text, index=INDEX).faq == faq


@pytest.mark.parametrize("text", ["多少人", "电池坏了", "我住得远"])
def test_what_only_shares_a_word_with_a_frequent_question_is_far_from_it(text: str) -> None:
    found = heard(text, index=INDEX).faq
    assert found is None or found[1] < 70


def test_without_files_nothing_is_meant() -> None:
    found = heard("多少钱，想试驾")
    assert found.intents == {}
    assert found.faq is None


def test_an_index_is_made_once_for_a_program() -> None:
    program = compile_library(library(faqs=FAQS))
    assert index_of(program) is index_of(program)


@given(st.text(max_size=300))
def test_scores_are_hundredths_whatever_the_text(text: str) -> None:
    found = heard(text, Expectation(), index=INDEX)
    assert all(80 <= score <= 100 for score in found.intents.values())
    assert found.faq is None or 0 < found.faq[1] <= 100
