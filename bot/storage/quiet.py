"""Whether anything is to be done, and when there will be: for the alarm, and for turning the sandbox's clock."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from bot.storage.claims import DUE_TIMER, OPEN_EVENT
from bot.storage.errands import FREE_ERRAND
from bot.storage.moments import maybe_moment, micros
from bot.storage.outbox import FREE_SEND

# CROSS JOIN keeps SQLite to the accounts first; the other way round it reads all messages that wait for tomorrow.
_busy = text(f"""
    SELECT EXISTS (SELECT 1 FROM inbox i WHERE {OPEN_EVENT})
        OR EXISTS (SELECT 1 FROM timers t WHERE {DUE_TIMER})
        OR EXISTS (SELECT 1 FROM occurrences n WHERE n.done_at IS NULL AND n.due_at <= :now)
        OR EXISTS (SELECT 1 FROM outbox o WHERE o.state IN ('leased', 'sending'))
        OR EXISTS (SELECT 1 FROM outbox o WHERE o.state = 'ready' AND o.expires_at IS NOT NULL AND o.expires_at <= :now)
        OR EXISTS (
            SELECT 1 FROM accounts a CROSS JOIN outbox o WHERE o.channel = a.channel AND o.account = a.account
            AND o.urgent IN (0, 1) AND {FREE_SEND})
        OR EXISTS (SELECT 1 FROM errands e WHERE e.state IN ('leased', 'sending'))
        OR EXISTS (SELECT 1 FROM errands e WHERE e.state = 'ready' AND e.expires_at <= :now)
        OR EXISTS (SELECT 1 FROM errands e WHERE {FREE_ERRAND})
""")  # noqa: S608 - constants of storage
_sendable = text(f"""
    SELECT EXISTS (SELECT 1 FROM outbox o WHERE o.state = 'ready' AND o.expires_at IS NOT NULL AND o.expires_at <= :now)
        OR EXISTS (
            SELECT 1 FROM accounts a CROSS JOIN outbox o WHERE o.channel = a.channel AND o.account = a.account
            AND o.urgent IN (0, 1) AND {FREE_SEND})
""")  # noqa: S608 - constants of storage
_next = text("""
    SELECT MIN(at) FROM (
        SELECT MIN(t.due_at) AS at FROM timers t
            WHERE t.due_at > :now AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.lane = t.customer_id)
        UNION ALL SELECT MIN(n.due_at) FROM occurrences n WHERE n.done_at IS NULL AND n.due_at > :now
        UNION ALL SELECT MIN(o.expires_at) FROM outbox o
            WHERE o.state = 'ready' AND o.expires_at IS NOT NULL AND o.expires_at > :now
        UNION ALL SELECT MIN(e.expires_at) FROM errands e WHERE e.state = 'ready' AND e.expires_at > :now
        UNION ALL SELECT MIN(e.not_before) FROM errands e WHERE e.state = 'ready' AND e.not_before > :now
        UNION ALL SELECT (
            SELECT MIN(o.not_before) FROM outbox o WHERE o.state = 'ready'
            AND o.channel = a.channel AND o.account = a.account AND o.urgent = u.urgent AND o.not_before > :now
        ) FROM accounts a CROSS JOIN (SELECT 0 AS urgent UNION ALL SELECT 1) u
    ) moments
""")


@dataclass(frozen=True, slots=True)
class Quiet:
    """Looks at all that waits, without changing anything."""

    connection: Connection

    def quiescent(self, now: datetime) -> bool:
        """Nothing can be done before time goes on: no event to step, no timer due, nothing to send or on its way.

        Parked lanes do not count. A message that waits behind another one's next try does not count either.
        """
        return not self.connection.execute(_busy, {"now": micros(now)}).scalar_one()

    def sendable(self, now: datetime) -> bool:
        """Whether a message may leave now, or is too late to."""
        return bool(self.connection.execute(_sendable, {"now": micros(now)}).scalar_one())

    def next_due(self, now: datetime) -> datetime | None:
        """`now` when something is to be done already, else the earliest moment at which something will be.

        That is a timer of a lane that is not parked, the `not_before` or the `expires_at` of a message or an
        errand that waits. None: nothing will happen before somebody writes.
        """
        if not self.quiescent(now):
            return now
        return maybe_moment(self.connection.execute(_next, {"now": micros(now)}).scalar())
