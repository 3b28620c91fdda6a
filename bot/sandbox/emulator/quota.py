"""How many free messages an official account may still send to one follower. Source: wechat-api.md 3.3."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from bot.sandbox.emulator.denial import Denial

Trigger: TypeAlias = Literal["message", "menu", "follow", "scan"]

_ALLOWANCE: dict[Trigger, tuple[int, timedelta]] = {
    "message": (5, timedelta(hours=48)),
    "menu": (3, timedelta(minutes=1)),
    "follow": (3, timedelta(minutes=1)),
    "scan": (3, timedelta(minutes=1)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """What one trigger has left. Closed from `closes_at` on, that moment included."""

    kind: str
    left: int
    closes_at: datetime

    def open(self, now: datetime) -> bool:
        """Whether `now` is before the closing moment."""
        return now < self.closes_at


class Ledger:
    """The buckets of one follower.

    `strict`: a trigger refills its own bucket only. `max`: all share one, which keeps the larger count and the
    later end.
    """

    def __init__(self, merge: Literal["strict", "max"]) -> None:
        self._merge = merge
        self._buckets: dict[str, Bucket] = {}

    def refill(self, trigger: Trigger, now: datetime) -> None:
        """The follower did `trigger` at `now`."""
        count, lasts = _ALLOWANCE[trigger]
        fresh = Bucket(kind=trigger, left=count, closes_at=now + lasts)
        if self._merge == "max":
            fresh = self._merged(fresh, now)
        self._buckets[fresh.kind] = fresh

    def take(self, now: datetime) -> None:
        """Spend one message, from the open bucket that ends first. Denial 45047: all used; 45015: none is open."""
        running = self.running(now)
        usable = [bucket for bucket in running if bucket.left > 0]
        if not usable:
            raise Denial(45047 if running else 45015)
        spent = usable[0]
        self._buckets[spent.kind] = replace(spent, left=spent.left - 1)

    def running(self, now: datetime) -> list[Bucket]:
        """The buckets that are not closed, the one that ends first at the head, used-up ones included."""
        alive = (bucket for bucket in self._buckets.values() if bucket.open(now))
        return sorted(alive, key=lambda bucket: (bucket.closes_at, bucket.kind))

    def clear(self) -> None:
        """Forget everything: the follower left."""
        self._buckets.clear()

    def _merged(self, fresh: Bucket, now: datetime) -> Bucket:
        old = self._buckets.get("any")
        if old is None or not old.open(now):
            return replace(fresh, kind="any")
        return Bucket(kind="any", left=max(old.left, fresh.left), closes_at=max(old.closes_at, fresh.closes_at))
