"""One transaction, and everything that can be done inside it."""

from datetime import datetime

from sqlalchemy import Connection, text

from bot.storage.claims import Claims
from bot.storage.customers import CustomerRows
from bot.storage.desks import DeskRows
from bot.storage.effects import EffectRows
from bot.storage.journal import JournalRows
from bot.storage.keys import KeyRing
from bot.storage.lanes import LaneRows
from bot.storage.outbox import OutboxSends
from bot.storage.quiet import Quiet
from bot.storage.reading import Reading
from bot.storage.recent import Recent

_next_epoch = text("UPDATE counters SET value = value + 1 WHERE name = 'epoch' RETURNING value")


class Transaction:
    """Hands out the parts, all on one connection. `now` is the moment the transaction began, aware UTC.

    A transaction is given to a job and is dead once the job returns. `recent` None: it only reads.
    """

    __slots__ = (
        "_connection",
        "claims",
        "customers",
        "desks",
        "effects",
        "journal",
        "lanes",
        "now",
        "outbox",
        "quiet",
        "reading",
    )

    def __init__(self, connection: Connection, *, keys: KeyRing, now: datetime, recent: Recent | None) -> None:
        self._connection = connection
        self.now = now
        self.lanes = LaneRows(connection, keys, now)
        self.claims = Claims(connection, keys)
        self.customers = CustomerRows(connection, keys, recent)
        self.effects = EffectRows(connection, keys)
        self.journal = JournalRows(connection)
        self.outbox = OutboxSends(connection, keys, now)
        self.desks = DeskRows(connection, keys)
        self.reading = Reading(connection, keys)
        self.quiet = Quiet(connection)

    def begin_epoch(self) -> int:
        """The number of this start of the program: one more than the last (delivery.md 3.1)."""
        epoch: int = self._connection.execute(_next_epoch).scalar_one()
        return epoch
