"""Errands for the tests of storage."""

from datetime import datetime, timedelta

from bot.core.effects import RunErrand
from bot.core.errands import BookPlace, CallWebhook, Errand
from bot.core.ids import EffectId, EnrolmentId
from bot.storage import ErrandLine, Storage, Transaction, Wanted
from tests.storage.makers import later, write

SLOT = later(3600)


def webhook(name: str, *, target: str = "crm", expires: float = 600, errand: Errand | None = None) -> RunErrand:
    """An errand; without one given, a webhook that is asked for ten minutes."""
    return RunErrand(
        effect_id=EffectId(name),
        errand=errand or CallWebhook(target=target, operation="create_lead", body={"phone": "13800138000"}),
        expires_at=later(expires),
        enrolment_id=EnrolmentId("E1"),
        journey="asking",
        state="ask",
        visit=1,
        waited=True,
        reply=True,
    )


def place(name: str, *, at: datetime = SLOT, booking_id: str = "", hold_s: int = 600) -> RunErrand:
    """An errand for a place."""
    wanted = BookPlace(resource="试驾车", dealer="one", what="ES6", start_at=at, hold_s=hold_s, booking_id=booking_id)
    return webhook(name, errand=wanted)


async def lease(storage: Storage, *, now: float = 0, room: int = 10, worker: str = "w1") -> list[str]:
    """Lease what targets `crm` and `erp` may be asked now; the effect ids."""
    held = timedelta(seconds=60)

    def job(t: Transaction) -> tuple[ErrandLine, ...]:
        return t.errands.lease(later(now), worker=worker, hold=held, room={"crm": room, "erp": room})

    return [line.effect.effect_id for line in await write(storage, job)]


async def begin(storage: Storage, name: str, *, now: float = 0, worker: str = "w1") -> bool:
    return await write(
        storage, lambda t: t.errands.begin(EffectId(name), worker=worker, started_at=later(now), epoch=1)
    )


async def states(storage: Storage) -> dict[str, int]:
    return await storage.read(lambda t: t.errands.states())


def wanted(name: str, customer: int, *, booking_id: str = "", until: float = 600, at: datetime = SLOT) -> Wanted:
    """A place that a customer wants."""
    return Wanted(
        effect_id=EffectId(name),
        customer_id=customer,  # type: ignore[arg-type] # a plain number reads better in a table
        resource="试驾车",
        dealer="one",
        start_at=at,
        hold_until=later(until),
        booking_id=booking_id,
    )
