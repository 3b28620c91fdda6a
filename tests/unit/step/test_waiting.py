"""Waiting: for elapsed and working time, until phrases and expressions, for ever; and what ends it otherwise."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.unit.step.play import MORNING, SHANGHAI, Play
from tests.unit.step.worlds import RULES, STAFF, journey

END = "\n  over: {do: [{send: {content: over, class: service, window: ignore}}], then: done}\n  done: {end: done}\n"


def waiting(wait: str, more: str = "", *, top: str = "") -> str:
    """A journey that waits like this, then says `over`; `more` stands in the waiting state, `top` above the states."""
    then = "" if "forever" in wait else ", then: over"
    return journey("waits", f"{top}\nstates:\n  rest: {{wait: {wait}{then}{more}}}{END}")


def started(wait: str, more: str = "", *, top: str = "", at: datetime = MORNING) -> Play:
    play = Play(waiting(wait, more, top=top), at=at)
    play.follow()
    return play


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("10:00", "2026-12-02 10:00"),  # it is ten sharp: the next one
        ("10:01", "2026-12-01 10:01"),
        ("9:59", "2026-12-02 09:59"),
        ("tomorrow 23:00", "2026-12-02 23:00"),
        ("next sat 10:00", "2026-12-05 10:00"),
        ("next tue 18:00", "2026-12-08 18:00"),  # it is a Tuesday
        ("month_end 18:00", "2026-12-31 18:00"),
    ],
)
def test_a_phrase_names_the_next_such_moment_on_the_customers_clock(phrase: str, expected: str) -> None:
    play = started(f"{{until: '{phrase}'}}")
    assert play.now + play.due("wait") == local(expected)


def test_a_customer_elsewhere_waits_by_her_own_clock() -> None:
    play = Play(waiting("{until: '10:00'}"))
    play.customer = replace(play.customer, attributes={"timezone": "America/New_York"})
    play.follow()
    assert play.now + play.due("wait") == local("2026-12-01 23:00")


def test_an_attribute_that_names_no_zone_counts_for_nothing() -> None:
    play = Play(waiting("{until: '12:00'}"))
    play.customer = replace(play.customer, attributes={"timezone": "../etc/passwd"})
    play.follow()
    assert play.due("wait") == timedelta(hours=2)


def test_working_hours_stand_still_at_night() -> None:
    play = started("{for: 4h working}", at=local("2026-12-01 16:00"))
    assert play.now + play.due("wait") == local("2026-12-02 10:30")


WEEKLY = RULES.replace(
    "{工作时间: {days: 每天, hours: 09:00-18:30}}",
    "{工作时间: {days: 工作日, hours: 09:00-18:00}, 周末店: {days: 每天, hours: 10:00-20:00}}",
)
WEEKEND_SHOP = STAFF.replace("name: 一号店}", "name: 一号店, hours: 周末店, city: 上海}")


@pytest.mark.parametrize(("city", "expected"), [("上海", "2026-12-05 14:00"), ("北京", "2026-12-07 13:00")])
def test_working_time_is_that_of_her_dealer_else_the_brands(city: str, expected: str) -> None:
    play = Play(waiting("{for: 4h working}"), rules=WEEKLY, staff=WEEKEND_SHOP, at=local("2026-12-05 08:00"))
    play.customer = replace(play.customer, attributes={"city": city})
    play.follow()
    assert play.now + play.due("wait") == local(expected)


def test_a_working_day_ends_at_the_same_time_of_the_next_one() -> None:
    play = started("{for: 2d working}", at=local("2026-12-01 16:00"))
    assert play.now + play.due("wait") == local("2026-12-03 16:00")


HOURS = "vars: {n: {type: number, default: 3}}"
UNTIL = "{until: state.entered_at + hours(vars.n)}"


def test_a_wait_until_an_expression_ends_when_it_says() -> None:
    play = started(UNTIL, top=HOURS)
    assert play.wait("179m") == []
    assert play.wait("1m") == ["over"]


def later(hours: int) -> str:
    return f", events: [{{event: oa.scan, set: {{vars.n: '{hours}'}}, stay: true}}]"


def test_a_wait_until_an_expression_moves_with_the_values_it_reads() -> None:
    play = started(UNTIL, later(5), top=HOURS)
    play.wait("1h")
    play.scan("x")
    assert play.turn.traced("rearmed", timer="wait")
    assert play.due("wait") == timedelta(hours=4)


def test_a_wait_whose_end_has_moved_into_the_past_is_over() -> None:
    play = started(UNTIL, later(1), top=HOURS)
    play.wait("2h")
    play.scan("x")
    assert play.wait("0m") == ["over"]


def test_what_an_expression_does_not_read_leaves_the_wait_alone() -> None:
    play = started(UNTIL, ", events: [{event: oa.scan, do: [{tag: t}], stay: true}]", top=HOURS)
    before = play.customer.timers
    play.scan("x")
    assert play.customer.timers == before
    assert play.turn.traced("rearmed") == []


def test_a_wait_until_nothing_is_an_error_of_its_journey() -> None:
    caught = "vars: {n: {type: number}}\nerrors: [{error: expr.null, goto: over}]"
    play = Play(waiting(UNTIL, top=caught))
    assert play.follow() == ["over"]


def test_a_moment_that_is_worked_out_no_more_is_an_error_too() -> None:
    caught = f"{HOURS}\nerrors: [{{error: expr.null, goto: over}}]"
    play = started(UNTIL, ", events: [{event: oa.scan, set: {vars.n: customer.visits}, stay: true}]", top=caught)
    assert play.scan("x") == ["over"]


def test_waiting_for_ever_ends_by_an_event() -> None:
    play = started("forever", ", events: [{event: oa.scan, goto: over}]")
    assert play.wait("300d") == []
    assert play.scan("x") == ["over"]


def test_waiting_for_ever_ends_when_the_run_is_too_old() -> None:
    play = started("forever", ", events: [{event: oa.scan, goto: over}]", top="limits: {max_age: 30d}")
    play.wait("29d")
    assert play.at() == {"waits": "rest"}
    play.wait("1d")
    assert play.ended("waits") == "expired"
    assert play.customer.timers == ()


def test_a_run_may_take_400_days_at_most() -> None:
    play = started("{for: 1000d}")
    assert play.due("max_age") == timedelta(days=400)
    play.wait("401d")
    assert play.ended("waits") == "expired"


def test_a_run_that_other_timers_wake_in_time_carries_none_for_its_age() -> None:
    play = started("{for: 1h}")
    assert [timer.timer_id for timer in play.customer.timers] == ["wait"]


def test_a_spread_is_the_same_whenever_it_is_asked_for_and_never_longer() -> None:
    play = started("{for: 1h, spread: 20m}")
    assert timedelta(hours=1) <= play.due("wait") < timedelta(hours=1, minutes=20)
    assert started("{for: 1h, spread: 20m}").due("wait") == play.due("wait")


def test_spreads_of_different_visits_differ() -> None:
    play = started("{for: 1h, spread: 50m}", ", events: [{event: oa.scan, goto: rest}]")
    first = play.due("wait")
    play.scan("x")
    assert play.due("wait") != first


def late(play: Play, duration: timedelta) -> list[str]:
    """The engine was away, and wakes up so much later."""
    play.now += duration
    return play.wait("0m")


def test_a_wait_that_is_processed_late_is_over_all_the_same() -> None:
    assert late(started("{until: '12:00'}"), timedelta(days=3)) == ["over"]


def test_a_phrase_that_is_not_to_be_late_waits_for_its_next_moment() -> None:
    play = started("{until: '12:00', late: skip if later than 2h}")
    assert late(play, timedelta(hours=5)) == []
    assert play.turn.traced("skipped", why="late")
    assert play.now + play.due("wait") == local("2026-12-02 12:00")


def test_a_phrase_that_is_hardly_late_is_over() -> None:
    assert late(started("{until: '12:00', late: skip if later than 2h}"), timedelta(hours=4)) == ["over"]


@pytest.mark.parametrize("wait", ["{for: 1d}", "forever"])
def test_a_wait_may_time_out(wait: str) -> None:
    play = started(wait, ", timeout: {after: 2h, goto: over}, events: [{event: oa.scan, goto: done}]")
    assert play.wait("2h") == ["over"]


def test_a_call_may_time_out() -> None:
    child = journey("child", "states:\n  rest: {wait: {for: 1d}, then: done}\n  done: {end: done}\n", enter="")
    body = f"states:\n  ask: {{call: child, timeout: {{after: 2h, goto: over}}, then: done}}{END}"
    play = Play(journey("waits", body), child)
    play.follow()
    assert play.wait("2h") == ["over"]
    assert play.at() == {}


def test_a_handoff_may_time_out_although_somebody_accepted_it() -> None:
    body = (
        "states:\n  hand:\n    handoff: {to: advisor, note: 请接待, accept_within: 5m, fallback: {goto: done}}\n"
        f"    timeout: {{after: 20m, goto: over}}\n    then: done{END}"
    )
    play = Play(journey("waits", body))
    play.follow()
    play.click("accept", by="zhangmin")
    play.wait("20m")
    assert play.turn.traced("moved", to="over")


def test_a_wait_and_a_timeout_behind_a_deferred_send_count_from_when_it_leaves() -> None:
    body = (
        "states:\n  rest:\n    do: [{send: {content: nudge, class: reminder, outside: [drop]}}]\n"
        f"    wait: {{for: 20h}}\n    timeout: {{after: 2h, goto: over}}\n    then: done{END}"
    )
    play = Play(journey("waits", body, enter="keyword: [在]"), at=local("2026-12-01 22:30"))
    play.say("在")
    leaves = play.outbox[0].not_before
    assert leaves is not None
    assert leaves >= local("2026-12-02 09:00")
    assert play.now + play.due("wait") == leaves + timedelta(hours=20)
    assert play.now + play.due("timeout") == leaves + timedelta(hours=2)
