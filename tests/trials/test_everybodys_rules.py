"""A marketer's tests of what `_global.yaml` does without a journey: played with the real ledgers and outbox."""

from pathlib import Path

import pytest

from .stage import build, play

INTERRUPTS = """
  - id: gift
    keyword: [签到]
    effect: answer
    do:
      - points: {add: 50, reason: 签到}
      - coupon: {grant: 签到礼, once_per: customer}
      - send: {content: greet, variant_by: customer.source, key: "{{ today }}"}
  - id: swap
    keyword: [兑换]
    effect: answer
    do: [{points: {add: -80, reason: 兑换}}]
  - id: away
    keyword: [不去了]
    effect: end_focus
    do: [{cancel_booking: visit}, {send: thanks}]
"""
JOURNEY = """
dsl: 1
journey: round
name: 到店
channel: oa
release: 双11
enter: [{keyword: [到店]}]
states:
  book:
    book: {resource: 工位, what: "'保养'", start: now + hours(3), save: visit, full: {goto: done}, fail: {goto: done}}
    then: wait
  wait:
    wait: {until: visit.start}
    events: [{event: booking.cancelled, goto: cancelled}]
    then: done
  cancelled: {end: cancelled}
  done: {end: success}
"""
SPINNING = """
dsl: 1
journey: round
name: 转圈
channel: oa
enter: [{keyword: [开始]}]
vars: {n: {type: number, default: 0}}
states:
  count: {do: [{set: {vars.n: vars.n + 1}}], then: pause}
  pause: {call: moment, then: again}
  again:
    branch:
      - when: vars.n < 100
        goto: count
      - else: done
  sorry: {do: [{send: thanks}], then: done}
  done: {end: success}
errors:
  - {error: loop, goto: sorry}
"""
MOMENT = "dsl: 1\njourney: moment\nname: 一下\nchannel: oa\nstates: {done: {end: done}}\n"
BOOKINGS = "dsl: 1\nresources: [{resource: 工位, hours: 工作时间, each: 1h, capacity: 1}]\n"
ERRORS = "burst: 2\nerrors: [{error: points.short, do: [{send: nudge}]}, {error: book.*, do: [{tag: 没有预约}]}]\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world whose rules give, take and cancel."""
    folder = tmp_path_factory.mktemp("shop")
    build(folder)
    rules = folder / "journeys" / "_global.yaml"
    text = rules.read_text(encoding="utf-8").replace("class_rules:", f"{INTERRUPTS.strip(chr(10))}\nclass_rules:", 1)
    rules.write_text(text + ERRORS, encoding="utf-8")
    (folder / "journeys" / "round.yaml").write_text(JOURNEY, encoding="utf-8")
    (folder / "journeys" / "_bookings.yaml").write_text(BOOKINGS, encoding="utf-8")
    for content in ("ask-want", "ask-phone"):
        (folder / "content" / f"{content}.md").unlink()
    return folder


def failures(shop: Path, steps: str, *, given: str = "{at: 2026-12-01 10:00}") -> list[str]:
    text = f"journey: round\ntests:\n  - name: 一个\n    given: {given}\n    steps: {steps}\n"
    found = play(shop, {"round.test.yaml": text})
    assert found.outcome is not None, found.messages
    return found.failures


def test_an_interrupt_books_points_and_hands_a_coupon_out_once(shop: Path) -> None:
    first = "{customer: 签到}, {expect: {points: 50, sent: greet, effects: [points 50, coupon 签到礼]}}"
    again = (
        "{customer: 签到}, {expect: {points: 100, sent_count: 0, effects: [points 50], reason: said_already_to_her}}"
    )
    assert failures(shop, f"[{first}, {again}]") == []


def test_points_that_she_lacks_are_answered_by_the_rule_for_errors(shop: Path) -> None:
    steps = "[{customer: 兑换}, {expect: {points: 0, sent: nudge, answered: swap}}]"
    assert failures(shop, steps) == []
    rich = "[{customer: 兑换}, {expect: {points: 10, sent_count: 0, effects: [points -80]}}]"
    assert failures(shop, rich, given="{points: 90, at: 2026-12-01 10:00}") == []


def test_an_interrupt_gives_a_booking_back_and_its_journey_hears_of_it(shop: Path) -> None:
    steps = (
        "[{customer: 到店}, {expect: {state: wait}}, {customer: 不去了}, {expect: {ended: cancelled, sent: thanks}}]"
    )
    assert failures(shop, steps) == []


def test_without_a_booking_the_rule_for_its_errors_is_asked(shop: Path) -> None:
    assert failures(shop, "[{customer: 不去了}, {expect: {tags: 没有预约, sent: thanks}}]") == []


def test_a_loop_is_led_out_of_by_the_journey_itself(tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "journeys" / "round.yaml").write_text(SPINNING, encoding="utf-8")
    (tmp_path / "journeys" / "moment.yaml").write_text(MOMENT, encoding="utf-8")
    for content in ("ask-want", "ask-phone", "greet", "nudge"):
        (tmp_path / "content" / f"{content}.md").unlink()
    steps = "[{customer: 开始}, {expect: {sent: thanks, path: [sorry, done], ended: success, reason: loop}}]"
    assert failures(tmp_path, steps) == []
