"""One event that does not open, or a customer who does not, stops her own lane only, and it goes on once it opens."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from sqlalchemy import Connection, Executable

from bot.core.events import Event
from bot.core.ids import CustomerId
from bot.core.messages import Text
from bot.core.program import Program
from bot.errors import BotError
from bot.runtime import retry
from bot.runtime.desk import UNTITLED
from bot.runtime.parking import NOTHING, set_aside
from bot.runtime.stepping import EVENTS_MAX
from bot.storage import Room, Storage, Transaction
from tests.storage.engine_rig import Platform, follow, running
from tests.storage.errand_makers import webhook
from tests.storage.makers import (
    OA,
    TurnedClock,
    carry_out,
    claimed,
    customer_of,
    event,
    event_id,
    ingest,
    later,
    newcomer,
    send,
    staff_event,
    timer,
    write,
)
from tests.storage.spoiling import QUIET, Damage, mend, release, run, spoil, survey, told
from tests.storage.test_effects import TASK
from tests.unit.step.worlds import world


@pytest.fixture(scope="module")
def quiet() -> Program:
    return world(QUIET)


async def waiting(storage: Storage, customer_id: CustomerId) -> int:
    return await storage.read(lambda tx: sum(line.consumed_at is None for line in tx.reading.inbox_of(customer_id)))


async def arrived(storage: Storage, *events: Event) -> None:
    """As `ingest`, each behind the one before."""
    for one in events:
        await ingest(storage, one)


@pytest.mark.parametrize("damage", ["cut", "key", "form"])
async def test_it_parks_its_lane_at_that_event_and_the_others_go_on(
    storage: Storage, clock: TurnedClock, quiet: Program, damage: Damage
) -> None:
    """Before: every claim failed at that row, and nobody was stepped any more."""
    await arrived(storage, event("first"), event("BAD"), event("behind"), event("hers", sender="oBert"))
    anna, bert = await customer_of(storage), await customer_of(storage, "oBert")
    sealed = await spoil(storage, "inbox", event_id("BAD"), damage=damage)
    async with running(storage, clock, quiet, sender=Platform()) as engine:
        await run(engine)
        assert engine.accepting()
        assert await waiting(storage, bert) == 0
        (still,) = (await survey(storage)).lanes
        assert (int(still.lane), still.held) == (anna, 2)
        words = await told(storage, anna)
        assert "收到的一件事情（message） 打不开" in words and "有一行打不开" in words
        await mend(storage, "inbox", event_id("BAD"), sealed)
        await release(storage, "oAnna")
        await run(engine)
    assert await waiting(storage, anna) == 0
    journal = await storage.read(lambda tx: tx.reading.journal_of(anna))
    assert [line.event_id for line in journal if line.kind == "event"] == [
        event_id(name) for name in ("first", "BAD", "behind")
    ]


async def test_what_stands_behind_it_is_not_claimed_before_it(storage: Storage) -> None:
    await arrived(storage, event("first"), event("BAD", urgent=True), event("behind", urgent=True))
    await spoil(storage, "inbox", event_id("BAD"))
    assert await claimed(storage) == ["first"]


async def test_a_lane_with_more_behind_it_than_a_batch_takes_keeps_nobody_back(
    storage: Storage, clock: TurnedClock, quiet: Program
) -> None:
    await ingest(storage, event("BAD"))
    await ingest(storage, *(event(f"{number}", at=1 + number) for number in range(EVENTS_MAX)))
    await ingest(storage, event("hers", sender="oBert"))
    await spoil(storage, "inbox", event_id("BAD"))
    async with running(storage, clock, quiet, sender=Platform()) as engine:
        await run(engine)
    assert await waiting(storage, await customer_of(storage, "oBert")) == 0


async def test_a_timer_that_was_due_after_it_waits_with_its_lane(
    storage: Storage, clock: TurnedClock, quiet: Program
) -> None:
    anna = (await newcomer(storage)).customer_id

    def wait(tx: Transaction) -> None:
        before = tx.customers.load([anna])[anna]
        tx.customers.save([(before, replace(before, timers=(timer(60),)))])

    await write(storage, wait)
    await arrived(storage, event("first", at=10), event("BAD", at=20))
    await spoil(storage, "inbox", event_id("BAD"))
    clock.at = later(3600)
    async with running(storage, clock, quiet, sender=Platform()) as engine:
        clock.at += timedelta(minutes=1)
        await run(engine)
    kinds = [line.kind for line in await storage.read(lambda tx: tx.reading.journal_of(anna))]
    assert kinds == ["event"]


async def test_a_customer_who_does_not_open_parks_her_lane_only(
    storage: Storage, clock: TurnedClock, quiet: Program
) -> None:
    async with running(storage, clock, quiet, sender=Platform()) as engine:
        await engine.lanes.accept([follow(), follow("oBert")])
        await engine.quiesce()
        anna, bert = await customer_of(storage), await customer_of(storage, "oBert")
        sealed = await spoil(storage, "customers", anna)
        await engine.lanes.accept([event("hers"), event("his", sender="oBert")])
        await run(engine)
        assert [await waiting(storage, one) for one in (anna, bert)] == [1, 0]
        assert [int(one.lane) for one in (await survey(storage)).lanes] == [anna]
        assert "这位客户自己的记录 打不开" in await told(storage, anna)
        await mend(storage, "customers", anna, sealed)
        await release(storage, "oAnna")
        await run(engine)
    assert await waiting(storage, anna) == 0


async def test_an_event_of_an_account_goes_into_quarantine_and_comes_back_from_there(
    storage: Storage, clock: TurnedClock, quiet: Program
) -> None:
    """The lane of an account is everybody's: it is not parked for one colleague's word."""
    await arrived(storage, staff_event("BAD"), staff_event("other", sender="lilei"))
    sealed = await spoil(storage, "inbox", event_id("BAD"), damage="key")
    async with running(storage, clock, quiet, sender=Platform("app")) as engine:
        await run(engine)
        found = await survey(storage)
        assert (found.lanes, [row.form for row in found.quarantine]) == ((), ["sealed"])
        (row,) = found.quarantine
        assert "key version 9" in row.why
        assert "密钥版本 9" in await write(storage, lambda tx: retry.admit(tx, row, {}))

    def restore(tx: Transaction) -> None:
        # The key is there again: the row in quarantine opens to what it was.
        body = row.body.replace(b64encode(bytes((9,)) + sealed[1:]), b64encode(sealed))
        tx.lanes.take_from_quarantine(row.quarantine_id)
        tx.lanes.quarantine(channel="app", account="main", body=body, why=row.why, form="sealed")

    await write(storage, restore)
    (row,) = (await survey(storage)).quarantine
    assert await write(storage, lambda tx: retry.admit(tx, row, {})) == ""
    (back,) = await storage.read(lambda tx: tx.claims.claim(10))
    assert back.event == staff_event("BAD")
    assert (await survey(storage)).is_empty


async def test_a_body_in_quarantine_that_does_not_open_is_listed_as_such(storage: Storage) -> None:
    """Before: `zhitu retry` and `zhitu why` failed as a whole."""
    anna = (await newcomer(storage)).customer_id
    await write(storage, lambda tx: tx.lanes.quarantine(channel="oa", account="main", body=b"<xml>", why="no XML"))
    (row,) = (await survey(storage)).quarantine
    await spoil(storage, "quarantine", row.quarantine_id)
    found = await survey(storage)
    assert (found.quarantine, [one.name for one in found.spoilt]) == ((), [row.quarantine_id])
    with pytest.raises(BotError, match="打不开"):
        await storage.read(lambda tx: retry.find_quarantined(tx, row.quarantine_id[:12]))
    assert "打不开" not in await told(storage, anna)


async def test_a_title_that_does_not_open_keeps_no_advisors_words_back(
    storage: Storage, clock: TurnedClock, quiet: Program
) -> None:
    """Before: the lane of the application stood still for all colleagues."""
    anna = (await newcomer(storage)).customer_id
    await carry_out(storage, anna, TASK)
    await spoil(storage, "tasks", TASK.task_id)
    await ingest(storage, staff_event("hello", sender=str(TASK.staff_id)))
    async with running(storage, clock, quiet, sender=Platform("app")) as engine:
        await run(engine)
    assert await claimed(storage) == []
    assert (await survey(storage)).is_empty
    lane = await storage.read(lambda tx: tx.deciding.account_lane("app", "main"))
    assert lane is not None
    (answer,) = await storage.read(lambda tx: tx.reading.outbox_of(CustomerId(lane)))
    assert isinstance(answer.effect.message, Text) and UNTITLED in answer.effect.message.text
    assert "一项任务 打不开" in await told(storage, anna)


class Counted:
    """A connection whose statements are counted."""

    def __init__(self, inner: Connection) -> None:
        self._inner = inner
        self.dialect = inner.dialect
        self.statements = 0

    def execute(self, statement: Executable, values: Mapping[str, object]) -> object:
        self.statements += 1
        return self._inner.execute(statement, values)


@pytest.mark.parametrize("count", [1, 20])
async def test_nothing_more_is_asked_while_everything_opens(storage: Storage, count: int) -> None:
    await ingest(storage, *(event(f"{number}", sender=f"o{number}", at=number) for number in range(count)))
    await carry_out(storage, CustomerId(1), *(webhook(f"W{number}") for number in range(count)))
    for number in range(count):
        await carry_out(storage, CustomerId(1 + number), send(f"S{number}", to=f"o{number}"))

    def asked(tx: Transaction) -> tuple[int, list[int]]:
        counted = Counted(tx._connection)
        connection = cast(Connection, counted)  # storage asks it for no more than this
        claims, outbox = replace(tx.claims, connection=connection), replace(tx.outbox, connection=connection)
        errands = replace(tx.errands, connection=connection)
        found = [
            len(claims.claim(50)),
            len(outbox.lease(later(1), worker="w", hold=timedelta(seconds=60), limits={OA: Room(slots=50)})),
            len(errands.free("crm", now=later(1), limit=50)),
        ]
        assert set_aside(tx) is NOTHING
        return counted.statements, found

    statements, found = await write(storage, asked)
    assert found == [count, count, count]
    assert statements == 6, "two claims, two looks for messages, their lease, one look for errands"
