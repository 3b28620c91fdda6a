"""One errand that cannot be carried out, by a bug or because its row does not open, stops only its own customer."""

import pytest

from bot.core.effects import RunErrand
from bot.core.errands import FAILED, BookPoints, CallWebhook
from bot.core.ids import CustomerId, EffectId
from bot.core.program import Program
from bot.errors import BotError
from bot.runtime import retry, retry_errands, retry_spoilt, why
from bot.runtime.engine import Engine
from bot.runtime.ports import Answered
from bot.storage import Storage
from tests.storage.engine_rig import follow
from tests.storage.errand_makers import webhook
from tests.storage.makers import TurnedClock, carry_out, customer_of, write
from tests.storage.spoiling import QUIET, heard, mend, release, run, spoil, survey, told
from tests.storage.test_errands_loop import Partner, at_work
from tests.unit.step.worlds import world

POINTS = BookPoints(add=5, reason="签到", balance=5)
MISPLACED = CallWebhook(target="", operation="create_lead")
"""A webhook in the hands of our own ledgers: no path of ours leads there, so it is a bug wherever it turns up."""


def quiet() -> Program:
    return world(QUIET)


async def two(storage: Storage, engine: Engine) -> tuple[CustomerId, CustomerId]:
    """Two customers whom no journey keeps busy."""
    await engine.lanes.accept([follow("oAnna"), follow("oBert")])
    await engine.quiesce()
    return await customer_of(storage, "oAnna"), await customer_of(storage, "oBert")


def points(name: str) -> RunErrand:
    return webhook(name, errand=POINTS)


async def state_of(storage: Storage, name: str) -> str:
    line = await storage.read(lambda t: t.errands.of(EffectId(name)))
    return line.state if line else "unreadable"


async def test_a_bug_in_one_errand_parks_its_customer_and_the_others_go_on(
    storage: Storage, clock: TurnedClock
) -> None:
    """Before: the transaction of all errands failed with it, again and again, and nobody's were ever done."""
    async with at_work(storage, clock, quiet(), Partner(Answered(status=200))) as engine:
        anna, bert = await two(storage, engine)
        await carry_out(storage, anna, webhook("BAD", errand=MISPLACED))
        await carry_out(storage, bert, points("GOOD"))
        await run(engine)
        assert (await state_of(storage, "GOOD"), await state_of(storage, "BAD")) == ("done", "ready")
        (still,) = (await storage.read(retry.survey)).lanes
        told = await storage.read(lambda t: why.as_text(why.tell(t, anna)))
        await carry_out(storage, bert, points("NEXT"))
        await run(engine)
        assert await state_of(storage, "NEXT") == "done"
    assert int(still.lane) == int(anna) and "a webhook is no ledger of ours" in still.reason
    assert "a webhook is no ledger of ours" in told


async def test_the_errands_behind_one_that_met_a_bug_wait_with_their_customer(
    storage: Storage, clock: TurnedClock
) -> None:
    """Before: her lane was parked over the first, and the second was done all the same."""
    async with at_work(storage, clock, quiet(), Partner(Answered(status=200))) as engine:
        anna, bert = await two(storage, engine)
        await carry_out(storage, anna, webhook("BAD", errand=MISPLACED), points("BEHIND"))
        await carry_out(storage, bert, points("GOOD"))
        await run(engine)
        states = [await state_of(storage, name) for name in ("GOOD", "BAD", "BEHIND")]
    assert states == ["done", "ready", "ready"]


async def test_an_errand_that_does_not_open_parks_its_customer_and_the_others_go_on(
    storage: Storage, clock: TurnedClock
) -> None:
    """Before: the loop failed at that row for ever, and so did `zhitu why` for this customer."""
    async with at_work(storage, clock, quiet(), Partner(Answered(status=200))) as engine:
        anna, bert = await two(storage, engine)
        for name, errand in {"S1": points("S1"), "S2": webhook("S2")}.items():
            await carry_out(storage, anna, errand)
            await spoil(storage, "errands", name)
        await carry_out(storage, bert, points("GOOD"), webhook("HOOK"))
        await run(engine)
        assert (await state_of(storage, "GOOD"), await state_of(storage, "HOOK")) == ("done", "done")
        (still,) = (await storage.read(retry.survey)).lanes
        told = await storage.read(lambda t: why.as_text(why.tell(t, anna)))
    assert int(still.lane) == int(anna) and "damaged" in still.reason
    assert "数据不完整" in told.replace("\n", "")


async def test_one_that_expires_unread_tells_its_lane_once_it_opens(storage: Storage, clock: TurnedClock) -> None:
    """Before: it failed in silence, and her journey waited for ever."""
    async with at_work(storage, clock, quiet(), Partner(Answered(status=200))) as engine:
        anna, bert = await two(storage, engine)
        await carry_out(storage, anna, webhook("BAD", expires=-1))
        sealed = await spoil(storage, "errands", "BAD")
        await carry_out(storage, bert, webhook("LATE", expires=-1))
        await run(engine)
        assert await state_of(storage, "LATE") == "failed"
        found = await survey(storage)
        assert [int(still.lane) for still in found.lanes] == [int(anna)]
        assert [row.name for row in found.spoilt] == ["BAD"]
        await mend(storage, "errands", "BAD", sealed)
        assert f"zhitu retry lane {anna}" in await told(storage, anna)
        await release(storage, "oAnna")
        await run(engine)
        assert await state_of(storage, "BAD") == "failed"
    assert await heard(storage, anna, FAILED) == [FAILED]


async def test_one_that_opens_again_is_done(storage: Storage, clock: TurnedClock) -> None:
    async with at_work(storage, clock, quiet(), Partner(Answered(status=200))) as engine:
        anna, _ = await two(storage, engine)
        await carry_out(storage, anna, webhook("HOOK"), points("OURS"))
        kept = [(name, await spoil(storage, "errands", name)) for name in ("HOOK", "OURS")]
        await run(engine)
        for name, sealed in kept:
            await mend(storage, "errands", name, sealed)
        await release(storage, "oAnna")
        await run(engine)
        assert [await state_of(storage, name) for name, _ in kept] == ["done", "done"]


async def test_one_that_never_opens_again_can_be_left(storage: Storage, clock: TurnedClock) -> None:
    async with at_work(storage, clock, quiet(), Partner(Answered(status=200))) as engine:
        anna, _ = await two(storage, engine)
        await carry_out(storage, anna, webhook("BAD"))
        await spoil(storage, "errands", "BAD")
        await run(engine)
        with pytest.raises(BotError, match="打不开"):
            await storage.read(lambda tx: retry_errands.find(tx, "BAD"))
        left = await write(storage, lambda tx: retry_spoilt.leave(tx, "BAD"))
        assert left is not None and left.table == "errands"
        await release(storage, "oAnna")
        await run(engine)
    assert (await survey(storage)).is_empty
