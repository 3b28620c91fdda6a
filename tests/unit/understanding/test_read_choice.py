from collections.abc import Mapping

import pytest

from bot.core.understood import Expectation, Expected
from tests.unit.understanding.hearing import heard

Options = Mapping[str, tuple[str, ...]]
NEED: Options = {"看车": ("看车", "试驾", "选车"), "养车": ("保养", "维修"), "金融": ("贷款", "分期", "置换")}
AGREE: Options = {"同意": ("同意", "好", "好的", "可以", "愿意"), "不同意": ("不同意", "不", "不要", "拒绝")}
MODEL: Options = {"LY5": ("5",), "LY7": ("7",), "LY7 Max": (), "LY9": ("9",)}


def chosen(text: str, options: Options = NEED) -> object:
    """The option that `text` names, a set when there are several possible, None when there is none."""
    found = heard(text, Expectation(expected=(Expected(slot="j.s", type="choice", options=options, asked=True),)))
    if found.ambiguous:
        return "?"
    reading = found.readings.get("j.s")
    return reading.value if reading else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("看车", "看车"),
        ("试驾", "看车"),
        ("看 车！", "看车"),
        ("看车吧[呲牙]", "看车"),
        ("养车", "养车"),
        ("我想看车", "看车"),
        ("我想要试驾一下", "看车"),
        ("周六下午三点能试驾吗", "看车"),
        ("想约下周三晚上试驾LY7", "看车"),
        ("外地牌照的旧车可以置换吗", "金融"),
        ("可不可以试驾", "看车"),
        ("能不能贷款", "金融"),
        ("不知道能不能分期", "金融"),
        ("不好意思，我是来试驾的", "看车"),
        ("要不看车吧", "看车"),
        ("特别想看车", "看车"),
        ("非常想试驾", "看车"),
        ("未来想换车，先看车", "看车"),
        ("试驾不要钱吧", "看车"),
        ("保养不用预约吧", "养车"),
        ("方不方便试驾", "看车"),
        ("看车或者选车都行", "看车"),
    ],
)
def test_an_option_is_read_by_any_of_its_spellings(text: str, expected: str) -> None:
    assert chosen(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "不看车",
        "不想看车",
        "我不太想看车",
        "没打算试驾",
        "暂时不考虑贷款",
        "别给我贷款",
        "贷款就不用了",
        "试驾的话先不考虑",
        "还没想好",
        "随便",
        "？",
        "",
    ],
)
def test_a_negated_option_is_not_chosen(text: str) -> None:
    assert chosen(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("不看车，想保养", "养车"), ("不是看车，是维修", "养车"), ("贷款就不用了我来试驾", "看车")],
)
def test_a_negated_option_leaves_the_other_one(text: str, expected: str) -> None:
    assert chosen(text) == expected


@pytest.mark.parametrize("text", ["看车和贷款", "先试驾再贷款", "保养还是看车"])
def test_two_options_are_asked_back(text: str) -> None:
    assert chosen(text) == "?"


def test_a_spelling_of_two_options_is_asked_back() -> None:
    assert chosen("都行", {"上午": ("都行",), "下午": ("都行",)}) == "?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LY7", "LY7"),
        ("ly 7", "LY7"),
        ("想看ＬＹ７多少钱", "LY7"),
        ("LY7 Max 有现车吗", "LY7 Max"),
        ("ly7max", "LY7 Max"),
        ("7", "LY7"),
        ("LY70", None),
        ("FLY7", None),
        ("27", None),
        ("预算7万", None),
        ("LY7和LY9比", "?"),
    ],
)
def test_latin_spellings_count_only_as_words_of_their_own(text: str, expected: str | None) -> None:
    assert chosen(text, MODEL) == expected


@pytest.mark.parametrize(
    "text",
    [
        "同意",
        "我同意",
        "同意的",
        "同意，谢谢",
        "同意。",
        "同意！[OK]",
        "好",
        "好的",
        "可以",
        "嗯 可以",
        "好的，同意",
        "我同意你们联系我",
        "同意 王先生",
        "愿意的",
    ],
)
def test_an_agreement_is_read_when_it_is_plain(text: str) -> None:
    assert chosen(text, AGREE) == "同意"


@pytest.mark.parametrize(
    "text",
    [
        "不同意",
        "我不同意",
        "不同意！",
        "我不同意你们给我打电话",
        "不",
        "不要",
        "我拒绝",
        "可以不同意吗",
        "拒绝，别再问了",
    ],
)
def test_a_refusal_is_never_read_as_an_agreement(text: str) -> None:
    assert chosen(text, AGREE) == "不同意"


@pytest.mark.parametrize(
    "text",
    [
        "同意吗",
        "同意？",
        "可以？",
        "可以吗",
        "好吗",
        "不好",
        "不可以",
        "不太同意",
        "没说同意",
        "没有不同意",
        "怎么可能同意",
        "凭什么要我同意",
        "同意了会怎么样",
        "如果同意会打电话吗",
        "考虑一下再同意",
        "等我老公同意",
        "同意才怪",
        "可以先看看车吗",
        "好贵",
        "好像不太方便",
        "你们同意退款了没",
        "我朋友同意",
    ],
)
def test_a_doubt_or_a_question_is_no_agreement(text: str) -> None:
    assert chosen(text, AGREE) is None


def test_the_span_covers_the_spelling_in_the_customers_own_text() -> None:
    text = "你好，周六想 试 驾 可以吗"
    found = heard(text, Expectation(expected=(Expected(slot="j.s", type="choice", options=NEED),)))
    reading = found.readings["j.s"]
    assert text[reading.start : reading.end] == "试 驾"
