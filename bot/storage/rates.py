"""Counting what a platform drops silently when it is too much (delivery.md 3.9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from bot.storage.chunks import ROWS_MAX
from bot.storage.moments import micros, moment

_EAST_EIGHT = 8 * 3600 * 1_000_000
"""The platforms' days begin at midnight in Beijing."""

_used = text(
    "SELECT window_start, used FROM rates WHERE scope = :scope AND window_start > :after ORDER BY window_start"
)
_count = text(
    "INSERT INTO rates (scope, window_start, used) VALUES (:scope, :window_start, 1)"
    " ON CONFLICT (scope, window_start) DO UPDATE SET used = rates.used + 1"
)
_old = text(
    "DELETE FROM rates WHERE (scope, window_start) IN"
    " (SELECT scope, window_start FROM rates WHERE window_start < :before ORDER BY window_start LIMIT :limit)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `limit` in any stretch of `per`, counted in `slices`, each of which counts until it is wholly past.

    One slice: a stretch begins where the clock of Beijing says so (a day at midnight), as the platforms' own do.
    """

    limit: int
    per: timedelta
    slices: int

    @property
    def slice_us(self) -> int:
        """The length of one slice."""
        return self.per // timedelta(microseconds=self.slices)

    def start_of(self, at: datetime) -> int:
        """Where the slice begins that holds this moment."""
        shifted = micros(at) + _EAST_EIGHT
        return shifted - shifted % self.slice_us - _EAST_EIGHT

    def ends_to_count(self, window_start: int) -> int:
        """When a slice is no part of the present stretch any more."""
        return window_start + self.slice_us * (self.slices + 1 if self.slices > 1 else 1)


Limit = tuple[str, Rate]
"""What is counted, as `app:main:zhangmin:minute`, and how much of it is possible."""


@dataclass(frozen=True, slots=True)
class RateRows:
    """Counts inside one transaction. Two of them at once could both take the last place on PostgreSQL; they never are,
    as one server has the database (ownership.py) and its writer does one after the other."""

    connection: Connection

    def take(self, limits: Sequence[Limit], now: datetime) -> datetime | None:
        """Count one more under each of these limits. A moment: there is no room before it, and nothing was counted."""
        edges = [edge for limit in limits if (edge := self._edge(limit, now)) is not None]
        if edges:
            return max(edges)
        for scope, rate in limits:
            self.connection.execute(_count, {"scope": scope, "window_start": rate.start_of(now)})
        return None

    def used(self, limit: Limit, now: datetime) -> int:
        """How much of this limit is used up now."""
        return sum(count for _, count in self._counted(limit, now))

    def forget(self, *, before: datetime) -> int:
        """Drop slices from before this moment, at most `ROWS_MAX`; how many were dropped."""
        return self.connection.execute(_old, {"before": micros(before), "limit": ROWS_MAX}).rowcount

    def _edge(self, limit: Limit, now: datetime) -> datetime | None:
        """When there will be room under this limit; None: there is."""
        _, rate = limit
        counted = self._counted(limit, now)
        left = sum(count for _, count in counted)
        if left < rate.limit:
            return None
        for window_start, count in counted:
            left -= count
            if left < rate.limit:
                return moment(rate.ends_to_count(window_start))
        raise AssertionError(f"a limit of {rate.limit} leaves no room ever")

    def _counted(self, limit: Limit, now: datetime) -> list[tuple[int, int]]:
        scope, rate = limit
        over = micros(now) - (rate.ends_to_count(0))
        rows = self.connection.execute(_used, {"scope": scope, "after": over})
        return [(row.window_start, row.used) for row in rows]
