"""Timers that a journey names: before or after a moment, once a visit, moved with what they read."""

from datetime import datetime, timedelta

import pytest

from tests.unit.step.play import MORNING, SHANGHAI, Play
from tests.unit.step.worlds import journey

AFTER = "{id: d1, after: 1h, do: [{send: {content: early, class: reminder}}]}"
AT = "{id: d1, at: state.entered_at + hours(vars.n) - hours(1), past: skip, do: [{tag: soon}]}"
MOVES = "{event: oa.scan, set: {vars.n: vars.n + 5}}"


def timed(timers: str, *, events: str = "", n: int = 3) -> str:
    return journey(
        "timed",
        f"""
vars: {{n: {{type: number, default: {n}}}}}
states:
  before:
    timers: [{timers}]
    wait: {{until: state.entered_at + hours(vars.n)}}
    events: [{", ".join(one for one in (events, "{event: oa.click, goto: early}") if one)}]
    then: over
  early: {{do: [{{tag: left}}], then: over}}
  over: {{do: [{{tag: over}}], then: done}}
  done: {{end: done}}
""",
    )


def started(timers: str, *, events: str = "", n: int = 3, at: datetime = MORNING) -> Play:
    play = Play(timed(timers, events=events, n=n), at=at)
    play.follow()
    return play


def late(play: Play, duration: timedelta) -> list[str]:
    """The engine was away, and wakes up so much later."""
    play.now += duration
    return play.wait("0m")


def test_a_timer_does_what_it_says_and_the_wait_goes_on() -> None:
    play = started(AT)
    play.wait("2h")
    assert (play.customer.tags, play.at()) == ({"soon"}, {"timed": "before"})
    play.wait("1h")
    assert play.customer.tags == {"soon", "over"}


def test_a_timer_may_lead_out() -> None:
    play = started("{id: d1, after: 1h, do: [{tag: rung}], goto: early}")
    play.wait("1h")
    assert play.customer.tags == {"rung", "left", "over"}
    assert play.customer.timers == ()


def test_a_timer_rings_only_if_its_condition_holds_then() -> None:
    play = started("{id: d1, after: 1h, when: has_tag('loud'), goto: early}")
    play.wait("1h")
    assert play.at() == {"timed": "before"}
    assert play.turn.traced("guard", guard="has_tag('loud')", holds=False)


def test_timers_die_with_the_visit_they_belong_to() -> None:
    play = started(AT)
    play.menu("x")
    play.wait("9h")
    assert "soon" not in play.customer.tags


@pytest.mark.parametrize(("past", "tags"), [("skip", frozenset()), ("fire", {"soon"})])
def test_a_moment_that_is_over_already_is_skipped_or_fires_at_once(past: str, tags: frozenset[str]) -> None:
    play = Play(timed(AT.replace("past: skip", f"past: {past}"), n=1).replace("hours(1)", "hours(2)"))
    play.follow()
    play.wait("0m")
    assert play.customer.tags == tags
    assert bool(play.steps[0].journal and [t for t in play.steps[0].journal if t.kind == "skipped"]) is (past == "skip")


def test_a_timer_that_shall_not_be_late_is_skipped_when_the_engine_was_away() -> None:
    play = started("{id: d1, after: 1h, late: skip if later than 30m, do: [{tag: soon}]}")
    late(play, timedelta(hours=2))
    assert play.customer.tags == set()
    assert play.turn.traced("skipped", timer="d1", why="late")


def test_late_timers_ring_in_the_order_in_which_they_were_due() -> None:
    timers = "{id: b, after: 2h, do: [{note: zwei}]}, {id: a, after: 1h, do: [{note: eins}]}"
    play = started(timers)
    late(play, timedelta(hours=9))
    assert play.customer.notes == ("eins", "zwei")
    assert play.customer.tags == {"over"}


def test_a_timer_moves_with_the_values_it_reads() -> None:
    play = started(AT, events=MOVES)
    play.scan("x")
    assert play.turn.traced("rearmed", timer="d1")
    assert (play.due("@d1"), play.due("wait")) == (timedelta(hours=7), timedelta(hours=8))


def test_a_timer_that_has_rung_rings_again_when_its_moment_moves_ahead() -> None:
    play = started(AT, events=MOVES)
    play.wait("2h30m")
    play.scan("x")
    assert play.due("@d1") == timedelta(hours=4, minutes=30)


def test_a_timer_that_has_rung_does_not_ring_again_for_nothing() -> None:
    play = started(AT, events="{event: oa.scan, do: [{tag: other}]}")
    play.wait("2h30m")
    play.scan("x")
    assert [timer.timer_id for timer in play.customer.timers] == ["wait"]


@pytest.mark.parametrize(("past", "rings"), [("skip", False), ("fire", True)])
def test_a_moment_that_moves_into_the_past_is_skipped_or_fires(past: str, rings: bool) -> None:
    timer = AT.replace("past: skip", f"past: {past}").replace("- hours(1)", "- hours(2)")
    play = started(timer, events="{event: oa.scan, set: {vars.n: '3'}}", n=9)
    play.wait("2h")
    play.scan("x")
    play.wait("1s")
    assert ("soon" in play.customer.tags) is rings


def test_entering_again_plans_all_timers_anew() -> None:
    after = "{id: d1, after: 1h, do: [{tag: soon}]}"
    play = started(f"{after}, {AT.replace('d1', 'd2')}", events="{event: oa.scan, reenter: true}")
    play.wait("50m")
    before = play.run("timed").visit
    play.scan("x")
    assert play.run("timed").visit == before + 1
    assert (play.due("@d1"), play.due("@d2"), play.due("wait")) == (
        timedelta(hours=1),
        timedelta(hours=2),
        timedelta(hours=3),
    )


def test_a_reminder_of_a_timer_is_of_use_until_the_wait_is_over() -> None:
    play = started(AFTER, at=datetime(2026, 12, 1, 22, 0, tzinfo=SHANGHAI))
    ends_at = play.now + play.due("wait")
    play.say("在")
    play.wait("1h")
    assert play.outbox[-1].expires_at == ends_at


def test_a_timer_rings_in_quiet_hours_and_only_its_message_waits() -> None:
    both = AFTER.replace("do: [", "do: [{tag: soon}, ")
    play = started(both, n=20, at=datetime(2026, 12, 1, 22, 0, tzinfo=SHANGHAI))
    play.say("在")
    assert play.wait("1h") == ["稍后 early"]
    assert "soon" in play.customer.tags


def test_a_timer_may_have_the_name_of_one_of_the_machines_own() -> None:
    play = started("{id: wait, after: 1h, do: [{tag: soon}]}")
    play.wait("1h")
    assert (play.customer.tags, play.at()) == ({"soon"}, {"timed": "before"})


def test_what_a_timer_cannot_work_out_is_an_error_of_its_journey() -> None:
    body = timed("{id: d1, at: state.entered_at + hours(customer.visits), past: skip, do: [{tag: soon}]}")
    play = Play(body.replace("states:", "errors: [{error: expr.null, goto: early}]\nstates:"))
    play.follow()
    assert play.ended("timed") == "done"
    assert "left" in play.customer.tags
