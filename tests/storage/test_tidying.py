"""Old rows go, a stretch at a time; what is young, unfinished or referred to stays."""

from datetime import datetime, timedelta

from bot.core.effects import SaveTask
from bot.core.ids import EffectId
from bot.runtime.tidying import Keep, Tidying
from bot.storage import Growing, JournalLine, Storage
from bot.storage.tidying import Stretch
from tests.storage.makers import (
    NOON,
    TurnedClock,
    begin,
    carry_out,
    claimed,
    consume_all,
    customer_of,
    event,
    ingest,
    later,
    lease,
    newcomer,
    send,
    settle,
    write,
)

LONG_AGO = NOON - timedelta(days=1000)


async def sweep(storage: Storage, table: Growing, *, before: datetime, after: int = 0, limit: int = 100) -> Stretch:
    return await write(storage, lambda t: t.tidying.sweep(table, after=after, before=before, limit=limit))


async def test_consumed_events_go_when_they_are_old_enough_and_open_ones_stay(storage: Storage) -> None:
    await ingest(storage, event("old"), event("open", sender="oBert"))
    await write(storage, lambda t: t.lanes.consume([t.claims.claim(1)[0].seq]))
    assert (await sweep(storage, "inbox", before=NOON)).dropped == 0
    assert (await sweep(storage, "inbox", before=later(1))).dropped == 1
    assert await claimed(storage) == ["open"]
    assert await ingest(storage, event("old"), event("open", sender="oBert")) == (True, False)


async def test_a_sweep_looks_at_no_more_rows_than_it_is_told_and_goes_on_where_it_stopped(storage: Storage) -> None:
    await ingest(storage, *(event(f"e{n}", sender=f"o{n}") for n in range(5)))
    await consume_all(storage)
    first = await sweep(storage, "inbox", before=later(1), limit=2)
    assert (first.seen, first.dropped) == (2, 2)
    assert first.after is not None
    second = await sweep(storage, "inbox", before=later(1), after=first.after, limit=3)
    assert second.after is not None
    assert second.dropped == 3
    assert (await sweep(storage, "inbox", before=later(1), after=second.after, limit=3)).after is None


async def sent(storage: Storage, name: str, *, to: str) -> None:
    customer = await newcomer(storage, to)
    await carry_out(storage, customer.customer_id, send(name, to=to))
    await lease(storage)
    await begin(storage, name)
    await settle(storage, name, "sent")


async def test_messages_that_are_done_go_and_those_that_wait_or_fly_stay(storage: Storage) -> None:
    await sent(storage, "done", to="oAnna")
    for name in ("waits", "flies"):
        customer = await newcomer(storage, f"o{name}")
        await carry_out(storage, customer.customer_id, send(name, to=f"o{name}"))
    await lease(storage, limit=1)
    await begin(storage, "waits", "flies")
    assert (await sweep(storage, "outbox", before=later(1))).dropped == 1
    assert await storage.read(lambda t: t.outbox.of(EffectId("done"))) is None
    assert await storage.read(lambda t: t.outbox.states()) == {"ready": 1, "sending": 1}


async def test_the_card_of_a_living_task_stays_because_its_click_is_found_by_it(storage: Storage) -> None:
    for status, dropped in (("open", 0), ("accepted", 0), ("done", 1)):
        if status == "open":
            await sent(storage, "card", to="oAnna")
        task = SaveTask(
            task_id=EffectId("card"),
            kind="handoff",
            status=status,  # type: ignore[arg-type]  # one of the statuses, from a table of this test
            staff_id=None,
            title="t",
            created_at=NOON,
            due_at=None,
            journey="oa-welcome",
            enrolment_id=None,
        )
        await carry_out(storage, await customer_of(storage), task)
        assert (await sweep(storage, "outbox", before=later(1))).dropped == dropped


async def test_the_hourly_tidying_keeps_each_table_as_long_as_it_is_told(storage: Storage, clock: TurnedClock) -> None:
    await ingest(storage, event("e"))
    await consume_all(storage)
    customer_id = await customer_of(storage)
    line = JournalLine(customer_id=customer_id, kind="event", at=NOON, entries=())
    await write(storage, lambda t: t.journal.append([line]))
    await write(storage, lambda t: t.lanes.quarantine(channel="oa", account="main", body=b"x", why="no XML"))
    keep = Keep(events=timedelta(days=7), journal=timedelta(days=20), quarantine=timedelta(days=10))
    tidying = Tidying(storage, clock, keep)

    async def left(days: float) -> tuple[int, int, int]:
        clock.at = NOON + timedelta(days=days)
        await tidying.tidy()
        return await storage.read(
            lambda t: (
                len(t.reading.inbox_of(customer_id)),
                len(t.reading.quarantined()),
                len(t.reading.journal_of(customer_id)),
            )
        )

    assert [await left(days) for days in (6.9, 7.1, 9.9, 10.1, 19.9, 20.1)] == [
        (1, 1, 1),
        (0, 1, 1),
        (0, 1, 1),
        (0, 0, 1),
        (0, 0, 1),
        (0, 0, 0),
    ]


async def test_tidying_happens_once_an_hour(storage: Storage, clock: TurnedClock) -> None:
    tidying = Tidying(storage, clock, Keep())
    await tidying.tidy()
    before = storage.strain().jobs
    clock.at = later(3599)
    await tidying.tidy()
    assert storage.strain().jobs == before
    clock.at = later(3600)
    await tidying.tidy()
    assert storage.strain().jobs > before
