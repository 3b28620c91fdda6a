"""How things stand before the first step of a test: `given`, put into the database as production would have it."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.authoring.trials import Given, GivenWindow, WallMoment
from bot.core import windows
from bot.core.arrival import Facts, Step
from bot.core.customer import Consent, Conversation, Customer
from bot.core.events import Event, Json
from bot.core.ids import ConversationId, CustomerId, EventId, conversation_id
from bot.core.journey import Journey
from bot.core.program import Program
from bot.core.states import Ask
from bot.core.step.placing import Placement, place
from bot.errors import BotError
from bot.runtime.segments import watch
from bot.runtime.stepping import READS_MAX, Stepper
from bot.storage import JournalLine, Planned, Transaction

ACCOUNT = "main"
BUYER = "buyer"
START = WallMoment(day=date(2026, 12, 1), at=time(10))
"""A Tuesday, ten in the morning: advisors are at work."""
JUST_NOW = GivenWindow(kind="message")
"""Whoever stands in the middle of a journey has written a moment ago, unless the test says otherwise."""
GIVEN = "given"


class BadSetting(BotError):
    """What is given cannot be."""

    code = "bad_setting"


def moment_of(wanted: WallMoment, zone: ZoneInfo, *, after: datetime) -> datetime:
    """The moment that is meant, aware UTC. Without day the next one from `after` on."""
    day = wanted.day or after.astimezone(zone).date()
    found = datetime.combine(day, wanted.at, zone)
    if wanted.day is None and found < after:
        found += timedelta(days=1)
    return found


def introduce(tx: Transaction, program: Program, journey: Journey, given: Given, now: datetime) -> CustomerId:
    """Write the customer down as `given` has her; the one there is. Nothing is stepped.

    KeyError: the journey has no such state.
    """
    hello = Event(
        event_id=EventId(GIVEN),
        type="oa.view",
        channel=journey.channel,
        account=ACCOUNT,
        sender=BUYER,
        occurred_at=now,
    )
    tx.lanes.ingest([hello], received_at=now)
    (row,) = tx.claims.claim(1)
    tx.lanes.consume([row.seq])
    customer_id = CustomerId(row.lane)
    before = tx.customers.load([customer_id])[customer_id]
    after = _as_given(program, journey, given, before, now)
    tx.customers.save([(before, after)])
    watch(tx, program, now).save([(before, after)])
    return customer_id


def enter(tx: Transaction, program: Program, journey: Journey, given: Given, now: datetime) -> None:
    """Begin a run of the journey in the state that is given. BadSetting: it asks for facts without end."""
    customer_id = CustomerId(1)
    before = tx.customers.load([customer_id])[customer_id]
    placement = Placement(
        journey=journey.journey,
        state=given.state,
        conversation_id=_conversation(journey) if before.conversations else None,
        values=given.values,
        slots=given.slots,
        saved=given.saved,
    )
    found = _placed(tx, program, before, placement, now)
    tx.customers.save([(before, found.customer)])
    watch(tx, program, now).save([(before, found.customer)])
    tx.effects.carry_out([Planned(customer_id=customer_id, effects=found.effects, at=now)])
    line = JournalLine(customer_id=customer_id, kind="timer", at=now, entries=found.journal, event_id=EventId(GIVEN))
    tx.journal.append([line])


def _placed(tx: Transaction, program: Program, before: Customer, placement: Placement, now: datetime) -> Step:
    facts, reader = Facts(), Stepper(tx, program, now)
    for _ in range(1 + READS_MAX):
        found = place(program, before, placement, now, facts)
        if isinstance(found, Step):
            return found
        facts = reader.answers(found, facts, before.customer_id)
    raise BadSetting(f"进入状态 {placement.state} 要读的事实没有尽头")


def _as_given(program: Program, journey: Journey, given: Given, blank: Customer, now: datetime) -> Customer:
    attributes: dict[str, Json] = {name: value for name, value in given.customer.items() if value is not None}
    purposes = (*given.consent, *_purpose_of(journey, given.state))
    window = given.window or (JUST_NOW if given.state else None)
    is_known = window is not None and window.kind != "stranger"
    conversation = _talk(program, journey, window, now) if window is not None and is_known else None
    return replace(
        blank,
        attributes=attributes,
        tags=frozenset(given.tags),
        score=given.score,
        points=given.points,
        arms=dict(given.arms),
        consents={purpose: _consent(purpose, now) for purpose in purposes},
        conversations={conversation.conversation_id: conversation} if conversation else {},
    )


def _purpose_of(journey: Journey, state: str) -> tuple[str, ...]:
    """Nobody comes to a question without the consent that it needs."""
    doing = journey.states[state].doing if state else None
    purpose = journey.slots[doing.slot].consent if isinstance(doing, Ask) else ""
    return (purpose,) if purpose else ()


def _consent(purpose: str, now: datetime) -> Consent:
    return Consent(granted=True, at=now, source=GIVEN, text="", text_hash="")


def _conversation(journey: Journey) -> ConversationId:
    return conversation_id(journey.channel, ACCOUNT, BUYER)


def _talk(program: Program, journey: Journey, window: GivenWindow, now: datetime) -> Conversation:
    at = now - window.ago
    blank = Conversation(
        conversation_id=_conversation(journey), channel=journey.channel, account=ACCOUNT, external_id=BUYER
    )
    if window.kind == "none" or window.kind == "stranger":
        return blank
    opened = windows.opened(blank, window.kind, event_id=EventId(GIVEN), at=at, rules=program.rules)
    left = window.left
    spent = opened if left is None else tuple(replace(one, used=max(0, one.max - left)) for one in opened)
    return replace(blank, last_inbound_at=at, buckets=spent)
