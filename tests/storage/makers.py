"""Small values for the tests of storage."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from bot.core.customer import Customer, Timer
from bot.core.effects import Effect, SendMessage
from bot.core.events import Event, Json
from bot.core.ids import ConversationId, CustomerId, EffectId, EnrolmentId, EventId
from bot.core.messages import Text
from bot.storage import Lane, Leased, Outcome, Planned, Priority, Room, Storage, Transaction, Verdict

T = TypeVar("T")

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
OA = ("oa", "main")
APP = ("app", "main")


def later(seconds: float = 0) -> datetime:
    """The moment so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


class TurnedClock:
    """A clock that stands at noon until it is turned."""

    def __init__(self) -> None:
        self.at = NOON

        self.ticked_s = 0.0

    def now(self) -> datetime:
        return self.at

    def ticks(self, _: object) -> int:
        """The clock of leases, which is turned by itself."""
        return int(self.ticked_s * 1_000_000)


def event_id(name: str) -> EventId:
    """The id that stands for `name` in these tests."""
    return EventId(hashlib.sha256(name.encode()).hexdigest())


def event(
    name: str, *, sender: str = "oAnna", at: float = 0, urgent: bool = False, fields: dict[str, Json] | None = None
) -> Event:
    """A customer's message."""
    return Event(
        event_id=event_id(name),
        type="message",
        channel="oa",
        account="main",
        sender=sender,
        occurred_at=later(at),
        fields=fields or {"kind": "text", "text": name},
        urgent=urgent,
    )


def staff_event(name: str, *, kind: str = "advisor.said", sender: str = "zhangmin", task_id: str = "") -> Event:
    """Something an advisor did in the app."""
    return Event(
        event_id=event_id(name),
        type=kind,
        channel="app",
        account="main",
        sender=sender,
        occurred_at=NOON,
        fields={"task_id": task_id, "key": "open"} if task_id else {"text": name},
        urgent=True,
    )


def send(
    name: str,
    *,
    to: str = "oAnna",
    urgent: bool = False,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
) -> SendMessage:
    """A message to a customer."""
    return SendMessage(
        effect_id=EffectId(name),
        conversation_id=ConversationId(f"oa:main:{to}"),
        channel="oa",
        account="main",
        to=to,
        message=Text(text=f"您好 {name}"),
        content="hello",
        send_class="service",
        delivery="at_most_once",
        sequence=0,
        enrolment_id=EnrolmentId("E1"),
        journey="oa-welcome",
        state="greet",
        visit=1,
        not_before=not_before,
        expires_at=expires_at,
        urgent=urgent,
    )


def timer(due: float) -> Timer:
    """A timer due so many seconds after noon."""
    return Timer(owner="E1", visit=1, timer_id="wait", due_at=later(due), set_at=NOON)


async def write(storage: Storage, job: Callable[[Transaction], T]) -> T:
    """Run `job` in the writer."""
    return await storage.write(Priority.STEP, job)


async def ingest(storage: Storage, *events: Event) -> tuple[bool, ...]:
    """Take these events in, in one call."""
    return await storage.write(Priority.INGEST, lambda t: t.lanes.ingest(events, received_at=NOON))


async def claimed(storage: Storage, limit: int = 100) -> list[str]:
    """What would be stepped next: the texts, or else the types, of the events."""
    rows = await storage.read(lambda t: t.claims.claim(limit))
    return [str(row.event.fields.get("text", row.event.type)) for row in rows]


async def customer_of(storage: Storage, sender: str = "oAnna") -> CustomerId:
    """The customer with this openid, who must exist."""
    found = await storage.read(lambda t: t.reading.find_customer(sender))
    assert found is not None
    return found


async def newcomer(storage: Storage, sender: str = "oAnna") -> Customer:
    """A customer who was just heard of, with everything she said consumed."""
    await ingest(storage, event(f"hello of {sender}", sender=sender))
    customer_id = await customer_of(storage, sender)

    def settle(t: Transaction) -> Customer:
        t.lanes.consume([line.seq for line in t.reading.inbox_of(customer_id)])
        return t.customers.load([customer_id])[customer_id]

    return await write(storage, settle)


async def consume_all(storage: Storage, limit: int = 100) -> None:
    """Step everything that is claimed once."""

    def job(t: Transaction) -> None:
        t.lanes.consume([row.seq for row in t.claims.claim(limit)])

    await write(storage, job)


async def carry_out(storage: Storage, customer_id: CustomerId, *effects: Effect, at: datetime = NOON) -> None:
    """Write the effects of one step."""
    plan = Planned(customer_id=customer_id, effects=effects, at=at)
    await write(storage, lambda t: t.effects.carry_out([plan]))


async def lease(
    storage: Storage, *, now: float = 0, limit: int = 10, reserved: int = 0, worker: str = "w1"
) -> tuple[Leased, ...]:
    """Lease for a minute."""
    return await write(
        storage,
        lambda t: t.outbox.lease(
            later(now), worker=worker, hold=timedelta(seconds=60), limits={OA: Room(slots=limit, for_urgent=reserved)}
        ),
    )


async def begin(storage: Storage, *names: str, now: float = 0, worker: str = "w1", epoch: int = 1) -> set[str]:
    """Begin to send."""
    ids = [EffectId(name) for name in names]
    begun = await write(storage, lambda t: t.outbox.begin(ids, worker=worker, started_at=later(now), epoch=epoch))
    return set(begun)


async def settle(storage: Storage, name: str, verdict: Verdict, **more: str) -> bool:
    """Settle one send; whether that changed anything."""
    outcome = Outcome(effect_id=EffectId(name), verdict=verdict, **more)
    return EffectId(name) in await write(storage, lambda t: t.outbox.settle([outcome]))


def names(leased: tuple[Leased, ...]) -> list[str]:
    """The effect ids, in order."""
    return [row.effect.effect_id for row in leased]


def lane_of(customer_id: CustomerId) -> Lane:
    """A customer's lane."""
    return Lane(customer_id)
