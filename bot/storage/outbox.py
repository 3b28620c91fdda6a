"""The outbox after planning: leased, begun, settled (delivery.md 3.1).

ready → leased → sending → sent → delivered | refused | unknown; also expired and suppressed.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any  # Any: columns of a row are not typed

from sqlalchemy import Connection, CursorResult, text

from bot.core.ids import CustomerId, EffectId
from bot.errors import Spoilt
from bot.storage import tables
from bot.storage.codec import read_send
from bot.storage.dialect import among, listed, update_by
from bot.storage.keys import KeyRing
from bot.storage.moments import maybe_micros, micros, moment
from bot.storage.reading import OUTBOX_COLUMNS, outbox_line
from bot.storage.rows import Leased, Met, OutboxLine, Outcome, Room, SendState, Verdict
from bot.storage.spoilt import SpoiltRows

CATCHING_UP = "catching_up"
"""Reason of a message that waits until its customer's lane, let go on, has stepped what came before that."""

# One message of a conversation is under way at a time (delivery.md 2.4). An earlier one that is deferred does not
# keep the others back; one that waits for another try does (`holds`), until it expires. What was planned for a
# customer whose lane is parked waits with her (2.5). Two questions, so that each row of a long conversation is
# answered from an index by one look; the second names the states of its index, which SQLite does not conclude.
# What was planned before her lane was let go on waits for what she wrote until then: it may be an opt-out. `not_before`
# of such a row is that moment, or later. Of any other row only `reason` is looked at.
_CAUGHT_UP = f"""
    (o.reason <> '{CATCHING_UP}' OR NOT EXISTS (
        SELECT 1 FROM inbox i WHERE i.lane = o.customer_id AND i.consumed_at IS NULL AND i.received_at <= o.not_before))
"""  # noqa: S608 - constants of this file
FREE_SEND = f"""
    o.state = 'ready' AND o.not_before <= :now AND (o.expires_at IS NULL OR o.expires_at > :now)
    AND NOT EXISTS (
        SELECT 1 FROM outbox f WHERE f.conversation_id = o.conversation_id AND f.state IN ('leased', 'sending'))
    AND NOT EXISTS (
        SELECT 1 FROM outbox e WHERE e.conversation_id = o.conversation_id AND e.seq < o.seq
        AND e.state IN ('ready', 'leased', 'sending') AND e.state = 'ready'
        AND (e.not_before <= :now OR e.holds = 1) AND (e.expires_at IS NULL OR e.expires_at > :now))
    AND (o.send_class = 'staff' OR NOT EXISTS (SELECT 1 FROM parked p WHERE p.lane = o.customer_id))
    AND {_CAUGHT_UP}
"""  # noqa: S608
_FREE = {
    urgent: text(f"""
        SELECT o.seq, o.effect_id, o.customer_id, o.planned_at, o.attempts, o.repeats, o.by_operator, o.sealed
        FROM outbox o
        WHERE o.channel = :channel AND o.account = :account AND o.urgent = {urgent} AND {FREE_SEND}
        ORDER BY o.not_before, o.seq LIMIT :limit
    """)  # noqa: S608 - constants of this file
    for urgent in (1, 0)
}

_LEASE = (
    "UPDATE outbox SET state = 'leased', leased_by = :worker, leased_until = :until WHERE seq {listed}"
    " AND state = 'ready'"
)
_MAY_BEGIN = f"""
    o.effect_id {{listed}} AND o.state = 'leased' AND o.leased_by = :worker AND o.leased_until > :ticks
    AND (o.expires_at IS NULL OR o.expires_at > :now)
    AND (o.send_class = 'staff' OR NOT EXISTS (SELECT 1 FROM parked p WHERE p.lane = o.customer_id))
    AND {_CAUGHT_UP}
"""  # noqa: S608
_BEGINNABLE = f"SELECT o.effect_id FROM outbox o WHERE {_MAY_BEGIN} ORDER BY o.seq {{locked}}"  # noqa: S608 - constants
_BEGIN = f"""
    UPDATE outbox AS o SET state = 'sending', started_at = :now, epoch = :epoch, attempts = attempts + 1, holds = 0
    WHERE {_MAY_BEGIN} RETURNING effect_id
"""  # noqa: S608
_STATES = "SELECT effect_id, state FROM outbox WHERE effect_id {listed} ORDER BY effect_id {locked}"
EXPIRED_MAX = 50
"""Rows that expire in one transaction: each is told to its customer, and the writer may not be held."""
_SETTLED = ("state", "settled_at", "provider_id", "response_code", "reason", "vendor_code")
_back = text(
    "UPDATE outbox SET state = 'ready', leased_by = '', leased_until = NULL, not_before = :not_before, holds = 1,"
    " reason = :reason, vendor_code = :vendor_code"
    " WHERE effect_id = :effect_id AND state IN ('leased', 'sending') AND leased_by = :worker"
)
_defer = text(
    "UPDATE outbox SET state = 'ready', leased_by = '', leased_until = NULL, not_before = :not_before, holds = 0,"
    " reason = COALESCE(:reason, reason)"
    " WHERE effect_id = :effect_id AND state IN ('leased', 'sending') AND leased_by = :worker"
)
_again = text(
    "UPDATE outbox SET state = 'ready', leased_by = '', leased_until = NULL, settled_at = NULL, holds = 1,"
    " repeats = repeats + 1,"
    " expires_at = COALESCE(:expires_at, expires_at), not_before = :not_before"
    " WHERE effect_id = :effect_id AND state = 'unknown'"
)
_expire = text(f"""
    UPDATE outbox SET state = CASE WHEN repeats > 0 THEN 'unknown' ELSE 'expired' END, settled_at = :now,
        reason = 'expired' WHERE seq IN (
        SELECT seq FROM outbox WHERE state = 'ready' AND expires_at IS NOT NULL AND expires_at <= :now
        ORDER BY expires_at LIMIT :limit)
    RETURNING {OUTBOX_COLUMNS}
""")  # noqa: S608
_over = text("SELECT effect_id FROM outbox WHERE state IN ('leased', 'sending') AND leased_until <= :ticks")
_lapse = text(f"""
    UPDATE outbox SET state = 'unknown', settled_at = :now, reason = 'lease over'
    WHERE effect_id = :effect_id AND state = 'sending' RETURNING {OUTBOX_COLUMNS}
""")  # noqa: S608
_hold_back = text(
    "UPDATE outbox SET reason = :reason, not_before = CASE WHEN not_before < :now THEN :now ELSE not_before END"
    " WHERE customer_id = :of AND state IN ('ready', 'leased') AND send_class <> 'staff'"
)
_unlease = text(
    "UPDATE outbox SET state = 'ready', leased_by = '', leased_until = NULL"
    " WHERE effect_id = :effect_id AND state = 'leased'"
)
_unlease_mine = text(f"{_unlease} AND leased_by = :worker")
_recover = text(f"""
    UPDATE outbox SET state = 'unknown', settled_at = :now, reason = 'process ended'
    WHERE state IN ('leased', 'sending') AND state = 'sending' AND epoch < :epoch RETURNING {OUTBOX_COLUMNS}
""")  # noqa: S608
_release = text(
    "UPDATE outbox SET state = 'ready', leased_by = '', leased_until = NULL"
    " WHERE state IN ('leased', 'sending') AND state = 'leased'"
)
_counts = text("SELECT state, count(*) AS rows FROM outbox GROUP BY state")
_of = text(f"SELECT {OUTBOX_COLUMNS} FROM outbox WHERE effect_id = :effect_id")  # noqa: S608
_of_provider = text(
    f"SELECT {OUTBOX_COLUMNS} FROM outbox WHERE provider_id = :provider_id AND provider_id <> ''"  # noqa: S608
    " AND channel = :channel AND account = :account ORDER BY seq DESC LIMIT 1"
)

_FROM: Mapping[Verdict, frozenset[SendState]] = {
    "sent": frozenset({"sending", "unknown"}),
    "delivered": frozenset({"sending", "sent", "unknown"}),
    "refused": frozenset({"leased", "sending", "sent", "unknown"}),
    "unknown": frozenset({"leased", "sending"}),
    "expired": frozenset({"ready", "leased"}),
    "suppressed": frozenset({"ready", "leased"}),
}
"""Which states a verdict may be passed on. A later receipt corrects `sent` and `unknown`; nothing else is undone.

A repeat that does not leave any more is `unknown`, leased or not: of its first attempt nobody knows."""

# Of one row, as nearly every verdict comes: asked and written at once.
_SETTLE = {
    verdict: text(
        "UPDATE outbox SET state = :verdict, settled_at = :at, reason = :reason, vendor_code = :vendor_code,"  # noqa: S608
        " provider_id = COALESCE(NULLIF(:provider_id, ''), provider_id),"
        " response_code = COALESCE(NULLIF(:response_code, ''), response_code)"
        f" WHERE effect_id = :effect_id AND state IN ({str(sorted(states))[1:-1]})"
    )
    for verdict, states in _FROM.items()
}


@dataclass(frozen=True, slots=True)
class OutboxSends:
    """Moves rows of the outbox from state to state, inside one transaction.

    A row that does not open is noted in `spoilt` and left out of what is given back.
    """

    connection: Connection
    keys: KeyRing
    now: datetime
    ticks: Callable[[], int]
    """The clock of leases (delivery.md 2.6), which nobody turns."""
    spoilt: SpoiltRows

    def lease(
        self, now: datetime, *, worker: str, hold: timedelta, limits: Mapping[tuple[str, str], Room]
    ) -> tuple[Leased, ...]:
        """Take rows that may leave now for `hold`, as many of each account as there is room, urgent ones first.

        Accounts that `limits` does not name get nothing. Of one conversation at most one row is under way.
        """
        leased: list[Leased] = []
        for (channel, account), room in limits.items():
            names: dict[str, str | int] = {"channel": channel, "account": account, "now": micros(now)}
            urgent = self._free(1, names | {"limit": room.slots})
            others = self._free(0, names | {"limit": room.slots - room.for_urgent - len(urgent)})
            leased += [*urgent, *others]
        if leased:
            until = self.ticks() + hold // timedelta(microseconds=1)
            values = {"ids": listed(self.connection, [row.seq for row in leased]), "worker": worker, "until": until}
            self.connection.execute(among(self.connection, _LEASE), values)
        return tuple(leased)

    def _free(self, urgent: int, values: Mapping[str, str | int]) -> list[Leased]:
        if int(values["limit"]) <= 0:
            return []
        found: list[Leased] = []
        for row in self.connection.execute(_FREE[urgent], values).all():
            try:
                found.append(self._leased(row))
            except Spoilt as error:
                self.spoilt.note("outbox", row.seq, error, met="ready")
        return found

    def beginnable(self, effect_ids: Sequence[EffectId], *, worker: str, now: datetime) -> frozenset[EffectId]:
        """Those of these rows that `begin` would mark at `now`, locked until the transaction ends."""
        values = self._asked(effect_ids) | {"worker": worker, "ticks": self.ticks(), "now": micros(now)}
        found = self.connection.execute(among(self.connection, _BEGINNABLE), values)
        return frozenset(EffectId(name) for name in found.scalars())

    def begin(
        self, effect_ids: Sequence[EffectId], *, worker: str, started_at: datetime, epoch: int
    ) -> frozenset[EffectId]:
        """Mark leased rows as `sending`; those that really are. The rest must not be sent.

        Left out: rows suppressed meanwhile, expired, of a lane that was parked, or whose lease is over or another's.
        """
        if not effect_ids:
            return frozenset()
        leased = {"worker": worker, "ticks": self.ticks(), "now": micros(started_at), "epoch": epoch}
        found = self.connection.execute(among(self.connection, _BEGIN), self._asked(effect_ids) | leased)
        return frozenset(EffectId(name) for name in found.scalars())

    def _asked(self, effect_ids: Sequence[EffectId]) -> dict[str, object]:
        return {"ids": listed(self.connection, effect_ids)}

    def settle(self, outcomes: Sequence[Outcome]) -> frozenset[EffectId]:
        """Write what became of sends; those that changed. An outcome that comes too late changes nothing.

        Empty `provider_id` and `response_code` leave what is known of them.
        """
        if len(outcomes) == 1:
            return self._settle_one(outcomes[0])
        states = self._states(outcomes)
        changed: dict[EffectId, dict[str, object]] = {}
        for outcome in outcomes:
            line = states.get(outcome.effect_id)
            if line is None or line not in _FROM[outcome.verdict]:
                continue
            states[outcome.effect_id] = outcome.verdict
            changed[outcome.effect_id] = self._settled(outcome, changed.get(outcome.effect_id))
        self._write_settled(changed.values())
        return frozenset(changed)

    def _settle_one(self, outcome: Outcome) -> frozenset[EffectId]:
        values = {
            "effect_id": outcome.effect_id,
            "verdict": outcome.verdict,
            "at": micros(self.now),
            "reason": outcome.reason,
            "vendor_code": outcome.vendor_code,
            "provider_id": outcome.provider_id,
            "response_code": outcome.response_code,
        }
        changed = self.connection.execute(_SETTLE[outcome.verdict], values).rowcount > 0
        return frozenset({outcome.effect_id} if changed else ())

    def retry(
        self,
        effect_id: EffectId,
        *,
        worker: str,
        not_before: datetime,
        reason: str = "",
        vendor_code: int | None = None,
    ) -> bool:
        """The platform said `later`: ready again from then on. It keeps later ones of its conversation back.

        False: `worker` does not hold it any more, and nothing was changed.
        """
        row = {"effect_id": effect_id, "worker": worker, "not_before": micros(not_before)}
        why = {"reason": reason, "vendor_code": vendor_code}
        return self.connection.execute(_back, row | why).rowcount > 0

    def defer(self, effect_id: EffectId, *, worker: str, not_before: datetime, reason: str | None = None) -> bool:
        """The policy said `later`: ready again from then on. Later ones of its conversation may go before it.

        `reason` None: the row keeps the one it has. False: `worker` does not hold it, and nothing was changed.
        """
        row = {"effect_id": effect_id, "worker": worker, "not_before": micros(not_before), "reason": reason}
        return self.connection.execute(_defer, row).rowcount > 0

    def repeat(self, effect_id: EffectId, *, not_before: datetime, until: datetime | None = None) -> bool:
        """Send an unknown one again, where its class allows that (delivery.md 3.5). False: it is not unknown.

        `until`: later than that it must not leave, None: no later than was planned.
        """
        values = {"effect_id": effect_id, "not_before": micros(not_before), "expires_at": maybe_micros(until)}
        return self.connection.execute(_again, values).rowcount > 0

    def hold_back(self, customer_id: CustomerId) -> None:
        """Keep what waits to be sent to her until everything that came for her before now was stepped."""
        values = {"of": customer_id, "reason": CATCHING_UP, "now": micros(self.now)}
        self.connection.execute(_hold_back, values)

    def expire(self, now: datetime) -> tuple[OutboxLine, ...]:
        """Rows past their `expires_at`, at most `EXPIRED_MAX`, now `expired`; one that was a repeat is `unknown`."""
        rows = self.connection.execute(_expire, {"now": micros(now), "limit": EXPIRED_MAX})
        return self._lines(rows, met="ready")

    def release(self, effect_id: EffectId, *, worker: str) -> bool:
        """Give back what `worker` leased and did not begin. False: it is not leased by this one any more."""
        return self.connection.execute(_unlease_mine, {"effect_id": effect_id, "worker": worker}).rowcount > 0

    def reclaim(self, *, flying: Collection[EffectId] = ()) -> tuple[OutboxLine, ...]:
        """End leases that are over: what was only leased is ready again, what was `sending` is returned as unknown.

        Rows in `flying` are left to the living tasks that hold them: each ends by its own time-out.
        """
        over = {EffectId(name) for name in self.connection.execute(_over, {"ticks": self.ticks()}).scalars()}
        lapsed: list[OutboxLine] = []
        for effect_id in sorted(over.difference(flying)):
            self.connection.execute(_unlease, {"effect_id": effect_id})
            rows = self.connection.execute(_lapse, {"effect_id": effect_id, "now": micros(self.now)})
            lapsed += self._lines(rows, met="sending")
        return tuple(lapsed)

    def recover(self, epoch: int) -> tuple[OutboxLine, ...]:
        """At a start: what an earlier epoch left `sending` is returned as unknown; every lease is undone."""
        self.connection.execute(_release)
        rows = self.connection.execute(_recover, {"now": micros(self.now), "epoch": epoch})
        return self._lines(rows, met="sending")

    def states(self) -> dict[SendState, int]:
        """How many rows there are in each state that has any. Reads the whole table: not for a loop."""
        return {row.state: row.rows for row in self.connection.execute(_counts)}

    def of(self, effect_id: EffectId) -> OutboxLine | None:
        """The row of this effect, None when there is none, or when it does not open."""
        lines = self._lines(self.connection.execute(_of, {"effect_id": effect_id}), met="read")
        return lines[0] if lines else None

    def of_provider(self, provider_id: str, *, channel: str, account: str) -> OutboxLine | None:
        """The row that the platform knows by this id, None when there is none. Spoilt: it does not open."""
        values = {"provider_id": provider_id, "channel": channel, "account": account}
        row = self.connection.execute(_of_provider, values).one_or_none()
        return outbox_line(row, self.keys) if row else None

    def _leased(self, row: tables.AnyRow) -> Leased:
        return Leased(
            seq=row.seq,
            customer_id=CustomerId(row.customer_id),
            effect=read_send(self.keys.open(row.sealed, place=f"outbox.sealed:{row.effect_id}")),
            planned_at=moment(row.planned_at),
            attempts=row.attempts,
            repeats=row.repeats,
            by_operator=row.by_operator == 1,
        )

    def _states(self, outcomes: Sequence[Outcome]) -> dict[EffectId, SendState]:
        asked = self._asked([outcome.effect_id for outcome in outcomes])
        found = self.connection.execute(among(self.connection, _STATES), asked)
        return {EffectId(row.effect_id): row.state for row in found}

    def _settled(self, outcome: Outcome, earlier: Mapping[str, object] | None) -> dict[str, object]:
        row: dict[str, object] = dict(earlier or {})
        row |= {
            "of_effect_id": outcome.effect_id,
            "state": outcome.verdict,
            "settled_at": micros(self.now),
            "reason": outcome.reason,
            "vendor_code": outcome.vendor_code,
        }
        known = {"provider_id": outcome.provider_id, "response_code": outcome.response_code}
        return row | {name: value for name, value in known.items() if value}

    def _write_settled(self, rows: Iterable[dict[str, object]]) -> None:
        by_columns: dict[tuple[str, ...], list[dict[str, object]]] = {}
        for row in rows:
            columns = tuple(name for name in _SETTLED if name in row)
            by_columns.setdefault(columns, []).append(row)
        for columns, group in by_columns.items():
            self.connection.execute(update_by(tables.outbox, "effect_id", *columns), group)

    def _lines(self, rows: CursorResult[Any], *, met: Met) -> tuple[OutboxLine, ...]:  # Any: columns are not typed
        found: list[OutboxLine] = []
        for row in rows.all():
            try:
                found.append(outbox_line(row, self.keys))
            except Spoilt as error:
                self.spoilt.note("outbox", row.seq, error, met=met)
        return tuple(found)
