"""`since`: an event that came just before a state began to wait for it is heard all the same, and never twice."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.step.play import Play
from tests.unit.step.worlds import journey

LATE_LISTENER = journey(
    "listens",
    """
vars: {from: {type: text}}
states:
  busy: {wait: {for: 1h}, then: rest}
  rest:
    wait: {for: 1d}
    events: [{event: oa.scan, since: 2h, when: event.scene != 'no', set: {vars.from: event.scene}, goto: heard}]
    then: done
  heard: {do: [{tag: heard}], wait: {for: 1d}, events: [{event: oa.click, goto: rest}], then: done}
  done: {end: done}
""",
)


def started() -> Play:
    play = Play(LATE_LISTENER)
    play.follow()
    return play


def test_an_event_just_before_the_wait_is_heard_with_its_fields() -> None:
    play = started()
    play.scan("展台")
    play.wait("1h")
    assert play.at() == {"listens": "heard"}
    assert play.run("listens").values == {"from": "展台"}


def test_an_event_that_came_too_long_before_is_not_heard() -> None:
    play = Play(LATE_LISTENER.replace("{for: 1h}", "{for: 3h}"))
    play.follow()
    play.scan("展台")
    play.wait("3h")
    assert play.at() == {"listens": "rest"}


def test_an_event_before_the_run_began_is_heard_too() -> None:
    play = Play(LATE_LISTENER)
    play.scan("展台")
    play.follow()
    play.wait("1h")
    assert play.at() == {"listens": "heard"}


def test_nobody_hears_an_event_twice() -> None:
    play = started()
    play.scan("展台")
    play.wait("1h")
    play.menu("x")
    assert play.at() == {"listens": "rest"}


def test_an_event_that_was_heard_when_it_came_is_not_heard_again() -> None:
    play = started()
    play.wait("1h")
    play.scan("展台")
    assert play.at() == {"listens": "heard"}
    play.menu("x")
    assert play.at() == {"listens": "rest"}


def test_an_event_that_began_the_run_is_not_heard_in_it() -> None:
    play = Play(LATE_LISTENER.replace("event: oa.follow", "event: oa.scan", 1))
    play.scan("展台")
    play.wait("1h")
    assert play.at() == {"listens": "rest"}


def test_an_event_that_does_not_fit_leaves_the_wait_alone() -> None:
    play = started()
    play.scan("no")
    play.wait("1h")
    assert play.at() == {"listens": "rest"}


def test_the_oldest_that_fits_is_heard_first() -> None:
    play = started()
    play.scan("no")
    play.wait("10m")
    play.scan("先")
    play.wait("10m")
    play.scan("后")
    play.wait("40m")
    assert play.run("listens").values == {"from": "先"}


def test_a_reaction_that_stays_hears_all_of_them_and_the_wait_goes_on() -> None:
    counting = LATE_LISTENER.replace("goto: heard}]", "do: [{score: 1}], stay: true}, {event: oa.click, goto: heard}]")
    play = Play(counting)
    play.follow()
    for scene in ("一", "二"):
        play.scan(scene)
        play.wait("1m")
    play.wait("58m")
    assert (play.at(), play.customer.score) == ({"listens": "rest"}, 2)
    assert play.due("wait") == timedelta(days=1)


def test_only_events_that_some_state_looks_back_for_are_remembered_and_not_for_long() -> None:
    play = started()
    play.menu("x")
    play.scan("展台")
    assert [one.type for one in play.customer.recent] == ["oa.scan"]
    play.wait("1h")
    play.wait("6h")
    play.menu("x")
    assert play.customer.recent == ()
    assert play.run("listens").heard == ()


def test_as_many_as_may_be_remembered_are_the_latest() -> None:
    play = started()
    for number in range(25):
        play.scan(str(number))
    assert [one.fields["scene"] for one in play.customer.recent] == [str(number) for number in range(5, 25)]


def test_a_message_is_looked_back_for_by_its_keyword() -> None:
    said = LATE_LISTENER.replace(
        "{event: oa.scan, since: 2h, when: event.scene != 'no', set: {vars.from: event.scene}, goto: heard}",
        "{event: message, keyword: 到了, since: 2h, set: {vars.from: event.text}, goto: heard}",
    )
    play = Play(said)
    play.follow()
    play.say("我到了吗")
    play.wait("1m")
    play.say("到了！")
    play.wait("59m")
    assert play.at() == {"listens": "heard"}


def test_a_question_is_not_asked_when_what_was_heard_before_leads_elsewhere() -> None:
    asking = LATE_LISTENER.replace(
        "    wait: {for: 1d}\n    events: [{event: oa.scan",
        "    ask: {slot: q, class: service}\n"
        "    timeout: {after: 4h, goto: done}\n    give_up: {goto: done}\n    events: [{event: oa.scan",
        1,
    ).replace("states:", "slots: {q: {type: choice, options: {是的: [], 不是: []}, ask: ask-q}}\nstates:")
    play = Play(asking)
    play.follow()
    play.scan("展台")
    assert play.wait("1h") == []
    assert play.at() == {"listens": "heard"}
    assert play.talk.floor == ()


NOW_AND_THEN = journey(
    "listens",
    """
states:
  busy: {wait: {for: 1h}, then: rest}
  rest:
    wait: {for: 30m}
    events: [{event: oa.scan, since: 2h, do: [{score: 1}], stay: true}, {event: oa.click, goto: done}]
    then: busy
  done: {end: done}
""",
)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 40), max_size=15))
def test_no_event_is_lost_and_none_is_heard_twice_whenever_they_come(gaps: list[int]) -> None:
    play = Play(NOW_AND_THEN)
    play.follow()
    for gap in gaps:
        play.wait(f"{gap}m")
        play.scan("x")
    play.wait("1h")
    assert play.customer.score == len(gaps)
