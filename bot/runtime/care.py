"""What has to be looked after beside the work itself: clocks, gaps and old rows. Runs whenever the alarm rings."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from bot.runtime.accounts import Account
from bot.runtime.clocks import Clocks
from bot.runtime.gaps import Arrive, Gaps
from bot.runtime.ports import Followers
from bot.runtime.tidying import Keep, Tidying
from bot.storage import Storage

ROUNDS_MAX = 4
"""Rounds of asking about a gap's people at one ring: the account has other things to do."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What looking after needs. `followers`: who can be asked about people after a gap; the others' gaps stay told."""

    followers: Mapping[Account, Followers] = field(default_factory=dict)
    keep: Keep = field(default_factory=Keep)
    clocks: Clocks = field(default_factory=Clocks)


class Care:
    """One round of care is `look`."""

    def __init__(self, storage: Storage, *, gaps: Gaps, upkeep: Upkeep, arrive: Arrive, tidying: Tidying) -> None:
        self._storage = storage
        self._gaps = gaps
        self._upkeep = upkeep
        self._arrive = arrive
        self._tidying = tidying
        self._confirmed: int | None = None

    async def start(self) -> None:
        """Read what earlier processes left to care for."""
        self._confirmed = await self._storage.read(lambda tx: tx.confirmations())
        await self._gaps.load()

    async def look(self) -> None:
        """Compare clocks, write gaps down, tidy, and make up for what was missed. StorageError: later, then."""
        await self._compare_clocks()
        await self._gaps.flush()
        await self._tidying.tidy()
        for _ in range(ROUNDS_MAX):
            if not await self._gaps.reconcile(self._upkeep.followers, self._arrive):
                return

    async def _compare_clocks(self) -> None:
        clocks = self._upkeep.clocks
        if clocks.asks_database():
            asked_at = clocks.wall()
            server_at = await self._storage.read(lambda tx: tx.server_time())
            if server_at is not None:
                clocks.compare(asked_at, server_at, clocks.wall())
        if not clocks.trouble:
            return
        confirmed = await self._storage.read(lambda tx: tx.confirmations())
        if confirmed != self._confirmed:
            self._confirmed = confirmed
            clocks.confirm()
            log.warning("clock_confirmed_by_operator")
