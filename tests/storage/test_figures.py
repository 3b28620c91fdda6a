"""What waits, counted: for metrics, health and the operator. Never a whole table."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import TextClause

from bot.core.ids import EffectId
from bot.storage import Depth, Figures, KeyRing, Lane, Storage, deciding, figures
from bot.storage.gaps import Missed
from tests.storage.makers import (
    NOON,
    OA,
    begin,
    carry_out,
    event,
    ingest,
    later,
    lease,
    newcomer,
    send,
    settle,
    staff_event,
    write,
)

ROWS = 200_000


async def figures_of(storage: Storage, *, now: float = 0) -> Figures:
    return await storage.read(lambda tx: tx.counting.figures(later(now)))


async def test_an_empty_database_has_nothing_that_waits(storage: Storage) -> None:
    found = await figures_of(storage)
    assert (found.ready, found.leased, found.sending, found.unknown, found.parked, found.quarantined) == (0,) * 6
    assert set(found.inbox.values()) == {Depth()}
    assert (dict(found.oldest_ready), found.gaps) == ({}, ())


async def test_events_that_wait_are_told_apart_by_their_lane(storage: Storage) -> None:
    anna = (await newcomer(storage)).customer_id
    await newcomer(storage, "oBert")
    await ingest(storage, event("one"), event("two", urgent=True), event("three", sender="oBert"), staff_event("word"))
    await write(storage, lambda tx: tx.lanes.park(anna, seq=None, reason="KeyError"))
    found = await figures_of(storage)
    assert found.inbox == {
        "customer": Depth(waiting=1, oldest=NOON),
        "account": Depth(waiting=1, oldest=NOON),
        "parked": Depth(waiting=2, oldest=NOON),
    }
    assert found.parked == 1


async def test_messages_are_counted_by_state_and_the_oldest_that_could_leave_has_its_age(storage: Storage) -> None:
    anna = (await newcomer(storage)).customer_id
    await carry_out(storage, anna, *(send(name, to=name) for name in "ABCD"), at=NOON)
    await carry_out(storage, anna, send("E", to="E", not_before=later(3600)), at=NOON)
    await lease(storage, limit=3)
    await begin(storage, "A", "B")
    await settle(storage, "A", "unknown")
    found = await figures_of(storage, now=60)
    assert (found.ready, found.leased, found.sending, found.unknown) == (2, 1, 1, 1)
    assert found.oldest_ready[OA] == NOON


async def test_a_message_that_was_left_as_it_is_is_not_counted_any_more(storage: Storage) -> None:
    anna = (await newcomer(storage)).customer_id
    await carry_out(storage, anna, send("A"))
    await lease(storage)
    await begin(storage, "A")
    await settle(storage, "A", "unknown")
    assert (await figures_of(storage)).unknown == 1
    assert await write(storage, lambda tx: tx.deciding.leave(EffectId("A")))
    assert (await figures_of(storage)).unknown == 0
    assert not await write(storage, lambda tx: tx.deciding.leave(EffectId("A")))


async def test_gaps_that_are_not_mended_are_told_with_their_span(storage: Storage) -> None:
    missed = Missed(channel="oa", account="main", since=NOON, until=later(60), reason="storage", turned_away=3)
    await write(storage, lambda tx: tx.gaps.note(missed))
    (gap,) = (await figures_of(storage)).gaps
    assert (gap.channel, gap.account, gap.count, gap.since, gap.until) == ("oa", "main", 1, NOON, later(60))


async def test_the_lane_of_an_account_is_found_by_its_name_and_told_by_it(storage: Storage) -> None:
    await ingest(storage, staff_event("word"))
    lane = await storage.read(lambda tx: tx.deciding.account_lane("app", "main"))
    assert lane is not None
    assert lane < 0
    assert await storage.read(lambda tx: tx.deciding.account_name(lane)) == "app:main"
    assert await storage.read(lambda tx: tx.deciding.held(lane)) == 1
    assert await storage.read(lambda tx: tx.deciding.account_lane("oa", "nowhere")) is None
    assert await storage.read(lambda tx: tx.deciding.account_name(Lane(7))) == ""


def statements() -> dict[str, TextClause]:
    found = {name: value for name, value in vars(figures).items() if isinstance(value, TextClause)}
    found |= {f"_INBOX {urgent}": figures._INBOX[urgent] for urgent in (0, 1)}
    found |= {"_undecided": deciding._undecided, "_trouble": deciding._trouble, "_held": deciding._held}
    return found


@pytest.fixture(scope="module")
def crowded(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with many messages, nearly all done, and a campaign that waits."""
    path = tmp_path_factory.mktemp("crowded") / "zhitu.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("INSERT INTO accounts (lane, channel, account) VALUES (-1, 'oa', 'main')")
    connection.execute(
        """
        INSERT INTO outbox (effect_id, customer_id, conversation_id, channel, account, state, send_class, urgent,
            planned_at, not_before, content, journey, journey_state, visit, sealed)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
        SELECT 'E' || i, i, 'oa:main:' || i, 'oa', 'main', CASE WHEN i % 10 = 0 THEN 'ready' ELSE 'sent' END,
            'marketing', 0, i, i, 'hello', 'j', 's', 1, x'00' FROM n
        """,
        (ROWS,),
    )
    connection.commit()
    connection.close()
    return path


def cost(path: Path, statement: TextClause) -> int:
    """Thousands of steps of SQLite's machine that the statement takes."""
    connection = sqlite3.connect(path)
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    connection.set_progress_handler(step, 1_000)
    names = ("now", "max", "limit", "channel", "account", "urgent", "since", "lane")
    values: dict[str, object] = dict.fromkeys(names, 1) | {"channel": "oa", "account": "main", "max": figures.COUNT_MAX}
    values |= {"now": ROWS}
    connection.execute(statement.text, values).fetchall()
    connection.close()
    return count


def test_no_figure_costs_more_than_its_maximum_among_many_messages(crowded: Path) -> None:
    costs = {name: cost(crowded, statement) for name, statement in statements().items()}
    assert len(costs) >= 7
    # Some forty steps for each row that may be counted, where reading the table would take several times as many.
    assert {name: steps for name, steps in costs.items() if steps > 40 * figures.COUNT_MAX // 1_000} == {}


async def test_figures_stop_at_their_maximum(crowded: Path, keys: KeyRing) -> None:
    storage = await Storage.open(f"sqlite:///{crowded}", keys=keys, clock_now=lambda: NOON)
    found = await storage.read(lambda tx: tx.counting.figures(NOON + timedelta(days=1)))
    await storage.close()
    assert found.ready == figures.COUNT_MAX
