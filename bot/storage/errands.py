"""Errands after planning: leased, begun, settled, with the same care as what is sent (delivery.md 3.1).

ready → leased → sending → done | failed | unknown; also withdrawn. What a webhook was asked may be asked again under
the same key, so that one whose fate is unknown is ready again until it expires (journey-language.md 3.5 C6).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from bot.core.ids import CustomerId, EffectId
from bot.errors import Spoilt
from bot.storage.codec import read_errand
from bot.storage.dialect import among, listed
from bot.storage.keys import KeyRing
from bot.storage.moments import maybe_moment, micros, moment
from bot.storage.rows import ErrandLine, ErrandVerdict, Met
from bot.storage.spoilt import SpoiltRows
from bot.storage.tables import AnyRow

_COLUMNS = (
    "seq, effect_id, customer_id, state, planned_at, not_before, expires_at, attempts, started_at, settled_at, reason,"
    " status, sealed"
)
# What was planned for a customer whose lane is parked waits with her (delivery.md 2.5).
FREE_ERRAND = """
    e.state = 'ready' AND e.not_before <= :now AND e.expires_at > :now
    AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.lane = e.customer_id)
"""
_FREE = f"""
    SELECT {_COLUMNS} FROM errands e WHERE e.target = :target AND {FREE_ERRAND}
    ORDER BY e.not_before, e.seq LIMIT :limit {{locked}}
"""  # noqa: S608 - constants of this file
# Every target that something waits for once, by leaps along the index: of a target that is down thousands may wait.
_targets = text("""
    WITH RECURSIVE leap(target) AS (
        SELECT MIN(target) FROM errands WHERE state = 'ready'
        UNION ALL SELECT (SELECT MIN(e.target) FROM errands e WHERE e.state = 'ready' AND e.target > leap.target)
        FROM leap WHERE leap.target IS NOT NULL
    ) SELECT target FROM leap WHERE target IS NOT NULL
""")
_ANYTHING = text(f"""
    SELECT EXISTS (SELECT 1 FROM errands e WHERE e.state = 'ready' AND e.expires_at <= :now)
        OR EXISTS (SELECT 1 FROM errands e WHERE {FREE_ERRAND})
        OR EXISTS (SELECT 1 FROM errands e WHERE e.state IN ('leased', 'sending') AND e.leased_until <= :ticks)
""")  # noqa: S608
_LEASE = (
    "UPDATE errands SET state = 'leased', leased_by = :worker, leased_until = :until WHERE seq {listed}"
    " AND state = 'ready'"
)
_begin = text(
    "UPDATE errands SET state = 'sending', started_at = :now, epoch = :epoch, attempts = attempts + 1"
    " WHERE effect_id = :effect_id AND state = 'leased' AND leased_by = :worker AND leased_until > :ticks"
    " AND expires_at > :now"
    " AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.lane = errands.customer_id)"
)
_settle = text(
    "UPDATE errands SET state = :state, settled_at = :now, reason = :reason, status = :status"
    " WHERE effect_id = :effect_id AND state IN ('ready', 'leased', 'sending', 'unknown')"
)
_retry = text(
    "UPDATE errands SET state = 'ready', leased_by = '', leased_until = NULL, not_before = :not_before,"
    " reason = :reason, status = :status"
    " WHERE effect_id = :effect_id AND state IN ('leased', 'sending') AND leased_by = :worker"
)
_unlease = text(
    "UPDATE errands SET state = 'ready', leased_by = '', leased_until = NULL"
    " WHERE effect_id = :effect_id AND state = 'leased' AND leased_by = :worker"
)
# A request that got no answer may have been taken; an answer that says no was none.
_expire = text(f"""
    UPDATE errands SET state = CASE WHEN attempts > 0 AND status IS NULL THEN 'unknown' ELSE 'failed' END,
        settled_at = :now
    WHERE seq IN (
        SELECT seq FROM errands WHERE state = 'ready' AND expires_at <= :now ORDER BY expires_at LIMIT :limit)
    RETURNING {_COLUMNS}
""")  # noqa: S608
_over = text("SELECT effect_id FROM errands WHERE state IN ('leased', 'sending') AND leased_until <= :ticks")
_reclaim = text(
    "UPDATE errands SET state = 'ready', leased_by = '', leased_until = NULL,"
    " status = CASE WHEN state = 'sending' THEN NULL ELSE status END,"
    " reason = CASE WHEN state = 'sending' THEN 'lease over' ELSE reason END"
    " WHERE effect_id = :effect_id AND state IN ('leased', 'sending')"
)
_recover = text(
    "UPDATE errands SET state = 'ready', leased_by = '', leased_until = NULL,"
    " status = CASE WHEN state = 'sending' THEN NULL ELSE status END,"
    " reason = CASE WHEN state = 'sending' THEN 'process ended' ELSE reason END"
    " WHERE state IN ('leased', 'sending')"
)
_of = text(f"SELECT {_COLUMNS} FROM errands WHERE effect_id = :effect_id")  # noqa: S608
_of_customer = text(f"SELECT {_COLUMNS} FROM errands WHERE customer_id = :of ORDER BY seq DESC LIMIT :limit")  # noqa: S608
_undecided = text(
    f"SELECT {_COLUMNS} FROM errands WHERE state = 'unknown' AND reason <> 'left' ORDER BY seq LIMIT :limit"  # noqa: S608
)
_again = text(
    "UPDATE errands SET state = 'ready', leased_by = '', leased_until = NULL, settled_at = NULL, not_before = :now,"
    " expires_at = :until, reason = 'operator' WHERE effect_id = :effect_id AND state = 'unknown'"
)
_leave = text(
    "UPDATE errands SET reason = 'left' WHERE effect_id = :effect_id AND state = 'unknown' AND reason <> 'left'"
)
_counts = text("SELECT state, count(*) AS rows FROM errands GROUP BY state")

EXPIRED_MAX = 50
"""Errands that expire in one transaction: each is told to its customer, and the writer may not be held."""
LINES_MAX = 500
"""Errands of one customer that are read at most; the newest are kept."""
AGAIN_WITHIN = timedelta(hours=6)
"""An errand that an operator runs again is tried so long."""
OURS = ""
"""The target of an errand that a ledger of ours does."""


@dataclass(frozen=True, slots=True)
class ErrandRows:
    """Moves errands from state to state, inside one transaction.

    An errand that does not open is noted in `spoilt` and left out of what is given back.
    """

    connection: Connection
    keys: KeyRing
    now: datetime
    ticks: Callable[[], int]
    """The clock of leases (delivery.md 2.6), which nobody turns."""
    spoilt: SpoiltRows

    def anything(self, now: datetime) -> bool:
        """Whether there is anything to run, to give up, or to take back from a lease that is over."""
        found: bool = self.connection.execute(_ANYTHING, {"now": micros(now), "ticks": self.ticks()}).scalar_one()
        return bool(found)

    def lease(self, now: datetime, *, worker: str, hold: timedelta, room: Mapping[str, int]) -> tuple[ErrandLine, ...]:
        """Take errands that may be run now for `hold`, of each target as many as there is room, the oldest first."""
        leased = [line for target, limit in room.items() for line in self.free(target, now=now, limit=limit)]
        if leased:
            until = self.ticks() + hold // timedelta(microseconds=1)
            values = {"ids": listed(self.connection, [line.seq for line in leased]), "worker": worker, "until": until}
            self.connection.execute(among(self.connection, _LEASE), values)
        return tuple(leased)

    def free(self, target: str, *, now: datetime, limit: int) -> tuple[ErrandLine, ...]:
        """Errands of `target` that may be run now, the oldest first, locked until the transaction ends."""
        if limit <= 0:
            return ()
        values = {"target": target, "now": micros(now), "limit": limit}
        return self._lines(self.connection.execute(among(self.connection, _FREE), values).all(), met="ready")

    def stray(self, known: Collection[str], *, now: datetime, limit: int) -> tuple[ErrandLine, ...]:
        """At most `limit` errands that may be run now and whose target is none of `known`: nobody can be asked."""
        found: list[ErrandLine] = []
        for target in self.connection.execute(_targets).scalars():
            if target not in known:
                found += self.free(target, now=now, limit=limit - len(found))
        return tuple(found)

    def begin(self, effect_id: EffectId, *, worker: str, started_at: datetime, epoch: int) -> bool:
        """Mark a leased errand as `sending`. False: it must not be run, as it was withdrawn or its lease is over."""
        values = {"effect_id": effect_id, "worker": worker, "now": micros(started_at), "epoch": epoch}
        return self.connection.execute(_begin, values | {"ticks": self.ticks()}).rowcount > 0

    def settle(
        self, effect_id: EffectId, verdict: ErrandVerdict, *, reason: str = "", status: int | None = None
    ) -> bool:
        """Write what became of it. False: that is settled already, or it was withdrawn."""
        values = {"effect_id": effect_id, "state": verdict, "reason": reason, "status": status}
        return self.connection.execute(_settle, values | {"now": micros(self.now)}).rowcount > 0

    def retry(
        self, effect_id: EffectId, *, worker: str, not_before: datetime, reason: str, status: int | None = None
    ) -> bool:
        """Ready again from then on. `status` None: there was no answer. False: `worker` does not hold it."""
        values = {"effect_id": effect_id, "worker": worker, "not_before": micros(not_before)}
        return self.connection.execute(_retry, values | {"reason": reason, "status": status}).rowcount > 0

    def release(self, effect_id: EffectId, *, worker: str) -> bool:
        """Give back what `worker` leased and did not begin. False: it does not hold it."""
        return self.connection.execute(_unlease, {"effect_id": effect_id, "worker": worker}).rowcount > 0

    def expire(self, now: datetime) -> tuple[ErrandLine, ...]:
        """Errands past their `expires_at`, at most `EXPIRED_MAX`: failed, or unknown if the last request was lost."""
        rows = self.connection.execute(_expire, {"now": micros(now), "limit": EXPIRED_MAX}).all()
        return self._lines(rows, met="ready")

    def reclaim(self, *, flying: Collection[EffectId] = ()) -> int:
        """End leases that are over, but for those in `flying`; how many. They may be run again under the same key."""
        over = {EffectId(name) for name in self.connection.execute(_over, {"ticks": self.ticks()}).scalars()}
        lost = sorted(over.difference(flying))
        for effect_id in lost:
            self.connection.execute(_reclaim, {"effect_id": effect_id})
        return len(lost)

    def recover(self) -> int:
        """At a start: whatever an earlier process had in hand is ready again; how many."""
        return self.connection.execute(_recover).rowcount

    def of(self, effect_id: EffectId) -> ErrandLine | None:
        """The errand with this id, None when there is none, or when it does not open."""
        lines = self._lines(self.connection.execute(_of, {"effect_id": effect_id}).all())
        return lines[0] if lines else None

    def of_customer(self, customer_id: CustomerId, *, limit: int = LINES_MAX) -> tuple[ErrandLine, ...]:
        """The errands of this customer, the oldest first."""
        values = {"of": customer_id, "limit": min(limit, LINES_MAX)}
        return self._lines(reversed(self.connection.execute(_of_customer, values).all()))

    def undecided(self, limit: int) -> tuple[ErrandLine, ...]:
        """Errands of unknown fate that nobody has decided on, the oldest first."""
        return self._lines(self.connection.execute(_undecided, {"limit": limit}).all())

    def run_again(self, effect_id: EffectId, *, now: datetime) -> bool:
        """Run one of unknown fate once more, under the same key. False: its fate is not unknown (any more)."""
        values = {"effect_id": effect_id, "now": micros(now), "until": micros(now + AGAIN_WITHIN)}
        return self.connection.execute(_again, values).rowcount > 0

    def leave(self, effect_id: EffectId) -> bool:
        """Ask no more about one of unknown fate. False: it is not unknown, or was left before."""
        return self.connection.execute(_leave, {"effect_id": effect_id}).rowcount > 0

    def states(self) -> dict[str, int]:
        """How many there are in each state that has any. Reads the whole table: not for a loop."""
        return {row.state: row.rows for row in self.connection.execute(_counts)}

    def _lines(self, rows: Iterable[AnyRow], *, met: Met = "read") -> tuple[ErrandLine, ...]:
        found: list[ErrandLine] = []
        for row in rows:
            try:
                found.append(_line(row, self.keys))
            except Spoilt as error:
                self.spoilt.note("errands", row.seq, error, met=met)
        return tuple(found)


def _line(row: AnyRow, keys: KeyRing) -> ErrandLine:
    return ErrandLine(
        seq=row.seq,
        customer_id=CustomerId(row.customer_id),
        effect=read_errand(keys.open(row.sealed, place=f"errands.sealed:{row.effect_id}")),
        state=row.state,
        planned_at=moment(row.planned_at),
        not_before=moment(row.not_before),
        expires_at=moment(row.expires_at),
        attempts=row.attempts,
        started_at=maybe_moment(row.started_at),
        settled_at=maybe_moment(row.settled_at),
        reason=row.reason,
        status=row.status,
    )
