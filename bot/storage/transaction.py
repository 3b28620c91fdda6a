"""One transaction, and everything that can be done inside it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from bot.storage.audience import AudienceRows
from bot.storage.bookings import BookingRows
from bot.storage.claims import Claims
from bot.storage.customers import CustomerRows
from bot.storage.deciding import Deciding
from bot.storage.desks import DeskRows
from bot.storage.effects import EffectRows
from bot.storage.errands import ErrandRows
from bot.storage.figures import Counting
from bot.storage.gaps import GapRows
from bot.storage.journal import JournalRows
from bot.storage.keys import KeyRing
from bot.storage.lanes import LaneRows
from bot.storage.loyalty import LoyaltyRows
from bot.storage.occurrences import OccurrenceRows
from bot.storage.outbox import OutboxSends
from bot.storage.quiet import Quiet
from bot.storage.rates import RateRows
from bot.storage.reading import Reading
from bot.storage.recent import Recent
from bot.storage.spoilt import SpoiltRows
from bot.storage.ticks import server_time
from bot.storage.tidying import TidyRows
from bot.storage.tokens import TokenRows

_counter = text("SELECT value FROM counters WHERE name = :name")
_count_up = text("UPDATE counters SET value = value + 1 WHERE name = :name")
_next_epoch = text("UPDATE counters SET value = value + 1 WHERE name = 'epoch' RETURNING value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The two clocks of a transaction. `now`: the application's, when it began. `ticks`: the one of leases."""

    now: datetime
    ticks: Callable[[], int]


class Transaction:
    """Hands out the parts, all on one connection. `now` is the moment the transaction began, aware UTC.

    A transaction is given to a job and is dead once the job returns. `recent` None: it only reads. `began_s`: when it
    began by `time.perf_counter`, for jobs that bound how long it is held.
    """

    __slots__ = (
        "_connection",
        "audience",
        "began_s",
        "bookings",
        "claims",
        "counting",
        "customers",
        "deciding",
        "desks",
        "effects",
        "errands",
        "gaps",
        "journal",
        "lanes",
        "loyalty",
        "now",
        "occurrences",
        "outbox",
        "quiet",
        "rates",
        "reading",
        "spoilt",
        "tidying",
        "tokens",
    )

    def __init__(self, connection: Connection, *, keys: KeyRing, at: Moments, recent: Recent | None) -> None:
        self._connection = connection
        self.began_s = time.perf_counter()
        self.now = at.now
        self.spoilt = SpoiltRows(connection, at.now)
        self.lanes = LaneRows(connection, keys, at.now)
        self.claims = Claims(connection, keys, self.spoilt)
        self.customers = CustomerRows(connection, keys, recent, self.spoilt)
        self.effects = EffectRows(connection, keys)
        self.journal = JournalRows(connection)
        self.outbox = OutboxSends(connection, keys, at.now, at.ticks, self.spoilt)
        self.counting = Counting(connection)
        self.deciding = Deciding(connection, keys, self.spoilt)
        self.desks = DeskRows(connection, keys, self.spoilt)
        self.reading = Reading(connection, keys, self.spoilt)
        self.quiet = Quiet(connection)
        self.tokens = TokenRows(connection, keys, at.ticks)
        self.gaps = GapRows(connection)
        self.rates = RateRows(connection)
        self.tidying = TidyRows(connection)
        self.errands = ErrandRows(connection, keys, at.now, at.ticks, self.spoilt)
        self.bookings = BookingRows(connection)
        self.audience = AudienceRows(connection)
        self.occurrences = OccurrenceRows(connection, at.now)
        self.loyalty = LoyaltyRows(connection)

    def confirmations(self) -> int:
        """How often an operator declared a clock right that had jumped (delivery.md 2.6)."""
        count: int = self._connection.execute(_counter, {"name": "clock_confirmed"}).scalar_one()
        return count

    def confirm_clock(self) -> None:
        """Declare the wall clock right as it is: the server lets timers fire again at its next look."""
        self._connection.execute(_count_up, {"name": "clock_confirmed"})

    def probe(self) -> None:
        """Write something, to find out whether that is possible."""
        self._connection.execute(_count_up, {"name": "probe"})

    def server_time(self) -> datetime | None:
        """What the database's own clock shows; None: SQLite, which has none but this machine's."""
        return server_time(self._connection)

    def begin_epoch(self) -> int:
        """The number of this start of the program: one more than the last (delivery.md 3.1)."""
        if self._connection.dialect.name == "sqlite":
            self.tokens.release_all()  # one process serves an SQLite file, so whoever held a lease is dead
        epoch: int = self._connection.execute(_next_epoch).scalar_one()
        return epoch
