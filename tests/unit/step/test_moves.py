"""Moves from state to state: guards, waits, calls, errors, goals, entries, and the limits of all that."""

from dataclasses import replace

import pytest

from bot.core.arrival import TimerDue
from bot.core.customer import Timer
from bot.core.journey import CallJourney
from bot.core.program import compile_library
from tests.unit.step.play import Play
from tests.unit.step.worlds import STAFF, world

HEAD = "dsl: 1\njourney: {name}\nname: {name}\nchannel: oa\n"
ONE_QUESTION = "slots: {q: {type: choice, options: {是的: [], 不是: []}, ask: ask-q}}\n"
ASK_Q = "ask: q, timeout: {after: 4h, goto: done}, give_up: {goto: done}"


def journey(name: str, body: str, *, enter: str = "event: oa.follow") -> str:
    entry = f"enter: [{{{enter}}}]\n" if enter else ""
    return HEAD.format(name=name) + entry + body


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


@pytest.mark.parametrize(
    ("rules", "handler"),
    [
        ("{error: '*', goto: any}", "any"),
        ("{error: expr.type, goto: exact}", "exact"),
        ("{error: expr.*, goto: family}", "family"),
        ("{error: '*', goto: any}, {error: expr.type, goto: exact}", "exact"),
        ("{error: expr.*, goto: family}, {error: expr.type, goto: exact}", "exact"),
        ("{error: '*', goto: any}, {error: expr.*, goto: family}", "family"),
        ("{error: send.*, goto: exact}, {error: '*', goto: any}", "any"),
    ],
)
def test_an_error_goes_to_the_rule_that_names_it_most_closely(rules: str, handler: str) -> None:
    body = f"""
states:
  go:
    branch:
      - {{when: event.type, goto: done}}
      - {{else: done}}
  any: {{do: [{{send: any}}], then: done}}
  exact: {{do: [{{send: exact}}], then: done}}
  family: {{do: [{{send: family}}], then: done}}
  done: {{end: done}}
errors: [{rules}]
"""
    others = [name for name in ("any", "exact", "family") if f"goto: {name}" not in rules]
    for name in others:
        body = body.replace(f"  {name}: {{do: [{{send: {name}}}], then: done}}\n", "")
    play = Play(journey("failing", body))
    assert play.follow() == [handler]


def test_a_refusal_of_the_platform_belongs_to_the_family_of_rejections() -> None:
    body = """
states:
  go: {do: [{send: hello}], then: rest}
  rest: {wait: {for: 1h}, then: done}
  mended: {do: [{tag: mended}], then: done}
  done: {end: done}
errors: [{error: send.rejected, goto: mended}]
"""
    waits = body.replace("{do: [{send: hello}], then: rest}", "{do: [{send: hello}], wait: {for: 1h}, then: done}")
    play = Play(journey("sending", waits.replace("  rest: {wait: {for: 1h}, then: done}\n", "")))
    play.refusals = ["45047x"]
    play.follow()
    assert "mended" in play.customer.tags


GUARD_OF_TEXT = "{when: event.type, goto: done}"


def test_an_error_that_a_called_journey_does_not_handle_is_raised_in_its_caller() -> None:
    child = journey(
        "child",
        f"states:\n  go:\n    branch:\n      - {GUARD_OF_TEXT}\n      - {{else: done}}\n  done: {{end: done}}\n",
        enter="",
    )
    caller = journey(
        "caller",
        "states:\n  go: {call: child, then: done}\n  sorry: {do: [{send: sorry}], then: done}\n  done: {end: done}\n"
        "errors: [{error: expr.type, goto: sorry}]\n",
    )
    play = Play(caller, child)
    assert play.follow() == ["sorry"]
    assert play.turn.traced("ended", end="error:expr.type")


def test_an_error_that_nobody_handles_parks_the_enrolment_and_tells_the_operators() -> None:
    body = f"states:\n  go:\n    branch:\n      - {GUARD_OF_TEXT}\n      - {{else: done}}\n  done: {{end: done}}\n"
    play = Play(journey("broken", body))
    assert play.follow() == ["fallback"], "she is not left without a word"
    assert play.at() == {"broken": "!go"}
    assert play.turn.to("zhouning") == ["旅程 broken 卡在 go：expr.type [accept busy]"]


def test_the_lack_of_operators_stops_nothing() -> None:
    staff = "\n".join(line for line in STAFF.splitlines() if "运营值班" not in line)
    body = f"states:\n  go:\n    branch:\n      - {GUARD_OF_TEXT}\n      - {{else: done}}\n  done: {{end: done}}\n"
    play = Play(journey("broken", body), staff=staff)
    play.follow()
    assert play.turn.traced("task", outcome="nobody", to="role:运营值班")
    assert play.at() == {"broken": "!go"}


def test_a_stuck_run_does_not_keep_the_customer_out_for_ever() -> None:
    branch = "branch: [{when: event.key, goto: done}, {else: done}]"
    body = f"states:\n  go: {{{branch}}}\n  done: {{end: done}}\n"
    play = Play(journey("broken", body, enter="event: oa.click"))
    play.menu("x")
    assert play.at() == {"broken": "!go"}
    play.menu("x")
    assert play.turn.traced("ended", end="stuck")
    assert len(play.at()) == 1


def test_an_error_that_comes_back_in_the_same_state_is_not_handled_twice() -> None:
    body = f"""
states:
  go:
    branch:
      - {GUARD_OF_TEXT}
      - {{else: done}}
  done: {{end: done}}
errors: [{{error: '*', goto: go}}]
"""
    play = Play(journey("broken", body))
    play.follow()
    assert len(play.turn.traced("error", outcome="handled")) == 1
    assert play.at() == {"broken": "!go"}


def test_journeys_that_start_each_other_without_end_are_stopped() -> None:
    def starts(name: str, other: str, enter: str) -> str:
        body = f"states:\n  go: {{do: [{{start: {other}}}], then: done}}\n  done: {{end: done}}\n"
        return journey(name, body, enter=enter)

    play = Play(starts("one", "two", "event: oa.follow"), starts("two", "one", ""))
    play.follow()
    assert play.turn.traced("entry_refused", reason="too_many_entries")
    assert play.at() == {}


def test_fifty_moves_in_one_step_are_a_loop() -> None:
    body = """
vars: {n: {type: number, default: 0}}
states:
  go: {do: [{set: {vars.n: vars.n + 1}}], then: judge}
  judge: {call: nothing, then: again}
  again:
    branch:
      - {when: vars.n < 100, goto: go}
      - {else: done}
  done: {end: done}
"""
    nothing = journey("nothing", "states:\n  done: {end: done}\n", enter="")
    play = Play(journey("spinning", body), nothing)
    assert play.follow() == ["fallback"]
    assert play.turn.traced("error", error="loop", outcome="stuck")
    assert len(play.turn.traced("moved")) == 50


def test_an_enrolment_that_moves_too_often_in_a_day_is_stuck() -> None:
    body = """
states:
  rest:
    wait: {for: 24h}
    events: [{event: message, goto: rest}]
    then: done
  done: {end: done}
"""
    play = Play(journey("busy", body))
    play.follow()
    for _ in range(199):
        play.say("在")
    assert play.at() == {"busy": "rest"}
    assert play.say("在") == ["fallback"]
    assert play.at() == {"busy": "!rest"}
    assert play.turn.traced("error", error="too_many_steps_today")


GOAL = """
goal: {name: 已到店, when: customer.visits >= 1, within: 14d}
states:
  rest:
    wait: {for: 30d}
    events:
      - {event: oa.click, set: {customer.visits: 1}}
      - {event: oa.scan, set: {customer.visits: 0}}
    then: done
  done: {end: done}
"""


def test_a_goal_is_counted_once_when_it_turns_true() -> None:
    play = Play(journey("visit", GOAL))
    play.follow()
    play.menu("here")
    assert play.turn.traced("goal") == [{"goal": "已到店"}]
    play.scan("x")
    play.menu("here")
    assert not play.turn.traced("goal")


def test_a_goal_that_held_at_the_entry_is_never_counted() -> None:
    play = Play(journey("visit", GOAL), journey("second", GOAL, enter="keyword: [再来]"))
    play.follow()
    play.menu("here")
    play.say("再来")
    play.scan("x")
    play.menu("here")
    assert not play.turn.traced("goal")


def test_a_goal_that_is_reached_too_late_is_not_counted() -> None:
    play = Play(journey("visit", GOAL))
    play.follow()
    play.wait("14d1m")
    play.menu("here")
    assert not play.turn.traced("goal")


def test_a_goal_may_be_an_event_that_comes_after_the_entry() -> None:
    body = GOAL.replace("when: customer.visits >= 1", "event: oa.click")
    play = Play(journey("visit", body, enter="event: oa.click"))
    play.menu("first")
    assert not play.turn.traced("goal")
    play.menu("second")
    assert play.turn.traced("goal") == [{"goal": "已到店"}]


SHORT = "states:\n  hello: {do: [{send: hello}], then: done}\n  done: {end: done}\n"
LONG = "states:\n  rest: {wait: {for: 1h}, then: done}\n  done: {end: done}\n"


@pytest.mark.parametrize(
    ("allow", "after", "reason"),
    [
        ("always", "1m", None),
        ("never", "300d", "only_once"),
        ("after 30d", "29d23h", "too_soon"),
        ("after 30d", "30d", None),
    ],
)
def test_whether_she_may_enter_again_goes_by_the_end_of_the_last_run(
    allow: str, after: str, reason: str | None
) -> None:
    play = Play(journey("again", f"reentry: {{allow: {allow}}}\n" + SHORT))
    play.follow()
    play.wait(after)
    said = play.follow()
    refused = [detail["reason"] for detail in play.turn.traced("entry_refused")]
    assert (said, refused) == ((["hello"], []) if reason is None else ([], [reason]))


def test_one_run_of_a_journey_is_enough_at_a_time() -> None:
    play = Play(journey("once", LONG))
    play.follow()
    play.follow()
    assert play.turn.traced("entry_refused", reason="already_active", into="once", cause="oa.follow")


def test_runs_with_different_keys_go_side_by_side() -> None:
    play = Play(journey("keyed", 'key: "{{ event.key }}"\n' + LONG, enter="event: oa.click"))
    play.menu("a")
    play.menu("b")
    play.menu("a")
    assert sorted(run.key for run in play.customer.enrolments.values()) == ["a", "b"]


def test_only_the_audience_may_enter() -> None:
    play = Play(journey("shanghai", "audience: customer.city == '上海'\n" + SHORT))
    assert play.follow() == []
    assert play.turn.traced("entry_refused", reason="audience")


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
