"""The look at the database behind /metrics and /readyz: rarely, cheaply, and never twice at once."""

import asyncio
import time
from collections.abc import Callable

import structlog

from bot.core.events import Json
from bot.errors import StorageError
from bot.runtime.accounts import Accounts
from bot.runtime.metrics import Metrics
from bot.runtime.ports import Clock
from bot.storage import Figures, Storage

FRESH_FOR_S = 5.0
"""Whoever asks again so soon gets the same figures."""

log = structlog.get_logger(__name__)


class Gauges:
    """Keeps the last figures. `monotonic`: seconds that never run back."""

    def __init__(
        self,
        storage: Storage,
        *,
        clock: Clock,
        metrics: Metrics,
        accounts: Accounts,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._metrics = metrics
        self._accounts = accounts
        self._monotonic = monotonic
        self._looking = asyncio.Lock()
        self._figures: Figures | None = None
        self._read_at_s = float("-inf")
        self._tried_at_s = float("-inf")

    async def refresh(self) -> None:
        """Set all metrics that have a present value. Figures that cannot be read stay as they were and grow old."""
        async with self._looking:
            if self._monotonic() - self._tried_at_s >= FRESH_FOR_S:
                await self._read()
        for (channel, account), state in self._accounts.states().items():
            self._metrics.account(channel, account, state=state)
        self._metrics.strain(self._storage.strain())
        if self._figures is not None:
            self._metrics.figures_age(self._monotonic() - self._read_at_s)

    async def waiting(self) -> dict[str, Json]:
        """What waits for an operator, for /readyz; `figures` false: the database does not tell."""
        await self.refresh()
        found = self._figures
        if found is None:
            return {"figures": False}
        gaps: list[Json] = [
            {"account": f"{gap.channel}:{gap.account}", "since": gap.since.isoformat(), "until": gap.until.isoformat()}
            for gap in found.gaps
        ]
        return {"parked": found.parked, "quarantined": found.quarantined, "unknown": found.unknown, "gaps": gaps}

    async def _read(self) -> None:
        self._tried_at_s = self._monotonic()
        now = self._clock.now()
        try:
            self._figures = await self._storage.read(lambda tx: tx.counting.figures(now))
        except StorageError as error:
            log.warning("figures_not_read", why=error.what)
            return
        self._read_at_s = self._monotonic()
        self._metrics.figures(self._figures, now)
