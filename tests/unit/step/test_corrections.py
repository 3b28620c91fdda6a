"""Taking back an earlier answer: 不对, 是…… and 改成…… (journey-language.md 2.4 step 5)."""

from tests.unit.step.play import Play
from tests.unit.step.worlds import HANDOFF, RULES

ROUTES = """
dsl: 1
journey: routes
name: 分流
channel: oa
enter: [{keyword: [咨询]}]
slots:
  need: {type: choice, options: {看车: [选车], 养车: [保养]}, ask: ask-need, save: customer.city}
  days: {type: choice, options: {一天: [], 三天: []}, ask: ask-days, check: "slots.need == '看车' or value == '一天'"}
  phone: {type: phone_cn, ask: ask-phone, check: "value != '13800138000'", pii: true, save: customer.phone}
  nick: {type: text, ask: ask-nick}
  last: {type: text, ask: ask-last}
states:
  need: {ask: need, timeout: {after: 20h, goto: done}, give_up: {goto: done}, then: route}
  route:
    branch:
      - {when: slots.need == '养车', goto: care}
      - {else: phone}
  care: {do: [{send: care}], then: phone}
  phone: {ask: phone, timeout: {after: 20h, goto: done}, give_up: {goto: done}, then: days}
  days: {ask: days, timeout: {after: 20h, goto: done}, give_up: {goto: done}, then: nick}
  nick: {ask: nick, timeout: {after: 20h, goto: done}, give_up: {goto: done}, then: last}
  last: {ask: last, timeout: {after: 20h, goto: done}, give_up: {goto: done}, then: done}
  done: {end: done}
"""
PHONE, OTHER, BARRED = "13912345678", "13787654321", "13800138000"


def told(*answers: str) -> Play:
    play = Play(ROUTES, HANDOFF)
    play.say("咨询")
    for answer in answers:
        play.say(answer)
    return play


def test_the_new_value_takes_the_place_of_the_old_and_the_question_is_repeated() -> None:
    play = told("看车", PHONE)
    assert play.say(f"电话不对，改成{OTHER}") == ["好的，已经改成“137****4321”。", "ask-days@resume"]
    assert play.run("routes").slots["phone"] == OTHER
    assert play.customer.attributes["phone"] == OTHER
    assert play.turn.traced("corrected", outcome="applied", slot="phone")
    assert OTHER not in str(play.turn.journal)


def test_a_value_that_fails_its_check_leaves_the_old_one() -> None:
    play = told("看车", PHONE)
    assert play.say(f"改成{BARRED}") == [
        "“138****8000”这边登记不了，先按“139****5678”为准。",
        "ask-days@resume",
    ]
    assert play.run("routes").slots["phone"] == PHONE


def test_a_correction_is_no_wrong_answer_of_the_question_that_is_open() -> None:
    play = told("看车", PHONE)
    play.say(f"改成{OTHER}")
    pending = play.run("routes").pending
    assert pending is not None and (pending.slot, pending.failures) == ("days", 0)


def test_a_branch_that_would_have_gone_elsewhere_is_gone_anew_past_what_is_answered() -> None:
    play = told("看车", PHONE)
    assert play.say("不对，是养车") == ["好的，已经改成“养车”。", "care", "ask-days"]
    assert play.at() == {"routes": "days"}
    assert play.run("routes").slots["phone"] == PHONE


def test_an_answer_that_does_not_hold_beside_the_new_one_is_asked_for_again() -> None:
    play = told("看车", PHONE, "三天")
    play.reload(
        ROUTES.replace("{when: slots.need == '养车', goto: care}", "{when: slots.need == '飞', goto: care}"), HANDOFF
    )
    assert play.say("不对，是养车") == ["好的，已经改成“养车”。", "ask-days"]
    assert play.run("routes").slots["days"] is None
    assert play.turn.traced("corrected", forgotten=["days"], goto="days")


def test_of_several_answers_that_it_may_be_the_latest_is_meant() -> None:
    twice = ROUTES.replace("options: {一天: [], 三天: []}", "options: {看车: [], 养车: []}").replace(
        "or value == '一天'", "or true"
    )
    play = Play(twice)
    for words in ("咨询", "看车", PHONE, "看车"):
        play.say(words)
    play.say("不对，是养车")
    assert (play.run("routes").slots["need"], play.run("routes").slots["days"]) == ("看车", "养车")


def test_words_without_taking_anything_back_correct_nothing() -> None:
    play = told("看车")
    assert play.say("养车") == ["ask-phone@again"]
    assert play.run("routes").slots["need"] == "看车"


def test_what_a_calling_journey_was_told_can_be_corrected_in_the_called_one() -> None:
    outer = """
dsl: 1
journey: outer
name: 外层
channel: oa
enter: [{keyword: [外层]}]
slots:
  color: {type: choice, options: {红色: [], 蓝色: []}, ask: ask-color}
states:
  color: {ask: color, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: inner}
  inner: {call: {journey: routes}, then: done}
  done: {end: done}
"""
    play = Play(outer, ROUTES)
    play.say("外层")
    play.say("红色")
    assert play.say("不对，要蓝色") == ["好的，已经改成“蓝色”。", "ask-need@resume"]
    assert play.run("outer").slots["color"] == "蓝色"


def test_at_a_confirmation_another_answer_may_be_corrected_instead() -> None:
    play = Play(ROUTES.replace("pii: true,", "pii: true, confirm: true,"), rules=RULES)
    for words in ("咨询", "看车", PHONE):
        play.say(words)
    assert play.say("不对，是养车") == ["好的，已经改成“养车”。", "care", "ask-phone"]
    assert play.run("routes").slots["need"] == "养车"


def test_an_own_repair_may_ask_before_it_lets_the_new_value_in() -> None:
    own = """
dsl: 1
journey: correct
name: 更正先问
channel: oa
vars: {new: {type: text}}
slots: {sure: {type: choice, options: {改: [], 不改: []}, ask: ask-sure}}
states:
  sure: {ask: sure, timeout: {after: 1h, goto: kept}, give_up: {goto: kept}, then: route}
  route: {branch: [{when: slots.sure == '改', goto: corrected}, {else: kept}]}
  corrected: {end: corrected}
  kept: {end: kept}
"""
    asked = ("ask-sure", "---\ncontent: ask-sure\nchannels: {oa: menu}\nvars: [vars.new]\n---\n改成{{ vars.new }}？\n")
    play = Play(ROUTES, files=(("_repair/correct.yaml", own),), contents=(asked,))
    for words in ("咨询", "看车", PHONE):
        play.say(words)
    assert play.say(f"改成{OTHER}") == ["改成137****4321？"]
    assert play.run("routes").slots["phone"] == PHONE
    assert play.say("改") == ["ask-days@resume"]
    assert play.run("routes").slots["phone"] == OTHER
