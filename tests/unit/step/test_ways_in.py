"""Ways into a journey that need no words: events of every kind, segments, schedules, other systems."""

from datetime import timedelta

import pytest

from bot.core.arrival import EventArrived
from bot.core.customer import Customer
from bot.core.events import Event, Json
from bot.core.ids import ConversationId, CustomerId, EventId
from tests.unit.step.play import Play
from tests.unit.step.worlds import journey

REST = "states:\n  rest: {wait: {for: 1h}, then: done}\n  done: {end: done}\n"
FILES = (
    ("schema/events.yaml", "dsl: 1\nevents: {loan.applied: {}, visit.made: {fields: {model: text}}}\n"),
    ("segments/高意向.yaml", "dsl: 1\nsegment: 高意向\nwhen: customer.score >= 50\n"),
    ("segments/沉睡.yaml", "dsl: 1\nsegment: 沉睡\nwhen: customer.score < 5\n"),
)


def begun(*ways: str, more: str = "") -> Play:
    files = [journey(f"j{place}", more + REST, enter=way) for place, way in enumerate(ways)]
    return Play(*files, files=FILES)


def on_channel(play: Play, channel: str, kind: str, **fields: Json) -> None:
    event = Event(
        event_id=EventId(f"{channel}-{kind}"),
        type=kind,
        channel=channel,
        account="main",
        sender="openid",
        occurred_at=play.now,
        fields=fields,
    )
    play.arrive(EventArrived(event=event))


def test_a_segment_lets_in_only_by_its_own_name() -> None:
    play = begun("segment: 高意向", "segment: 沉睡")
    play.event("segment.entered", segment="高意向")
    assert play.at() == {"j0": "rest"}


def test_a_schedule_lets_in_the_journey_that_is_due() -> None:
    play = begun('schedule: "7 10 * * tue"', 'schedule: "8 10 * * tue"')
    play.event("schedule.due", journey="j1")
    assert play.at() == {"j1": "rest"}


def test_of_two_schedules_of_a_journey_the_one_that_is_due_counts() -> None:
    ways = 'schedule: "7 10 * * tue", with: {n: 1}}, {schedule: "7 10 * * fri", with: {n: 2}'
    play = begun(ways, more="vars: {n: {type: number}}\n")
    play.event("schedule.due", journey="j0", cron="7 10 * * fri")
    assert play.run("j0").values == {"n": 2}


def test_another_system_enters_by_the_name_of_the_entry() -> None:
    play = begun("api: start", "api: other")
    play.event("api", entry="start")
    assert play.at() == {"j0": "rest"}


def test_an_event_that_is_not_said_by_her_opens_every_way() -> None:
    play = begun("event: loan.applied", "event: loan.applied", "event: visit.made")
    play.event("loan.applied")
    assert play.at() == {"j0": "rest", "j1": "rest"}


def test_what_she_says_opens_the_first_way_that_admits() -> None:
    first = journey("j0", "audience: customer.score > 5\n" + REST, enter="event: oa.scan")
    play = Play(first, journey("j1", REST, enter="event: oa.scan"), journey("j2", REST, enter="event: oa.scan"))
    play.scan("x")
    assert play.at() == {"j1": "rest"}
    assert play.turn.traced("entry_refused", into="j0", reason="audience")


def test_the_way_of_the_journey_that_matters_more_is_tried_first() -> None:
    low, high = "focus: {priority: 10}\n", "focus: {priority: 90}\n"
    play = Play(journey("j0", low + REST, enter="event: oa.scan"), journey("j1", high + REST, enter="event: oa.scan"))
    play.scan("x")
    assert play.at() == {"j1": "rest"}


def test_a_condition_of_the_way_is_asked_of_the_event() -> None:
    play = begun("event: oa.scan, when: event.scene == 'a'")
    play.scan("b")
    assert play.at() == {}
    play.scan("a")
    assert play.at() == {"j0": "rest"}


@pytest.mark.parametrize(
    ("enter", "expected"), [("event: oa.scan", {}), ("event: oa.scan, channels: [kf]", {"j0": "rest"})]
)
def test_what_she_says_on_another_channel_is_heard_only_where_the_way_lists_it(
    enter: str, expected: dict[str, str]
) -> None:
    play = begun(enter)
    on_channel(play, "kf", "oa.scan")
    assert play.at() == expected


def test_the_run_talks_where_the_event_came_from() -> None:
    play = begun("event: oa.scan, channels: [kf]")
    on_channel(play, "kf", "oa.scan")
    assert play.run("j0").conversation_id == ConversationId("kf:main:openid")


def test_a_run_that_no_conversation_began_talks_in_the_latest_of_its_channel() -> None:
    play = begun("event: loan.applied")
    play.say("在", openid="old")
    play.wait("1h")
    play.say("在", openid="new")
    on_channel(play, "app", "loan.applied")
    assert play.run("j0").conversation_id == ConversationId("oa:main:new")


def test_a_run_finds_its_conversation_when_there_is_one_at_last() -> None:
    body = """
slots: {q: {type: choice, options: {是: [], 否: []}, ask: ask-q}}
states:
  rest: {wait: {for: 1h}, then: q}
  q: {ask: {slot: q, class: service}, timeout: {after: 1h, goto: done}, give_up: {goto: done}, then: done}
  done: {end: done}
"""
    play = Play(journey("j0", body, enter="event: loan.applied"), files=FILES)
    on_channel(play, "app", "loan.applied")
    assert play.run("j0").conversation_id is None
    play.say("在")
    assert play.wait("1h") == ["ask-q"]
    play.say("是")
    assert play.ended("j0") == "done" and play.turn.traced("answered", slot="q")


VARS = "vars: {model: {type: text}, n: {type: number}, b: {type: bool}, x: {type: text, default: d}}\n"


def test_what_is_handed_on_is_worked_out_from_the_event_and_typed_by_the_variable() -> None:
    way = "event: visit.made, with: {model: '{{ event.model }}', n: '5', b: 'true', x: '型号 {{ event.model }}'}"
    play = begun(way, more=VARS)
    play.event("visit.made", model="ES6")
    assert play.run("j0").values == {"model": "ES6", "n": 5, "b": True, "x": "型号 ES6"}


def test_a_value_that_is_missing_stays_null() -> None:
    play = begun("event: visit.made, with: {model: '{{ event.model }}'}", more=VARS)
    play.event("visit.made")
    assert play.run("j0").values["model"] is None


def test_what_cannot_be_handed_on_is_a_reason_to_refuse() -> None:
    play = begun("event: visit.made, with: {n: '{{ event.model }}'}", more=VARS)
    play.event("visit.made", model="ES6")
    assert play.turn.traced("entry_refused", reason="expr.type", into="j0")


def spread(number: int) -> Play:
    play = begun("segment: 高意向, spread: 20m, with: {n: '{{ event.level }}'}", more=VARS)
    play.customer = Customer(customer_id=CustomerId(number), version=0)
    play.event("segment.entered", segment="高意向", level=7)
    return play


def test_a_release_to_many_is_staggered_and_remembers_what_led_in() -> None:
    moments = set()
    for number in range(1, 6):
        play = spread(number)
        assert play.at() == {}
        (waiting,) = play.customer.queued.values()
        assert waiting.not_before is not None
        moments.add(waiting.not_before - play.now)
        play.wait("20m")
        assert play.run("j0").values["n"] == 7
        assert play.customer.queued == {} and play.run("j0").entry["segment"] == "高意向"
    assert len(moments) == 5 and all(timedelta(0) <= one < timedelta(minutes=20) for one in moments)


def test_the_same_entry_put_off_again_waits_once() -> None:
    play = spread(3)
    play.event("segment.entered", segment="高意向", level=9)
    assert len(play.customer.queued) == 1
    play.wait("20m")
    assert play.run("j0").values["n"] == 9


def test_who_is_in_the_journey_by_then_is_refused_by_then() -> None:
    files = ("segment: 高意向, spread: 20m}, {event: oa.scan",)
    play = begun(*files)
    play.event("segment.entered", segment="高意向")
    play.scan("x")
    play.wait("20m")
    assert play.turn.traced("entry_refused", reason="already_active")


ASKED = """slots: {q: {type: choice, options: {是的: [], 不是: []}, ask: ask-q}}
states:
  a: {ask: {slot: q, class: service}, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: done}
  done: {end: done}
"""


@pytest.mark.parametrize(("priority", "holder"), [(10, "high"), (95, "pushing")])
def test_what_another_system_begins_pushes_only_past_what_is_less_important(priority: int, holder: str) -> None:
    high = journey("high", "focus: {priority: 90}\n" + ASKED)
    pushing = journey("pushing", f"focus: {{priority: {priority}}}\n" + ASKED, enter="api: go, interrupt: true")
    play = Play(high, pushing)
    play.follow()
    event = Event(
        event_id=EventId("call"),
        type="api",
        channel="",
        account="",
        sender="",
        occurred_at=play.now,
        fields={"entry": "go"},
    )
    play.arrive(EventArrived(event=event))
    assert play.talk.floor[-1] == play.run(holder).enrolment_id
