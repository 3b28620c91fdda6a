"""Taking events in: once each, in the right lane, in order."""

import sqlite3
from pathlib import Path

from sqlalchemy.engine import make_url

from bot.core.ids import CustomerId
from bot.storage import KeyRing, Priority, Storage
from tests.storage.makers import (
    NOON,
    TurnedClock,
    carry_out,
    claimed,
    consume_all,
    customer_of,
    event,
    ingest,
    newcomer,
    send,
    staff_event,
    write,
)


async def test_an_event_is_new_once_and_a_duplicate_ever_after(storage: Storage) -> None:
    assert await ingest(storage, event("a")) == (True,)
    assert await ingest(storage, event("a")) == (False,)
    await consume_all(storage)
    assert await ingest(storage, event("a")) == (False,)
    assert await claimed(storage) == []


async def test_of_the_same_event_twice_in_one_call_the_first_is_new(storage: Storage) -> None:
    assert await ingest(storage, event("a"), event("b"), event("a")) == (True, True, False)
    assert await claimed(storage) == ["a", "b"]


async def test_new_and_old_events_in_one_call_are_told_apart(storage: Storage) -> None:
    await ingest(storage, event("a"), event("b"))
    assert await ingest(storage, event("c"), event("b"), event("d")) == (True, False, True)


async def test_everything_of_an_event_comes_back(storage: Storage) -> None:
    original = event("a", at=-3.5, urgent=True, fields={"kind": "text", "text": "想看车", "n": [1, None, {"x": 1.5}]})
    await ingest(storage, original)
    rows = await storage.read(lambda t: t.claims.claim(1))
    assert rows[0].event == original
    assert rows[0].received_at == NOON


async def test_each_identity_becomes_one_customer(storage: Storage) -> None:
    await ingest(storage, event("a", sender="oAnna"), event("b", sender="oBert"), event("c", sender="oAnna"))
    rows = {row.event.event_id: row.customer_id for row in await storage.read(lambda t: t.claims.claim(10))}
    anna, bert = await customer_of(storage, "oAnna"), await customer_of(storage, "oBert")
    assert anna != bert
    assert sorted(rows.values()) == sorted([anna, anna, bert])
    customers = await storage.read(lambda t: t.customers.load([anna, bert, CustomerId(99)]))
    assert {customer.version for customer in customers.values()} == {0}
    assert set(customers) == {anna, bert}


async def test_the_same_openid_in_another_account_is_another_customer(storage: Storage) -> None:
    original = event("a")
    other = type(original)(
        event_id=event("b").event_id, type="message", channel="oa", account="second", sender="oAnna", occurred_at=NOON
    )
    await ingest(storage, original, other)
    rows = await storage.read(lambda t: t.claims.claim(10))
    assert len({row.customer_id for row in rows}) == 2


async def test_events_of_one_call_stand_in_the_order_of_the_platforms_time(storage: Storage) -> None:
    assert await ingest(storage, event("second", at=2), event("first", at=1)) == (True, True)
    assert await claimed(storage) == ["first", "second"]


async def test_what_was_acknowledged_before_stays_before_whatever_the_platforms_clock_says(storage: Storage) -> None:
    await ingest(storage, event("acknowledged", at=5))
    await ingest(storage, event("sent afterwards", at=1))
    assert await claimed(storage) == ["acknowledged", "sent afterwards"]


async def test_a_staff_member_is_no_customer_and_stands_in_the_accounts_lane(storage: Storage) -> None:
    await ingest(storage, staff_event("hello"))
    rows = await storage.read(lambda t: t.claims.claim(10))
    assert rows[0].customer_id is None
    assert rows[0].lane < 0
    assert await storage.read(lambda t: t.reading.find_customer("zhangmin")) is None


async def test_an_event_without_a_sender_stands_in_the_lane_of_its_account(storage: Storage) -> None:
    await ingest(storage, event("anonymous", sender=""), staff_event("in the app"))
    rows = await storage.read(lambda t: t.claims.claim(10))
    assert all(row.customer_id is None for row in rows)
    assert len({row.lane for row in rows}) == 2


async def test_a_card_click_stands_in_the_lane_of_the_customer_of_its_task(storage: Storage) -> None:
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, send("CARD"))
    await ingest(storage, staff_event("click", kind="card.clicked", task_id="CARD"))
    rows = await storage.read(lambda t: t.claims.claim(10))
    assert [row.customer_id for row in rows] == [customer.customer_id]


async def test_a_card_click_of_an_unknown_task_stands_in_the_accounts_lane(storage: Storage) -> None:
    await ingest(storage, staff_event("click", kind="card.clicked", task_id="NOBODYS"))
    rows = await storage.read(lambda t: t.claims.claim(10))
    assert [row.customer_id for row in rows] == [None]


async def test_an_addressed_event_goes_to_the_customer_it_names(storage: Storage) -> None:
    customer = await newcomer(storage)
    receipt = staff_event("receipt", kind="advisor.said")
    pairs = [(customer.customer_id, receipt), (customer.customer_id, receipt)]

    fresh = await storage.write(
        Priority.SETTLE, lambda t: t.lanes.ingest([event("own")], received_at=NOON, addressed=pairs)
    )
    assert fresh == (True, True, False)
    rows = await storage.read(lambda t: t.claims.claim(10))
    assert {row.customer_id for row in rows} == {customer.customer_id}


async def test_three_hundred_newcomers_in_one_call_get_a_number_each(storage: Storage) -> None:
    fresh = await ingest(storage, *(event(f"e{n}", sender=f"o{n}") for n in range(600)))
    assert all(fresh)
    rows = await storage.read(lambda t: t.claims.claim(1000))
    assert len({row.customer_id for row in rows}) == 600


async def test_no_events_are_no_work(storage: Storage) -> None:
    assert await ingest(storage) == ()


async def test_a_quarantined_body_is_kept_once(storage: Storage) -> None:
    for _ in range(2):
        await write(
            storage, lambda t: t.lanes.quarantine(channel="oa", account="main", body=b"<xml 138...", why="no XML")
        )
    await write(storage, lambda t: t.lanes.quarantine(channel="oa", account="main", body=b"other", why="no XML"))
    kept = await storage.read(lambda t: t.reading.quarantined())
    assert [(row.channel, row.account, row.why, row.body) for row in kept] == [
        ("oa", "main", "no XML", b"<xml 138..."),
        ("oa", "main", "no XML", b"other"),
    ]


async def test_nothing_personal_can_be_read_from_the_file(tmp_path: Path, keys: KeyRing, clock: TurnedClock) -> None:
    opened = await Storage.open(f"sqlite:///{tmp_path}/x.db", keys=keys, clock_now=clock.now)
    await ingest(opened, event("a", fields={"kind": "text", "text": "13800138000 王小明"}))
    await carry_out(opened, await customer_of(opened), send("王小明"))
    await opened.close()
    raw = (tmp_path / "x.db").read_bytes()
    assert b"13800138000" not in raw
    assert "您好".encode() not in raw


async def test_an_event_sealed_with_another_key_is_a_clear_error(tmp_path: Path, clock: TurnedClock) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    opened = await Storage.open(url, keys=KeyRing.generate(), clock_now=clock.now)
    await ingest(opened, event("a"))
    await opened.close()
    other = await Storage.open(url, keys=KeyRing.generate(), clock_now=clock.now)
    claimed_rows, (spoilt,) = await other.read(lambda t: (t.claims.claim(1), t.spoilt.take()))
    assert (claimed_rows, spoilt.name) == ((), event("a").event_id)
    assert "inbox.sealed" in str(spoilt.error) and "the key is another one" in spoilt.error.hint
    await other.close()


async def test_a_row_changed_by_hand_does_not_open(tmp_path: Path, keys: KeyRing, clock: TurnedClock) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    opened = await Storage.open(url, keys=keys, clock_now=clock.now)
    await ingest(opened, event("a"), event("b"))
    await opened.close()
    with sqlite3.connect(str(make_url(url).database)) as raw:
        raw.execute("UPDATE inbox SET sealed = (SELECT sealed FROM inbox WHERE seq = 2) WHERE seq = 1")
    raw.close()
    again = await Storage.open(url, keys=keys, clock_now=clock.now)
    claimed_rows, (spoilt,) = await again.read(lambda t: (t.claims.claim(1), t.spoilt.take()))
    assert (claimed_rows, spoilt.name) == ((), event("a").event_id)
    assert "does not open" in spoilt.error.what
    await again.close()
