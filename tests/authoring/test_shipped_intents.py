"""What the shipped intents make of what buyers really write."""

from functools import cache
from pathlib import Path

import pytest

from bot.authoring import load
from bot.understanding import Index, indexed
from tests.unit.understanding.hearing import heard

ROOT = Path(__file__).parents[2]


@cache
def index() -> Index:
    loaded = load(ROOT / "journeys", ROOT / "content")
    assert loaded.library is not None
    return indexed(loaded.library)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("转人工", "找人工"),
        ("我想找个顾问", "找人工"),
        ("有人吗", "找人工"),
        ("找你们销售聊聊", "找人工"),
        ("我想试假一下", "想试驾"),
        ("想约下周三晚上试驾LY7", "想试驾"),
        ("我想试一下你们的新车", "想试驾"),
        ("你好我姓王 坐标武汉光谷 想看LY7 预算22左右 周日上午可以试驾 电话13500000009", "想试驾"),
        ("改到后天同一时间", "改约"),
        ("临时加班,明天的试驾改到下周六行不", "改约"),
        ("能往后推一个小时吗", "改约"),
        ("换个时间可以吗", "改约"),
        ("不去了 谢谢", "取消"),
        ("先不试了,等降价再说", "取消"),
        ("这周来不了了", "取消"),
        ("帮我取消试驾", "取消"),
        ("想了解下金融方案", "感兴趣"),
        ("月供多少", "问利率"),
        ("利息怎么算", "问利率"),
    ],
)
def test_one_thing_is_meant(text: str, intent: str) -> None:
    assert set(heard(text, index=index()).intents) == {intent}


@pytest.mark.parametrize(
    "text",
    [
        "你好",
        "嗯 可以",
        "不用了",
        "1",
        "你是真人吗",
        "人工费多少",
        "怎么取消预约",
        "别取消",
        "不用试驾了",
        "不感兴趣",
        "要不去看看车",
        "改装件有吗",
        "锁单了还能改颜色吗",
        "我要退订",
        "退定 不想要了 流程怎么走",
        "电池质保几年 衰减严重吗",
        "哈哈哈哈这颜色绝了",
    ],
)
def test_nothing_is_guessed(text: str) -> None:
    assert heard(text, index=index()).intents == {}
