"""Ways out that are looked for before every macro-step, and before every message that leaves."""

import pytest

from bot.core.step import exits
from tests.unit.step.play import Play
from tests.unit.step.worlds import journey

FILES = (("schema/events.yaml", "dsl: 1\nevents: {loan.applied: {}, visit.made: {}, other.thing: {}}\n"),)
BODY = """
goal: {name: 申请, event: loan.applied, exit: applied}
exit:
  - {when: has_tag('投诉'), goto: stopped}
  - {event: handoff.accepted, when: event.journey != journey.id, goto: stopped}
states:
  rest:
    do: [{send: hello}]
    wait: {for: 3d}
    events: [{event: loan.applied, do: [{tag: 听见}]}]
    then: later
  later: {do: [{send: {content: more, class: reminder, outside: [drop]}}], wait: {for: 3d}, then: done}
  applied: {do: [{send: thanks}], then: done}
  stopped: {do: [{tag: 停}], wait: {for: 7d}, then: later}
  done: {end: done}
"""
TAGS = journey("tags", "states:\n  go: {do: [{tag: 投诉}], then: done}\n  done: {end: done}\n", enter="keyword: [投诉]")
UNTAG = journey(
    "untag", "states:\n  go: {do: [{-tag: 投诉}], then: done}\n  done: {end: done}\n", enter="keyword: [没事了]"
)


def started(*more: str) -> Play:
    play = Play(journey("care", BODY), TAGS, UNTAG, *more, files=FILES)
    play.follow()
    assert play.at() == {"care": "rest"}
    return play


def test_a_goal_with_an_exit_leads_out_before_the_state_hears_its_event() -> None:
    play = started()
    assert play.event("loan.applied") == ["thanks"]
    assert play.ended("care") == "done"
    assert "听见" not in play.customer.tags
    assert play.turn.traced("exit", by="goal", goto="applied")
    assert play.customer.past["care|"].goal_reached


def test_a_condition_leads_out_at_the_next_step() -> None:
    play = started()
    play.say("投诉")
    assert play.at()["care"] == "rest", "the step in which it turned true is over first"
    play.menu("x")
    assert play.at()["care"] == "stopped"
    assert play.turn.traced("exit", by="has_tag('投诉')", goto="stopped")


def test_a_condition_that_goes_on_leads_out_only_once() -> None:
    play = started()
    play.say("投诉")
    play.menu("x")
    play.menu("x")
    assert not play.turn.traced("exit")
    play.wait("7d")
    assert play.at()["care"] == "later"


def test_a_condition_that_ended_and_came_back_leads_out_again() -> None:
    play = started()
    play.say("投诉")
    play.menu("x")
    play.say("没事了")
    play.wait("7d")
    assert play.at()["care"] == "later"
    play.say("投诉")
    play.menu("x")
    assert play.at()["care"] == "stopped"


def test_an_event_of_our_own_leads_out_in_the_same_step() -> None:
    hand = """
states:
  go: {handoff: {to: advisor, note: 请接待, accept_within: 10m, fallback: {goto: done}}, then: done}
  done: {end: done}
"""
    play = started(journey("human", hand, enter="keyword: [人工]"))
    play.say("人工")
    play.click("accept", by="zhangmin")
    assert play.at()["care"] == "stopped"


def test_an_exit_by_unfollowing_is_a_way_to_handle_it() -> None:
    body = "exit: [{event: oa.unfollow, goto: gone}]\nstates:\n  rest: {wait: {for: 3d}, then: gone}\n"
    body += "  gone: {do: [{tag: 走了}], end: gone}\n"
    play = Play(journey("care", body))
    play.follow()
    play.unfollow()
    assert play.ended("care") == "gone" and "走了" in play.customer.tags


def test_a_true_exit_keeps_a_message_from_leaving_and_is_taken_then() -> None:
    body = """
exit: [{when: has_tag('投诉'), goto: stopped}]
states:
  rest: {do: [{tag: 投诉}, {send: {content: more, class: reminder, outside: [drop]}}], wait: {for: 3d}, then: stopped}
  stopped: {do: [{tag: 停}], wait: {for: 1h}, then: done}
  done: {end: done}
"""
    play = Play(journey("care", body))
    play.follow()
    assert play.sent == [], "the exit was true when it was about to leave"
    assert play.at() == {"care": "stopped"}
    assert play.talk.unsent == ()


def test_the_exit_of_a_caller_keeps_the_messages_of_the_called_back() -> None:
    child = journey(
        "child",
        "states:\n  go: {do: [{tag: 投诉}, {send: hello}], wait: {for: 1d}, then: done}\n  done: {end: done}\n",
        enter="keyword: [没人说]",
    )
    body = """
exit: [{when: has_tag('投诉'), goto: stopped}]
states:
  go: {call: child, then: done}
  stopped: {wait: {for: 1h}, then: done}
  done: {end: done}
"""
    play = Play(journey("care", body), child)
    play.follow()
    assert play.sent == []
    assert play.at() == {"care": "stopped"}, "leaving the calling state ended the called journey"


def test_reaching_a_goal_takes_nobody_the_answer_to_what_she_did() -> None:
    body = """
goal: {name: 来过, when: customer.visits >= 1, exit: done}
states:
  rest: {wait: {for: 3d}, events: [{event: oa.click, set: {customer.visits: 1}, do: [{send: thanks}]}], then: done}
  done: {end: done}
"""
    play = Play(journey("care", body))
    play.follow()
    assert play.menu("x") == ["thanks"]
    assert [send.content for send in play.sent] == ["thanks"]
    assert play.at() == {"care": "rest"}, "a goal leads out at the start of a step only"
    play.menu("x")
    assert play.ended("care") == "done"


def test_a_goal_that_held_at_entry_leads_nowhere() -> None:
    body = "goal: {name: 来过, when: customer.score >= 0, exit: out}\n"
    body += "states:\n  rest: {wait: {for: 3d}, then: done}\n  out: {end: out}\n  done: {end: done}\n"
    play = Play(journey("care", body))
    play.follow()
    play.menu("x")
    assert play.at() == {"care": "rest"}


@pytest.mark.parametrize("act", ["visit.made", "other.thing"])
def test_a_goal_counts_its_own_event_only(act: str) -> None:
    body = (
        "goal: {name: 来过, event: visit.made}\nstates:\n  rest: {wait: {for: 3d}, then: done}\n  done: {end: done}\n"
    )
    play = Play(journey("care", body), files=FILES)
    play.follow()
    play.event(act)
    assert bool(play.turn.traced("goal")) == (act == "visit.made")


def test_an_exit_that_cannot_be_evaluated_leads_nowhere_and_is_told() -> None:
    body = (
        "exit: [{when: event.key, goto: done}]\nstates:\n  rest: {wait: {for: 3d}, then: done}\n  done: {end: done}\n"
    )
    play = Play(journey("care", body))
    play.follow()
    play.menu("x")
    assert play.at() == {"care": "rest"}
    assert play.turn.traced("error", error="expr.type")


def test_an_exit_that_asks_what_happened_is_asked_by_the_next_step_and_not_by_the_dispatch() -> None:
    body = """
exit: [{when: "count('oa.click', within=days(1)) > 0", goto: done}]
states:
  rest: {do: [{send: hello}], wait: {for: 3d}, then: done}
  done: {end: done}
"""
    program = Play(journey("care", body)).program
    wait = Play(journey("care", body.replace("count('oa.click', within=days(1)) > 0", "has_tag('x')")))
    wait.follow()
    (sent,) = wait.sent
    assert not exits.stands_in_the_way(program, wait.customer, sent, now=wait.now)


def test_whoever_leaves_by_an_event_of_our_own_does_not_hear_it_where_it_was() -> None:
    # Before: the state heard the event as well, and did what it says, before the run had left it.
    body = """
exit: [{event: own.said, goto: gone}]
states:
  rest:
    wait: {for: 3d}
    events:
      - {event: oa.view, do: [{emit: own.said}], stay: true}
      - {event: own.said, do: [{tag: 听见}], stay: true}
    then: gone
  gone: {wait: {for: 1h}, then: done}
  done: {end: done}
"""
    play = Play(journey("care", body), files=(("schema/events.yaml", "dsl: 1\nevents: {own.said: {}}\n"),))
    play.follow()
    play.event("oa.view")
    assert play.at() == {"care": "gone"}
    assert "听见" not in play.customer.tags
