"""A way out that is open when a message is about to leave: nothing leaves, and the customer's lane hears of it."""

from dataclasses import replace
from pathlib import Path

from bot.core.entries import Exit
from bot.core.program import Program, compile_library
from bot.storage import Storage
from tests.storage.makers import TurnedClock
from tests.storage.why_stage import brand, staged


def with_exit(program: Program) -> Program:
    """The brand, with an exit that is open from the first message on."""
    library = program.library
    journey = library.journeys["oa-why"]
    way_out = Exit(goto="gone", when=journey.states["nudge"].when)
    journeys = {**library.journeys, "oa-why": replace(journey, exits=(way_out,))}
    return compile_library(replace(library, journeys=journeys))


async def test_an_open_exit_suppresses_the_message_and_is_taken_by_the_next_step(
    storage: Storage, clock: TurnedClock, tmp_path: Path
) -> None:
    async with staged(storage, clock, with_exit(brand(tmp_path))) as stage:
        await stage.act("oa.follow", scene=None)
        customer_id = await stage.customer()
        customer = await storage.read(lambda tx: tx.customers.load([customer_id])[customer_id])
        lines = await storage.read(lambda tx: tx.reading.outbox_of(customer_id))
        events = await storage.read(lambda tx: tx.reading.inbox_of(customer_id))
    assert stage.oa.asked == []
    assert {(line.state, line.reason) for line in lines} == {("suppressed", "exit")}
    assert [line.event.type for line in events].count("exit.check") == 1
    assert customer.enrolments == {} and customer.past["oa-why|"].end == "abandoned"
