"""Who takes care of an error, from the inside out, and what a journey may read of it."""

from dataclasses import replace

import pytest

from bot.core.program import compile_library
from bot.core.states import Handoff
from tests.unit.step.play import Play
from tests.unit.step.worlds import RULES, journey

FAILING = "{branch: [{when: event.type, goto: done}, {else: done}]FAIL}"
GROUPED = """
states:
  visit:
    group:
      FAIL
      states:
        go: STATE
  by_state: {do: [{tag: by_state}], then: done}
  by_group: {do: [{tag: by_group}], then: done}
  by_journey: {do: [{tag: by_journey}], then: done}
  done: {end: done}
errors: [{error: "expr.type", goto: by_journey}]
"""


def grouped(state: str, group: str) -> Play:
    body = GROUPED.replace("STATE", FAILING.replace("FAIL", state)).replace("FAIL", group)
    missing = [name for name in ("by_state", "by_group") if f"goto: {name}" not in body]
    for name in missing:
        body = body.replace(f"  {name}: {{do: [{{tag: {name}}}], then: done}}\n", "")
    play = Play(journey("care", body))
    play.follow()
    return play


@pytest.mark.parametrize(
    ("state", "group", "taken_by"),
    [
        (", fail: {goto: by_state}", "fail: {goto: by_group}", "by_state"),
        ("", "fail: {goto: by_group}", "by_group"),
        ("", "resume: first", "by_journey"),
    ],
)
def test_the_state_comes_before_its_group_and_that_before_the_journey(state: str, group: str, taken_by: str) -> None:
    play = grouped(state, group)
    assert taken_by in play.customer.tags and play.ended("care") == "done"


BARE = "states:\n  go: {branch: [{when: event.type, goto: done}, {else: done}]}\n  done: {end: done}\n"
EVERYBODYS = RULES + 'errors: [{error: "expr.*", do: [{send: sorry}, {tag: 出错}]}]\n'


def test_a_rule_for_all_journeys_does_what_it_says_and_ends_the_run() -> None:
    play = Play(journey("care", BARE), rules=EVERYBODYS)
    assert play.follow() == ["sorry"]
    assert play.ended("care") == "error:expr.type" and "出错" in play.customer.tags


def test_the_rules_of_a_caller_come_before_those_for_all_journeys() -> None:
    caller = "states:\n  go: {call: child, then: done}\n  mended: {end: mended}\n  done: {end: done}\n"
    caller += "errors: [{error: expr.type, goto: mended}]\n"
    play = Play(journey("caller", caller), journey("child", BARE, enter="keyword: [没人说]"), rules=EVERYBODYS)
    assert play.follow() == []
    assert play.ended("caller") == "mended"


def test_the_name_of_the_error_can_be_read_where_it_leads() -> None:
    body = """
states:
  go: {branch: [{when: event.type, goto: done}, {else: done}]}
  judge: {branch: [{when: error.code == 'expr.type', goto: typed}, {else: done}]}
  typed: {do: [{note: "因 {{ error.code }}"}], then: done}
  done: {end: done}
errors: [{error: "*", goto: judge}]
"""
    play = Play(journey("care", body))
    play.follow()
    assert play.customer.notes == ("因 expr.type",)


def test_nobody_to_hand_over_to_is_an_error_where_no_fallback_stands() -> None:
    body = """
states:
  go: {handoff: {to: role:店长, note: 请接待, accept_within: 5m, hours: 工作时间, fallback: {goto: done}}, then: done}
  mended: {end: mended}
  done: {end: done}
errors: [{error: handoff.nobody, goto: mended}]
"""
    play = Play(journey("care", body))
    library = play.program.library
    care = library.journeys["care"]
    hand = care.states["go"].doing
    assert isinstance(hand, Handoff)
    states = {**care.states, "go": replace(care.states["go"], doing=replace(hand, fallback="", to="role:没有"))}
    play.program = compile_library(replace(library, journeys={"care": replace(care, states=states)}))
    play.follow()
    assert play.ended("care") == "mended"


def test_a_message_too_long_for_the_platform_is_an_error() -> None:
    body = """
states:
  go: {do: [{send: long}], then: done}
  mended: {end: mended}
  done: {end: done}
errors: [{error: send.too_long, goto: mended}]
"""
    long = "---\ncontent: long\nchannels: {oa: text}\nvars: [customer.nick]\n---\n{{ customer.nick }}\n"
    play = Play(journey("care", body), contents=(("long", long),))
    play.customer = replace(play.customer, attributes={"nick": "字" * 683})
    assert play.follow() == []
    assert play.ended("care") == "mended"


OFFER = """
states:
  go: {do: [{send: {content: offer, class: marketing, outside: [drop]}}, {tag: 之后}], wait: {for: 1h}, then: done}
  blocked: {end: blocked}
  done: {end: done}
"""


@pytest.mark.parametrize(
    ("rule", "end"),
    [
        ("", None),
        ('errors: [{error: "*", goto: blocked}]\n', None),
        ("errors: [{error: send.blocked, goto: blocked}]\n", "blocked"),
        ('errors: [{error: "send.*", goto: blocked}]\n', "blocked"),
    ],
)
def test_that_she_wants_no_marketing_is_an_error_only_where_a_rule_names_it(rule: str, end: str | None) -> None:
    body = OFFER + rule if rule else OFFER.replace("  blocked: {end: blocked}\n", "")
    play = Play(journey("care", body))
    play.follow()
    assert play.ended("care") == end
    assert ("之后" in play.customer.tags) == (end is None)


GIVES_TASK = """
states:
  go:
    do: [{task: {to: advisor, title: 联系, due: 30m, overdue: {to: role:店长}}}]
    wait: {for: 9h}
    events: [{event: task.overdue, do: [{tag: 听见}]}]
    then: done
  late: {do: [{tag: 迟了}], then: done}
  done: {end: done}
"""


@pytest.mark.parametrize(
    ("rule", "late"),
    [("errors: [{error: task.overdue, goto: late}]\n", True), ('errors: [{error: "*", goto: late}]\n', False)],
)
def test_an_overdue_task_is_an_event_and_an_error_only_where_a_rule_names_it(rule: str, late: bool) -> None:
    play = Play(journey("care", GIVES_TASK + rule))
    play.follow()
    play.wait("30m")
    assert ("迟了" in play.customer.tags) == late
    assert ("听见" in play.customer.tags) == (not late)
