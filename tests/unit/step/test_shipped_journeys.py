"""The journeys that come with the product, played through: what a buyer and an advisor would see."""

import pytest

from tests.unit.step.play import Play
from tests.unit.step.worlds import shipped


def contents(play: Play) -> list[str]:
    return [send.content for send in play.turn.sends() if send.send_class != "staff"]


def told(play: Play, text: str) -> list[str]:
    play.say(text)
    return contents(play)


def test_a_buyer_leaves_her_phone_and_an_advisor_gets_her_as_a_card() -> None:
    play = Play(program=shipped())
    play.follow()
    assert contents(play) == ["welcome", "ask-need"]
    assert told(play, "想看车") == ["ask-nick"]
    assert told(play, "王先生") == ["ask-consent"]
    assert told(play, "同意") == ["ask-phone"]
    assert "138****8000" in play.say("１３８ ００１３ ８０００")[0]
    assert told(play, "对") == ["thanks-lead"]
    assert play.customer.attributes == {"nick": "王先生", "phone": "13800138000"}
    assert play.ended("oa-welcome") == "success"
    assert play.turn.to("zhangmin") == ["新线索 王先生：看车 [accept busy]"]
    assert play.turn.traced("goal") == [{"goal": "已留资"}]
    assert play.customer.lead is not None and play.customer.lead.fields == {"phone": "13800138000", "need": "看车"}


def test_a_silent_buyer_is_left_alone_when_the_window_is_shut() -> None:
    play = Play(program=shipped())
    play.follow()
    assert play.wait("20h") == []
    assert play.ended("oa-welcome") == "abandoned"
    assert len([send for send in play.sent if send.send_class != "staff"]) == 2


def test_a_buyer_who_wrote_is_reminded_once_within_the_window() -> None:
    play = Play(program=shipped())
    play.follow()
    play.say("随便看看")
    play.wait("20h")
    assert contents(play) == ["nudge-phone"]
    assert play.at() == {"oa-welcome": "nudge"}
    assert told(play, "我的号码是 13800138000") == ["ask-consent"], "the answer leads to the consent first"
    assert play.say("同意") != []


def test_a_number_that_is_wrong_three_times_goes_to_a_human_and_at_night_to_a_task() -> None:
    play = Play(program=shipped())
    play.wait_until(play.clock("22:30"))
    play.follow()
    play.say("看车")
    play.say("跳过")
    play.say("同意")
    assert told(play, "123") == ["phone-bad"]
    assert told(play, "456") == ["phone-bad"]
    assert told(play, "789") == ["leave-message"]
    assert play.turn.traced("handoff", outcome="off_hours")
    assert play.ended("oa-welcome") == "abandoned"


def test_a_buyer_who_asks_for_a_human_gets_one_and_then_her_question_again() -> None:
    play = Play(program=shipped())
    play.follow()
    play.say("看车")
    assert told(play, "人工") == ["human-coming"]
    play.click("accept", by="zhangmin")
    assert play.advisor("您好，我是张敏", by="zhangmin") == ["您好，我是张敏"]
    assert told(play, "有现车吗") == []
    play.click("close", by="zhangmin")
    assert contents(play) == ["ask-nick"]
    assert told(play, "王先生") == ["ask-consent"]


def test_maintenance_leads_to_the_booking_and_to_a_task() -> None:
    play = Play(program=shipped())
    play.follow()
    assert told(play, "保养") == ["ask-service"]
    assert play.at() == {"service-booking": "what"}
    play.say("换机油")
    play.say("上海")
    assert told(play, "周末") == ["service-noted"]
    assert play.turn.to("zhangmin") == ["养车预约：保养，上海，周末 [accept busy]"]


@pytest.mark.parametrize(
    "words",
    [
        *(
            "退订",
            "您好，退订",
            "麻烦给我退订",
            "请帮我退订谢谢",
            "退訂",
            "回T退订",
            "回复TD退订",
            "T",
            "td",
            "取消订阅",
        ),
        *(
            "您好，我要取消订阅",
            "不要再发",
            "不要再发了",
            "别再发了",
            "不要发了",
            "别发了，谢谢",
            "请不要再给我发消息了",
        ),
    ],
)
def test_whoever_opts_out_at_an_open_question_is_heard(words: str) -> None:
    play = Play(program=shipped())
    play.follow()
    play.say("看车")
    assert told(play, words) == ["optout-ok"]
    assert (play.at(), set(play.customer.opt_outs)) == ({}, {"all"})
    assert not play.customer.attributes.get("nick")


@pytest.mark.parametrize("words", ["退定", "退订单", "不退订", "怎么退订金", "要不要发了", "我是T", "N", "T先生"])
def test_what_only_looks_like_opting_out_does_not(words: str) -> None:
    play = Play(program=shipped())
    play.follow()
    play.say("看车")
    assert told(play, words) != ["optout-ok"]
    assert not play.customer.opt_outs


def test_opting_out_ends_everything_and_nothing_follows_for_a_year() -> None:
    play = Play(program=shipped())
    play.follow()
    play.say("看车")
    assert told(play, "退订") == ["optout-ok"]
    assert play.wait("365d") == []
    assert play.at() == {}
