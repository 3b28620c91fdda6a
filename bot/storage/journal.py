"""The journal: what was decided about a customer, and why. Only ever appended to."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.storage import tables
from bot.storage.codec import entries_text, facts_text
from bot.storage.many import insert_many
from bot.storage.moments import micros
from bot.storage.rows import JournalLine


@dataclass(frozen=True, slots=True)
class JournalRows:
    """Appends, inside the transaction of what it tells about."""

    connection: Connection

    def append(self, lines: Sequence[JournalLine]) -> None:
        """Add these lines at the end, in order. Their `seq` is given here."""
        rows = [
            {
                "at": micros(line.at),
                "customer_id": line.customer_id,
                "kind": line.kind,
                "event_id": line.event_id,
                "entries": entries_text(line.entries),
                "facts": facts_text(line.facts),
                "took_us": line.took_us,
            }
            for line in lines
        ]
        insert_many(self.connection, tables.journal, rows, known="fail")
