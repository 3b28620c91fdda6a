"""Number plates, VINs and identity numbers. All of them are made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.understanding.hearing import ASK_BACK, value, wanting

PLATE = wanting("plate_cn")
VIN = wanting("vin")
IDENTITY = wanting("id_cn")
VIN_VALUES = dict(
    zip(
        "0123456789ABCDEFGHJKLMNPRSTUVWXYZ",
        (*range(10), 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9),
        strict=True,
    )
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("沪A12345", "沪A12345"),
        ("沪a12345", "沪A12345"),
        ("沪A·12345", "沪A12345"),
        ("沪A 12345", "沪A12345"),
        ("沪A-12345", "沪A12345"),
        ("沪A.12345", "沪A12345"),
        ("沪 A 123 45", "沪A12345"),
        ("沪Ａ１２３４５", "沪A12345"),
        ("京AF0236", "京AF0236"),
        ("粤B8K5Z9", "粤B8K5Z9"),
        ("沪AD12345", "沪AD12345"),
        ("沪ad12345", "沪AD12345"),
        ("沪A·D12345", "沪AD12345"),
        ("粤BF12345", "粤BF12345"),
        ("粤B12345D", "粤B12345D"),
        ("沪ADK1234", "沪ADK1234"),
        ("粤Z1234港", "粤Z1234港"),
        ("京A1234挂", "京A1234挂"),
        ("我的车牌是沪A12345，谢谢", "沪A12345"),
        ("浙A88888和浙A88888", "浙A88888"),
    ],
)
def test_a_plate_is_read_in_capitals_without_separators(text: str, expected: str) -> None:
    assert value(text, PLATE) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "沪A1234",
        "沪A123456",
        "沪A1234567",
        "沪I12345",
        "沪A1234O",
        "沪112345",
        "A12345",
        "外A12345",
        "沪AABCDE",
        "沪AZ12345",  # no letter of new energy
        "沪A12345678",
        "外地牌照",
        "上海A12345",
    ],
)
def test_what_is_no_plate_is_not_read(text: str) -> None:
    assert value(text, PLATE) is None


def test_two_plates_are_asked_back() -> None:
    assert value("沪A12345 或者 苏E67890", PLATE) == ASK_BACK


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1M8GDM9AXKP042788", "1M8GDM9AXKP042788"),
        ("1m8gdm9axkp042788", "1M8GDM9AXKP042788"),
        ("车架号：1M8GDM9AXKP042788。", "1M8GDM9AXKP042788"),
        ("１Ｍ８ＧＤＭ９ＡＸＫＰ０４２７８８", "1M8GDM9AXKP042788"),
        ("1M8GD M9AXK P042788", "1M8GDM9AXKP042788"),
        ("1M8GDM9AXKP042789", None),  # check digit
        ("1M8GDM9A0KP042788", None),
        ("1M8GDM9AXKP04278", None),
        ("1M8GDM9AXKP0427881", None),
        ("IM8GDM9AXKP042788", None),
        ("11111111111111111", None),
        ("", None),
    ],
)
def test_a_vin_is_read_when_its_check_digit_is_right(text: str, expected: str | None) -> None:
    assert value(text, VIN) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("11010519491231002X", "11010519491231002X"),
        ("11010519491231002x", "11010519491231002X"),
        ("110105 1949 1231 002X", "11010519491231002X"),
        ("身份证号是11010519491231002X，我叫王伟", "11010519491231002X"),
        ("440524188001010014", None),  # born too long ago
        ("110105194912310021", None),  # check digit
        ("110105194913310020", None),
        ("00010519491231002X", None),
        ("1101051949123100", None),
        ("6222021380013800012", None),
        ("", None),
    ],
)
def test_an_identity_number_is_read_when_everything_in_it_is_right(text: str, expected: str | None) -> None:
    assert value(text, IDENTITY) == expected


def test_a_plate_or_a_vin_alone_is_no_name() -> None:
    from bot.core.understood import Expectation, Expected
    from tests.unit.understanding.hearing import heard

    both = Expectation(
        expected=(Expected(slot="j.nick", type="text", asked=True), Expected(slot="j.plate", type="plate_cn"))
    )
    assert set(heard("沪A12345", both).readings) == {"j.plate"}
    assert set(heard("王先生 沪A12345", both).readings) == {"j.nick", "j.plate"}


@given(st.from_regex(r"[0-9A-HJ-NPR-Z]{17}", fullmatch=True))
def test_of_all_check_digits_only_the_right_one_is_read(written: str) -> None:
    right = [check for check in "0123456789X" if value(written[:8] + check + written[9:], VIN) is not None]
    assert len(right) <= 1
    mixed = any(c.isdigit() for c in written[:8] + written[9:]) and any(c.isalpha() for c in written[:8] + written[9:])
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    rest = sum(VIN_VALUES[c] * w for c, w in zip(written[:8] + "0" + written[9:], weights, strict=True)) % 11
    if mixed:
        assert right == ["X" if rest == 10 else str(rest)]


@given(st.text(alphabet="沪京A0123456789BDFK·- x", max_size=30))
def test_whatever_plate_is_read_has_seven_or_eight_characters(text: str) -> None:
    found = value(text, PLATE)
    if found is not None and found != ASK_BACK:
        assert len(str(found)) in (7, 8)
        assert str(found)[0] in "沪京"
