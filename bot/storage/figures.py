"""How much waits, for metrics and health. Every count stops at a maximum: no question here reads a table that grows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, text

from bot.storage.moments import maybe_moment, micros, moment

LaneKind = Literal["customer", "account", "parked"]

COUNT_MAX = 10_000
"""Rows of one kind that are counted; the figure of more is this one."""

_ROWS: Mapping[str, str] = {
    "ready": "SELECT 1 FROM outbox WHERE state = 'ready'",
    "leased": "SELECT 1 FROM outbox WHERE state IN ('leased', 'sending') AND state = 'leased'",
    "sending": "SELECT 1 FROM outbox WHERE state IN ('leased', 'sending') AND state = 'sending'",
    "unknown": "SELECT 1 FROM outbox WHERE state = 'unknown' AND reason <> 'left'",
    "parked": "SELECT 1 FROM parked",
    "quarantined": "SELECT 1 FROM quarantine",
    "errands_waiting": "SELECT 1 FROM errands WHERE state = 'ready'",
    "errands_unknown": "SELECT 1 FROM errands WHERE state = 'unknown' AND reason <> 'left'",
}
# One question, so that scraping costs one trip to the database.
_STOCKS = text(
    "SELECT " + ", ".join(f"(SELECT count(*) FROM ({rows} LIMIT :max) r) AS {name}" for name, rows in _ROWS.items())  # noqa: S608
)
# The limit stands innermost, on the index of what waits; parked lanes are told apart only among those rows.
_INBOX = {
    urgent: text(f"""
        SELECT kind, count(*) AS waiting, MIN(received_at) AS oldest FROM (
            SELECT i.received_at AS received_at, CASE
                WHEN EXISTS (SELECT 1 FROM parked p WHERE p.lane = i.lane) THEN 'parked'
                WHEN i.lane < 0 THEN 'account' ELSE 'customer' END AS kind
            FROM (
                SELECT lane, received_at FROM inbox WHERE consumed_at IS NULL AND urgent = {urgent}
                ORDER BY seq LIMIT :max
            ) i
        ) waits GROUP BY kind
    """)  # noqa: S608
    for urgent in (0, 1)
}
_OLDEST = text("""
    SELECT a.channel AS channel, a.account AS account, (
        SELECT MIN(o.not_before) FROM outbox o WHERE o.state = 'ready' AND o.channel = a.channel
        AND o.account = a.account AND o.urgent = u.urgent AND o.not_before <= :now
    ) AS oldest FROM accounts a CROSS JOIN (SELECT 0 AS urgent UNION ALL SELECT 1) u
""")
_GAPS = text(
    "SELECT channel, account, MIN(since) AS since, MAX(until) AS until, count(*) AS gaps FROM ("
    "SELECT channel, account, since, until FROM gaps WHERE reconciled_at IS NULL ORDER BY seq DESC LIMIT :max"
    ") open_gaps GROUP BY channel, account ORDER BY channel, account"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """Events that wait to be stepped in lanes of one kind. `oldest`: when the first of them came, None: none waits."""

    waiting: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGaps:
    """Gaps of one account that are not reconciled: messages between `since` and `until` may be missing."""

    channel: str
    account: str
    count: int
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What waits now; every count is at most `COUNT_MAX`.

    `oldest_ready`: by channel and account, since when the longest waiting message could have left, None: none waits.
    """

    ready: int = 0
    leased: int = 0
    sending: int = 0
    unknown: int = 0
    parked: int = 0
    quarantined: int = 0
    errands_waiting: int = 0
    errands_unknown: int = 0
    inbox: Mapping[LaneKind, Depth]
    oldest_ready: Mapping[tuple[str, str], datetime | None]
    gaps: tuple[OpenGaps, ...]


@dataclass(frozen=True, slots=True)
class Counting:
    """Reads the figures, inside one transaction."""

    connection: Connection

    def figures(self, now: datetime) -> Figures:
        """How much waits at `now`."""
        stocks = self.connection.execute(_STOCKS, {"max": COUNT_MAX}).one()
        return Figures(
            **{name: int(count) for name, count in zip(_ROWS, stocks, strict=True)},
            inbox=self._inbox(),
            oldest_ready=self._oldest_ready(now),
            gaps=self.open_gaps(),
        )

    def open_gaps(self) -> tuple[OpenGaps, ...]:
        """Accounts with messages that may be missing, in alphabetical order."""
        rows = self.connection.execute(_GAPS, {"max": COUNT_MAX})
        return tuple(
            OpenGaps(
                channel=row.channel,
                account=row.account,
                count=row.gaps,
                since=moment(row.since),
                until=moment(row.until),
            )
            for row in rows
        )

    def _inbox(self) -> dict[LaneKind, Depth]:
        found: dict[LaneKind, Depth] = {kind: Depth() for kind in ("customer", "account", "parked")}
        for urgent in (0, 1):
            for row in self.connection.execute(_INBOX[urgent], {"max": COUNT_MAX}):
                before = found[row.kind]
                found[row.kind] = Depth(
                    waiting=min(COUNT_MAX, before.waiting + row.waiting),
                    oldest=_earlier(before.oldest, moment(row.oldest)),
                )
        return found

    def _oldest_ready(self, now: datetime) -> dict[tuple[str, str], datetime | None]:
        found: dict[tuple[str, str], datetime | None] = {}
        for row in self.connection.execute(_OLDEST, {"now": micros(now)}):
            account = (row.channel, row.account)
            found[account] = _earlier(found.get(account), maybe_moment(row.oldest))
        return found


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    known: Iterable[datetime] = [at for at in (one, other) if at is not None]
    return min(known, default=None)
