"""Splits and holdouts: drawn by a hash that anybody can work out again, and the same for ever after."""

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bot.core.customer import Customer
from bot.core.ids import CustomerId
from bot.core.step.splitting import ARMS_MAX, arm_of, draw, jitter
from tests.unit.step.play import Play
from tests.unit.step.worlds import journey

SPLIT = """
states:
  begin:
    split:
      salt: opening-v1
      arms:
        - {name: A, percent: 50, goto: a}
        - {name: B, percent: 30, goto: b}
        - {name: C, percent: 20, goto: c}
  a: {wait: {for: 1h}, then: done}
  b: {wait: {for: 1h}, then: done}
  c: {wait: {for: 1h}, then: done}
  done: {end: done}
"""
EVENTS = ("schema/events.yaml", "dsl: 1\nevents: {loan.applied: {}, visit.made: {}}\n")


def by_hand(salt: str, unit: str) -> Fraction:
    """The draw as the contract writes it, worked out another way."""
    digest = hashlib.sha256((salt + "|" + unit).encode("utf-8")).digest()
    number = int.from_bytes(digest[:8], "big") >> 4
    return Fraction(number, 2**60)


def as_customer(play: Play, number: int) -> Play:
    play.customer = Customer(customer_id=CustomerId(number), version=0)
    return play


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_draw_is_the_first_fifteen_digits_of_the_hash(salt: str, unit: str) -> None:
    assert Fraction(draw(salt, unit), 16**15) == by_hand(salt, unit)


@given(st.integers(0, 16**15 - 1), st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_an_arm_is_found_by_cumulative_percent(drawn: int, percents: list[int]) -> None:
    arms = [(str(place), percent) for place, percent in enumerate(percents)]
    found, upto = "", 0
    for name, percent in arms:
        if not found and Fraction(drawn, 16**15) < Fraction(upto + percent, 100):
            found = name
        upto += percent
    assert arm_of(drawn, arms) == found


def test_arms_are_as_large_as_their_percents_and_independent_of_one_another() -> None:
    arms = [("A", 50), ("B", 30), ("C", 20)]
    people = range(20_000)
    first = [arm_of(draw("one", str(person)), arms) for person in people]
    second = [arm_of(draw("two", str(person)), arms) for person in people]
    shares = {name: count / len(people) for name, count in Counter(first).items()}
    assert all(abs(shares[name] - percent / 100) < 0.015 for name, percent in arms)
    both = Counter(zip(first, second, strict=True))
    for (one, of_one), (other, of_other) in ((x, y) for x in arms for y in arms):
        assert abs(both[one, other] / len(people) - of_one * of_other / 10_000) < 0.015


def test_a_split_leads_everybody_where_the_hash_says() -> None:
    found = Counter()
    for number in range(1, 61):
        play = as_customer(Play(journey("trial", SPLIT)), number)
        play.follow()
        share = by_hand("opening-v1", str(number))
        expected = "a" if share < Fraction(1, 2) else "b" if share < Fraction(8, 10) else "c"
        assert play.at() == {"trial": expected}
        assert play.customer.arms == {"opening-v1": expected.upper()}
        found[expected] += 1
    assert len(found) == 3


def test_an_arm_stays_when_the_percents_change() -> None:
    number = next(n for n in range(1, 100) if by_hand("opening-v1", str(n)) < Fraction(1, 2))
    play = as_customer(Play(journey("trial", SPLIT)), number)
    play.follow()
    play.wait("1h")
    changed = SPLIT.replace("A, percent: 50", "A, percent: 1").replace("B, percent: 30", "B, percent: 79")
    play.reload(journey("trial", changed))
    play.follow()
    assert play.at() == {"trial": "a"}
    assert play.turn.traced("split", arm="A", drawn=False)


def test_an_arm_that_is_no_more_is_drawn_again() -> None:
    play = Play(journey("trial", SPLIT))
    play.customer = replace(play.customer, arms={"opening-v1": "Z"})
    play.follow()
    assert play.turn.traced("split", drawn=True)
    assert play.customer.arms["opening-v1"] in "ABC"


def test_a_split_may_draw_by_something_else_than_the_customer() -> None:
    body = SPLIT.replace("salt: opening-v1", "salt: opening-v1\n      unit: customer.city")
    for number in (1, 2, 3):
        play = as_customer(Play(journey("trial", body)), number)
        play.customer = replace(play.customer, attributes={"city": "上海"})
        play.follow()
        share = by_hand("opening-v1", "上海")
        assert play.at()["trial"] == ("a" if share < Fraction(1, 2) else "b" if share < Fraction(8, 10) else "c")


def test_nothing_to_draw_by_is_an_error_of_the_journey() -> None:
    body = SPLIT.replace("salt: opening-v1", "salt: opening-v1\n      unit: customer.city")
    play = Play(journey("trial", body + "errors: [{error: expr.null, goto: done}]\n"))
    play.follow()
    assert play.ended("trial") == "done"


def test_so_many_experiments_are_remembered_and_no_more() -> None:
    play = Play(journey("trial", SPLIT))
    play.customer = replace(play.customer, arms={f"old-{n}": "A" for n in range(ARMS_MAX)})
    play.follow()
    assert len(play.customer.arms) == ARMS_MAX
    assert "old-0" not in play.customer.arms and "opening-v1" in play.customer.arms


def test_a_release_is_staggered_the_same_for_one_customer_every_time() -> None:
    found = {jitter(CustomerId(n), "spread|x", timedelta(minutes=20)) for n in range(200)}
    assert len(found) == 200
    assert all(timedelta(0) <= one < timedelta(minutes=20) for one in found)


HELD = """
holdout: {percent: 30, salt: held-v1}
goal: {name: 申请, event: loan.applied, within: 14d, exit: applied}
exit: [{when: has_tag('投诉'), goto: stopped}]
limits: {max_age: 60d}
states:
  begin: {do: [{send: hello}, {tag: 见过}, {score: 5}], then: rest}
  rest: {wait: {for: 30d}, then: stopped}
  applied: {end: success}
  stopped: {end: stopped}
"""
IN_HOLDOUT = next(n for n in range(1, 100) if by_hand("held-v1", str(n)) < Fraction(3, 10))
EXPOSED = next(n for n in range(1, 100) if by_hand("held-v1", str(n)) >= Fraction(3, 10))


def held(number: int = IN_HOLDOUT, *more: str) -> Play:
    play = as_customer(Play(journey("care", HELD), *more, files=(EVENTS,)), number)
    play.follow()
    return play


def test_whoever_is_held_out_is_recorded_and_nothing_is_done() -> None:
    play = held()
    run = play.run("care")
    assert (run.arm, run.state, run.visit, run.conversation_id) == ("holdout", "", 0, None)
    assert play.turn.said() == [] and not play.customer.tags and play.customer.score == 0
    assert play.talk.floor == () and play.talk.queue == ()
    assert play.turn.traced("entered", arm="holdout", salt="held-v1")


def test_whoever_is_not_held_out_is_exposed_and_goes_through_the_journey() -> None:
    play = held(EXPOSED)
    assert play.at() == {"care": "rest"}
    assert play.run("care").arm == "exposed"


def test_the_goal_of_a_held_out_run_is_counted_and_ends_it() -> None:
    play = held()
    play.wait("3d")
    play.event("loan.applied")
    assert play.turn.traced("goal") == [{"goal": "申请"}]
    assert play.ended("care") == "goal_reached"
    assert play.customer.past["care|"].goal_reached


def test_a_goal_that_comes_too_late_finds_the_held_out_run_over() -> None:
    play = held()
    play.wait("14d1m")
    assert play.ended("care") == "goal_missed"
    play.event("loan.applied")
    assert not play.turn.traced("goal")


def test_an_exit_ends_a_held_out_run() -> None:
    tagging = journey(
        "tags", "states:\n  go: {do: [{tag: 投诉}], then: done}\n  done: {end: done}\n", enter="keyword: [投诉]"
    )
    play = held(IN_HOLDOUT, tagging)
    play.say("投诉")
    assert play.ended("care") == "exit"


def test_a_held_out_run_ends_with_its_greatest_age() -> None:
    body = HELD.replace(", within: 14d", "")
    play = as_customer(Play(journey("care", body), files=(EVENTS,)), IN_HOLDOUT)
    play.follow()
    play.wait("60d")
    assert play.ended("care") == "expired"


def test_who_was_exposed_stays_so_when_the_holdout_grows() -> None:
    play = held(EXPOSED)
    play.wait("30d")
    play.program = Play(journey("care", HELD.replace("percent: 30", "percent: 100")), files=(EVENTS,)).program
    play.follow()
    assert play.at() == {"care": "rest"}


def test_a_held_out_run_lives_on_in_another_release() -> None:
    play = held()
    play.program = Play(journey("care", HELD.replace("30d", "31d")), files=(EVENTS,)).program
    play.menu("x")
    assert play.run("care").arm == "holdout"
    assert play.turn.traced("ended") == []


def test_a_call_of_a_journey_that_holds_her_out_goes_on_at_once() -> None:
    caller = journey(
        "caller",
        "states:\n  go: {call: {journey: care, save: found}, then: judge}\n"
        "  judge: {branch: [{when: found.end == 'holdout', goto: out}, {else: done}]}\n"
        "  out: {end: out}\n  done: {end: done}\n",
        enter="keyword: [走]",
    )
    care = journey("care", HELD, enter="keyword: [别的]")
    play = as_customer(Play(caller, care, files=(EVENTS,)), IN_HOLDOUT)
    play.say("走")
    assert play.ended("caller") == "out"
    assert play.at() == {}
