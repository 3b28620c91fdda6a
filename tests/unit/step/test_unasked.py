"""Journeys that begin anew without end, one step after the other: how often a day, and who is told."""

from bot.core.step.machine import MOVES_MAX
from bot.core.step.unasked import UNASKED_A_DAY_MAX
from tests.unit.step.play import Play
from tests.unit.step.worlds import journey

FILES = (("schema/events.yaml", "dsl: 1\nevents: {again.begin: {}, all.go: {}, shop.called: {}}\n"),)
ENDLESS = """
enter: [{keyword: [开始]}, {event: again.begin}]
exit: [{when: has_tag('听过'), goto: out}]
states:
  tell: {do: [{tag: 听过}, {send: {content: hello, class: reminder, outside: [drop]}}], wait: {for: 3d}, then: out}
  out: {do: [{emit: again.begin}], end: out}
"""
KEPT_BACK = f"dsl: 1\njourney: again\nname: again\nchannel: oa\n{ENDLESS}"
"""The exit keeps its message from leaving, leads out, and the way out leads in again: every time another enrolment."""


def endless() -> Play:
    return Play(KEPT_BACK, files=FILES)


def entered(play: Play) -> int:
    return sum(trace.kind == "entered" for step in play.steps for trace in step.journal)


def test_a_journey_that_leads_back_into_itself_over_messages_kept_back_begins_only_so_often_a_day() -> None:
    # Before: every enrolment was another one, so no limit of an enrolment held, and the steps had no end.
    play = endless()
    play.say("开始")
    assert entered(play) == 1 + UNASKED_A_DAY_MAX
    refused = play.turn.traced("entry_refused", into="again", reason="too_many_entries_today")
    assert refused[-1]["values"] == {"max": UNASKED_A_DAY_MAX}
    assert play.at() == {} and play.outbox == []


def test_the_operators_get_one_task_a_day_about_a_journey_that_begins_without_end() -> None:
    play = endless()
    play.say("开始")
    play.event("again.begin")
    play.event("again.begin")
    assert [card.title for card in play.cards("zhouning")] == [
        f"旅程 again 一天内自动进入 {UNASKED_A_DAY_MAX} 次，可能在循环，今天不再自动进入"
    ]


def test_what_she_does_herself_still_leads_in_on_such_a_day() -> None:
    play = endless()
    play.say("开始")
    before = entered(play)
    play.say("开始")
    assert entered(play) == before + 1


def test_another_day_counts_from_nothing() -> None:
    play = endless()
    play.say("开始")
    before = entered(play)
    play.wait("1d")
    play.event("again.begin")
    assert entered(play) == before + UNASKED_A_DAY_MAX


def test_one_journey_without_end_keeps_no_other_from_beginning() -> None:
    rest = journey(
        "rest", "states:\n  rest: {wait: {for: 9h}, then: done}\n  done: {end: done}\n", enter="event: all.go"
    )
    play = Play(KEPT_BACK, rest, files=FILES)
    play.say("开始")
    play.event("all.go")
    assert play.at() == {"rest": "rest"}


def test_what_she_does_is_not_counted_however_often() -> None:
    rest = journey(
        "rest", "states:\n  go: {do: [{tag: 来过}], then: done}\n  done: {end: done}\n", enter="keyword: [来]"
    )
    play = Play(rest)
    for _ in range(UNASKED_A_DAY_MAX + 5):
        play.say("来")
    assert entered(play) == UNASKED_A_DAY_MAX + 5


QUEUES = """
reentry: {while_active: queue}
states:
  rest: {wait: {for: 1m}, events: [{event: oa.click, goto: done}], then: done}
  done: {end: done}
"""


def test_what_she_asked_for_and_had_to_wait_for_is_not_counted_whatever_lets_it_in() -> None:
    # Before: a later step of the clock let it in, and from the 51st time on she was turned away.
    play = Play(journey("rest", QUEUES, enter="event: oa.scan"))
    play.scan("x")
    for _ in range(UNASKED_A_DAY_MAX + 5):
        play.scan("x")
        play.wait("1m")
    assert entered(play) == 1 + UNASKED_A_DAY_MAX + 5


def test_what_came_by_itself_and_had_to_wait_is_counted_whoever_lets_it_in() -> None:
    play = Play(journey("rest", QUEUES, enter="event: again.begin"), files=FILES)
    play.menu("x")
    play.event("again.begin")
    for _ in range(UNASKED_A_DAY_MAX + 5):
        play.event("again.begin")
        play.menu("x")
    assert entered(play) == UNASKED_A_DAY_MAX


SPINNING = """
vars: {n: {type: number, default: 0}}
states:
  rest: {wait: {for: 9h}, events: [{event: all.go, goto: go}], then: done}
  go: {do: [{set: {vars.n: vars.n + 1}}], then: judge}
  judge: {call: nothing, then: again}
  again: {branch: [{when: vars.n < 11, goto: go}, {else: done}]}
  done: {end: done}
"""


def spun(count: int) -> Play:
    """So many enrolments that each make most of the moves which one may make in a step."""
    names = [f"spin{number}" for number in range(count)]
    nothing = journey("nothing", "states:\n  done: {end: done}\n", enter="")
    play = Play(nothing, *(journey(name, SPINNING, enter="event: shop.called") for name in names), files=FILES)
    play.event("shop.called")
    play.event("all.go")
    return play


def test_one_step_makes_only_so_many_moves_of_all_enrolments_together() -> None:
    assert not spun(1).turn.traced("error"), "none goes too far by itself"
    play = spun(MOVES_MAX // 50 + 3)
    assert len(play.turn.traced("moved")) == MOVES_MAX
    assert play.turn.traced("error", error="loop", outcome="stuck")
    assert not [run for run in play.customer.enrolments.values() if run.status == "active"]
