import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.understood import Expectation, Expected, Reading, Understanding
from bot.understanding import TEXT_MAX
from tests.unit.understanding.hearing import heard

NOTHING = Expectation()
NICK = Expectation(expected=(Expected(slot="j.nick", type="text", asked=True),))
OPTIONS = {"看车": ("看车", "试驾"), "同意": ("同意", "好"), "不同意": ("不同意", "不要"), "LY7": ("7", "ly 7")}
EVERYTHING = Expectation(
    expected=(
        Expected(slot="j.phone", type="phone_cn", asked=True),
        Expected(slot="j.need", type="choice", options=OPTIONS),
        Expected(slot="j.nick", type="text", asked=True),
    ),
    confirming=True,
)


def said(text: str) -> Understanding:
    return heard(text, NOTHING)


def listed(phrases: str) -> list[str]:
    """The phrases of a list, which `|` and the ends of lines part."""
    return phrases.strip("\n").replace("\n", "|").split("|")


YES = listed("""
对|对的|是|是的|是的呢|嗯|嗯嗯|嗯 可以|恩|没错|沒錯|没问题|好|好的|好滴|好呀|好吧|ok|OK!|Ｏｋ|okk|行|行吧
可以|可以的|确认|确认无误|正确|对对对|对，没错|对的，谢谢|是的 就是这个号|是这个号码|嗯嗯对的
没错就是这个|是我|是我的手机号|同意|[OK]|[强]|/:ok|👌|👍🏻|好的[微笑]|对/:rose|yes|Y|嗯…|对。|就是|阔以
""")

NOT_YES = listed("""
不|不对|不是|对吗|好吗|可以吗|可以？|是?|对不起|对不|是不是|行不行|好贵|好像不对|好的不用了|可以试驾吗
嗯我再想想|对了我想问下保养|是13900000001|好久不见|不好|没错吧？|随便|收到|谢谢|[微笑]|是的但是号码换了
""")

NO = listed("""
不|不对|不是|不是的|不对不对|错了|错|号码错了|写错了|不行|不好|不用了|不用|不要|不需要|没有|no|No.|nope
不了谢谢|不，不对|先不用|我不要|否|不同意|有误|打错了|不是这个号|还是不要了|不不不|👎
""")

NOT_NO = listed("""
对|是|不是不行|没有不同意|不知道|不是吗|不贵|不好意思|没错|没问题|不错|不对是13900000001
不是王先生是汪先生|不看车|不见不散|?
""")

SKIP = listed("""
跳过|跳过吧|略过|pass|Skip|下一步|不说|不想说|不填|先不填|这个先不填|算了|算了不填|算了吧|保密|不方便
不方便说|不方便透露|不告诉你|暂时不方便|不留|先不留了|以后再说|不用了|不方便留电话 微信说就行|我不想填
还是不填了|名字不方便说|匿名
""")

NOT_SKIP = listed("""
王先生|看车|不方便停车怎么办|我不说谎|跳过这段路|方便|对|13800138000|算了给你吧|没有
""")

CHANGE = listed("""
不对|不对，是13900000001|不是，是汪先生|改成13900000001|改为周六|改到后天同一时间|应该是汪先生|换成试驾
错了|错了 是保养|写错了，汪|打错了是139|更正一下：汪先生|不好意思，改成保养|哦不对，是汪|改|改一下|修改
我要改|我想改成试驾|说错了|重新填|啊，打错了
""")

NOT_CHANGE = listed("""
改装件有吗|我想改装车|对|错过了活动|没错|王先生|要改颜色可以吗|换电池多少钱|不|不要|看车|重新开业了吗
""")


@pytest.mark.parametrize("text", YES)
def test_an_assent_is_heard(text: str) -> None:
    assert said(text).yes


@pytest.mark.parametrize("text", ["", *NOT_YES])
def test_what_is_more_or_less_than_an_assent_is_none(text: str) -> None:
    assert not said(text).yes


@pytest.mark.parametrize("text", NO)
def test_a_denial_is_heard(text: str) -> None:
    assert said(text).no


@pytest.mark.parametrize("text", NOT_NO)
def test_what_is_more_or_less_than_a_denial_is_none(text: str) -> None:
    assert not said(text).no


@pytest.mark.parametrize("text", SKIP)
def test_a_wish_not_to_answer_is_heard(text: str) -> None:
    assert said(text).skip


@pytest.mark.parametrize("text", ["", *NOT_SKIP])
def test_an_answer_is_not_taken_for_a_wish_not_to_answer(text: str) -> None:
    assert not said(text).skip


@pytest.mark.parametrize("text", CHANGE)
def test_a_correction_is_heard_at_the_beginning(text: str) -> None:
    assert said(text).change


@pytest.mark.parametrize("text", NOT_CHANGE)
def test_what_only_resembles_a_correction_is_none(text: str) -> None:
    assert not said(text).change


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("王先生", "王先生"),
        (" 王先生。 ", "王先生"),
        ("王先生~", "王先生"),
        ("王先生[微笑]", "王先生"),
        ("王先生😄", "王先生"),
        ("我叫王伟", "王伟"),
        ("我叫：王伟", "王伟"),
        ("叫我小王吧", "小王"),
        ("叫我小王就行", "小王"),
        ("你可以叫我小王就好了。", "小王"),
        ("我是王女士", "王女士"),
        ("我姓王", "王"),
        ("免贵姓王", "王"),
        ("你好，我叫王伟", "王伟"),
        ("您好 王伟", "王伟"),
        ("我叫", "我叫"),
        ("Tom Wang", "Tom Wang"),
        ("Hi, Tom", "Tom"),
        ("叶先生，谢谢", "叶先生，谢谢"),
        ("什么时候能提车？", "什么时候能提车？"),
        ("想看 LY7\n预算20万", "想看 LY7\n预算20万"),
    ],
)
def test_a_text_is_taken_as_it_stands_without_what_leads_up_to_it(text: str, expected: str) -> None:
    reading = heard(text, NICK).readings["j.nick"]
    assert reading.value == expected
    assert text[reading.start : reading.end] == expected


@pytest.mark.parametrize(
    "text", ["", "  ", "？？", "[微笑]", "[动画表情]", "👌", "你好", "您好！", "在吗", "跳过", "不方便说"]
)
def test_a_text_that_says_nothing_is_no_answer(text: str) -> None:
    assert heard(text, NICK).readings == {}


def test_a_text_slot_that_is_not_asked_is_not_read() -> None:
    waiting = Expectation(expected=(Expected(slot="j.nick", type="text"),))
    assert heard("王先生", waiting).readings == {}


def test_a_bare_number_is_a_phone_and_not_a_name() -> None:
    found = heard("１３８ ００１３ ８０００", EVERYTHING)
    assert {slot: r.value for slot, r in found.readings.items()} == {"j.phone": "13800138000"}


def test_one_message_may_answer_several_questions() -> None:
    found = heard("我想试驾，电话13800138000", EVERYTHING)
    assert found.readings["j.need"].value == "看车"
    assert found.readings["j.phone"].value == "13800138000"


def test_a_refusal_that_is_an_option_is_an_answer_and_no_skip() -> None:
    asked = Expectation(expected=(Expected(slot="j.ok", type="choice", options=OPTIONS, asked=True),))
    assert not heard("不要", asked).skip
    assert heard("不要", asked).readings["j.ok"].value == "不同意"


def test_a_slot_expected_twice_is_read_as_the_first() -> None:
    twice = Expectation(
        expected=(
            Expected(slot="j.s", type="choice", options={"甲": ("看车",)}),
            Expected(slot="j.s", type="choice", options={"乙": ("看车",)}),
        )
    )
    assert heard("看车", twice).readings["j.s"].value == "甲"


def test_the_text_is_cut_at_the_bound() -> None:
    found = heard("啊" * TEXT_MAX + "13800138000", EVERYTHING)
    assert len(found.text) == TEXT_MAX
    assert "j.phone" not in found.readings


def is_in_range(reading: Reading, text: str) -> bool:
    return 0 <= reading.start < reading.end <= len(text)


@given(st.text(max_size=300))
def test_reading_never_raises_and_spans_lie_in_the_text(text: str) -> None:
    found = heard(text, EVERYTHING)
    assert all(is_in_range(reading, found.text) for reading in found.readings.values())
    assert not found.ambiguous & set(found.readings)


@given(st.lists(st.sampled_from([*YES, *NO, *SKIP, *CHANGE, "13800138000", "看车", "吗", "，", " "]), max_size=8))
def test_reading_mixtures_of_real_phrases_never_raises(pieces: list[str]) -> None:
    found = heard("".join(pieces), EVERYTHING)
    assert all(is_in_range(reading, found.text) for reading in found.readings.values())
    assert heard("".join(pieces), EVERYTHING) == found


@given(st.text(alphabet="同意不可以好要行", max_size=12))
def test_a_text_with_a_refusal_in_it_is_never_an_agreement(text: str) -> None:
    asked = Expectation(
        expected=(Expected(slot="j.ok", type="choice", options={"同意": ("同意", "可以", "好", "行", "要")}),)
    )
    if "不" in text:
        assert heard(text, asked).readings == {}


UNITS = ["1", "1 ", "一", "不", "[", "/:", "同意", "我叫", "对", "不不想", "7", "ly7 ", "，", "\U0001f600", "+86 138-"]


@pytest.mark.parametrize("unit", UNITS)
def test_the_longest_texts_are_read_before_the_suite_loses_patience(unit: str) -> None:
    """A pattern that goes back and forth over its text would not come to an end here."""
    text = (unit * TEXT_MAX)[:TEXT_MAX]
    assert heard(text, EVERYTHING).text == text
