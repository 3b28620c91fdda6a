"""Clocks that tell the loop's virtual time, and the product's alarm clock on it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.runtime.engine import BLOCKED_REST
from tests.simulation.loop import VirtualLoop

START = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
"""Ten in the morning in Shanghai, a Tuesday: advisors are at work."""
POLL_S = 30.0
IDLE_POLL_S = 6 * 3600.0
PATIENT_FOR = 3
"""So many rings a second apart in vain are let through."""
BLOCKED_S_MAX = 15.0
"""An account that is down may stay so for a quarter of an hour: ringing every second of it only takes time."""
EAGER_FOR_S = 90.0
"""So long after something was armed the alarm polls as the product's does; then it saves the simulation the trouble."""


class LoopClock:
    """Implements the product's `Clock`. `ahead`: how far it is ahead of true time."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        """The present moment, aware UTC."""
        return START + timedelta(seconds=self._loop.time()) + self.ahead


class LoopAlarm:
    """Rings when the next thing is due, and polls: often while something happens, now and then while nothing does."""

    def __init__(self, clock: LoopClock, ring: Callable[[], None], loop: VirtualLoop) -> None:
        self._clock, self._ring, self._loop = clock, ring, loop
        self._next: asyncio.TimerHandle | None = None
        self._poll: asyncio.TimerHandle | None = None
        self._busy_at = 0.0
        self._blocked = 0

    def start(self) -> None:
        """Begin to poll."""
        self._busy_at = self._loop.time()
        self._poll = self._loop.call_later(POLL_S, self._polled)

    def stop(self) -> None:
        """Never ring again."""
        for handle in (self._next, self._poll):
            if handle is not None:
                handle.cancel()

    def arm(self, due_at: datetime | None) -> None:
        """Ring at `due_at`; None: only the poll rings."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if due_at is None:
            return
        wait_s = max(timedelta(0), due_at - self._clock.now()).total_seconds()
        self._blocked = self._blocked + 1 if wait_s == BLOCKED_REST.total_seconds() else 0
        if self._blocked > PATIENT_FOR:
            wait_s = BLOCKED_S_MAX
        self._next = self._loop.call_later(wait_s, self._rung)

    def _rung(self) -> None:
        self._next = None
        self._busy_at = self._loop.time()
        self._ring()

    def _polled(self) -> None:
        idle = self._loop.time() - self._busy_at > EAGER_FOR_S
        self._poll = self._loop.call_later(IDLE_POLL_S if idle else POLL_S, self._polled)
        self._ring()
