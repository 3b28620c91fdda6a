"""Errors of journeys: who handles them, what happens when nobody does, and the limits that raise them."""

import pytest

from tests.unit.step.play import Play
from tests.unit.step.worlds import RULES, STAFF, journey


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


SPINNING = """
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
NOTHING = journey("nothing", "states:\n  done: {end: done}\n", enter="")
SORRY = "  sorry: {do: [{send: sorry}], then: done}\n"


def test_a_loop_is_led_out_of_by_the_rule_that_names_it() -> None:
    play = Play(journey("spinning", f"{SPINNING}{SORRY}errors: [{{error: loop, goto: sorry}}]\n"), NOTHING)
    assert play.follow() == ["sorry"]
    assert play.turn.traced("error", error="loop", outcome="handled")
    assert play.ended("spinning") == "done"
    assert len(play.turn.traced("moved")) == 52


def test_a_way_out_of_a_loop_that_leads_back_into_it_is_stuck_after_a_few_moves() -> None:
    play = Play(journey("spinning", f"{SPINNING}errors: [{{error: '*', goto: go}}]\n"), NOTHING)
    assert play.follow() == ["fallback"]
    assert len(play.turn.traced("error", error="loop", outcome="handled")) == 1
    assert play.at()["spinning"].startswith("!")
    assert 50 < len(play.turn.traced("moved")) <= 60


def test_a_loop_is_caught_anew_in_the_next_step() -> None:
    again = f"{SPINNING}  rest: {{wait: {{for: 9h}}, events: [{{event: message, goto: go}}], then: done}}\n"
    play = Play(journey("spinning", f"{again}errors: [{{error: loop, do: [{{send: sorry}}], goto: rest}}]\n"), NOTHING)
    assert [play.follow(), play.at()] == [["sorry"], {"spinning": "rest"}]
    assert [play.say("在吗"), play.at()] == [["sorry"], {"spinning": "rest"}]


def test_a_loop_that_a_called_journey_does_not_catch_is_raised_in_its_caller() -> None:
    caller = f"states:\n  go: {{call: spinning, then: done}}\n{SORRY}  done: {{end: done}}\n"
    rule = "errors: [{error: loop, goto: sorry}]\n"
    play = Play(journey("caller", caller + rule), journey("spinning", SPINNING, enter=""), NOTHING)
    assert play.follow() == ["sorry"]
    assert play.turn.traced("ended", end="error:loop")
    assert play.ended("caller") == "done"


def test_a_rule_of_everybodys_ends_a_run_that_loops() -> None:
    rules = f"{RULES}errors: [{{error: loop, do: [{{tag: 转圈}}]}}]\n"
    play = Play(journey("spinning", SPINNING), NOTHING, rules=rules)
    play.follow()
    assert "转圈" in play.customer.tags
    assert play.ended("spinning") == "error:loop"


def test_fifty_moves_in_one_step_are_a_loop() -> None:
    play = Play(journey("spinning", SPINNING), NOTHING)
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
