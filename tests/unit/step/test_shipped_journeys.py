"""The journeys that come with the product, played through: what a buyer and an advisor would see."""

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
