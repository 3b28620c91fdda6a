"""What the outside of the product shows after each act: messages that left, state, decisions. Reads only."""

from dataclasses import dataclass

from bot.core.customer import Customer
from bot.core.effects import Trace
from bot.core.ids import CustomerId
from bot.sandbox.world import World
from bot.storage import JournalLine, OutboxLine, Transaction

LINES_MAX = 1000
"""Rows read of one customer; a conversation in the sandbox is shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One customer as the database has her, oldest rows first. `parked`: why her lane stands still."""

    customer: Customer
    journal: tuple[JournalLine, ...]
    outbox: tuple[OutboxLine, ...]
    parked: str = ""


async def look(world: World, openid: str) -> Sight | None:
    """Everything about the buyer with this openid; None: the product has not heard of her."""

    def read(tx: Transaction) -> Sight | None:
        customer_id = tx.reading.find_customer(openid)
        return _sight(tx, customer_id) if customer_id is not None else None

    return await world.product.storage.read(read)


def _sight(tx: Transaction, customer_id: CustomerId) -> Sight:
    customer = tx.customers.load([customer_id])[customer_id]
    journal = sorted(tx.reading.journal_of(customer_id, limit=LINES_MAX), key=lambda line: line.seq)
    outbox = sorted(tx.reading.outbox_of(customer_id, limit=LINES_MAX), key=lambda line: line.seq)
    parked = tx.reading.parked_of(customer_id)
    return Sight(
        customer=customer,
        journal=tuple(journal),
        outbox=tuple(outbox),
        parked=parked.reason if parked else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a run of a journey stands, or how it ended (`end`, empty while it lives)."""

    journey: str
    state: str
    end: str


def standing(sight: Sight) -> Standing | None:
    """The journey that moved last: the run with the floor's latest move, or the one that ended last."""
    latest: Standing | None = None
    children = _called(sight)
    for line in sight.journal:
        for trace in line.entries:
            if trace.enrolment_id in children:
                continue
            latest = _after(trace) or latest
    return latest


def _called(sight: Sight) -> set[str | None]:
    """Runs that another journey or the engine called: their caller is what a person means by `the journey`."""
    return {
        trace.enrolment_id
        for line in sight.journal
        for trace in line.entries
        if trace.kind == "entered" and str(trace.detail.get("cause", "")).startswith(("call:", "repair:"))
    }


def _after(trace: Trace) -> Standing | None:
    match trace.kind:
        case "moved":
            return Standing(journey=trace.journey, state=str(trace.detail["to"]), end="")
        case "ended":
            return Standing(journey=trace.journey, state=trace.state, end=str(trace.detail["end"]))
        case _:
            return None
