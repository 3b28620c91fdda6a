"""Who has the floor: pushing, queueing, resuming, and the clock of a question that is paused."""

from datetime import timedelta

import pytest

from tests.unit.step.play import Play
from tests.unit.step.worlds import ASK_HUMAN, HANDOFF

NIGHT = "22:30"


def asks(name: str, keyword: str, priority: int, *, patience: str = "", interrupt: str = "true") -> str:
    """A journey that asks one question and says `NAME-done`."""
    resume = f", resume_within: {patience}" if patience else ""
    return f"""
dsl: 1
journey: {name}
name: {name}
channel: oa
enter: [{{keyword: [{keyword}], interrupt: {interrupt}}}]
focus: {{priority: {priority}{resume}}}
slots:
  q: {{type: choice, options: {{{name}甲: [], {name}乙: []}}, ask: ask-{name}}}
states:
  q: {{ask: q, timeout: {{after: 4h, goto: silent}}, give_up: {{goto: silent}}, then: said}}
  said: {{do: [{{send: {name}-done}}], then: done}}
  silent: {{end: silent}}
  done: {{end: done}}
"""


A, B = asks("a", "问甲", 10, patience="24h"), asks("b", "问乙", 20)
C, D = asks("c", "问丙", 30), asks("d", "问丁", 40)


def test_the_clock_of_a_paused_question_stops() -> None:
    play = Play(A, B)
    play.say("问甲")
    play.wait("3h")
    play.say("问乙")
    play.wait("3h")
    assert play.at() == {"a": "q", "b": "q"}


def test_a_question_that_is_repeated_has_its_whole_time_again() -> None:
    play = Play(A, B)
    play.say("问甲")
    play.wait("3h")
    play.say("问乙")
    play.wait("1h")
    assert play.say("b甲") == ["b-done", "ask-a@resume"]
    assert play.due("timeout") == timedelta(hours=4)


def test_a_question_paused_for_too_long_times_out_instead_of_being_repeated() -> None:
    play = Play(asks("a", "问甲", 10, patience="2h"), B)
    play.say("问甲")
    play.say("问乙")
    play.wait("2h1m")
    assert play.say("b甲") == ["b-done"]
    assert (play.at(), play.ended("a")) == ({}, "silent")


def test_a_timeout_of_the_top_wakes_the_question_below() -> None:
    play = Play(A, B)
    play.say("问甲")
    play.say("问乙")
    assert play.wait("4h") == ["ask-a@resume"]


def test_three_may_stand_on_the_floor_and_a_fourth_waits_in_the_queue() -> None:
    play = Play(A, B, C, D)
    for word in ("问甲", "问乙", "问丙"):
        assert len(play.say(word)) == 1
    assert play.say("问丁")[1:] == ["ask-c@resume"], "she is told that it has to wait, and asked again"
    assert play.turn.traced("floor", outcome="queued", behind="c")
    assert play.say("c甲") == ["c-done", "ask-b@resume"]
    assert play.say("b甲") == ["b-done", "ask-a@resume"]
    assert play.say("a甲") == ["a-done", "ask-d"]


def test_a_queued_question_has_no_clock_until_it_is_asked() -> None:
    play = Play(B, asks("a", "问甲", 10, interrupt="false"))
    play.say("问乙")
    play.say("问甲")
    play.wait("3h")
    assert play.say("b甲") == ["b-done", "ask-a"]
    assert play.due("timeout") == timedelta(hours=4)


def test_the_queue_is_served_in_the_order_of_arrival() -> None:
    play = Play(D, *(asks(name, f"问{name}", 10, interrupt="false") for name in ("x", "y")))
    play.say("问丁")
    play.say("问y")
    play.say("问x")
    assert play.say("d甲") == ["d-done", "ask-y"]
    assert play.say("y甲") == ["y-done", "ask-x"]


def test_the_holder_keeps_the_floor_between_two_of_its_questions() -> None:
    two = """
dsl: 1
journey: two
name: 两问
channel: oa
enter: [{keyword: [两问]}]
slots:
  one: {type: choice, options: {甲: [], 乙: []}, ask: ask-one}
  two: {type: choice, options: {丙: [], 丁: []}, ask: ask-two}
states:
  one: {ask: one, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: tag}
  tag: {do: [{tag: 半路}], then: two}
  two: {ask: two, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: done}
  done: {end: done}
"""
    play = Play(two, asks("a", "问甲", 10, interrupt="false"))
    play.say("两问")
    play.say("问甲")
    assert play.say("甲") == ["ask-two"]
    assert play.say("丙") == ["ask-a"]


def test_a_journey_that_waits_holds_no_floor() -> None:
    waiting = """
dsl: 1
journey: waiting
name: 等
channel: oa
enter: [{keyword: [等等], interrupt: true}]
focus: {priority: 90}
states:
  rest: {wait: {for: 1h}, then: done}
  done: {end: done}
"""
    play = Play(waiting, A)
    play.say("等等")
    assert play.say("问甲") == ["ask-a"]


def test_a_journey_that_has_asked_and_waits_gives_the_floor_away() -> None:
    resting = B.replace(
        "said: {do: [{send: b-done}], then: done}", "said: {do: [{send: b-done}], wait: {for: 1h}, then: done}"
    )
    play = Play(resting, asks("a", "问甲", 10, interrupt="false"))
    play.say("问乙")
    play.say("问甲")
    assert play.say("b甲") == ["b-done", "ask-a"]
    assert play.at() == {"b": "said", "a": "q"}


def test_human_help_off_hours_falls_back_and_the_question_is_asked_again() -> None:
    play = Play(A, HANDOFF, rules=ASK_HUMAN)
    play.wait_until(play.clock(NIGHT))
    play.say("问甲")
    assert play.say("人工") == ["human-coming", "human-away", "ask-a@resume"]
    assert play.turn.traced("handoff", outcome="off_hours")
    assert play.due("timeout") == timedelta(hours=4)


def test_human_help_that_nobody_accepts_falls_back_and_the_question_is_asked_again() -> None:
    play = Play(A, HANDOFF, rules=ASK_HUMAN)
    play.say("问甲")
    assert play.say("人工") == ["human-coming"]
    assert play.wait("5m") == ["human-away", "ask-a@resume"]


def test_a_second_call_for_help_changes_nothing() -> None:
    play = Play(A, HANDOFF, rules=ASK_HUMAN)
    play.say("问甲")
    play.say("人工")
    assert play.say("人工") == []
    assert play.turn.traced("entry_refused", reason="already_active")
    assert play.at() == {"a": "q", "human": "hand"}


def test_an_interrupt_that_only_answers_repeats_the_question() -> None:
    answering = ASK_HUMAN.replace("effect: pause, call: human", "effect: answer, do: [{send: just-ask}]")
    play = Play(A, rules=answering)
    play.say("问甲")
    assert play.say("人工") == ["just-ask", "ask-a@resume"]


def test_an_interrupt_that_pauses_and_calls_nothing_repeats_the_question_too() -> None:
    pausing = ASK_HUMAN.replace("effect: pause, call: human", "effect: pause, do: [{send: just-ask}]")
    play = Play(A, rules=pausing)
    play.say("问甲")
    assert play.say("人工") == ["just-ask", "ask-a@resume"]


def test_an_interrupt_may_end_only_the_journey_on_the_floor() -> None:
    ending = ASK_HUMAN.replace("effect: pause, call: human", "effect: end_focus, do: [{send: ended}]")
    play = Play(A, B, rules=ending)
    play.say("问甲")
    play.say("问乙")
    assert play.say("人工") == ["ended", "ask-a@resume"]
    assert play.ended("b") == "ask_human"


def test_the_hard_interrupt_ends_every_journey_and_what_it_called() -> None:
    play = Play(A, B, HANDOFF, rules=ASK_HUMAN)
    play.say("问甲")
    play.say("问乙")
    play.say("人工")
    assert play.say("退订") == ["optout-ok"]
    assert (play.at(), play.customer.timers) == ({}, ())
    assert play.turn.tasks() == [("withdrawn", "zhangmin", "要找人工")]


@pytest.mark.parametrize("sends", [2, 3])
def test_a_repetition_that_would_be_a_fourth_message_is_left_out(sends: int) -> None:
    chatty = B.replace("{send: b-done}", ", ".join(f"{{send: b{number}}}" for number in range(sends)))
    play = Play(A, chatty)
    play.say("问甲")
    play.wait("3h")
    play.say("问乙")
    said = play.say("b甲")
    assert said == ["b0", "b1", *(["b2"] if sends == 3 else ["ask-a@resume"])]
    assert play.due("timeout") == timedelta(hours=1 if sends == 3 else 4)
    assert play.say("a甲") == ["a-done"]


def test_a_tap_that_says_no_without_the_floor_does_not_speak_out_of_turn() -> None:
    confirmed = A.replace("ask: ask-a}", "ask: ask-a, confirm: true}")
    play = Play(confirmed, B)
    play.say("问甲")
    assert play.say("a甲") == ["confirm=a甲"]
    confirmation = play.latest_menu()
    play.say("问乙")
    assert play.tap("不对，改一下", of=confirmation) == []
    assert play.say("b甲") == ["b-done", "ask-a@resume"]


def test_a_tap_on_a_wrong_option_without_the_floor_does_not_speak_out_of_turn() -> None:
    checked = A.replace("ask: ask-a}", "ask: ask-a, check: value != 'a乙'}")
    play = Play(checked, B)
    play.say("问甲")
    menu = play.latest_menu()
    play.say("问乙")
    assert play.tap("a乙", of=menu) == []
    assert play.turn.traced("unparsed", why="check", failures=1)
    assert play.say("b甲") == ["b-done", "ask-a@resume"]


def test_a_question_that_waited_for_the_floor_and_is_left_waits_no_more() -> None:
    leaving = asks("a", "问甲", 10, interrupt="false").replace(
        "give_up:", "events: [{event: oa.scan, goto: said}], give_up:"
    )
    play = Play(B, leaving)
    play.say("问乙")
    play.say("问甲")
    assert play.scan("x") == ["a-done"]
    assert (play.talk.queue, play.at()) == ((), {"b": "q"})
