"""The sandbox's time: stands still, or runs along with real time, and can be turned forward."""

import time as machine
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def machine_now() -> datetime:
    """The machine's own time, aware UTC: for the `real` column of logs, and to start a clock at."""
    return datetime.now(UTC)


ZONE = ZoneInfo("Asia/Shanghai")
"""Where the sandbox's buyers and advisors live."""
MORNING = time(10)
WORKDAY = (time(9), time(18))


def morning_of(now: datetime) -> datetime:
    """Ten in the morning of the day of `now`: advisors are at work, and a day lies ahead."""
    return datetime.combine(now.astimezone(ZONE), MORNING, ZONE)


def opening_time(now: datetime) -> datetime:
    """`now` while advisors are at work, else the next ten in the morning: nobody meets an empty shop."""
    local = now.astimezone(ZONE)
    if WORKDAY[0] <= local.time() < WORKDAY[1]:
        return now
    morning = morning_of(now)
    return morning if morning > now else morning + timedelta(days=1)


class VirtualClock:
    """A clock that implements `bot.runtime.ports.Clock` and obeys whoever holds it.

    Frozen, it moves only when turned. Flowing, it runs with real time from where it was last turned to, measured
    by the monotonic clock, so that a machine whose clock is set back does not set the sandbox back.
    """

    def __init__(
        self,
        start: datetime | None = None,
        *,
        flowing: bool = False,
        monotonic: Callable[[], float] = machine.monotonic,
    ) -> None:
        self._base = _aware(start) if start is not None else machine_now()
        self._flowing = flowing
        self._monotonic = monotonic
        self._since = monotonic()

    def now(self) -> datetime:
        """The sandbox's present moment, aware UTC."""
        if not self._flowing:
            return self._base
        return self._base + timedelta(seconds=self._monotonic() - self._since)

    def set(self, at: datetime) -> None:
        """Turn the clock to `at`. ValueError: `at` is naive, or earlier than now; time never goes back."""
        at, now = _aware(at), self.now()
        if at < now:
            raise ValueError(f"`{at.isoformat()}` is before `{now.isoformat()}`: the clock only turns forward")
        self._base, self._since = at, self._monotonic()

    def restart(self, at: datetime) -> None:
        """Begin at `at` instead, also in the past. Only before anything has happened: nothing else knows."""
        self._base, self._since = _aware(at), self._monotonic()

    def advance(self, delta: timedelta) -> None:
        """Turn the clock forward by `delta`. ValueError: `delta` is negative."""
        if delta < timedelta(0):
            raise ValueError(f"`{delta}` is negative: the clock only turns forward")
        self._base, self._since = self.now() + delta, self._monotonic()


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"`{at.isoformat()}` has no time zone")
    return at.astimezone(UTC)
