"""What remains of a text when the polite words around it are taken away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.understanding.hearing import heard


def bare(text: str) -> tuple[str, ...]:
    return heard(text).bare


@pytest.mark.parametrize(
    "text",
    [
        "请退订",
        "我要退订",
        "我想退订！",
        "帮我退订",
        "请帮我退订。",
        "請幫我退订",
        "请帮我退订谢谢",
        "麻烦给我退订",
        "麻烦您帮我退订一下，谢谢您",
        "您好，退订",
        "您好。退订",
        "你好呀～退订",
        "Hi 退订",
        "您好😊退订",
        "您好[微笑]，麻烦请帮我给我退订一下，谢谢",
        "退订一下",
        "退订，谢谢",
        "退订 谢谢",
        "退订了，谢谢啦！",
    ],
)
def test_a_keyword_among_polite_words_is_found(text: str) -> None:
    assert "退订" in bare(text)


@pytest.mark.parametrize(
    "text",
    [
        "不退订",
        "我不退订",
        "我要退定",
        "退定",
        "退订单",
        "我要退订单",
        "怎么退订金",
        "别退订",
        "怎么退订",
        "退订吗",
        "您好",
    ],
)
def test_what_only_looks_like_a_keyword_is_none(text: str) -> None:
    assert "退订" not in bare(text)


@pytest.mark.parametrize("text", ["要不要发", "我要不要发了？", "想不想要不要发"])
def test_a_question_of_whether_or_not_is_no_refusal(text: str) -> None:
    assert "不要发" not in bare(text)


def test_a_keyword_that_begins_politely_is_found_behind_a_greeting() -> None:
    assert "我要取消" in bare("您好，我要取消")
    assert bare("取消") == ()


@pytest.mark.parametrize("text", ["T", "我要T", "您好，T", "T谢谢", "我是N"])
def test_a_single_letter_never_remains(text: str) -> None:
    assert "t" not in bare(text)
    assert "n" not in bare(text)


@given(st.text(alphabet="您好请我要帮退订谢一下的了，。不 ", max_size=40))
def test_what_remains_is_a_shorter_part_of_the_text(text: str) -> None:
    found = heard(text)
    assert all(len(form) < len(found.normal) and form in found.normal for form in found.bare)


def test_a_text_of_openings_alone_is_taken_apart_only_so_far() -> None:
    assert len(bare("我" * 2000)) <= 36
