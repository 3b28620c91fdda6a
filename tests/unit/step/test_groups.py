"""Groups: entered by name, heard in all of their states, left by exits, gone on with where they were left."""

import pytest

from tests.unit.step.play import Play
from tests.unit.step.worlds import journey

INSIDE = """
      one: {wait: {for: 2h}, events: [{event: oa.click, when: event.key == 'own', goto: two}], then: two}
      two: {wait: {for: 2h}, then: out}
"""


def grouped(more: str = "", *, inside: str = INSIDE, resume: str = "first") -> str:
    return journey(
        "grouped",
        f"""
states:
  start: {{then: talk}}
  talk:
    group:
      resume: {resume}
      events:
        - {{event: oa.click, when: event.key != 'stay', goto: away}}
        - {{event: oa.scan, do: [{{tag: scanned}}], stay: true}}
{more}
      states:{inside.replace(chr(10), chr(10) + "  ")}
  away: {{wait: {{for: 1h}}, then: talk}}
  out: {{end: done}}
""",
    )


def test_going_to_a_group_goes_to_its_first_state() -> None:
    play = Play(grouped())
    play.follow()
    assert play.at() == {"grouped": "one"}


def test_what_a_group_hears_counts_in_each_of_its_states() -> None:
    play = Play(grouped())
    play.follow()
    play.wait("2h")
    play.scan("x")
    assert (play.at(), play.customer.tags) == ({"grouped": "two"}, {"scanned"})
    play.menu("x")
    assert play.at() == {"grouped": "away"}


def test_a_state_hears_before_its_group() -> None:
    play = Play(grouped())
    play.follow()
    play.menu("own")
    assert play.at() == {"grouped": "two"}


def test_outside_the_group_nobody_hears_for_it() -> None:
    play = Play(grouped())
    play.follow()
    play.menu("x")
    play.scan("x")
    assert play.customer.tags == set()


@pytest.mark.parametrize(("resume", "expected"), [("first", "one"), ("last", "two")])
def test_a_group_begins_afresh_or_where_it_was_left(resume: str, expected: str) -> None:
    play = Play(grouped(resume=resume))
    play.follow()
    play.wait("2h")
    play.menu("x")
    play.wait("1h")
    assert play.at() == {"grouped": expected}


def test_a_state_that_was_passed_by_is_no_place_to_go_on() -> None:
    inside = """
      one: {wait: {for: 2h}, then: two}
      two: {when: has_tag('never'), else: away, wait: {for: 2h}, then: out}
"""
    play = Play(grouped(inside=inside, resume="last"))
    play.follow()
    play.wait("2h")
    assert play.at() == {"grouped": "away"}
    play.wait("1h")
    assert play.at() == {"grouped": "one"}


def test_a_place_that_is_gone_from_the_files_is_forgotten() -> None:
    play = Play(grouped(resume="last"))
    play.follow()
    play.wait("2h")
    play.menu("x")
    play.reload(grouped(inside=INSIDE.replace("two", "three"), resume="last"))
    play.wait("1h")
    assert play.at() == {"grouped": "one"}


EXIT = "      exit: [{when: has_tag('scanned'), goto: away}]"


def test_an_exit_of_a_group_is_taken_before_the_next_thing_is_heard() -> None:
    play = Play(grouped(EXIT))
    play.follow()
    play.scan("x")
    assert play.at() == {"grouped": "one"}
    play.menu("stay")
    assert play.at() == {"grouped": "away"}
    assert play.turn.traced("guard", guard="has_tag('scanned')", holds=True)


def test_an_exit_of_a_group_is_taken_before_a_timer_too() -> None:
    play = Play(grouped(EXIT))
    play.follow()
    play.scan("x")
    play.wait("2h")
    assert play.at() == {"grouped": "away"}


FILES = (("schema/events.yaml", "dsl: 1\nevents: {own.said: {}}\n"),)
ECHOED = """        - {event: oa.view, do: [{tag: scanned}, {emit: own.said}], stay: true}
        - {event: own.said, do: [{tag: heard}], stay: true}
"""


def test_an_exit_of_a_group_is_taken_before_an_event_of_our_own_is_heard_too() -> None:
    # Before: exits of the journey were looked for then, those of the group only at the next step.
    play = Play(grouped(ECHOED + EXIT), files=FILES)
    play.follow()
    play.event("oa.view")
    assert play.at() == {"grouped": "away"}
    assert "heard" not in play.customer.tags


def test_an_exit_that_leads_to_where_the_run_is_moves_nothing() -> None:
    play = Play(grouped("      exit: [{when: has_tag('scanned'), goto: one}]"))
    play.follow()
    play.scan("x")
    visit = play.run("grouped").visit
    play.say("在")
    assert play.run("grouped").visit == visit


def test_an_exit_that_cannot_be_worked_out_is_none_and_the_journal_says_so() -> None:
    play = Play(grouped("      exit: [{when: event.key < 3, goto: away}]"))
    play.follow()
    play.menu("stay")
    assert play.at() == {"grouped": "one"}
    assert play.turn.traced("error", error="expr.type", guard="event.key < 3")


def test_an_error_within_a_group_goes_where_the_group_says() -> None:
    failing = INSIDE.replace("{wait: {for: 2h}", "{wait: {until: state.entered_at + hours(customer.visits)}", 1)
    play = Play(grouped("      fail: {goto: away}", inside=failing))
    play.follow()
    assert play.at() == {"grouped": "away"}
    assert play.turn.traced("error", error="expr.null", outcome="handled")
