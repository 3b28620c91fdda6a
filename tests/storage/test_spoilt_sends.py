"""One message that does not open stops its own customer only, is lost in no way, and leaves once it opens."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bot.core.effects import SendMessage
from bot.core.ids import ConversationId, CustomerId, EffectId
from bot.core.program import Program
from bot.errors import BotError, TryLater
from bot.runtime import retry, retry_spoilt
from bot.runtime.ports import Accepted
from bot.storage import OutboxLine, Storage
from tests.storage.engine_rig import Platform, follow, running
from tests.storage.makers import TurnedClock, begin, carry_out, customer_of, lease, send, write
from tests.storage.spoiling import QUIET, Damage, heard, mend, release, run, spoil, survey, told
from tests.unit.step.worlds import world

LATE = -5.0


@pytest.fixture(scope="module")
def quiet() -> Program:
    return world(QUIET)


async def two(storage: Storage, clock: TurnedClock, program: Program) -> tuple[CustomerId, CustomerId]:
    """Two followers, whose windows are open and whom no journey keeps busy."""
    async with running(storage, clock, program, sender=Platform()) as engine:
        await engine.lanes.accept([follow(), follow("oBert")])
        await engine.quiesce()
    return await customer_of(storage), await customer_of(storage, "oBert")


async def line_of(storage: Storage, name: str) -> OutboxLine:
    found = await storage.read(lambda tx: tx.outbox.of(EffectId(name)))
    assert found is not None
    return found


async def state_of(storage: Storage, name: str) -> str:
    found = await storage.read(lambda tx: tx.outbox.of(EffectId(name)))
    return found.state if found else "does not open"


async def parked(storage: Storage) -> list[int]:
    return [int(one.lane) for one in (await survey(storage)).lanes]


def to_bert(name: str) -> SendMessage:
    return replace(send(name, to="oBert"), content=name)


def card(name: str, staff_id: str = "zhangmin") -> SendMessage:
    return replace(
        send(name, to=staff_id), send_class="staff", conversation_id=ConversationId(f"oa:main:{staff_id}"), content=name
    )


@pytest.mark.parametrize("damage", ["cut", "key", "form"])
async def test_it_parks_its_customer_and_the_others_messages_leave(
    storage: Storage, clock: TurnedClock, quiet: Program, damage: Damage
) -> None:
    """Before: the job of all sends failed at that row, again and again."""
    anna, bert = await two(storage, clock, quiet)
    await carry_out(storage, anna, send("BAD"), send("BEHIND"))
    sealed = await spoil(storage, "outbox", "BAD", damage=damage)
    await carry_out(storage, bert, to_bert("GOOD"))
    platform = Platform()
    async with running(storage, clock, quiet, sender=platform) as engine:
        await run(engine)
        assert platform.asked == ["GOOD"]
        assert await parked(storage) == [anna]
        assert [one.name for one in (await survey(storage)).spoilt] == ["BAD"]
        assert "打不开" in await told(storage, anna)
        assert engine.accepting()
        await mend(storage, "outbox", "BAD", sealed)
        assert f"zhitu retry lane {anna}" in await told(storage, anna)
        await release(storage, "oAnna")
        await run(engine)
    assert [await state_of(storage, name) for name in ("BAD", "BEHIND")] == ["sent", "sent"]
    assert (await survey(storage)).is_empty


async def test_a_lane_that_goes_on_too_early_stops_again(storage: Storage, clock: TurnedClock, quiet: Program) -> None:
    anna, _ = await two(storage, clock, quiet)
    await carry_out(storage, anna, send("BAD"))
    await spoil(storage, "outbox", "BAD")
    async with running(storage, clock, quiet, sender=Platform()) as engine:
        await run(engine)
        await release(storage, "oAnna")
        assert await parked(storage) == []
        await run(engine)
        assert await parked(storage) == [anna]


async def test_one_that_expires_meanwhile_tells_its_lane_once_it_opens(
    storage: Storage, clock: TurnedClock, quiet: Program
) -> None:
    """Before: it could not expire, and nobody else's could."""
    anna, bert = await two(storage, clock, quiet)
    late = clock.now().replace(hour=1)
    await carry_out(storage, anna, send("BAD", expires_at=late))
    sealed = await spoil(storage, "outbox", "BAD")
    await carry_out(storage, bert, replace(to_bert("LATE"), expires_at=late))
    async with running(storage, clock, quiet, sender=Platform()) as engine:
        await run(engine)
        assert await state_of(storage, "LATE") == "expired"
        assert await parked(storage) == [anna]
        await mend(storage, "outbox", "BAD", sealed)
        await release(storage, "oAnna")
        await run(engine)
    assert await state_of(storage, "BAD") == "expired"
    assert await heard(storage, anna, "send.") == ["send.expired"]


async def test_one_that_was_under_way_lets_the_server_start_and_is_of_unknown_fate_once_it_opens(
    storage: Storage, clock: TurnedClock, quiet: Program
) -> None:
    """Before: the server did not start."""
    anna, bert = await two(storage, clock, quiet)
    await carry_out(storage, anna, send("BAD"))
    await lease(storage)
    await begin(storage, "BAD", epoch=0)
    sealed = await spoil(storage, "outbox", "BAD")
    await carry_out(storage, bert, to_bert("GOOD"))
    platform = Platform()
    async with running(storage, clock, quiet, sender=platform) as engine:
        await run(engine)
        assert platform.asked == ["GOOD"]
        assert await parked(storage) == [anna]
        await mend(storage, "outbox", "BAD", sealed)
        await release(storage, "oAnna")
        await run(engine)
    line = await line_of(storage, "BAD")
    assert (line.state, line.reason, line.attempts) == ("unknown", "lease over", 1)
    assert await heard(storage, anna, "send.") == ["send.unknown"]
    assert platform.asked == ["GOOD"]


async def test_a_card_to_our_own_people_rests_alone_and_leaves_when_an_operator_says_so(
    storage: Storage, clock: TurnedClock, quiet: Program
) -> None:
    """It stands in nobody's order: her other cards and her customer's messages go on."""
    anna, _ = await two(storage, clock, quiet)
    await carry_out(storage, anna, card("CARD"), card("NEXT"), replace(send("OWN"), content="OWN"))
    sealed = await spoil(storage, "outbox", "CARD")
    platform = Platform()
    async with running(storage, clock, quiet, sender=platform) as engine:
        await run(engine)
        assert sorted(platform.asked) == ["NEXT", "OWN"]
        assert await parked(storage) == []
        (row,) = (await survey(storage)).spoilt
        assert (row.name, row.state, row.is_staff) == ("CARD", "withheld", True)
        assert "打不开" in await told(storage, anna)
        with pytest.raises(BotError, match="打不开"):
            await storage.read(lambda tx: retry.find_send(tx, "CARD"))
        await mend(storage, "outbox", "CARD", sealed)
        assert "zhitu retry send CARD" in await told(storage, anna)
        await write(storage, lambda tx: retry.send_again(tx, retry.find_send(tx, "CARD")))
        await run(engine)
    assert await state_of(storage, "CARD") == "sent"


async def test_more_of_them_than_an_account_has_places_keep_nobody_back(
    storage: Storage, clock: TurnedClock, quiet: Program
) -> None:
    anna, bert = await two(storage, clock, quiet)
    for number in range(Platform.in_flight_max + 2):
        await carry_out(storage, anna, card(f"C{number}", staff_id=f"member{number}"))
        await spoil(storage, "outbox", f"C{number}")
    await carry_out(storage, bert, to_bert("GOOD"))
    platform = Platform()
    async with running(storage, clock, quiet, sender=platform) as engine:
        await run(engine)
    assert platform.asked == ["GOOD"]


async def test_one_that_never_opens_again_can_be_left_and_her_lane_goes_on(
    storage: Storage, clock: TurnedClock, quiet: Program
) -> None:
    anna, _ = await two(storage, clock, quiet)
    await carry_out(storage, anna, send("BAD"), replace(send("BEHIND"), content="BEHIND"))
    await spoil(storage, "outbox", "BAD")
    platform = Platform()
    async with running(storage, clock, quiet, sender=platform) as engine:
        await run(engine)
        row = await write(storage, lambda tx: retry_spoilt.leave(tx, "bad"))
        assert row is not None and row.name == "BAD"
        with pytest.raises(BotError, match="没有在等人决定"):
            await write(storage, lambda tx: retry_spoilt.leave(tx, "BAD"))
        await release(storage, "oAnna")
        await run(engine)
    assert platform.asked == ["BEHIND"]
    assert (await survey(storage)).is_empty
    assert "运营决定不再发" in await told(storage, anna)


@pytest.mark.parametrize("expires_at", [None, LATE])
async def test_a_customer_who_does_not_open_keeps_her_messages_and_nobody_elses(
    storage: Storage, clock: TurnedClock, quiet: Program, expires_at: float | None
) -> None:
    """Before: her message was tried every five seconds; when it expired, all sends stopped."""
    anna, bert = await two(storage, clock, quiet)
    late = None if expires_at is None else clock.now().replace(hour=1)
    await carry_out(storage, anna, send("HERS", expires_at=late))
    sealed = await spoil(storage, "customers", anna)
    await carry_out(storage, bert, to_bert("GOOD"))
    platform = Platform()
    async with running(storage, clock, quiet, sender=platform) as engine:
        await run(engine)
        assert platform.asked == ["GOOD"]
        assert await parked(storage) == [anna]
        assert "这位客户自己的记录 打不开" in await told(storage, anna)
        await mend(storage, "customers", anna, sealed)
        await release(storage, "oAnna")
        await run(engine)
    assert await state_of(storage, "HERS") == ("sent" if expires_at is None else "expired")


async def test_a_verdict_that_meets_a_row_that_does_not_open_is_not_tried_again_and_again(
    storage: Storage, clock: TurnedClock, quiet: Program
) -> None:
    """No rest mends it: the end of its lease settles the message, as one whose fate nobody knows."""
    anna, _ = await two(storage, clock, quiet)
    await carry_out(storage, anna, send("HERS"))

    class Busy(Platform):
        async def send(self, effect: SendMessage) -> Accepted:
            await spoil(storage, "customers", anna)
            raise TryLater("busy", after_s=5.0)

    with capture_logs() as logged:
        async with running(storage, clock, quiet, sender=Busy()) as engine:
            await run(engine)
    assert [one["event"] for one in logged].count("verdict_not_written") == 1
    assert await state_of(storage, "HERS") == "sending"
