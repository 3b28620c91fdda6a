"""Soft interrupts: frequent questions, intents, and journeys that are called beside an open question."""

import pytest

from tests.unit.step.play import Play
from tests.unit.step.worlds import HANDOFF, RULES

FORM = """
dsl: 1
journey: form
name: 预约
channel: oa
enter: [{keyword: [预约]}]
slots:
  what: {type: choice, options: {保养: [首保], 维修: [修车]}, ask: ask-what}
  nick: {type: text, ask: ask-nick}
states:
  what: {ask: what, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: nick}
  nick: {ask: nick, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: noted}
  noted: {do: [{send: noted}], then: done}
  done: {end: done}
"""
HOURS = (
    "faq/hours",
    "---\nfaq: hours\nquestions: [几点关门, 营业时间是几点, 你们几点下班]\n"
    "channels: {oa: text}\n---\n每天九点到六点半。\n",
)
INTENTS = (
    "schema/intents.yaml",
    "dsl: 1\nintents:\n  找人工: {patterns: [找个人, 真人, 人工客服]}\n  想试驾: {patterns: [想试驾, 试驾一下]}\n",
)


def rules(*interrupts: str) -> str:
    lines = "".join(f"  - {{{one}}}\n" for one in interrupts)
    return RULES.replace("class_rules:", f"{lines}class_rules:")


FAQ = rules("id: faq, faq: true, min: 0.82, effect: answer")


def test_a_frequent_question_is_answered_and_the_open_one_repeated() -> None:
    play = Play(FORM, rules=FAQ, contents=(HOURS,))
    play.say("预约")
    assert play.say("几点关门") == ["每天九点到六点半。", "ask-what@resume"]
    assert play.turn.traced("interrupt", faq="hours", effect="answer")
    assert play.turn.traced("taken", step=7)
    pending = play.run("form").pending
    assert pending is not None and pending.failures == 0


def test_it_is_answered_while_nobody_asks_anything() -> None:
    assert Play(FORM, rules=FAQ, contents=(HOURS,)).say("几点关门") == ["每天九点到六点半。"]


def test_it_is_no_answer_to_a_question_of_free_text() -> None:
    play = Play(FORM, rules=FAQ, contents=(HOURS,))
    play.say("预约")
    play.say("保养")
    assert play.say("你们几点下班") == ["每天九点到六点半。", "ask-nick@resume"]
    assert play.run("form").slots["nick"] is None


def test_what_resembles_it_too_little_is_not_answered_so() -> None:
    play = Play(FORM, rules=FAQ, contents=(HOURS,))
    play.say("预约")
    assert play.say("天气真好啊今天") == ["ask-what@again"]


def test_without_the_rule_a_frequent_question_means_nothing() -> None:
    play = Play(FORM, rules=RULES, contents=(HOURS,))
    assert play.say("几点关门") == ["fallback"]


def test_an_interrupt_may_be_heard_by_what_is_meant() -> None:
    asked = rules("id: ask_human, intent: 找人工, min: 0.8, effect: pause, call: human")
    play = Play(FORM, HANDOFF, rules=asked, files=(INTENTS,))
    play.say("预约")
    assert play.say("人工客服") == ["human-coming"]
    assert play.at() == {"form": "what", "human": "hand"}


def test_a_reaction_may_wait_for_what_is_meant() -> None:
    waiting = """
dsl: 1
journey: waiting
name: 等
channel: oa
enter: [{event: oa.follow}]
states:
  rest: {wait: {for: 1d}, events: [{event: message, intent: 想试驾, do: [{send: come}]}], then: done}
  done: {end: done}
"""
    play = Play(waiting, files=(INTENTS,))
    play.follow()
    assert play.say("想试驾") == ["come"]
    assert play.turn.traced("taken", step=9, by="waiting")


def test_a_sure_intent_interrupts_what_it_outranks() -> None:
    drive = """
dsl: 1
journey: drive
name: 试驾
channel: oa
enter: [{intent: 想试驾, interrupt: true}]
focus: {priority: 70}
slots: {day: {type: choice, options: {周末: [], 平日: []}, ask: ask-day}}
states:
  day: {ask: day, timeout: {after: 2h, goto: done}, give_up: {goto: done}, then: done}
  done: {end: done}
"""
    play = Play(FORM, drive, files=(INTENTS,))
    play.say("预约")
    assert play.say("想试驾") == ["ask-day"]
    assert play.turn.traced("entered", cause="intent")
    assert play.turn.traced("taken", step=6, by="entry")


ASIDE = """
dsl: 1
journey: aside
name: 顺便
channel: oa
vars: {words: {type: text, default: 没有}}
states:
  say: {do: [{send: aside-said}], then: done}
  done: {end: done}
"""
SAYS = ("aside-said", "---\ncontent: aside-said\nchannels: {oa: text}\nvars: [vars.words]\n---\n收到{{ vars.words }}\n")


@pytest.mark.parametrize("effect", ["pause", "answer"])
def test_what_is_called_gets_its_arguments_and_speaks_before_the_question_is_repeated(effect: str) -> None:
    calling = rules(f"id: aside, keyword: [顺便], effect: {effect}, call: {{journey: aside, with: {{words: 好的}}}}")
    play = Play(FORM, ASIDE, rules=calling, contents=(SAYS,))
    play.say("预约")
    assert play.say("顺便") == ["收到好的", "ask-what@resume"]


def test_a_call_may_follow_the_end_of_what_was_asked() -> None:
    calling = rules("id: aside, keyword: [顺便], effect: end_focus, call: aside")
    play = Play(FORM, ASIDE, rules=calling, contents=(SAYS,))
    play.say("预约")
    assert play.say("顺便") == ["收到没有"]
    assert play.ended("form") == "aside"
