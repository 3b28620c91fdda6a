"""Yes and no as answers to a question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.understanding.hearing import heard, value, wanting

BOOL = wanting("bool")


@pytest.mark.parametrize(
    "text",
    [
        "是",
        "是的",
        "对",
        "要",
        "要的",
        "有",
        "有的",
        "有啊",
        "能",
        "会",
        "可以",
        "好的",
        "嗯",
        "需要",
        "肯定的",
        "行",
        "[OK]",
        "有，帕萨特",
        "有一辆老车",
        "是的，谢谢",
        "嗯 有的",
        "有有有",
        "当然",
        "已经有了",
        "我要",
    ],
)
def test_yes_is_heard(text: str) -> None:
    assert value(text, BOOL) is True


@pytest.mark.parametrize(
    "text",
    [
        "不是",
        "不",
        "不用",
        "不要",
        "没有",
        "没",
        "没有的",
        "无",
        "否",
        "不需要",
        "不能",
        "不会",
        "还没有",
        "暂时没有",
        "没有，第一次买",
        "没有车",
        "不用了谢谢",
        "不了",
        "没有没有",
        "不要，谢谢",
    ],
)
def test_no_is_heard(text: str) -> None:
    assert value(text, BOOL) is False


@pytest.mark.parametrize(
    "text",
    [
        "",
        "有吗",
        "有没有",
        "是吗？",
        "要不要呢？",
        "不是不行",
        "好的不用了",
        "可能有",
        "不知道",
        "考虑一下",
        "有点贵",
        "有时候吧",
        "要看价格",
        "什么意思",
        "是，但是不确定",
        "王先生",
        "没问题吧？",
        "有什么优惠",
        "有空再说",
        "没听懂",
        "没空",
        "[微笑]",
        "3个",
        "要" * 100,
    ],
)
def test_what_is_neither_is_not_read(text: str) -> None:
    assert value(text, BOOL) is None


def test_yes_to_a_question_that_nobody_asked_is_no_answer() -> None:
    assert value("有", wanting("bool", asked=False)) is None


def test_a_refusal_that_answers_the_question_is_no_skip() -> None:
    assert not heard("不用了", BOOL).skip
    assert heard("跳过", BOOL).skip


@given(st.text(alphabet="是不有没要好的可以吗，。 对", max_size=12))
def test_a_question_is_never_an_answer(text: str) -> None:
    assert value(f"{text}吗", BOOL) is None
    assert value(f"{text}？", BOOL) is None
