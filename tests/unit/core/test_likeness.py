"""How near a text is to a keyword, and which sounds are alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.likeness import likeness
from bot.core.pinyin import syllable
from bot.understanding import normalise


@pytest.mark.parametrize(
    ("said", "keyword", "score"),
    [
        ("试驾", "试驾", 100),
        ("试假", "试驾", 95),
        ("试架", "试驾", 95),
        ("报加", "报价", 95),
        ("预约试假", "预约试驾", 95),
        ("预约试", "预约试驾", 75),
        ("预约试驾吧", "预约试驾", 75),
        ("预约是架", "预约试驾", 95),
        ("约预试驾", "预约试驾", 75),
        ("预订试驾", "预约试驾", 75),
        ("test drive", "test drive", 100),
        ("test drvie", "test drive", 90),
        ("testdriv", "testdrive", 89),
    ],
)
def test_slips_of_the_pen_are_forgiven(said: str, keyword: str, score: int) -> None:
    assert likeness(said, keyword) == score


@pytest.mark.parametrize(
    ("said", "keyword"),
    [
        ("试吃", "试驾"),
        ("驾试", "试驾"),
        ("试驾车", "试驾"),
        ("t", "d"),
        ("是", "事"),
        ("", "试驾"),
        ("试驾", ""),
        ("预约保养", "预约试驾"),
        ("我想预约试驾", "预约试驾"),
        ("看" * 50, "看" * 49),
    ],
)
def test_another_word_is_not_near(said: str, keyword: str) -> None:
    assert likeness(said, keyword) == 0


@pytest.mark.parametrize(
    ("char", "sound"),
    [
        ("试", "shi"),
        ("驾", "jia"),
        ("假", "jia"),
        ("中", "zhong"),
        ("啊", "a"),
        ("座", "zuo"),
        ("女", "nv"),
        ("龙", "long"),
        ("一", "yi"),
        ("续", "xu"),
        ("航", "hang"),
        ("杭", "hang"),
        ("付", "fu"),
        ("富", "fu"),
        ("保", "bao"),
        ("养", "yang"),
        ("贷", "dai"),
        ("款", "kuan"),
    ],
)
def test_common_characters_have_their_sound(char: str, sound: str) -> None:
    assert syllable(char) == sound


@pytest.mark.parametrize("char", ["a", "1", "。", "😀", "龘", "\U00020000"])
def test_what_is_no_common_character_has_none(char: str) -> None:
    assert syllable(char) is None


@given(said=st.text(max_size=60), keyword=st.text(max_size=60))
def test_likeness_is_a_share_and_full_only_for_the_same(said: str, keyword: str) -> None:
    score = likeness(normalise(said), normalise(keyword))
    assert 0 <= score <= 100
    assert (score == 100) == (normalise(said) == normalise(keyword))


@given(st.text(alphabet="预约试驾保养贷款报价ab", min_size=8, max_size=12), st.integers(min_value=0, max_value=7))
def test_one_character_too_few_is_forgiven_in_a_long_keyword(keyword: str, gone: int) -> None:
    assert likeness(keyword[:gone] + keyword[gone + 1 :], keyword) >= 75
