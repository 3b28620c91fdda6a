"""Numbers as people write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.numerals import numerals, small, value_of

DIGITS = "零一二三四五六七八九"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0", "0"),
        ("35", "35"),
        ("1,200", "1200"),
        ("12,345,678", "12345678"),
        ("3.5", "3.5"),
        ("零", "0"),
        ("五", "5"),
        ("两", "2"),
        ("十", "10"),
        ("十二", "12"),
        ("二十", "20"),
        ("三十五", "35"),
        ("一百", "100"),
        ("一百零五", "105"),
        ("一百五", "150"),
        ("一百五十", "150"),
        ("一百一十五", "115"),
        ("两百五", "250"),
        ("一千零五", "1005"),
        ("一千零五十", "1050"),
        ("两千五", "2500"),
        ("两千五百", "2500"),
        ("三千二百一十", "3210"),
        ("一万", "10000"),
        ("一万二", "12000"),
        ("十二万", "120000"),
        ("十二万八", "128000"),
        ("十二万八千", "128000"),
        ("十二万八千五", "128500"),
        ("三万零五百", "30500"),
        ("二十万", "200000"),
        ("一百二十万", "1200000"),
        ("一亿二", "120000000"),
        ("两万半", "25000"),
        ("3万5", "35000"),
        ("3万5千", "35000"),
        ("3万5000", "35000"),
        ("3万半", "35000"),
        ("12万8", "128000"),
        ("1.5w", "15000"),
        ("1.5万", "15000"),
        ("20w", "200000"),
        ("3k", "3000"),
        ("20 w", "200000"),
        ("二零二六", "2026"),
        ("一二三", "123"),
        ("三点五", "3.5"),
        ("十二点八万", "128000"),
        ("一点五万", "15000"),
        ("贰拾万", "200000"),
        ("叁仟伍佰", "3500"),
        ("壹万贰仟", "12000"),
    ],
)
def test_a_number_is_read_as_it_is_meant(written: str, value: str) -> None:
    assert value_of(written) == Decimal(value)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "万",
        "百",
        "千万",
        "万一",
        "三五",  # three to five
        "七八万",
        "十五六万",
        "十五六",
        "一百十五",
        "二二十",
        "十百",
        "百千",
        "五十百",
        "3万50",
        "3万05",
        "1.5万3",
        "一十二十",
        "零十",
        "一零百",
        "9" * 30,
        "一" * 30,
        "九千亿亿",
    ],
)
def test_what_may_mean_several_numbers_or_none_has_no_value(written: str) -> None:
    assert value_of(written) is None


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("7", 7),
        ("07", 7),
        ("12", 12),
        ("三", 3),
        ("十", 10),
        ("十二", 12),
        ("三十一", 31),
        ("廿三", 23),
        ("零五", 5),
        ("两", 2),
    ],
)
def test_hours_days_and_months_are_small_numbers(written: str, value: int) -> None:
    assert small(written) == value


@pytest.mark.parametrize("written", ["100", "六三", "十十", "零十", "一十零", "百", "", "半"])
def test_what_is_no_small_number_is_none(written: str) -> None:
    assert small(written) is None


def in_chinese(number: int) -> str:
    """The usual spelling of a number below ten thousand."""
    if number == 0:
        return "零"
    written, units = "", ((1000, "千"), (100, "百"), (10, "十"), (1, ""))
    skipped = False
    for scale, unit in units:
        digit, number = divmod(number, scale)
        if digit:
            written += ("零" if skipped and written else "") + DIGITS[digit] + unit
            skipped = False
        else:
            skipped = True
    return written.replace("一十", "十", 1) if written.startswith("一十") else written


@given(st.integers(min_value=0, max_value=9999))
def test_every_usual_spelling_says_its_number(number: int) -> None:
    assert value_of(in_chinese(number)) == number


@given(head=st.integers(min_value=1, max_value=999), tail=st.integers(min_value=1000, max_value=9999))
def test_thousands_stand_behind_ten_thousands(head: int, tail: int) -> None:
    assert value_of(f"{in_chinese(head)}万{in_chinese(tail)}") == head * 10_000 + tail


@given(st.text(alphabet="0123456789一二两三十百千万亿点半零.,wk ", max_size=40))
def test_numerals_lie_in_the_text_one_behind_the_other(text: str) -> None:
    end = 0
    for numeral in numerals(text):
        assert end <= numeral.start < numeral.end <= len(text)
        end = numeral.end
