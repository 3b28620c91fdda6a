"""The alarm clock: rings when the next thing is due, and every 30 s in case something was missed.

APScheduler is a metronome, not a memory: every due time is a row, and losing the alarm loses nothing.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.runtime.ports import Clock

POLL_S = 30
_NEXT, _POLL = "next", "poll"


class Alarm:
    """Rings `ring` on the running event loop. Times are the application clock's; only the wait is real time."""

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._scheduler = AsyncIOScheduler(timezone=UTC)

    def start(self) -> None:
        """Begin to poll."""
        self._scheduler.add_job(
            self._rung,
            IntervalTrigger(seconds=POLL_S, timezone=UTC),
            id=_POLL,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )
        self._scheduler.start()

    def stop(self) -> None:
        """Never ring again."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def arm(self, due_at: datetime | None) -> None:
        """Ring at `due_at`; None: only the poll rings. An earlier order is replaced."""
        if due_at is None:
            if self._scheduler.get_job(_NEXT) is not None:
                self._scheduler.remove_job(_NEXT)
            return
        wait = max(timedelta(0), due_at - self._clock.now())
        self._scheduler.add_job(
            self._rung,
            DateTrigger(datetime.now(UTC) + wait, timezone=UTC),
            id=_NEXT,
            replace_existing=True,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )

    async def _rung(self) -> None:
        # A coroutine, so that the scheduler runs it on the event loop and not in a thread.
        self._ring()
