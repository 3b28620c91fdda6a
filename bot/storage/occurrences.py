"""The moments of schedules and of looks at segments, and how far what is searched was written down."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from bot.storage.audience_tables import fills, occurrences
from bot.storage.many import insert_many
from bot.storage.moments import micros, moment

DUE_MAX = 100
"""Occurrences that are due and are looked at in one go; the rest wait for the next."""
REMEMBERED_FOR = timedelta(days=30)
"""How long a moment that is over stays beside the next one of its name."""

_due = text(
    "SELECT name, due_at, cursor FROM occurrences WHERE done_at IS NULL AND due_at <= :now"
    " ORDER BY due_at, name LIMIT :max"
)
_open = text("SELECT name FROM occurrences WHERE done_at IS NULL")
_over = text("SELECT 1 FROM occurrences WHERE name = :name AND done_at IS NOT NULL LIMIT 1")
_advance = text("UPDATE occurrences SET cursor = :cursor WHERE name = :name AND due_at = :due_at")
_finish = text("UPDATE occurrences SET done_at = :now WHERE name = :name AND due_at = :due_at AND done_at IS NULL")
_forget = text("DELETE FROM occurrences WHERE name = :name AND due_at < :before AND done_at IS NOT NULL")
_forget_all = text("DELETE FROM occurrences WHERE name = :name")
_fills = text("SELECT name, cursor, done FROM fills")
_fill_upto = text("UPDATE fills SET cursor = :cursor, done = :done WHERE name = :name AND done = 0")
_unfill = text("DELETE FROM fills WHERE name = :name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A moment that is due. `cursor`: everybody up to this customer was looked at already."""

    name: str
    due_at: datetime
    cursor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """Something that is searched: written down for everybody up to `cursor`; `done`: for all."""

    name: str
    cursor: int
    done: bool


@dataclass(frozen=True, slots=True)
class OccurrenceRows:
    """Reads and writes these moments, inside one transaction."""

    connection: Connection
    now: datetime

    def due(self) -> tuple[Occurrence, ...]:
        """At most `DUE_MAX` moments that have come and are not over, the earliest first."""
        rows = self.connection.execute(_due, {"now": micros(self.now), "max": DUE_MAX})
        return tuple(Occurrence(name=row.name, due_at=moment(row.due_at), cursor=row.cursor) for row in rows)

    def open_names(self) -> frozenset[str]:
        """The names that have a moment which is not over."""
        return frozenset(row.name for row in self.connection.execute(_open))

    def was_before(self, name: str) -> bool:
        """Whether a moment of this name is over, so that this is not its first."""
        return self.connection.execute(_over, {"name": name}).first() is not None

    def plan(self, name: str, due_at: datetime) -> None:
        """Write a moment down; one that is there already stays as it is."""
        row = {"name": name, "due_at": micros(due_at), "cursor": 0}
        insert_many(self.connection, occurrences, [row], key=("name", "due_at"), known="nothing")

    def advance(self, occurrence: Occurrence, cursor: int) -> None:
        """Everybody up to `cursor` was looked at."""
        values = {"name": occurrence.name, "due_at": micros(occurrence.due_at), "cursor": cursor}
        self.connection.execute(_advance, values)

    def finish(self, occurrence: Occurrence, *, next_at: datetime | None) -> None:
        """It is over; its name comes again at `next_at`, None: never. Moments long over are forgotten."""
        values = {"name": occurrence.name, "due_at": micros(occurrence.due_at)}
        self.connection.execute(_finish, values | {"now": micros(self.now)})
        if next_at is not None:
            self.plan(occurrence.name, next_at)
        before = micros(min(occurrence.due_at, self.now - REMEMBERED_FOR))
        self.connection.execute(_forget, {"name": occurrence.name, "before": before})

    def forget(self, name: str) -> None:
        """Nothing of this name is to come, nor was."""
        self.connection.execute(_forget_all, {"name": name})

    def fills(self) -> tuple[Fill, ...]:
        """What is, or is being, written down for everybody."""
        rows = self.connection.execute(_fills)
        return tuple(Fill(name=row.name, cursor=row.cursor, done=bool(row.done)) for row in rows)

    def begin_fills(self, names: Collection[str]) -> None:
        """From now on these are written down for everybody, from the first customer on."""
        rows = [{"name": name, "cursor": 0, "done": 0} for name in sorted(names)]
        insert_many(self.connection, fills, rows, key=("name",), known="nothing")

    def advance_fills(self, names: Collection[str], cursor: int, *, done: bool) -> None:
        """These are written down up to this customer."""
        values = [{"name": name, "cursor": cursor, "done": int(done)} for name in sorted(names)]
        if values:
            self.connection.execute(_fill_upto, values)

    def end_fills(self, names: Collection[str]) -> None:
        """These are not kept up any longer."""
        if names:
            self.connection.execute(_unfill, [{"name": name} for name in sorted(names)])
