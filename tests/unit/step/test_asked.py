"""What guards ask of the world, and what slots read as: facts that a step needs, and values of their declared kind."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from bot.core.arrival import EventArrived, EventsRead, Facts, Needs, OpenSlotsRead, Step
from bot.core.customer import Customer
from bot.core.events import Event, Json
from bot.core.ids import CustomerId, EventId
from bot.core.program import Program
from bot.core.step import step
from tests.unit.step.play import Play
from tests.unit.step.worlds import journey, world

NOW = datetime(2026, 12, 2, 2, tzinfo=UTC)
EVENTS = "dsl: 1\nevents:\n  shop.visit: {fields: {at: datetime, day: date}}\n"
COUNT, LAST = "count('shop.visit', within=days(3))", "last('shop.visit')"


def came(**fields: Json) -> EventArrived:
    return EventArrived(
        event=Event(
            event_id=EventId("e"),
            type="shop.visit",
            channel="oa",
            account="main",
            sender="o",
            occurred_at=NOW,
            fields=fields,
        )
    )


def program(when: str, *, body: str = "", **segments: str) -> Program:
    """A journey that is entered by a visit when this holds."""
    made = [(f"segments/{name}.yaml", f'dsl: 1\nsegment: {name}\nwhen: "{text}"\n') for name, text in segments.items()]
    text = journey(
        "j",
        f"{body}audience: {when}\nstates:\n  s: {{wait: {{for: 1d}}, then: t}}\n  t: {{end: ok}}",
        enter="event: shop.visit",
    )
    return world(text, files=(("schema/events.yaml", EVENTS), *made))


def stepped(program: Program, arrival: EventArrived, facts: Facts, **attributes: Json) -> Step | Needs:
    customer = Customer(customer_id=CustomerId(1), version=1, attributes=attributes)
    return step(program, customer, arrival, NOW, facts)


def enters(program: Program, arrival: EventArrived, facts: Facts | None = None, **attributes: Json) -> bool:
    found = stepped(program, arrival, facts or Facts(), **attributes)
    assert isinstance(found, Step)
    return bool(found.customer.enrolments)


def test_all_that_a_library_asks_about_events_is_read_at_once() -> None:
    found = stepped(program(f"{COUNT} > 1 and {LAST} < now"), came(), Facts())
    assert isinstance(found, Needs)
    (read,) = found.reads
    assert isinstance(read, EventsRead)
    assert {call.source for call in read.calls} == {COUNT, LAST}


def test_with_the_answers_the_step_goes_on_and_tells_which_it_used() -> None:
    facts = Facts(counts={COUNT: 2}, lasts={LAST: NOW})
    found = stepped(program(f"{COUNT} > 1 or {LAST} < now"), came(), facts)
    assert isinstance(found, Step)
    assert found.customer.enrolments
    assert found.asked == {COUNT, LAST}


@pytest.mark.parametrize(("city", "expected"), [("上海", True), ("北京", False), (None, False)])
def test_a_guard_may_ask_for_a_segment(city: str | None, expected: bool) -> None:
    made = program("in_segment('沪')", 沪="customer.city == '上海'")
    assert enters(made, came(), city=city) is expected


def test_free_places_are_read_for_the_day_that_is_asked_about() -> None:
    made = program("length(dealer.open_slots(event.day)) == 1")
    found = stepped(made, came(day="2026-12-05"), Facts())
    assert isinstance(found, Needs)
    (read,) = found.reads
    assert isinstance(read, OpenSlotsRead)
    assert (read.dealer, read.resource, read.on) == ("one", "", date(2026, 12, 5))
    assert enters(made, came(day="2026-12-05"), Facts(open_slots={read.key: (NOW,)}))
    assert not enters(made, came(day="2026-12-05"), Facts(open_slots={read.key: ()}))


@pytest.mark.parametrize(
    ("when", "fields", "expected"),
    [
        ("event.day > today", {"day": "2026-12-03"}, True),
        ("event.day > today", {"day": "2026-12-02"}, False),
        ("event.day == today + days(1)", {"day": "2026-12-03"}, True),
        ("event.day > today", {}, False),
        ("event.at > now + hours(1)", {"at": "2026-12-02T12:00:00+08:00"}, True),
        ("event.at > now + hours(1)", {"at": "2026-12-02T10:59:00+08:00"}, False),
        ("event.day > today", {"day": "明天"}, False),
    ],
)
def test_declared_fields_read_as_dates_and_times(when: str, fields: dict[str, Json], expected: bool) -> None:
    assert enters(program(when), came(**fields)) is expected


def test_a_date_in_a_slot_or_a_variable_compares_as_a_date() -> None:
    body = "vars: {until: {type: date, default: 2026-12-01}}\n"
    text = journey(
        "j",
        f"{body}states:\n  s:\n    branch:\n"
        "      - {when: vars.until < today and vars.until + days(1) == today, goto: late}\n"
        "      - else: t\n  late: {end: late}\n  t: {end: ok}",
        enter="event: shop.visit",
    )
    found = stepped(world(text, files=(("schema/events.yaml", EVENTS),)), came(), Facts())
    assert isinstance(found, Step)
    assert [past.end for past in found.customer.past.values()] == ["late"]


def test_what_a_step_knows_of_segments_goes_on() -> None:
    customer = replace(Customer(customer_id=CustomerId(1), version=1), segments={"沪#1": True})
    found = step(program("true"), customer, came(), NOW, Facts())
    assert isinstance(found, Step)
    assert found.customer.segments == {"沪#1": True}


WITHDRAWING = journey(
    "first",
    """focus: {priority: 90}
slots: {q: {type: choice, options: {是的: [], 不是: []}, ask: ask-q}}
states:
  give: {do: [{consent: {grant: 电话联系, text: ask-q}}], then: ask}
  ask: {ask: q, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: take}
  take: {do: [{consent: {withdraw: 电话联系}}], then: done}
  done: {end: done}
""",
)
CALLING_BACK = journey(
    "second",
    """slots: {phone: {type: phone_cn, ask: ask-phone, consent: 电话联系}}
states:
  rest: {wait: {for: 1m}, then: phone}
  phone:
    when: has_consent('电话联系')
    else: done
    ask: {slot: phone, class: service, outside: [drop]}
    timeout: {after: 4h, goto: done}
    give_up: {goto: done}
    then: done
  done: {end: done}
errors: [{error: consent.missing, goto: done, do: [{tag: 无授权}]}]
""",
    enter="event: oa.scan",
)


def test_a_question_that_waited_for_the_floor_is_not_asked_once_its_consent_is_withdrawn() -> None:
    play = Play(WITHDRAWING, CALLING_BACK)
    play.follow()
    play.scan("x")
    play.wait("1m")
    assert play.at() == {"first": "ask", "second": "phone"}
    assert play.say("是的") == []
    assert (play.at(), play.customer.tags) == ({}, frozenset({"无授权"}))
