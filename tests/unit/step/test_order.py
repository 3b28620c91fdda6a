"""The eleven steps in their order: what two of them could take goes to the first (journey-language.md 2.4)."""

import pytest

from tests.unit.step.play import Play
from tests.unit.step.worlds import ASK_HUMAN, DRIVE, HANDOFF, NUDGE, RULES

SHOP = """
dsl: 1
journey: shop
name: 导购
channel: oa
enter: [{keyword: [咨询]}]
focus: {priority: 50}
slots:
  need: {type: choice, options: {看车: [选车], 养车: [保养]}, ask: ask-need}
  nick: {type: text, ask: ask-nick, optional: true}
  phone: {type: phone_cn, ask: ask-phone}
states:
  need: {ask: need, timeout: {after: 20h, goto: done}, give_up: {goto: done}, then: nick}
  nick: {ask: nick, timeout: {after: 20h, goto: done}, give_up: {goto: done}, then: phone}
  phone: {ask: phone, timeout: {after: 20h, goto: done}, give_up: {goto: done}, then: noted}
  noted: {do: [{send: noted}], then: done}
  done: {end: done}
"""
WAITING = NUDGE.replace("[继续], do: [{send: go-on}], goto: done", "[试驾, 资料], do: [{send: heard}]")
LOW = DRIVE.replace("journey: drive", "journey: low").replace("[试驾], interrupt: true", "[资料]")
INTENTS = ("schema/intents.yaml", "dsl: 1\nintents:\n  想试驾: {patterns: [试驾]}\n")


def answering(words: str, *, effect: str = "effect: answer, do: [{send: by-the-way}]") -> str:
    """The rules with one interrupt of these words."""
    return RULES.replace("class_rules:", f"  - {{id: aside, keyword: [{words}], {effect}}}\nclass_rules:")


def taken(play: Play) -> tuple[int, str]:
    """The step that took the latest message, and as what. Exactly one does."""
    (found,) = play.turn.traced("taken")
    step, by = found["step"], found["by"]
    assert isinstance(step, int) and isinstance(by, str)
    return step, by


def at_nick(*journeys: str, rules: str = RULES, files: tuple[tuple[str, str], ...] = ()) -> Play:
    play = Play(SHOP, *journeys, rules=rules, files=files)
    play.say("咨询")
    play.say("看车")
    assert play.at()["shop"] == "nick"
    return play


def test_1_a_tap_is_no_keyword_of_a_hard_interrupt() -> None:
    play = Play(SHOP.replace("看车: [选车]", "退订: [选车]"))
    play.say("咨询")
    assert play.tap("退订") == ["ask-nick"]
    assert taken(play) == (1, "tap")


def test_1_before_3_a_tap_finds_its_question_while_a_colleague_has_the_floor() -> None:
    play = Play(SHOP, HANDOFF, rules=ASK_HUMAN)
    play.say("咨询")
    menu = play.latest_menu()
    play.say("人工")
    play.click("accept", by="zhangmin")
    play.tap("看车", of=menu)
    assert taken(play) == (1, "tap")
    assert play.at()["shop"] == "nick"


def test_2_before_3_opting_out_is_heard_while_a_colleague_has_the_floor() -> None:
    play = Play(SHOP, HANDOFF, rules=ASK_HUMAN)
    play.say("人工")
    play.click("accept", by="zhangmin")
    assert play.say("退订") == ["optout-ok"]
    assert taken(play) == (2, "hard_interrupt")
    assert "退订" in play.turn.to("zhangmin")[0]


def test_2_before_4_opting_out_is_no_answer_though_it_were_an_option() -> None:
    play = Play(SHOP.replace("看车: [选车]", "看车: [退订]"))
    play.say("咨询")
    assert play.say("退订") == ["optout-ok"]
    assert taken(play) == (2, "hard_interrupt")


def test_3_before_4_a_colleague_reads_what_would_be_an_answer() -> None:
    play = Play(SHOP, HANDOFF, rules=ASK_HUMAN)
    play.say("咨询")
    play.say("人工")
    play.click("accept", by="zhangmin")
    assert play.say("看车") == []
    assert taken(play) == (3, "human")
    assert play.at()["shop"] == "need"


def test_3_before_4_the_word_for_the_bot_brings_the_question_back() -> None:
    play = Play(SHOP, HANDOFF, rules=ASK_HUMAN)
    play.say("咨询")
    play.say("人工")
    play.click("accept", by="zhangmin")
    play.say("/bot")
    assert taken(play) == (3, "back_to_bot")


def test_4_before_5_a_value_of_the_open_question_is_its_answer_and_no_correction() -> None:
    two = SHOP.replace(
        "nick: {type: text, ask: ask-nick, optional: true}", "nick: {type: choice, options: {看车: []}, ask: ask-nick}"
    )
    play = Play(two)
    play.say("咨询")
    play.say("养车")
    play.say("不对，是看车")
    assert taken(play) == (4, "answer")
    assert play.run("shop").slots["nick"] == "看车"


def test_4_before_6_an_answer_comes_before_an_entry_that_would_interrupt() -> None:
    play = Play(SHOP.replace("看车: [选车]", "看车: [试驾]"), DRIVE)
    play.say("咨询")
    play.say("试驾")
    assert taken(play) == (4, "answer")
    assert play.at() == {"shop": "nick"}


def test_4_before_7_skipping_an_optional_question_is_heard_before_an_interrupt() -> None:
    play = at_nick(rules=answering("跳过"))
    assert play.say("跳过") == ["ask-phone"]
    assert taken(play) == (4, "answer")


def test_5_before_6_a_correction_comes_before_an_entry_that_would_interrupt() -> None:
    play = Play(SHOP, DRIVE.replace("[试驾]", "[改成养车]"))
    play.say("咨询")
    play.say("看车")
    play.say("改成养车")
    assert taken(play) == (5, "correction")
    assert play.at() == {"shop": "nick"}


def test_5_before_8_a_correction_is_no_name() -> None:
    play = at_nick()
    assert play.say("不对，是养车") == ["好的，已经改成“养车”。", "ask-nick@resume"]
    assert taken(play) == (5, "correction")
    assert (play.run("shop").slots["need"], play.run("shop").slots["nick"]) == ("养车", None)


def test_6_before_7_an_entry_that_interrupts_comes_before_a_soft_interrupt() -> None:
    meant = answering("不会说的话").replace("keyword: [不会说的话]", "intent: 想试驾")
    play = at_nick(DRIVE, rules=meant, files=(INTENTS,))
    assert play.say("试驾") == ["ask-day"]
    assert taken(play) == (6, "entry")


def test_6_before_8_the_keyword_of_a_more_important_journey_is_no_name() -> None:
    play = at_nick(DRIVE)
    assert play.say("试驾") == ["ask-day"]
    assert taken(play) == (6, "entry")


def test_6_before_9_an_entry_that_interrupts_comes_before_a_state_that_waits() -> None:
    play = Play(WAITING, DRIVE)
    play.follow()
    assert play.say("试驾") == ["ask-day"]
    assert taken(play) == (6, "entry")


def test_7_before_8_a_soft_interrupt_is_no_name_and_the_question_is_repeated() -> None:
    play = at_nick(rules=answering("营业时间"))
    assert play.say("营业时间") == ["by-the-way", "ask-nick@resume"]
    assert taken(play) == (7, "interrupt")


def test_7_before_9_a_soft_interrupt_comes_before_a_state_that_waits() -> None:
    play = Play(WAITING, rules=answering("资料"))
    play.follow()
    assert play.say("资料") == ["by-the-way"]
    assert taken(play) == (7, "interrupt")


def test_7_before_10_a_soft_interrupt_comes_before_an_entry() -> None:
    play = Play(LOW.replace("[资料]", "[资料], match: prefix"), rules=answering("资料给我"))
    assert play.say("资料给我") == ["by-the-way"]
    assert taken(play) == (7, "interrupt")


def test_8_before_9_free_text_is_an_answer_before_others_that_wait_hear_it() -> None:
    play = Play(SHOP, WAITING)
    play.follow()
    play.say("咨询")
    play.say("看车")
    assert play.say("资料") == ["ask-phone"]
    assert taken(play) == (8, "answer")


def test_8_before_10_free_text_is_an_answer_before_an_entry_that_does_not_interrupt() -> None:
    play = at_nick(LOW)
    assert play.say("资料") == ["ask-phone"]
    assert taken(play) == (8, "answer")


def test_9_before_10_a_state_that_waits_comes_before_an_entry() -> None:
    play = Play(WAITING, LOW)
    play.follow()
    assert play.say("资料") == ["heard"]
    assert taken(play) == (9, "waiting")


def test_10_before_11_an_entry_comes_before_a_wrong_answer() -> None:
    play = Play(SHOP, LOW)
    play.say("咨询")
    play.say("资料")
    assert taken(play) == (10, "entry")
    pending = play.run("shop").pending
    assert pending is not None and pending.failures == 0


def test_11_what_nobody_takes_is_a_wrong_answer() -> None:
    play = Play(SHOP)
    play.say("咨询")
    assert play.say("天气不错") == ["ask-need@again"]
    assert taken(play) == (11, "wrong_answer")


def test_11_without_a_question_nobody_took_it_and_says_so() -> None:
    play = Play(SHOP)
    assert play.say("天气不错") == ["fallback"]
    assert taken(play) == (11, "fallback")


@pytest.mark.parametrize("words", ["咨询", "看车", "天气", "退订", "人工", "试驾"])
def test_every_message_is_taken_by_exactly_one(words: str) -> None:
    play = Play(SHOP, DRIVE, HANDOFF, rules=ASK_HUMAN)
    for _ in range(3):
        play.say(words)
        taken(play)
