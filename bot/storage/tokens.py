"""Access tokens of the channel accounts, sealed, and the lease on fetching a new one. Source: delivery.md 3.11."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

from bot.core.access import KeptToken
from bot.errors import StorageError
from bot.storage.keys import KeyRing
from bot.storage.moments import maybe_micros, maybe_moment
from bot.storage.tables import AnyRow

_load = text("SELECT * FROM tokens WHERE channel = :channel AND account = :account")
_enter = text(
    "INSERT INTO tokens (channel, account, generation) VALUES (:channel, :account, 0)"
    " ON CONFLICT (channel, account) DO NOTHING"
)
_lease = text(
    "UPDATE tokens SET lease_owner = :owner, lease_until = :until WHERE channel = :channel AND account = :account"
    " AND (lease_owner = '' OR lease_owner = :owner OR lease_until IS NULL OR lease_until <= :now)"
)
_release = text(
    "UPDATE tokens SET lease_owner = '', lease_until = NULL"
    " WHERE channel = :channel AND account = :account AND lease_owner = :owner"
)
_release_all = text("UPDATE tokens SET lease_owner = '', lease_until = NULL WHERE lease_owner <> ''")
_swap = text(
    "UPDATE tokens SET generation = generation + 1, sealed = :sealed, fresh_until = :fresh_until, dead_at = :dead_at,"
    " refused = :refused, refused_at = :refused_at, forced_at = :forced_at, forced_count = :forced_count"
    " WHERE channel = :channel AND account = :account AND generation = :generation"
)


@dataclass(frozen=True, slots=True)
class TokenRows:
    """One row an account. Leases run by `ticks`, in microseconds; taking one changes no generation."""

    connection: Connection
    keys: KeyRing
    ticks: Callable[[], int]

    def load(self, channel: str, account: str) -> KeptToken:
        """What is kept for this account; generation 0 when nothing is."""
        row = self.connection.execute(_load, {"channel": channel, "account": account}).one_or_none()
        if row is None:
            return KeptToken()
        token, unreadable = self._opened(row)
        return KeptToken(
            generation=row.generation,
            token=token,
            fresh_until=maybe_moment(row.fresh_until),
            dead_at=maybe_moment(row.dead_at),
            refused=row.refused,
            refused_at=maybe_moment(row.refused_at),
            forced_at=maybe_moment(row.forced_at),
            forced_count=row.forced_count,
            unreadable=unreadable,
        )

    def lease(self, channel: str, account: str, *, owner: str, lasts: timedelta) -> bool:
        """Whether `owner` alone may fetch this account's next token, for so long."""
        named = {"channel": channel, "account": account}
        self.connection.execute(_enter, named)
        now = self.ticks()
        until = now + lasts // timedelta(microseconds=1)
        return self.connection.execute(_lease, {**named, "owner": owner, "now": now, "until": until}).rowcount == 1

    def release(self, channel: str, account: str, *, owner: str) -> None:
        """Give the lease back, if `owner` still has it."""
        self.connection.execute(_release, {"channel": channel, "account": account, "owner": owner})

    def release_all(self) -> None:
        """Give back every lease: whoever held one is known to be dead."""
        self.connection.execute(_release_all)

    def swap(self, channel: str, account: str, kept: KeptToken) -> bool:
        """Write `kept` over the row of its generation, which becomes the next. False: another one stands there."""
        named = {"channel": channel, "account": account}
        self.connection.execute(_enter, named)
        sealed = self.keys.seal(kept.token.encode(), place=_place(channel, account)) if kept.token else None
        values = {
            "generation": kept.generation,
            "sealed": sealed,
            "fresh_until": maybe_micros(kept.fresh_until),
            "dead_at": maybe_micros(kept.dead_at),
            "refused": kept.refused,
            "refused_at": maybe_micros(kept.refused_at),
            "forced_at": maybe_micros(kept.forced_at),
            "forced_count": kept.forced_count,
        }
        return self.connection.execute(_swap, {**named, **values}).rowcount == 1

    def _opened(self, row: AnyRow) -> tuple[str, bool]:
        """The token of a row, and whether there is one that no key opens: then it can only be fetched anew."""
        if row.sealed is None:
            return "", False
        try:
            return self.keys.open(row.sealed, place=_place(row.channel, row.account)).decode(), False
        except StorageError:
            return "", True


def _place(channel: str, account: str) -> str:
    return f"tokens.sealed:{channel}:{account}"
