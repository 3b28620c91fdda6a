"""Coming in again: what the last run, or one that goes on, has to say about it; and the reasons for a refusal."""

import pytest

from tests.unit.step.play import Play
from tests.unit.step.worlds import journey

LONG = """
goal: {name: 到店, when: customer.visits >= 1}
states:
  rest:
    do: [{score: 1}]
    wait: {for: 1h}
    events: [{event: oa.click, set: {customer.visits: 1}}]
    then: done
  done: {end: done}
"""


def reenter(text: str, enter: str = "event: oa.scan") -> Play:
    return Play(journey("again", f"reentry: {{{text}}}\n{LONG}", enter=enter))


def refused(play: Play) -> list[object]:
    return [detail["reason"] for detail in play.turn.traced("entry_refused")]


@pytest.mark.parametrize(("reaches", "reason"), [(True, ["goal_reached"]), (False, [])])
def test_whoever_missed_the_goal_may_try_again(reaches: bool, reason: list[str]) -> None:
    play = reenter("allow: goal_missed")
    play.scan("x")
    if reaches:
        play.menu("y")
    play.wait("1h")
    play.scan("x")
    assert refused(play) == reason


def test_time_since_the_last_run_counts_from_its_end() -> None:
    play = reenter("allow: after 2h")
    play.scan("x")
    play.wait("2h30m")
    play.scan("x")
    (detail,) = play.turn.traced("entry_refused", reason="too_soon")
    assert detail["values"] == {
        "ended_at": "2026-12-01T03:00:00+00:00",
        "end": "done",
        "again_at": "2026-12-01T05:00:00+00:00",
    }
    play.wait("30m")
    play.scan("x")
    assert play.at() == {"again": "rest"}


def test_a_refusal_names_the_run_that_goes_on() -> None:
    play = reenter("while_active: ignore")
    play.scan("x")
    play.wait("5m")
    play.scan("x")
    (detail,) = play.turn.traced("entry_refused", reason="already_active")
    assert detail["values"] == {"state": "rest", "since": "2026-12-01T02:00:00+00:00"}


def test_a_refusal_shows_what_the_audience_read() -> None:
    play = Play(journey("again", "audience: customer.score >= 5 and customer.city == '上海'\n" + LONG))
    play.follow()
    (detail,) = play.turn.traced("entry_refused", reason="audience")
    values = detail["values"]
    assert isinstance(values, dict) and values["customer.score"] == 0
    assert values["guard"] == "customer.score >= 5 and customer.city == '上海'"


def test_beginning_anew_leaves_the_old_visit_properly() -> None:
    play = reenter("while_active: restart")
    play.scan("x")
    old = play.run("again")
    play.wait("30m")
    play.scan("x")
    assert play.turn.traced("ended", end="restarted") and play.customer.score == 2
    new = play.run("again")
    assert new.enrolment_id != old.enrolment_id and new.counts == {}
    assert [timer.owner for timer in play.customer.timers] == [new.enrolment_id]
    play.wait("59m")
    assert play.at() == {"again": "rest"}
    play.wait("1m")
    assert play.at() == {}


def test_beginning_anew_may_still_be_too_soon() -> None:
    play = reenter("allow: after 1d, while_active: restart")
    play.scan("x")
    play.wait("1h")
    play.scan("x")
    assert refused(play) == ["too_soon"]
    play.wait("1d")
    play.scan("x")
    play.wait("10m")
    first = play.run("again").enrolment_id
    play.scan("x")
    assert refused(play) == [] and play.run("again").enrolment_id != first


def test_a_journey_that_starts_itself_anew_ends_where_it_stands() -> None:
    body = """
reentry: {while_active: restart}
states:
  go: {wait: {for: 1h}, events: [{event: oa.click, do: [{start: again}, {send: never}], goto: done}], then: done}
  done: {end: done}
"""
    play = Play(journey("again", body))
    play.follow()
    assert play.menu("x") == []
    assert play.at() == {"again": "go"}
    assert play.turn.traced("ended", end="restarted")


def test_one_entry_waits_for_the_end_of_the_run_that_goes_on() -> None:
    play = reenter("while_active: queue")
    play.scan("x")
    first = play.run("again").enrolment_id
    play.wait("30m")
    play.scan("y")
    assert play.customer.score == 1
    assert play.turn.traced("entry_waits", into="again", reason="queued")
    play.scan("z")
    assert refused(play) == ["already_queued"]
    play.wait("30m")
    run = play.run("again")
    assert run.enrolment_id != first and run.entry == {"scene": "y"}
    play.wait("1h")
    assert play.at() == {} and play.customer.queued == {}


def test_who_waits_is_asked_again_whether_she_may_enter() -> None:
    play = reenter("allow: goal_missed, while_active: queue")
    play.scan("x")
    play.scan("y")
    play.menu("z")
    play.wait("1h")
    assert refused(play) == ["goal_reached"]
    assert play.at() == {} and play.customer.queued == {}


def test_opting_out_takes_back_what_waits_to_begin() -> None:
    play = reenter("while_active: queue")
    play.scan("x")
    play.scan("y")
    play.say("退订")
    assert refused(play) == ["no_longer_wanted"]
    assert play.at() == {} and play.customer.queued == {}


def test_losing_her_takes_back_what_waits_to_begin_there() -> None:
    play = reenter("while_active: queue")
    play.scan("x")
    play.scan("y")
    play.unfollow()
    assert play.at() == {} and play.customer.queued == {}


def test_runs_of_different_keys_wait_for_their_own_only() -> None:
    body = 'key: "{{ event.scene }}"\nreentry: {while_active: queue}\n' + LONG
    play = Play(journey("again", body, enter="event: oa.scan"))
    play.scan("a")
    play.scan("a")
    play.scan("b")
    assert len(play.customer.enrolments) == 2
    assert list(play.customer.queued) == ["again|a"]


def test_a_journey_taken_out_of_the_library_is_waited_for_no_longer() -> None:
    play = reenter("while_active: queue")
    play.scan("x")
    play.scan("y")
    play.reload(journey("other", LONG))
    play.say("在吗")
    assert play.customer.queued == {}
