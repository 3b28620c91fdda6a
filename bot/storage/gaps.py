"""Gaps: times in which callbacks were turned away, and who is to be asked about because of them (delivery.md 1.8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from bot.core.ids import CustomerId
from bot.storage.moments import maybe_moment, micros, moment
from bot.storage.rows import Gap
from bot.storage.tables import AnyRow

GAPS_MAX = 200
"""Gaps that are read at most: the oldest that are not mended, the newest of a story."""

_extend = text(
    "UPDATE gaps SET until = :until, turned_away = turned_away + :turned_away WHERE seq = ("
    " SELECT MAX(seq) FROM gaps WHERE channel = :channel AND account = :account AND reason = :reason"
    " AND reconciled_at IS NULL AND cursor = '')"
)
_open = text(
    "INSERT INTO gaps (channel, account, since, until, reason, turned_away)"
    " VALUES (:channel, :account, :since, :until, :reason, :turned_away)"
)
_unreconciled = text("SELECT * FROM gaps WHERE reconciled_at IS NULL ORDER BY seq LIMIT :limit")
_since = text("SELECT * FROM gaps WHERE until >= :since OR reconciled_at IS NULL ORDER BY seq DESC LIMIT :limit")
_advance = text("UPDATE gaps SET cursor = :cursor, reconciled_at = :at WHERE seq = :seq")
# A page of the account's people, and of them those we are in touch with: they wrote lately, or a journey has them.
_page = text("""
    SELECT external_id, customer_id FROM identities
    WHERE external_id > :after AND channel = :channel AND account = :account ORDER BY external_id LIMIT :limit
""")
_in_touch = text("""
    SELECT 1 FROM inbox i WHERE i.lane = :of AND i.consumed_at IS NOT NULL
    UNION ALL SELECT 1 FROM inbox i WHERE i.lane = :of AND i.consumed_at IS NULL
    UNION ALL SELECT 1 FROM enrolments n WHERE n.customer_id = :of LIMIT 1
""")
_old = text("DELETE FROM gaps WHERE reconciled_at IS NOT NULL AND until < :before")


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Callbacks of an account that were turned away between two moments, all for one reason."""

    channel: str
    account: str
    since: datetime
    until: datetime
    reason: str
    turned_away: int


@dataclass(frozen=True, slots=True)
class GapRows:
    """Writes gaps down and walks through the people they concern."""

    connection: Connection

    def note(self, missed: Missed) -> None:
        """Keep that callbacks were turned away; a gap that nobody has begun to mend grows instead."""
        values = {
            "channel": missed.channel,
            "account": missed.account,
            "since": micros(missed.since),
            "until": micros(missed.until),
            "reason": missed.reason,
            "turned_away": missed.turned_away,
        }
        if self.connection.execute(_extend, values).rowcount == 0:
            self.connection.execute(_open, values)

    def unreconciled(self) -> tuple[Gap, ...]:
        """Gaps whose people were not all asked about, the oldest first, at most `GAPS_MAX`."""
        return tuple(_gap(row) for row in self.connection.execute(_unreconciled, {"limit": GAPS_MAX}))

    def since(self, moment: datetime) -> tuple[Gap, ...]:
        """Gaps that ended after this moment or are not mended, the newest first, at most `GAPS_MAX`."""
        return tuple(_gap(row) for row in self.connection.execute(_since, {"since": micros(moment), "limit": GAPS_MAX}))

    def people(self, gap: Gap, *, limit: int) -> tuple[Sequence[tuple[str, CustomerId]], str]:
        """Those of the next `limit` people of the account we are in touch with, and how far that is; "": the end.

        In touch: an event of theirs is still kept, or a journey has them.
        """
        values = {"after": gap.cursor, "channel": gap.channel, "account": gap.account, "limit": limit}
        page = self.connection.execute(_page, values).all()
        near = [
            (row.external_id, CustomerId(row.customer_id))
            for row in page
            if self.connection.execute(_in_touch, {"of": row.customer_id}).first() is not None
        ]
        return near, page[-1].external_id if len(page) == limit else ""

    def advance(self, gap: Gap, *, cursor: str, reconciled_at: datetime | None) -> None:
        """Everybody up to `cursor` was asked about; with a moment: everybody was."""
        at = None if reconciled_at is None else micros(reconciled_at)
        self.connection.execute(_advance, {"seq": gap.seq, "cursor": cursor, "at": at})

    def forget(self, *, before: datetime) -> int:
        """Drop mended gaps that ended before this moment; how many."""
        return self.connection.execute(_old, {"before": micros(before)}).rowcount


def _gap(row: AnyRow) -> Gap:
    return Gap(
        seq=row.seq,
        channel=row.channel,
        account=row.account,
        since=moment(row.since),
        until=moment(row.until),
        reason=row.reason,
        turned_away=row.turned_away,
        cursor=row.cursor,
        reconciled_at=maybe_moment(row.reconciled_at),
    )
