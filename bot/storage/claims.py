"""What is to be stepped next: events, urgent ones first, and customers whose timer is due."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from bot.core.ids import CustomerId
from bot.errors import Spoilt
from bot.storage.events import read_event
from bot.storage.keys import KeyRing
from bot.storage.moments import micros, moment
from bot.storage.rows import Claimed, Lane
from bot.storage.spoilt import SpoiltRows
from bot.storage.tables import AnyRow

_COLUMNS = (
    "i.seq, i.lane, i.event_id, i.type, i.channel, i.account, i.actor, i.urgent, i.occurred_at, i.received_at, i.sealed"
)

# An advisor's words wait for her click that came before: the click says whose conversation is on her desk. A click
# in a parked lane does not hold her back. Between different advisors the lane of an account keeps no order.
OPEN_EVENT = """
    i.consumed_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.lane = i.lane)
    AND NOT (i.lane < 0 AND EXISTS (
        SELECT 1 FROM inbox c
        WHERE c.consumed_at IS NULL AND c.type = 'card.clicked' AND c.actor = i.actor AND c.seq < i.seq AND c.lane > 0
        AND c.channel = i.channel AND c.account = i.account
        AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.lane = c.lane)))
"""

# The first rows that are urgent, and all rows before them in their lanes.
_URGENT = text(f"""
    SELECT {_COLUMNS} FROM inbox i JOIN (
        SELECT h.lane AS lane, MIN(h.seq) AS first, MAX(h.seq) AS last FROM (
            SELECT i.lane, i.seq FROM inbox i WHERE i.urgent = 1 AND {OPEN_EVENT} ORDER BY i.seq LIMIT :limit
        ) h GROUP BY h.lane
    ) u ON i.lane = u.lane AND i.seq <= u.last
    WHERE {OPEN_EVENT} ORDER BY u.first, i.lane, i.seq LIMIT :limit
""")  # noqa: S608 - both parts are constants of this file
_OTHERS = text(f"""
    SELECT {_COLUMNS} FROM inbox i WHERE i.urgent = 0 AND {OPEN_EVENT} ORDER BY i.seq LIMIT :limit
""")  # noqa: S608

# A timer fires only when everything that happened before it was stepped (delivery.md 2.3).
DUE_TIMER = """
    t.due_at <= :now
    AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.lane = t.customer_id)
    AND NOT EXISTS (
        SELECT 1 FROM inbox i WHERE i.lane = t.customer_id AND i.consumed_at IS NULL AND i.occurred_at <= t.due_at)
"""
_DUE = text(
    f"SELECT t.customer_id FROM timers t WHERE {DUE_TIMER} ORDER BY t.due_at, t.customer_id LIMIT :limit",  # noqa: S608
)


_WAITS = text("""
    SELECT EXISTS (
        SELECT 1 FROM inbox WHERE lane = :lane AND consumed_at IS NULL AND seq > :after AND occurred_at <= :until)
""")
_WORDS = text("""
    SELECT channel, account, actor, MIN(seq) AS first FROM inbox
    WHERE consumed_at IS NULL AND urgent = 1 AND type = 'advisor.said' AND lane < 0 GROUP BY channel, account, actor
""")


@dataclass(frozen=True, slots=True)
class Claims:
    """Reads what waits. Taking it is `LaneRows.consume`, in the transaction that also writes the step's result."""

    connection: Connection
    keys: KeyRing
    spoilt: SpoiltRows

    def claim(self, limit: int) -> tuple[Claimed, ...]:
        """At most `limit` unconsumed events: lanes with an urgent one first, then the oldest.

        Whatever is returned, all earlier events of the same lane are returned before it or were consumed (in an
        account's lane: all earlier ones of the same sender). Parked lanes are passed over. A row that does not open is
        noted in `spoilt`, and what stands behind it in a customer's lane is left out with it.
        """
        urgent = self.connection.execute(_URGENT, {"limit": limit}).all()
        if len(urgent) == limit:
            return tuple(self._claimed(urgent))
        # Urgent rows drag ordinary ones of their lane along, so those are asked for again and dropped here.
        taken = {row.seq for row in urgent}
        others = self.connection.execute(_OTHERS, {"limit": limit}).all()
        rest = [row for row in others if row.seq not in taken][: limit - len(urgent)]
        return tuple(self._claimed([*urgent, *rest]))

    def due(self, now: datetime, limit: int) -> tuple[CustomerId, ...]:
        """At most `limit` customers with a timer due, the longest overdue first.

        One who has an unconsumed event from before that due time is not among them: the event goes first. Events
        from after it do not hold the timer back, so it has to be stepped before them.
        """
        rows = self.connection.execute(_DUE, {"now": micros(now), "limit": limit})
        return tuple(CustomerId(row.customer_id) for row in rows)

    def waits(self, lane: Lane, *, after: int, until: datetime) -> bool:
        """Whether an event behind the row `after` of this lane is not stepped yet, and happened up to `until`."""
        values = {"lane": lane, "after": after, "until": micros(until)}
        return bool(self.connection.execute(_WAITS, values).scalar_one())

    def unheard_words(self) -> dict[tuple[str, str, str], int]:
        """Who has typed words that were not carried to a customer yet: channel, account and id → the first row."""
        rows = self.connection.execute(_WORDS)
        return {(row.channel, row.account, row.actor): row.first for row in rows}

    def _claimed(self, rows: Iterable[AnyRow]) -> list[Claimed]:
        found: list[Claimed] = []
        closed: set[int] = set()
        for row in rows:
            if row.lane in closed:
                continue
            try:
                event = read_event(row, self.keys)
            except Spoilt as error:
                self.spoilt.note("inbox", row.seq, error, met="ready")
                if row.lane > 0:
                    closed.add(row.lane)
                continue
            found.append(Claimed(seq=row.seq, lane=Lane(row.lane), event=event, received_at=moment(row.received_at)))
        return found
