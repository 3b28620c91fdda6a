"""From an event in a customer's lane to what it was understood to say."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.customer import Conversation, Customer, Enrolment, Option, Pending
from bot.core.events import Event, Json
from bot.core.expectation import expectation
from bot.core.ids import ConversationId, CustomerId, EnrolmentId, EventId
from bot.core.program import compile_library
from bot.core.slots import Slot
from bot.core.understood import SlotType, Understanding
from bot.understanding import arrived
from tests.unit.understanding.libraries import asking, library

TALK = ConversationId("oa:main:openid")
ME = EnrolmentId("me")
AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
KINDS: tuple[SlotType, ...] = ("image", "file", "location", "date", "text", "number", "datetime", "phone_cn")
PROGRAM = compile_library(library(journeys=[asking(*(Slot(name=kind, type=kind, ask="q") for kind in KINDS))]))


def customer(pending: str, *, slots: Mapping[str, Json] | None = None, options: tuple[Option, ...] = ()) -> Customer:
    """Somebody who is asked for `pending` and has answered `slots`."""
    question = Pending(slot=pending, phase="asked", options=options)
    enrolment = Enrolment(
        enrolment_id=ME,
        journey="j",
        key="",
        release="",
        state=pending,
        visit=1,
        entered_at=AT,
        state_entered_at=AT,
        conversation_id=TALK,
        slots=slots or {},
        pending=question,
    )
    talk = Conversation(conversation_id=TALK, channel="oa", account="main", external_id="openid", floor=(ME,))
    return Customer(customer_id=CustomerId(1), version=0, conversations={TALK: talk}, enrolments={ME: enrolment})


def event(fields: Mapping[str, Json], *, kind: str = "message", at: datetime = AT) -> Event:
    return Event(
        event_id=EventId("e"), type=kind, channel="oa", account="main", sender="openid", occurred_at=at, fields=fields
    )


def understood(fields: Mapping[str, Json], who: Customer, *, at: datetime = AT) -> Understanding | None:
    return arrived(event(fields, at=at), who, PROGRAM).understanding


def values(found: Understanding | None) -> dict[str, object]:
    assert found is not None
    return {slot.removeprefix("j."): reading.value for slot, reading in found.readings.items()}


PICTURE: dict[str, Json] = {"kind": "image", "media_id": "M1"}
PLACE: dict[str, Json] = {"kind": "location", "lat": 31.2, "lng": 121.5, "name": "人民广场"}


@pytest.mark.parametrize(
    ("fields", "pending", "expected"),
    [
        (PICTURE, "image", {"image": "M1"}),
        (PICTURE, "file", {"file": "M1"}),
        ({"kind": "video", "media_id": "M2"}, "file", {"file": "M2"}),
        ({"kind": "file", "media_id": "M3"}, "file", {"file": "M3"}),
        (PLACE, "location", {"location": {"lat": 31.2, "lng": 121.5, "name": "人民广场"}}),
        ({"kind": "text", "text": "明天"}, "date", {"date": "2026-11-22"}),
        ({"kind": "voice", "media_id": "M4", "text": "明天"}, "date", {"date": "2026-11-22"}),
    ],
)
def test_what_comes_with_a_message_fills_the_slot_that_asks_for_it(
    fields: Mapping[str, Json], pending: str, expected: dict[str, object]
) -> None:
    assert values(understood(fields, customer(pending))) == expected


@pytest.mark.parametrize(
    ("fields", "pending"),
    [
        (PICTURE, "date"),
        (PICTURE, "location"),
        ({"kind": "voice", "media_id": "M"}, "file"),
        ({"kind": "video", "media_id": "M"}, "image"),
        ({"kind": "location"}, "location"),
        ({"kind": "location", "lat": "31", "lng": 1}, "location"),
        (PLACE, "text"),
        ({"kind": "link"}, "text"),
    ],
)
def test_what_does_not_fit_the_question_says_nothing(fields: Mapping[str, Json], pending: str) -> None:
    assert understood(fields, customer(pending)) is None


def test_only_messages_say_something() -> None:
    assert arrived(event({"text": "明天"}, kind="oa.click"), customer("date"), PROGRAM).understanding is None


def test_tomorrow_is_the_day_after_she_wrote_it() -> None:
    """On her clock it was half past eleven at night, however late we read it."""
    late = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
    assert values(understood({"text": "明天"}, customer("date"), at=late)) == {"date": "2026-11-22"}
    after = late + timedelta(hours=1)
    assert values(understood({"text": "明天"}, customer("date"), at=after)) == {"date": "2026-11-23"}


def test_options_that_were_worked_out_come_with_the_question() -> None:
    slots = (
        Option(text="11月28日 10:00", value="2026-11-28T10:00:00+08:00", spellings=("10:00", "10点")),
        Option(text="11月28日 14:00", value="2026-11-28T14:00:00+08:00"),
    )
    who = customer("datetime", options=slots)
    assert values(understood({"text": "2"}, who)) == {"datetime": slots[1].text}
    assert values(understood({"text": "上午10点"}, who)) == {"datetime": slots[0].text}
    assert values(understood({"text": "11点"}, who)) == {}


def test_answers_of_the_holder_are_expected_again_as_answered() -> None:
    who = customer("image", slots={"phone_cn": "13900000001", "text": "王先生", "number": None})
    expected = {one.slot: one for one in expectation(who, PROGRAM, TALK).expected}
    assert expected["j.image"].asked and not expected["j.image"].answered
    assert expected["j.phone_cn"].answered and expected["j.text"].answered
    assert not expected["j.number"].answered
    found = understood({"text": "不对，手机号是13800138000"}, who)
    assert found is not None and found.change
    assert values(found) == {"phone_cn": "13800138000"}


def test_a_text_that_was_never_answered_is_not_expected() -> None:
    assert "j.text" not in {one.slot for one in expectation(customer("date"), PROGRAM, TALK).expected}


def test_nothing_is_asked_of_whoever_talks_elsewhere() -> None:
    stranger = replace(event({"text": "明天"}), sender="other")
    found = arrived(stranger, customer("number"), PROGRAM).understanding
    assert found is not None
    assert "j.number" not in found.readings
