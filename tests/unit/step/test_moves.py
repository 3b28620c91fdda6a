"""Moves from state to state: guards, waits, calls, and alarms that ring too late."""

from dataclasses import replace

from bot.core.arrival import TimerDue
from bot.core.customer import Timer
from bot.core.program import compile_library
from bot.core.states import CallJourney
from tests.unit.step.play import Play
from tests.unit.step.worlds import ASK_Q, ONE_QUESTION, journey, world

COUNTING = journey(
    "counting",
    """
vars: {seen: {type: number}}
states:
  hello: {do: [{send: hello}], then: nudge}
  nudge:
    when: window.open and counts.nudge < 2
    else: done
    do: [{set: {vars.seen: counts.nudge}}, {send: {content: nudge, class: reminder}}]
    wait: {for: 1h}
    events: [{event: message, goto: nudge}]
    then: nudge
  done: {end: done}
""",
)


def test_a_guard_counts_the_visits_that_are_over() -> None:
    play = Play(COUNTING)
    play.follow()
    assert play.run("counting").values["seen"] == 0
    assert play.say("在") == ["nudge"]
    assert play.run("counting").values["seen"] == 1
    play.say("在")
    assert play.ended("counting") == "done"


def test_visits_within_one_step_are_counted_too() -> None:
    body = """
vars: {n: {type: number, default: 0}}
states:
  go:
    when: counts.go < 3
    else: done
    do: [{set: {vars.n: vars.n + 1}}]
    call: nothing
    then: go
  done: {do: [{note: "{{ vars.n }} {{ counts.go }}"}], then: end}
  end: {end: done}
"""
    nothing = journey("nothing", "states:\n  done: {end: done}\n", enter="")
    play = Play(journey("thrice", body), nothing)
    play.follow()
    assert play.customer.notes == ("3 3",)


def test_a_guard_sees_what_the_step_has_planned_already() -> None:
    chatty = COUNTING.replace("{send: hello}", "{send: hello}, {send: hi}").replace("max: 3", "max: 3")
    assert Play(chatty).follow() == ["hello", "hi", "nudge"]
    talkative = chatty.replace("{send: hi}", "{send: hi}, {send: hey}")
    play = Play(talkative)
    assert play.follow() == ["hello", "hi", "hey"]
    assert play.turn.traced("guard", holds=False)[0]["values"] == {"window.open": False, "counts.nudge": 0}


def test_a_reminder_of_a_state_that_was_left_is_held_back() -> None:
    late = COUNTING.replace("{for: 1h}", "{for: 20h}")
    play = Play(late, at=Play(COUNTING).clock("22:30"))
    play.say("在")
    assert play.follow() == ["hello", "稍后 nudge"]
    play.say("在")
    assert play.turn.suppressed() == [("left_state", 1)]


CALLER = journey(
    "caller",
    """
states:
  hello: {do: [{send: hello}], then: ask}
  ask:
    call: {journey: child, with: {why: "聊聊{{ customer.city | default('吧') }}"}, save: back}
    events: [{event: oa.scan, goto: scanned}]
    then: judge
  judge:
    branch:
      - {when: back.good, goto: good}
      - {when: "back.end == 'bad'", goto: bad}
      - {else: odd}
  scanned: {do: [{send: scanned}], then: done}
  good: {do: [{send: good}], then: done}
  bad: {do: [{send: bad}], then: done}
  odd: {do: [{send: odd}], then: done}
  done: {end: done}
""",
)
CHILD = journey(
    "child",
    "vars: {why: {type: text}}\n"
    + ONE_QUESTION
    + """
states:
  q: {ask: q, timeout: {after: 4h, goto: bad}, give_up: {goto: bad}, then: judge}
  judge:
    branch:
      - when: slots.q == '是的'
        goto: good
      - else: bad
  good: {end: {label: good, return: {good: vars.why == '聊聊吧'}}}
  bad: {end: bad}
""",
    enter="",
)


def test_a_call_gives_back_what_the_journey_returns() -> None:
    play = Play(CALLER, CHILD)
    assert play.follow() == ["hello", "ask-q"]
    assert play.say("是的") == ["good"]
    assert play.turn.traced("ended", end="good")


def test_a_call_gives_back_the_label_of_its_end() -> None:
    play = Play(CALLER, CHILD)
    play.follow()
    assert play.say("不是") == ["bad"]


def test_leaving_the_calling_state_ends_the_journey_it_called() -> None:
    play = Play(CALLER, CHILD)
    play.follow()
    assert play.scan("x") == ["scanned"]
    assert play.turn.traced("ended", end="cancelled")
    assert (play.at(), play.customer.timers) == ({}, ())


def test_a_called_journey_stands_on_its_callers_place_of_the_floor() -> None:
    pushing = journey(
        "pushing",
        ONE_QUESTION.replace("ask-q", "ask-p")
        + "focus: {priority: 90}\nstates:\n  q: {"
        + ASK_Q
        + ", then: done}\n  done: {end: done}\n",
        enter="keyword: [插队], interrupt: true",
    )
    play = Play(CALLER, CHILD, pushing)
    play.follow()
    assert play.say("插队") == ["ask-p"]
    assert play.say("是的") == ["ask-q@resume"]
    assert play.say("是的") == ["good"]


def nested(depth: int) -> list[str]:
    """`depth` journeys that call each other in a row; the last one ends."""
    found = []
    for number in range(depth):
        enter = "event: oa.follow" if number == 0 else ""
        last = number == depth - 1
        body = "hello: {do: [{send: deep}], then: done}" if last else f"hello: {{call: j{number + 1}, then: done}}"
        found.append(journey(f"j{number}", f"states:\n  {body}\n  done: {{end: done}}\n", enter=enter))
    return found


def test_calls_go_three_deep() -> None:
    assert Play(*nested(4)).follow() == ["deep"]


def test_a_deeper_call_is_an_error_of_the_journey_that_makes_it() -> None:
    """The checker does not let such files through; the engine holds the limit all the same."""
    checked = world(*nested(4), journey("j4", "states:\n  done: {end: done}\n"))
    library = checked.library
    deepest = library.journeys["j3"]
    calling = replace(deepest.states["hello"], doing=CallJourney(journey="j4"))
    journeys = {**library.journeys, "j3": replace(deepest, states={**deepest.states, "hello": calling})}
    play = Play(program=compile_library(replace(library, journeys=journeys)))
    play.follow()
    assert play.turn.traced("error", error="call.depth", outcome="raised_in_caller")
    assert play.turn.traced("error", error="call.depth", outcome="stuck")
    assert play.at() == {"j0": "!hello"}


def test_a_journey_that_is_started_goes_on_beside_the_one_that_started_it() -> None:
    starter = journey(
        "starter",
        "states:\n  go: {do: [{start: {journey: child, with: {why: 聊聊吧}}}, {send: started}], then: done}\n"
        "  done: {end: done}\n",
    )
    play = Play(starter, CHILD)
    assert play.follow() == ["started", "ask-q"]
    assert play.at() == {"child": "q"}
    assert play.run("child").values == {"why": "聊聊吧"}


LONG = "states:\n  rest: {wait: {for: 1h}, then: done}\n  done: {end: done}\n"


def test_a_dead_timer_moves_nothing() -> None:
    play = Play(journey("waiting", LONG))
    play.follow()
    run = play.run("waiting")
    old = Timer(owner=run.enrolment_id, visit=run.visit - 1, timer_id="wait", due_at=play.now, set_at=play.now)
    play.arrive(TimerDue(timer=old))
    assert play.at() == {"waiting": "rest"}


def test_an_alarm_of_a_timer_that_was_put_off_moves_nothing() -> None:
    asking = ONE_QUESTION + "states:\n  q: {" + ASK_Q + ", then: done}\n  done: {end: done}\n"
    play = Play(journey("asking", asking))
    play.follow()
    early = play.customer.timers[0]
    play.wait("1h")
    play.say("什么")
    play.arrive(TimerDue(timer=early))
    assert play.at() == {"asking": "q"}
    assert play.customer.timers != (early,)
