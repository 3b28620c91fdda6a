"""Rows that do not open: noted where they are met, withheld from the loops, and given back by an operator.

No question is asked for this while everything opens. A row that is withheld stays whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, TextClause, text

from bot.core.ids import CustomerId
from bot.errors import Spoilt
from bot.storage.moments import micros, moment
from bot.storage.rows import Lane, Met, SealedTable, SpoiltRow

UNREADABLE, UNREADABLE_BEGUN = "unreadable", "unreadable_begun"
"""Reasons of a row that is withheld: it surely did not leave this time, or it may have."""

_STANDS = (
    f"CASE WHEN state = 'unknown' AND reason IN ('{UNREADABLE}', '{UNREADABLE_BEGUN}') THEN 'withheld'"
    " WHEN state = 'unknown' AND reason = 'left' THEN 'left' ELSE state END AS state"
)
_COLUMNS: tuple[tuple[SealedTable, str, str], ...] = (
    (
        "inbox",
        "seq",
        "seq, lane, event_id AS name, type AS what, received_at AS at, 0 AS staff,"
        " CASE WHEN consumed_at IS NULL THEN 'waiting' ELSE 'stepped' END AS state",
    ),
    (
        "outbox",
        "seq",
        f"seq, customer_id AS lane, effect_id AS name, content AS what, planned_at AS at, {_STANDS},"
        " CASE WHEN send_class = 'staff' OR customer_id < 0 THEN 1 ELSE 0 END AS staff",
    ),
    (
        "errands",
        "seq",
        f"seq, customer_id AS lane, effect_id AS name, kind AS what, planned_at AS at, {_STANDS}, 0 AS staff",
    ),
    (
        "journal",
        "seq",
        "seq, customer_id AS lane, COALESCE(event_id, '') AS name, kind AS what, at, '' AS state, 0 AS staff",
    ),
    (
        "customers",
        "customer_id",
        "0 AS seq, customer_id AS lane, '' AS name, '' AS what, created_at AS at, '' AS state, 0 AS staff",
    ),
    (
        "leads",
        "lead_id",
        "0 AS seq, customer_id AS lane, lead_id AS name, '' AS what, updated_at AS at, stage AS state, 0 AS staff",
    ),
    (
        "tasks",
        "task_id",
        "0 AS seq, customer_id AS lane, task_id AS name, kind AS what, created_at AS at, status AS state, 0 AS staff",
    ),
    (
        "quarantine",
        "quarantine_id",
        "0 AS seq, 0 AS lane, quarantine_id AS name, form AS what, received_at AS at, '' AS state, 0 AS staff",
    ),
)
"""Table, what its rows are found by, and what stands open in them."""
_OPEN: Mapping[SealedTable, TextClause] = {
    table: text(f"SELECT {columns} FROM {table} WHERE {key} = :key")  # noqa: S608 - constants of this file
    for table, key, columns in _COLUMNS
}
_WITHHELD: tuple[SealedTable, ...] = ("outbox", "errands")
_WITHHOLD: Mapping[SealedTable, TextClause] = {
    table: text(
        f"UPDATE {table} SET state = 'unknown', reason = :reason, settled_at = :now, leased_by = '',"  # noqa: S608
        " leased_until = NULL WHERE seq = :seq AND state NOT IN ('leased', 'sending')"
    )
    for table in _WITHHELD
}
# What may have left is `sending` again, with a lease that is over: its fate is settled as that of any other.
_GIVE_BACK = (
    text(
        "UPDATE outbox SET state = CASE reason WHEN :unreadable THEN 'ready' ELSE 'sending' END,"
        " leased_until = CASE reason WHEN :unreadable THEN NULL ELSE 0 END, settled_at = NULL, reason = ''"
        " WHERE customer_id = :of AND state = 'unknown' AND reason IN (:unreadable, :begun)"
    ),
    text(
        "UPDATE errands SET state = 'ready', settled_at = NULL, reason = ''"
        " WHERE customer_id = :of AND state = 'unknown' AND reason IN (:unreadable, :begun)"
    ),
)


@dataclass(frozen=True, slots=True)
class SpoiltRows:
    """The rows that were met in one transaction and do not open. They are left out of what was asked for."""

    connection: Connection
    now: datetime
    found: list[SpoiltRow] = field(default_factory=list)

    def note(self, table: SealedTable, key: int | str, error: Spoilt, *, met: Met = "read") -> None:
        """Remember the row of `table` with this key, and why it does not open."""
        row = self.connection.execute(_OPEN[table], {"key": key}).one()
        self.found.append(
            SpoiltRow(
                table=table,
                seq=row.seq,
                lane=Lane(row.lane),
                name=row.name,
                what=row.what,
                state=row.state,
                at=moment(row.at),
                error=error,
                met=met,
                is_staff=row.staff == 1,
            )
        )

    def take(self) -> tuple[SpoiltRow, ...]:
        """What was noted since the last call; jobs of one transaction each take their own."""
        taken = tuple(self.found)
        self.found.clear()
        return taken

    def withhold(self, row: SpoiltRow) -> None:
        """Let a message or an errand rest as `unknown`, with a reason that says why. An operator decides on it."""
        reason = UNREADABLE_BEGUN if row.met == "sending" else UNREADABLE
        self.connection.execute(_WITHHOLD[row.table], {"seq": row.seq, "reason": reason, "now": micros(self.now)})

    def give_back(self, customer_id: CustomerId) -> None:
        """Make everything of this customer that is withheld as it was; what still does not open is met again."""
        values = {"of": customer_id, "unreadable": UNREADABLE, "begun": UNREADABLE_BEGUN}
        for statement in _GIVE_BACK:
            self.connection.execute(statement, values)
