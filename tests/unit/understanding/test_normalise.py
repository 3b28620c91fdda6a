import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding import TEXT_MAX, normalise


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
