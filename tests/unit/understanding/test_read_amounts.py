"""Numbers and sums of money as answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.understanding.hearing import ASK_BACK, value, wanting

NUMBER = wanting("number")
MONEY = wanting("money")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3),
        ("3个人", 3),
        ("三个", 3),
        ("三十五", 35),
        ("我们两个人去", 2),
        ("大概4800公里", 4800),
        ("跑了4800了", 4800),
        ("首保什么时候做 跑了4800了", 4800),
        ("120km", 120),
        ("9万公里", 90000),
        ("3.5", 3.5),
        ("1,200", 1200),
        ("１２", 12),
        ("一个半", 1.5),
        ("三年半", 3.5),
        ("半", 0.5),
        ("0", 0),
        ("-5", -5),
        ("零下5", -5),
        ("周六3个人", 3),
        ("第二次来，3个人", 3),
        ("不是2个，是3个", 3),
        ("一个", 1),
        ("一", 1),
    ],
)
def test_a_number_is_read(text: str, expected: float) -> None:
    found = value(text, NUMBER)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "几个",
        "很多",
        "试一下",
        "一般般",
        "万一不行呢",
        "千万别",
        "二十来个",
        "一百多",
        "100多公里",
        "不到50",
        "至少3个",
        "三五个",
        "下午3点",
        "12月1号",
        "周六",
        "第二个",
        "30%",
        "首付三成",
        "打9折",
        "LY7",
        "1.1234567",
        "我要投诉,打12315了",
        "车是国三的",
        "SUV 四驱",
        "尾号0001那个就是我",
        "能往后推一个小时吗",
        "双十二会不会更便宜",
        "一三八零零零零零零零零",
        "10:30",
    ],
)
def test_what_is_no_certain_number_is_not_read(text: str) -> None:
    assert value(text, NUMBER) is None


@pytest.mark.parametrize("text", ["3到5个", "3-5", "3或者4", "3个还是4个", "2个大人1个小孩"])
def test_several_numbers_are_asked_back(text: str) -> None:
    assert value(text, NUMBER) == ASK_BACK


def test_a_number_that_nobody_asked_for_is_not_read() -> None:
    assert value("3个人", wanting("number", asked=False)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3000", 3000),
        ("3000可以吗", 3000),
        ("3000元", 3000),
        ("3000块", 3000),
        ("三千", 3000),
        ("三千五", 3500),
        ("3千5", 3500),
        ("20万", 200000),
        ("20w", 200000),
        ("20W", 200000),
        ("20万左右", 200000),
        ("大概20万吧", 200000),
        ("二十万", 200000),
        ("十二万八", 128000),
        ("12.8万", 128000),
        ("3万5", 35000),
        ("￥5000", 5000),
        ("5,000元", 5000),
        ("500元", 500),
        ("99块钱", 99),
        ("0", 0),
        ("预算22左右", 220000),
        ("落地25", 250000),
        ("你好我姓王 坐标武汉光谷 想看LY7 预算22左右 周日上午可以试驾", 220000),
        ("裸车价23.98", 239800),
        ("人民币8000", 8000),
        ("跑了9万公里，预算20万", 200000),
    ],
)
def test_a_sum_is_read_in_yuan(text: str, expected: float) -> None:
    assert value(text, MONEY) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "二十来万",
        "二十几万",
        "一万多",
        "价格太贵了 比隔壁那家贵一万多",
        "落地三十以内",
        "20万以内",
        "20万以下",
        "不到20万",
        "不超过20万",
        "最多20万",
        "20万出头",
        "小20万",
        "几万",
        "9万公里",
        "3年",
        "36期",
        "首付三成",
        "12315",
        "LY7",
        "便宜点",
        "小定的2000块能退吗",
        "同一个配置隔壁店便宜5000,你们杀熟?",
        "十五六万",
    ],
)
def test_what_is_no_certain_sum_is_not_read(text: str) -> None:
    assert value(text, MONEY) is None


@pytest.mark.parametrize("text", ["15到18万", "15-18万", "15~18w", "15万到18万", "首付五万月供三千的话", "20", "22.5"])
def test_a_range_and_a_sum_without_its_unit_are_asked_back(text: str) -> None:
    assert value(text, MONEY) == ASK_BACK


@pytest.mark.parametrize(
    ("text", "expected"),
    [("预算20万", 200000), ("同一个配置隔壁店便宜5000,你们杀熟?", None), ("小定的2000块能退吗", None), ("20万", None)],
)
def test_a_sum_that_nobody_asked_for_counts_only_as_a_budget(text: str, expected: int | None) -> None:
    assert value(text, wanting("money", asked=False)) == expected


@given(st.integers(min_value=1000, max_value=10**9 - 1))
def test_any_sum_in_yuan_is_read_as_it_stands(amount: int) -> None:
    expected = amount if amount not in {12315, 12345, 12306, 12377, 12321} else None
    assert value(str(amount), MONEY) == value(f"{amount}元", MONEY) == expected


@given(st.integers(min_value=1, max_value=9999))
def test_any_sum_in_ten_thousands_is_read(amount: int) -> None:
    assert value(f"{amount}万", MONEY) == value(f"{amount} w", MONEY) == amount * 10_000
