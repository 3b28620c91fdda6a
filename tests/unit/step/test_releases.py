"""The library changes while customers are on their way: nobody is lost, and nothing raises."""

from dataclasses import replace
from datetime import timedelta

from bot.core.expectation import expectation
from bot.core.ids import ConversationId
from bot.core.program import compile_library
from tests.unit.step.play import Play

WAYS = "timeout: {after: 4h, goto: done}, give_up: {goto: done}"
NEED = f"need: {{ask: need, {WAYS}, then: nick}}"
REST = "rest: {wait: {for: 1h}, then: done}"
ONE = f"""
dsl: 1
journey: one
name: 一
channel: oa
enter: [{{event: oa.follow}}]
vars: {{n: {{type: number, default: 1}}}}
slots:
  need: {{type: choice, options: {{看车: [], 养车: []}}, ask: ask-need}}
  nick: {{type: text, ask: ask-nick}}
states:
  {NEED}
  nick: {{ask: nick, {WAYS}, then: rest}}
  {REST}
  done: {{end: done}}
"""
OTHER = "dsl: 1\njourney: other\nname: 别的\nchannel: oa\nenter: [{keyword: [别的]}]\nstates: {done: {end: done}}\n"
HERE = ConversationId("oa:main:openid")


def started() -> Play:
    play = Play(ONE)
    play.follow()
    return play


def test_a_journey_that_is_gone_ends_with_the_next_event() -> None:
    play = started()
    play.reload(OTHER)
    assert play.say("看车") == ["fallback"]
    assert play.ended("one") == "workflow_changed"
    assert (play.at(), play.customer.timers) == ({}, ())


def test_a_journey_that_is_gone_ends_with_its_timer() -> None:
    play = started()
    play.reload(OTHER)
    assert play.wait("4h") == []
    assert play.ended("one") == "workflow_changed"


def test_nothing_is_expected_of_a_journey_that_is_gone() -> None:
    play = started()
    play.reload(OTHER)
    assert expectation(play.customer, play.program, HERE).expected == ()


def test_a_state_that_is_gone_ends_the_run() -> None:
    play = started()
    play.say("看车")
    play.reload(ONE.replace("then: nick}", "then: name}").replace("  nick: {ask", "  name: {ask"))
    play.say("王先生")
    assert play.ended("one") == "workflow_changed"


OTHER_SLOT = (
    ONE.replace("  need: {type", "  wish: {type").replace("ask-need", "ask-wish").replace("ask: need", "ask: wish")
)


def test_a_question_about_another_slot_is_asked_afresh() -> None:
    play = started()
    play.reload(OTHER_SLOT)
    assert play.say("你好") == ["ask-wish"]
    assert play.say("看车") == ["ask-nick"]


def test_an_answer_that_comes_with_the_change_is_still_taken() -> None:
    play = started()
    play.reload(OTHER_SLOT)
    assert play.say("看车") == ["ask-nick"]
    assert play.run("one").slots["wish"] == "看车"


def test_a_question_that_became_a_wait_waits() -> None:
    play = started()
    asking = NEED.replace("need: {ask: need", "ask: {ask: {slot: need, class: service}")
    play.reload(ONE.replace(NEED, f"need: {{wait: {{for: 2h}}, then: ask}}\n  {asking}"))
    assert play.say("看车") == ["fallback"]
    assert play.wait("2h") == ["ask-need"]


def test_a_wait_that_became_a_question_asks() -> None:
    play = started()
    play.say("看车")
    play.say("王先生")
    play.reload(ONE.replace(REST, f"rest: {{ask: need, {WAYS}, then: done}}"))
    assert play.wait("1h") == ["ask-need"]


def test_a_state_that_waits_for_nothing_any_more_goes_on() -> None:
    play = started()
    play.reload(ONE.replace(NEED, "need: {then: nick}").replace(REST, f"rest: {{ask: need, {WAYS}, then: done}}"))
    assert play.scan("x") == ["ask-nick"]


def test_new_variables_begin_as_they_do_for_everybody() -> None:
    play = started()
    play.reload(ONE.replace("vars: {", "vars: {m: {type: number, default: 7}, "))
    play.say("看车")
    assert play.run("one").values == {"n": 1, "m": 7}


CALLER = """
dsl: 1
journey: caller
name: 调用
channel: oa
enter: [{event: oa.follow}]
states:
  call: {call: {journey: one, save: back}, then: judge}
  judge:
    branch:
      - {when: "back.end == 'workflow_changed'", goto: changed}
      - {else: done}
  changed: {do: [{send: changed}], then: done}
  done: {end: done}
"""


def test_a_called_journey_that_is_gone_gives_back_to_its_caller() -> None:
    play = Play(CALLER, ONE.replace("enter: [{event: oa.follow}]\n", ""))
    play.follow()
    library = play.program.library
    without = {name: journey for name, journey in library.journeys.items() if name != "one"}
    play.program = compile_library(replace(library, release="next", journeys=without))
    assert play.say("看车") == ["changed"]


def test_a_change_elsewhere_changes_nothing_for_her() -> None:
    play = started()
    before = play.run("one")
    play.reload(ONE, OTHER)
    play.scan("x")
    after = play.run("one")
    assert (after.state, after.visit, after.pending) == (before.state, before.visit, before.pending)
    assert after.release != before.release


def test_a_caller_and_what_it_called_may_be_gone_at_once() -> None:
    play = Play(CALLER, ONE.replace("enter: [{event: oa.follow}]\n", ""))
    play.follow()
    play.reload(OTHER)
    assert play.say("看车") == ["fallback"]
    assert (play.at(), play.ended("caller")) == ({}, "workflow_changed")


def test_a_handoff_that_became_a_wait_and_a_handoff_again_offers_anew() -> None:
    helping = ONE.replace(REST, "rest: {handoff: {to: advisor, accept_within: 5m, fallback: {goto: done}}, then: done}")
    play = Play(helping)
    play.follow()
    play.say("看车")
    play.say("王先生")
    assert len(play.turn.tasks()) == 1
    play.reload(ONE)
    play.scan("x")
    assert play.turn.tasks()[0][0] == "withdrawn"
    play.reload(helping)
    play.scan("x")
    assert play.turn.tasks()[0][0] == "open"
    assert play.due("accept") == timedelta(minutes=5)


LONG_REST = REST.replace("{for: 1h}", "{for: 9h}")
FOR_EVER = "rest: {wait: forever, events: [{event: oa.scan, goto: done}]}"


def resting(rest: str) -> Play:
    """In the state `rest`, written like this."""
    play = Play(ONE.replace(REST, rest))
    play.follow()
    play.say("看车")
    play.say("王先生")
    return play


def test_a_wait_for_a_time_that_became_one_for_ever_forgets_its_time() -> None:
    play = resting(REST)
    play.reload(ONE.replace(REST, FOR_EVER))
    play.wait("2h")
    assert play.at() == {"one": "rest"}
    play.scan("x")
    assert play.ended("one") == "done"


def test_a_wait_for_ever_that_became_one_for_a_time_ends() -> None:
    play = resting(FOR_EVER)
    play.reload(ONE.replace(REST, REST))
    play.say("在")
    assert play.due("wait") == timedelta(hours=1)


def test_a_wait_whose_length_changed_ends_when_it_was_to_end() -> None:
    play = resting(LONG_REST)
    play.wait("30m")
    play.reload(ONE)
    play.say("在")
    assert play.due("wait") == timedelta(hours=8, minutes=30)


def test_a_timer_that_is_no_longer_written_does_nothing() -> None:
    timed = REST.replace("{wait:", "{timers: [{id: d1, after: 20m, do: [{tag: rung}]}], wait:")
    play = resting(timed)
    play.reload(ONE)
    play.wait("30m")
    assert (play.customer.tags, play.at()) == (frozenset(), {"one": "rest"})


def test_a_run_that_may_grow_older_since_a_release_goes_on() -> None:
    old = ONE.replace("vars:", "limits: {max_age: 2d}\nvars:").replace(REST, FOR_EVER)
    play = Play(old)
    play.follow()
    play.say("看车")
    play.say("王先生")
    play.reload(old.replace("2d", "4d"))
    play.wait("3d")
    assert play.at() == {"one": "rest"}
    play.wait("1d")
    assert play.ended("one") == "expired"
