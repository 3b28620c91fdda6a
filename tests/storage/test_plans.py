"""SQLite answers the questions of the hot loops from an index: none of them reads a whole table that grows."""

import re
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

from bot.storage import (
    bookings,
    claims,
    customers,
    dialect,
    effects,
    errands,
    gaps,
    lanes,
    outbox,
    quiet,
    rates,
    reading,
    tidying,
)

SMALL = re.compile(
    r"SCAN (h|u|a|leap|CONSTANT ROW)$|SCAN json_each "
    r"|SCAN (i|o|e|outbox|errands) USING INDEX (inbox_open|outbox_flying|errands_flying)$"
)
"""What may be read whole: lists that are asked with, results of inner queries, the accounts, and the rows that wait or
fly right now."""


def among(sql: str) -> str:
    """The statement as SQLite gets it."""
    return dialect._among("sqlite", sql).text


STATEMENTS = {
    "urgent events": claims._URGENT.text,
    "other events": claims._OTHERS.text,
    "due timers": claims._DUE.text,
    "urgent sends": outbox._FREE[1].text,
    "other sends": outbox._FREE[0].text,
    "expiry": outbox._expire.text,
    "lapsed": outbox._lapse.text,
    "leases that are over": outbox._unlease.text,
    "leases past their end": outbox._over.text,
    "leases given back": outbox._unlease_mine.text,
    "leases": among(outbox._LEASE),
    "what may begin": among(outbox._BEGINNABLE),
    "beginning": among(outbox._BEGIN),
    "states before a verdict": among(outbox._STATES),
    "a verdict": outbox._SETTLE["sent"].text,
    "put back": outbox._back.text,
    "put off": outbox._defer.text,
    "after a start": outbox._recover.text,
    "what becomes urgent": effects._inherit.text,
    "what is held back": effects._suppress.text,
    "errands taken back": effects._withdraw.text,
    "consumed events": among(lanes._CONSUME),
    "customers to be stepped": among(customers._LOCK),
    "customers to be read": among(customers._READ),
    "one customer": str(customers._lock_one.compile(dialect=sqlite.dialect(paramstyle="named"))),
    "old events": tidying._DROP["inbox"].text,
    "old messages": tidying._DROP["outbox"].text,
    "old journal": tidying._DROP["journal"].text,
    "old quarantine": tidying._quarantine.text,
    "old counts": rates._old.text,
    "counts of a scope": rates._used.text,
    "people of an account": gaps._page.text,
    "whether in touch": gaps._in_touch.text,
    "busy": quiet._busy.text,
    "next moment": quiet._next.text,
    "customer by openid": reading._by_external_id.text,
    "customer by phone": reading._by_phone.text,
    "a customer's journal": reading._journal.text,
    "a customer's outbox": reading._outbox.text,
    "a customer's inbox": reading._inbox.text,
    "errands of a target": among(errands._FREE),
    "targets of errands": errands._targets.text,
    "whether any errand is due": errands._ANYTHING.text,
    "errands leased": among(errands._LEASE),
    "an errand begun": errands._begin.text,
    "an errand settled": errands._settle.text,
    "errands given up": errands._expire.text,
    "leases of errands past their end": errands._over.text,
    "a customer's errands": errands._of_customer.text,
    "places of a slot": bookings._taken.text,
    "places of a day": bookings._counted.text,
    "places of a booking": bookings._of_booking.text,
    "old errands": tidying._DROP["errands"].text,
    "known events": among(lanes._PRESENT),
    "known identities": among(lanes._IDENTIFIED),
    "customers of cards": among(lanes._TASKS),
}
NAMES = {name for text in STATEMENTS.values() for name in re.findall(r":(\w+)", text)}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_hot_statement_reads_no_whole_table(name: str, migrated_sqlite: Path) -> None:
    connection = sqlite3.connect(migrated_sqlite)
    statement = STATEMENTS[name]
    named = dict.fromkeys(NAMES, 1)
    values = named if ":" in statement else (1, 2)[: statement.count("?")]
    plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    connection.close()
    steps = [detail for *_, detail in plan]
    assert steps
    assert [step for step in steps if step.startswith("SCAN") and not SMALL.match(step)] == []
