"""One errand that cannot be carried out, by a bug or because its row does not open, stops only its own customer."""

from bot.core.effects import RunErrand
from bot.core.errands import BookPoints, CallWebhook
from bot.core.ids import CustomerId, EffectId
from bot.core.program import Program
from bot.runtime import retry, why
from bot.runtime.engine import Engine
from bot.runtime.ports import Answered
from bot.storage import Storage, Transaction
from tests.storage.engine_rig import follow
from tests.storage.errand_makers import webhook
from tests.storage.makers import TurnedClock, carry_out, customer_of, write
from tests.storage.test_errands_loop import Partner, at_work
from tests.unit.step.worlds import world

QUIET: str = "dsl: 1\njourney: quiet\nname: 静\nchannel: oa\nstates:\n  a:\n    end: done\n"
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


async def spoil(storage: Storage, name: str) -> None:
    def overwrite(tx: Transaction) -> None:
        tx._connection.exec_driver_sql(
            f"UPDATE errands SET sealed = (SELECT MIN(sealed) FROM inbox) WHERE effect_id = '{name}'"
        )

    await write(storage, overwrite)


def points(name: str) -> RunErrand:
    return webhook(name, errand=POINTS)


async def state_of(storage: Storage, name: str) -> str:
    line = await storage.read(lambda t: t.errands.of(EffectId(name)))
    return line.state if line else "unreadable"


async def run(engine: Engine) -> None:
    engine.wake()
    await engine.quiesce()


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
            await spoil(storage, name)
        await carry_out(storage, bert, points("GOOD"), webhook("HOOK"))
        await run(engine)
        assert (await state_of(storage, "GOOD"), await state_of(storage, "HOOK")) == ("done", "done")
        (still,) = (await storage.read(retry.survey)).lanes
        told = await storage.read(lambda t: why.as_text(why.tell(t, anna)))
    assert int(still.lane) == int(anna) and "sealed" in still.reason
    assert "sealed" in told


async def test_one_that_does_not_open_expires_without_stopping_the_others(storage: Storage, clock: TurnedClock) -> None:
    async with at_work(storage, clock, quiet(), Partner(Answered(status=200))) as engine:
        anna, bert = await two(storage, engine)
        await carry_out(storage, anna, webhook("BAD", expires=-1))
        await spoil(storage, "BAD")
        await carry_out(storage, bert, webhook("LATE", expires=-1))
        await run(engine)
        assert await state_of(storage, "LATE") == "failed"
        states = await storage.read(lambda t: t.errands.states())
        assert states == {"failed": 2}
        (still,) = (await storage.read(retry.survey)).lanes
    assert int(still.lane) == int(anna)
