import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.understood import Expectation, Expected
from tests.unit.understanding.hearing import heard

WANTED = Expectation(expected=(Expected(slot="oa-welcome.phone", type="phone_cn", asked=True),))
NUMBER = "13800138000"


def phone(text: str) -> object:
    """The number read from `text`, `?` when there are several, None when there is none."""
    found = heard(text, WANTED)
    if found.ambiguous:
        return "?"
    reading = found.readings.get("oa-welcome.phone")
    return reading.value if reading else None


@pytest.mark.parametrize(
    "text",
    [
        "13800138000",
        "１３８００１３８０００",
        "１３８ ００１３ ８０００",
        "138 0013 8000",
        "138-0013-8000",
        "138.0013.8000",
        "138,0013,8000",
        "138，0013，8000",
        "138·0013·8000",
        "138—0013—8000",
        "138  0013  8000",
        "138\n0013\n8000",
        "1380013 8000",
        "1380 0138000",
        "138 00138000",
        "1 3 8 0 0 1 3 8 0 0 0",
        "13 80 01 38 00 0",
        "+8613800138000",
        "+86 138 0013 8000",
        "+86-138-0013-8000",
        "(+86)13800138000",
        "（＋８６）138 0013 8000",
        "008613800138000",
        "0086-13800138000",
        "8613800138000",
        "86 13800138000",
        "一三八零零一三八零零零",
        "幺三八〇〇幺三八〇〇〇",
        "壹叁捌零零壹叁捌零零零",
        "一三八00138000",
        "1三八零零1三八零零零",
        "1️⃣3️⃣8️⃣0️⃣0️⃣1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣",
        "138\u200b0013\u200b8000",
        "我电话是13800138000",
        "我电话：13800138000。",
        "电话13800138000，下午打",
        "13800138000 下午3点以后打",
        "预约 张伟 13800138000 LY9 周日下午2点",
        "LY9 138 0013 8000",
        "周一13800138000",
        "tel:13800138000",
        "Tel13800138000",
        "vx13800138000",
        "13800138000vx同号",
        "微信同号13800138000[玫瑰]",
        "13800138000/::)",
        "上次那个号不用了 新的13800138000",
        "13800138000，不用打电话发微信就行",
        "13800138000 13800138000",
        "座机010-62345678 手机13800138000",
        "010-62345678，13800138000",
        "不是13900000001，是13800138000",
        "13900000001打错了 13800138000",
        "13900000001已经不用了，换成13800138000",
    ],
)
def test_a_mobile_number_is_read_in_every_usual_spelling(text: str) -> None:
    assert phone(text) == NUMBER


@pytest.mark.parametrize(
    "text",
    [
        "1380013800",
        "138001380000",
        "138 0013 800",
        "138 0013 80001",
        "013800138000",
        "12800138000",
        "23800138000",
        "010-62345678",
        "0755-86138001",
        "021 6234 5678",
        "400-820-8820",
        "12315",
        "尾号0001那个就是我",
        "+13800138000",
        "+1 380 013 8000",
        "+44 13800138000",
        "110101199001011234",
        "6222 0213 8001 3800 012",
        "123413800138000",
        "1234-13800138000",
        "13800138000-8001",
        "LSVAA13800138000",
        "1HGCT13800138000",
        "13800138000ABCDE",
        "qingyu_13800138000",
        "13800138000@163.com",
        "订单号13800138000",
        "订单号：13800138000",
        "QQ 13800138000",
        "工号是13800138000",
        "13800138000元",
        "￥13800138000",
        "13800 138000",  # as likely two prices
        "15000 180000",
        "15000-180000",
        "1500 2000 300",
        "2026-11-21 10:00",
        "l38OOl38OOO",
        "13800l38000",
        "不是13800138000",
        "13800138000停机了",
        "vx同号的",
        "不方便留电话 微信说就行",
        "",
    ],
)
def test_what_is_no_mobile_number_for_sure_is_not_read_as_one(text: str) -> None:
    assert phone(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "13800138000 13900000001",
        "13800138000或者13900000001",
        "13800138000，13900000001",
        "13800138000/13900000001",
        "138 0013 8000 139 0000 0001",
        "我的13800138000我老公的13900000001",
    ],
)
def test_two_different_numbers_are_asked_back(text: str) -> None:
    assert phone(text) == "?"


def test_the_span_covers_the_digits_in_the_customers_own_text() -> None:
    text = "我电话是＋８６ １３８-0013-8000 谢谢"
    reading = heard(text, WANTED).readings["oa-welcome.phone"]
    assert text[reading.start : reading.end] == "１３８-0013-8000"


numbers = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
separators = st.sampled_from(["", " ", "-", ".", "  ", "·", "－"])
surroundings = st.sampled_from(["", "我的号码是", "电话：", "打这个 ", "王女士，", "+86 ", "86-"])


@given(
    number=numbers, separator=separators, before=surroundings, behind=st.sampled_from(["", "。", " 谢谢", "，王先生"])
)
def test_any_number_in_three_groups_is_read(number: str, separator: str, before: str, behind: str) -> None:
    written = separator.join((number[:3], number[3:7], number[7:]))
    assert phone(before + written + behind) == number


@given(number=numbers)
def test_any_number_in_full_width_and_in_chinese_numerals_is_read(number: str) -> None:
    wide = number.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    chinese = number.translate(str.maketrans("0123456789", "零一二三四五六七八九"))
    assert phone(wide) == phone(chinese) == number


@given(number=numbers, before=st.from_regex(r"[0-9]{1,20}", fullmatch=True))
def test_no_number_is_read_out_of_a_longer_run_of_digits(number: str, before: str) -> None:
    found = phone(before + number)
    assert found is None or before in {"86", "0086"}


@given(st.text(alphabet="0123456789０一三八-. +八元LV王", max_size=40))
def test_whatever_is_read_is_a_mobile_number_inside_its_span(text: str) -> None:
    reading = heard(text, WANTED).readings.get("oa-welcome.phone")
    if reading is not None:
        value = str(reading.value)
        assert len(value) == 11
        assert value[0] == "1" and value[1] in "3456789"
        assert 11 <= reading.end - reading.start <= len(text)
