"""Texts fit their fields and tear nothing that is seen as one character; values bring no markup."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.cutting import cut_bytes, cut_characters, cut_markup
from bot.core.escaping import escape_for, escape_oa

FAMILY = "👨\u200d👩\u200d👧"
RAINBOW = "🏳\ufe0f\u200d🌈"
WAVE = "👋🏽"
FLAG = "🇨🇳"
WALES = "🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"
KEYCAP = "1\ufe0f\u20e3"
ACCENTED = "e\u0301"
HANGUL = "\u1112\u1161\u11ab"
WHOLE = [FAMILY, RAINBOW, WAVE, FLAG, WALES, KEYCAP, ACCENTED, HANGUL, "车", "a", "ß", "𠮷", "，"]

wholes = st.lists(st.sampled_from(WHOLE), max_size=40)
anything = st.text(st.characters(codec=None), max_size=200)
limits = st.integers(min_value=0, max_value=160)


def size(text: str) -> int:
    return len(text.encode(errors="replace"))


@pytest.mark.parametrize(
    ("text", "bytes_max", "cut"),
    [
        ("看车", 6, "看车"),
        ("看车吗", 8, "看…"),
        ("看车吗", 6, "看…"),
        ("abcd", 4, "abcd"),
        ("abcde", 4, "a…"),
        ("abcde", 2, ""),
        (f"车{FAMILY}去", 14, "车…"),
        (f"车{FLAG}{FLAG}", 3 + 8 + 4 + 3, f"车{FLAG}…"),
        (f"车{WAVE}去去", 3 + 4 + 3, "车…"),
    ],
)
def test_a_text_is_cut_between_characters(text: str, bytes_max: int, cut: str) -> None:
    assert cut_bytes(text, bytes_max) == cut


@pytest.mark.parametrize(
    ("text", "bytes_max", "cut"),
    [
        ('看<a href="u">车</a>', 100, '看<a href="u">车</a>'),
        ('看<a href="u">车</a>去', 22, "看…"),
        ('看<a href="u">车</a>去去去', 26, '看<a href="u">车</a>…'),
        ('看看看<a href="u', 17, "看看看…"),
    ],
)
def test_a_link_is_cut_whole(text: str, bytes_max: int, cut: str) -> None:
    assert cut_markup(text, bytes_max) == cut


def test_a_field_is_cut_to_its_number_of_characters() -> None:
    assert cut_characters("预约成功", 4) == "预约成功"
    assert cut_characters("预约成功了", 4) == "预约成…"
    assert cut_characters(f"预约{FAMILY}", 5) == "预约…"


@given(anything, limits)
def test_a_cut_text_fits_and_is_the_beginning_of_the_text(text: str, bytes_max: int) -> None:
    for cut in (cut_bytes(text, bytes_max), cut_markup(text, bytes_max)):
        assert size(cut) <= bytes_max
        assert cut == text or not cut or text.startswith(cut.removesuffix("…"))


@given(anything, st.integers(min_value=1, max_value=60))
def test_a_cut_field_fits_and_is_the_beginning_of_the_text(text: str, count_max: int) -> None:
    cut = cut_characters(text, count_max)
    assert len(cut) <= count_max
    assert cut == text or text.startswith(cut.removesuffix("…"))


@given(wholes, limits)
def test_nothing_that_is_seen_as_one_character_is_torn(parts: list[str], bytes_max: int) -> None:
    text = "".join(parts)
    cut = cut_bytes(text, bytes_max)
    if cut != text and cut:
        beginnings = {"".join(parts[:count]) for count in range(len(parts) + 1)}
        assert cut.removesuffix("…") in beginnings


@given(wholes, st.integers(min_value=1, max_value=60))
def test_no_field_tears_what_is_seen_as_one_character(parts: list[str], count_max: int) -> None:
    text = "".join(parts)
    cut = cut_characters(text, count_max)
    if cut != text:
        assert cut.removesuffix("…") in {"".join(parts[:count]) for count in range(len(parts) + 1)}


@given(wholes, limits)
def test_no_more_is_cut_than_has_to_be(parts: list[str], bytes_max: int) -> None:
    text = "".join(parts)
    cut = cut_bytes(text, bytes_max)
    if cut != text and cut:
        kept = cut.removesuffix("…")
        count = next(n for n in range(len(parts) + 1) if "".join(parts[:n]) == kept)
        assert size("".join(parts[: count + 1]) + "…") > bytes_max


def test_a_letter_with_marks_without_end_is_cut_all_the_same() -> None:
    cut = cut_bytes("a" + "\u0301" * 5000, 2048)
    assert 1900 < size(cut) <= 2048
    assert unicodedata.category(cut[-2]) == "Mn"


linked = st.lists(
    st.sampled_from(["看车", "a", '<a href="https://example.com/a">点这里</a>', FAMILY, "  "]), max_size=20
)


@given(linked, limits)
def test_links_are_kept_or_left_out_but_never_torn(parts: list[str], bytes_max: int) -> None:
    cut = cut_markup("".join(parts), bytes_max)
    assert cut.count("<a ") == cut.count("</a>")
    assert cut.count("<") == cut.count(">")
    assert size(cut) <= bytes_max


@given(anything)
def test_no_value_begins_a_tag_or_a_command_of_wechat(value: str) -> None:
    escaped = escape_oa(value)
    assert "<" not in escaped
    assert "weixin:" not in escaped.lower()
    assert len(escaped) == len(value)


@pytest.mark.parametrize("value", ["weixin://bizmsgmenu", "WeiXin://bizmsgmenu", "aweixin://b", "weixin:weixin://"])
def test_a_command_of_wechat_is_dead_however_it_is_written(value: str) -> None:
    assert "weixin:" not in escape_oa(value).lower()


def test_two_values_side_by_side_make_no_command_together() -> None:
    for first, second in (("weixin:", "//bizmsgmenu"), ("weixin", "://bizmsgmenu")):
        assert "weixin://" not in escape_oa(first) + escape_oa(second)


@pytest.mark.parametrize("channel", ["oa", "app"])
def test_a_customer_who_calls_herself_a_link_gets_none(channel: str) -> None:
    assert escape_for(channel)('<a href="https://x">王</a>') == '＜a href="https://x">王＜/a>'


def test_what_is_harmless_stays_as_it_is() -> None:
    assert (
        escape_oa("3 > 2 & 微信 weixin 号：abc https://example.com")
        == "3 > 2 & 微信 weixin 号：abc https://example.com"
    )
