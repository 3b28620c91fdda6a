"""Forgetting: old rows go, a stretch at a time, and never one that something living refers to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, TextClause, text

from bot.storage.moments import micros

Growing = Literal["inbox", "outbox", "journal", "errands"]
"""Tables that grow with everything that happens; their rows are walked in the order they were written."""

_STRETCH = {
    table: text(
        f"SELECT MAX(seq) AS last, MIN({born}) AS oldest, COUNT(*) AS rows FROM"  # noqa: S608 - constants of this file
        f" (SELECT seq, {born} FROM {table} WHERE seq > :after ORDER BY seq LIMIT :limit) s"
    )
    for table, born in (
        ("inbox", "received_at"),
        ("outbox", "planned_at"),
        ("journal", "at"),
        ("errands", "planned_at"),
    )
}
# A card stays while its task lives: the click on it finds the customer through this row.
_DROP: Mapping[Growing, TextClause] = {
    "inbox": text("DELETE FROM inbox WHERE seq > :after AND seq <= :last AND consumed_at < :before"),
    "outbox": text("""
        DELETE FROM outbox WHERE seq > :after AND seq <= :last AND settled_at < :before
        AND state NOT IN ('ready', 'leased', 'sending')
        AND NOT EXISTS (
            SELECT 1 FROM tasks t WHERE t.task_id = outbox.effect_id AND t.status IN ('open', 'accepted', 'overdue'))
    """),
    "journal": text("DELETE FROM journal WHERE seq > :after AND seq <= :last AND at < :before"),
    "errands": text(
        "DELETE FROM errands WHERE seq > :after AND seq <= :last AND settled_at < :before"
        " AND state NOT IN ('ready', 'leased', 'sending')"
    ),
}
_quarantine = text(
    "DELETE FROM quarantine WHERE quarantine_id IN"
    " (SELECT quarantine_id FROM quarantine WHERE received_at < :before ORDER BY received_at LIMIT :limit)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What one sweep did: rows looked at and dropped, and after which row to go on; None: all that is old was seen."""

    seen: int
    dropped: int
    after: int | None


@dataclass(frozen=True, slots=True)
class TidyRows:
    """Drops old rows inside one transaction, never more than it is told to look at."""

    connection: Connection

    def sweep(self, table: Growing, *, after: int, before: datetime, limit: int) -> Stretch:
        """Look at the next `limit` rows after row `after`, and drop what was over and done with before this moment."""
        found = self.connection.execute(_STRETCH[table], {"after": after, "limit": limit}).one()
        if found.rows == 0 or found.oldest >= micros(before):
            return Stretch(seen=found.rows, dropped=0, after=None)
        values = {"after": after, "last": found.last, "before": micros(before)}
        dropped = self.connection.execute(_DROP[table], values).rowcount
        return Stretch(seen=found.rows, dropped=dropped, after=found.last if found.rows == limit else None)

    def sweep_quarantine(self, *, before: datetime, limit: int) -> int:
        """Drop at most `limit` bodies that were quarantined before this moment; how many."""
        return self.connection.execute(_quarantine, {"before": micros(before), "limit": limit}).rowcount
