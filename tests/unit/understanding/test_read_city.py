"""Cities as answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.places import CITIES
from tests.unit.understanding.hearing import ASK_BACK, value, wanting

CITY = wanting("city")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("上海", "上海"),
        ("上海市", "上海"),
        ("我在上海", "上海"),
        ("上 海", "上海"),
        ("坐标苏州园区", "苏州"),
        ("我住成都高新", "成都"),
        ("附近有没有你们的超充 我住成都高新", "成都"),
        ("成都高新区", "成都"),
        ("内蒙鄂尔多斯 有售后点没", "鄂尔多斯"),
        ("冬天续航打几折 我在哈尔滨", "哈尔滨"),
        ("坐标武汉光谷 想看LY7", "武汉"),
        ("北京朝阳区", "北京"),
        ("北京朝阳", "北京"),
        ("长春朝阳区", "长春"),
        ("浦东", "上海"),
        ("海淀", "北京"),
        ("昆山", "苏州"),
        ("魔都", "上海"),
        ("吉林长春", "长春"),
        ("吉林市", "吉林"),
        ("大同", "大同"),
        ("大同市", "大同"),
        ("我在大同", "大同"),
        ("来自日照", "日照"),
        ("搬到成都了 以前在重庆", "成都"),
        ("不在上海，在杭州", "杭州"),
        ("延边", "延边"),
        ("呼市", "呼和浩特"),
        ("南京鼓楼区", "南京"),
        ("江苏南京", "南京"),
        ("海南海口", "海口"),
        ("山西大同", "大同"),
        ("台州温岭", "台州"),
    ],
)
def test_a_city_is_read_without_its_suffix(text: str, expected: str) -> None:
    assert value(text, CITY) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "城市",
        "随便",
        "南京路上那家店",
        "北京路步行街",
        "上海大众的车",
        "北京现代",
        "上海牌照",
        "外地牌照",
        "大同小异",
        "吃个三明治",
        "日照太强",
        "还没开封呢",
        "南京西路",
        "中山路",
        "来宾很多",
        "以前在上海",
        "上海菜",
        "青岛啤酒",
        "兰州拉面",
    ],
)
def test_what_is_only_called_after_a_city_is_none(text: str) -> None:
    assert value(text, CITY) is None


@pytest.mark.parametrize(
    "text", ["上海和杭州都行", "鼓楼", "鼓楼区", "朝阳", "朝阳区", "高新区", "白云区", "上海或者苏州"]
)
def test_what_several_cities_may_be_is_asked_back(text: str) -> None:
    assert value(text, CITY) == ASK_BACK


@given(st.sampled_from(CITIES))
def test_every_city_is_read_with_its_suffix_and_behind_where_she_is(city: str) -> None:
    expected = city if city not in ("朝阳", "吉林") else ASK_BACK
    assert value(f"{city}市", CITY) == city
    assert value(f"我在{city}", CITY) == expected
    assert value(city, CITY) == expected


def test_there_are_as_many_cities_as_the_country_has() -> None:
    assert len(set(CITIES)) == len(CITIES)
    assert 333 <= len(CITIES) <= 350
