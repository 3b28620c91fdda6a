import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding import TEXT_MAX, keyword_forms, normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ＴＤ", "td"),
        ("T D", "td"),
        ("LY ７", "ly7"),
        ("  看 车\u3000", "看车"),
        ("看车。", "看车"),
        ("看车！！！", "看车"),
        ("看车～", "看车"),
        ("看车~~", "看车"),
        ("看车吧", "看车"),
        ("看车呀！", "看车"),
        ("好的呢～[微笑]", "好的"),
        ("【退订】", "退订"),
        ("“退订”", "退订"),
        ("退订👌🏻", "退订"),
        ("退\u200b订\ufe0f", "退订"),
        ("退订/:rose", "退订"),
        ("报个底价呗[呲牙]", "报个底价"),
        ("好[强][强]的", "好的"),
        ("好吗？", "好吗"),
        ("你好，请问在吗", "你好,请问在吗"),
        ("①", "1"),
        ("30%", "30%"),
    ],
)
def test_width_case_spaces_signs_particles_and_stickers_do_not_matter(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[OK]", "ok"), ("了", "了"), ("哈哈", "哈哈"), ("？", "?"), ("/:ok", "ok"), ("👌", "👌"), ("", ""), (" \n", "")],
)
def test_a_text_of_signs_alone_keeps_the_least_that_says_something(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize("text", ["[2026]", "[一二三四五六七八九]", "a]b", "[]"])
def test_what_stands_in_brackets_and_is_no_sticker_stays(text: str) -> None:
    assert normalise(f"看{text}车") == f"看{text}车"


def test_what_stands_behind_the_bound_is_not_read() -> None:
    assert normalise("看" * TEXT_MAX + "车") == "看" * TEXT_MAX


@given(st.text(max_size=200))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(alphabet="[]/:ok)强a了～ （?", max_size=60))
def test_nested_stickers_leave_nothing_for_a_second_time(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    "text",
    [
        "退订",
        "请退订",
        "我要退订",
        "帮我退订",
        "请帮我退订。",
        "我想退订！",
        "退订一下",
        "退订，谢谢",
        "退订 谢谢",
        "麻烦退订",
    ],
)
def test_an_opt_out_is_heard_as_a_whole_sentence(text: str) -> None:
    assert normalise(text) in keyword_forms("退订")


@pytest.mark.parametrize("text", ["不退订", "退定", "我要退定", "退订单", "退订金", "别退订", "怎么退订", "退订吗"])
def test_what_only_looks_like_an_opt_out_is_none(text: str) -> None:
    assert normalise(text) not in keyword_forms("退订")


def test_forms_of_a_keyword_begin_with_the_keyword_and_repeat_none() -> None:
    forms = keyword_forms("ＴＤ")
    assert forms[0] == "td"
    assert len(set(forms)) == len(forms)


def test_a_keyword_of_nothing_has_no_forms() -> None:
    assert keyword_forms(" \u200b") == ()
