"""Questions that wait for the floor: she hears that they come, and they come at a decent hour."""

from datetime import timedelta

import pytest

from tests.unit.step.play import Play
from tests.unit.step.worlds import journey

SOON = "好的，我记下了。我们先把眼前这件说完，马上接着办。"
FILES = (("schema/events.yaml", "dsl: 1\nevents: {shop.called: {}}\n"),)


def asks(name: str, enter: str, *, patience: str = "4h", more: str = "") -> str:
    """A journey that asks one question, which only its own words answer."""
    return journey(
        name,
        f"""
slots: {{q: {{type: choice, options: {{{name}甲: [], {name}乙: []}}, ask: ask-{name}, retry: {{max: 1}}}}}}
states:
  q: {{ask: {{slot: q{more}}}, timeout: {{after: {patience}, goto: silent}}, give_up: {{goto: lost}}, then: done}}
  silent: {{end: silent}}
  lost: {{end: lost}}
  done: {{end: done}}
""",
        enter=enter,
    )


HOLDER = asks("a", "keyword: [问甲]")
WAITING = asks("b", "keyword: [问乙]")


def begun(*more: str) -> Play:
    play = Play(HOLDER, *(more or (WAITING,)), files=FILES)
    play.say("问甲")
    return play


def test_who_asks_for_what_must_wait_is_told_so_and_asked_the_open_question_again() -> None:
    # Before: the question of the journey that she had led in was queued, and she heard nothing at all.
    play = begun()
    assert play.say("问乙") == [SOON, "ask-a@resume"]
    assert play.at() == {"a": "q", "b": "q"}
    assert play.say("a甲") == ["ask-b"]


def test_it_is_no_wrong_answer_to_the_open_question() -> None:
    play = begun()
    play.say("问乙")
    pending = play.run("a").pending
    assert pending is not None and pending.failures == 0


def test_who_asks_for_it_again_is_told_again_and_has_not_answered_wrongly() -> None:
    play = begun()
    play.say("问乙")
    for _ in range(3):
        assert play.say("问乙") == [SOON, "ask-a@resume"]
    assert play.at() == {"a": "q", "b": "q"}


def test_a_journey_that_says_something_before_it_waits_is_answer_enough() -> None:
    greets = WAITING.replace("states:\n", "states:\n  hello: {do: [{send: hello}], then: q}\n")
    assert begun(greets).say("问乙") == ["hello"]


def test_what_comes_to_wait_by_no_act_of_hers_is_not_spoken_of() -> None:
    play = begun(asks("b", "event: shop.called", more=", class: service"))
    assert play.event("shop.called") == []
    assert play.at() == {"a": "q", "b": "q"}


def test_what_is_said_is_the_marketers_own_and_knows_what_waits() -> None:
    own = """
dsl: 1
journey: queued
name: 排队
channel: oa
vars: {wanted: {type: text}}
states:
  say: {do: [{send: own}], then: done}
  done: {end: asked}
"""
    text = ("own", "---\ncontent: own\nchannels: {oa: text}\nvars: [vars.wanted]\n---\n{{ vars.wanted }}稍后办\n")
    play = Play(HOLDER, WAITING, files=(("_repair/queued.yaml", own),), contents=(text,))
    play.say("问甲")
    assert play.say("问乙") == ["b稍后办", "ask-a@resume"]


def test_a_timer_that_reads_what_is_set_while_she_is_told_moves_with_it() -> None:
    # Before: timers were looked at before she was told, and this one stayed for ever where it had been.
    own = "dsl: 1\njourney: queued\nname: 排队\nchannel: oa\n"
    own += "states:\n  say: {do: [{set: {customer.visits: 5}}, {send: fallback}], then: done}\n  done: {end: asked}\n"
    timed = """
states:
  first: {do: [{set: {customer.visits: 2}}], then: rest}
  rest: {wait: {until: state.entered_at + hours(customer.visits)}, then: done}
  done: {end: done}
"""
    play = Play(journey("timed", timed), HOLDER, WAITING, files=(("_repair/queued.yaml", own),))
    play.follow()
    play.say("问甲")
    assert play.due("wait") == timedelta(hours=2)
    assert play.say("问乙") == ["fallback", "ask-a@resume"]
    assert play.due("wait") == timedelta(hours=5)


# when it comes by itself


def at_night(*more: str) -> Play:
    """The holder's question is given up at half past one in the night, and the other one's turn comes."""
    play = Play(HOLDER, *(more or (WAITING,)), files=FILES)
    play.wait_until(play.clock("21:30"))
    play.say("问甲")
    play.say("问乙")
    return play


def test_a_queued_question_whose_turn_comes_at_night_waits_for_the_morning() -> None:
    # Before: it was put at once, as an answer would be, at half past one.
    play = at_night()
    assert play.wait("5h") == ["稍后 ask-b"]
    play.wait_until(play.clock("08:59"))
    assert [send.content for send in play.sent][-1] != "ask-b"
    play.wait_until(play.clock("09:30"))
    assert [send.content for send in play.sent][-1] == "ask-b"
    assert play.at() == {"b": "q"}, "its time counts from the morning"


def test_a_paused_question_is_not_repeated_at_night_either() -> None:
    pushes = asks("b", "keyword: [问乙], interrupt: true").replace("slots:", "focus: {priority: 90}\nslots:")
    assert at_night(pushes).wait("5h") == ["稍后 ask-a@resume"]


def test_who_writes_at_night_is_answered_at_night() -> None:
    play = at_night()
    assert play.say("a甲") == ["ask-b"]


def test_a_class_that_was_written_holds_for_a_question_that_comes_by_itself() -> None:
    play = at_night(asks("b", "keyword: [问乙]", more=", class: service"))
    assert play.wait("5h") == ["ask-b"]


@pytest.mark.parametrize("wrong", ["什么", "在吗"])
def test_a_question_of_any_class_is_repeated_at_once_to_whoever_answers_it_wrongly(wrong: str) -> None:
    # Before: every repetition was a reminder too, and the second one waited for a cap until it was too late.
    capped = "limits: {cap: {max: 1, per: 7d, count: [reminder]}}\nslots:"
    reminding = asks("b", "event: shop.called", more=", class: reminder").replace("slots:", capped)
    play = Play(reminding.replace("retry: {max: 1}", "retry: {max: 3}"), files=FILES)
    play.menu("x")
    assert play.event("shop.called") == ["ask-b"]
    for _ in range(3):
        assert play.say(wrong)[-1].startswith("ask-b@")
    assert play.say("b甲") == []
    assert play.ended("b") == "done"
