"""Goals that are counted once, and who may enter a journey, and again."""

import pytest

from tests.unit.step.play import Play
from tests.unit.step.worlds import journey

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
