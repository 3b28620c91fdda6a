"""Reads the product's database, by plain sqlite3: what became of rows, and what is still open."""

import json
import sqlite3
from collections import Counter
from pathlib import Path

from tests.survival.checker.seen import Row, Seen, Withheld


def read_database(seen: Seen, database: Path) -> None:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        _read_rows(seen, connection)
        _read_withheld(seen, connection)
        for actor, stored, consumed in connection.execute(
            "SELECT actor, count(*), count(consumed_at) FROM inbox WHERE actor <> '' GROUP BY actor"
        ):
            seen.stored[actor], seen.consumed[actor] = stored, consumed
        seen.stuck = _stuck(seen, connection)
        ((seen.unknown,),) = connection.execute("SELECT count(*) FROM outbox WHERE state = 'unknown'").fetchall()
    finally:
        connection.close()


def _read_rows(seen: Seen, connection: sqlite3.Connection) -> None:
    statement = (
        "SELECT o.effect_id, i.external_id, o.conversation_id, o.content, o.state, o.reason, o.repeats, o.planned_at,"
        " o.started_at, o.settled_at, o.not_before FROM outbox o LEFT JOIN identities i"
        " ON i.customer_id = o.customer_id AND i.channel = 'oa'"
        " WHERE o.state NOT IN ('sent', 'delivered') OR o.repeats > 0 ORDER BY o.seq"
    )
    for effect_id, customer, conversation, content, state, reason, repeats, *times in connection.execute(statement):
        planned_at, started_at, settled_at, not_before = ((time or 0) / 1e6 for time in times)
        seen.rows.append(
            Row(
                effect_id=effect_id,
                customer=customer or "",
                conversation=conversation,
                content=content,
                state=state,
                reason=reason,
                repeats=repeats,
                planned_at=planned_at,
                started_at=started_at,
                settled_at=settled_at,
                not_before=not_before,
            )
        )


_READY = """
    SELECT o.conversation_id FROM outbox o WHERE o.state = 'ready' AND o.not_before <= {now} AND NOT EXISTS (
        SELECT 1 FROM outbox h WHERE h.conversation_id = o.conversation_id AND h.state = 'ready' AND h.seq < o.seq
        AND h.not_before > {now} AND h.attempts > 0)
"""
"""Ready and due, and not behind an earlier one that the platform has put off."""
_RATED = "SELECT DISTINCT conversation_id FROM outbox WHERE state = 'ready' AND reason = 'rate' AND not_before > {now}"
"""Where one waits for the platform's hour."""


def _read_withheld(seen: Seen, connection: sqlite3.Connection) -> None:
    statement = (
        "SELECT j.at, j.entries, i.external_id FROM journal j JOIN identities i ON i.customer_id = j.customer_id"
        " AND i.channel = 'oa' WHERE j.kind <> 'dispatch' AND j.entries LIKE '%not_sent%' ORDER BY j.seq"
    )
    for at, entries, external_id in connection.execute(statement):
        for entry in json.loads(entries):
            detail = entry.get("detail", {})
            if entry["kind"] == "not_sent":
                conversation, reason = f"oa:main:{external_id}", detail["reason"]
                seen.withheld.append(
                    Withheld(conversation=conversation, content=detail["content"], reason=reason, at=at / 1e6)
                )


def _stuck(seen: Seen, connection: sqlite3.Connection) -> dict[str, int]:
    now = int(seen.last_at * 1e6)
    counts = Counter[str]()
    for name, statement in (
        ("unconsumed", "SELECT count(*) FROM inbox WHERE consumed_at IS NULL"),
        ("due", f"SELECT count(*) FROM timers WHERE due_at <= {now}"),
        ("in the outbox", "SELECT count(*) FROM outbox WHERE state IN ('leased', 'sending')"),
        ("parked", "SELECT count(*) FROM parked"),
        ("quarantined", "SELECT count(*) FROM quarantine"),
    ):
        ((count,),) = connection.execute(statement).fetchall()
        counts[name] = count
    waiting = [name for (name,) in connection.execute(_RATED.format(now=now))]
    rated = {name for name in waiting if seen.is_over_rate(name.rsplit(":", 1)[-1])}
    counts["ready"] = sum(name not in rated for (name,) in connection.execute(_READY.format(now=now)))
    return {name: count for name, count in counts.items() if count}
