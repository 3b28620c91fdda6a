"""What has to be looked after beside the work itself: clocks, gaps and old rows. Runs whenever the alarm rings.

While the clocks are not believed nothing is forgotten, for nobody knows what is old, and nobody is asked about.
"""

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
    """What looking after needs. `followers`: who can be asked about people after a gap.

    Gaps of the other accounts are told until an operator closes them or `UNASKED_FOR` is over.
    """

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
        self._confirmed: int | None = None  # the count when the present trouble was seen; None: there is none

    async def start(self) -> None:
        """Read what earlier processes left to care for."""
        await self._gaps.load()

    async def look(self) -> None:
        """Compare clocks, write gaps down, tidy, and make up for what was missed. StorageError: later, then."""
        await self._compare_clocks()
        await self._gaps.flush()
        if self._upkeep.clocks.trouble:
            return
        await self._tidying.tidy()
        for _ in range(ROUNDS_MAX):
            if not await self._gaps.reconcile(self._upkeep.followers, self._arrive):
                return

    async def _compare_clocks(self) -> None:
        clocks = self._upkeep.clocks
        if clocks.asks_database():
            await self._ask_database(clocks)
        if not clocks.trouble:
            self._confirmed = None
            return
        confirmed = await self._storage.read(lambda tx: tx.confirmations())
        # Only what is confirmed after the trouble was seen speaks of this trouble.
        if self._confirmed is not None and confirmed != self._confirmed:
            await self._ask_database(clocks)
            clocks.confirm()
            log.warning("clock_confirmed_by_operator")
        self._confirmed = confirmed

    async def _ask_database(self, clocks: Clocks) -> None:
        asked_at = clocks.wall()
        server_at = await self._storage.read(lambda tx: tx.server_time())
        if server_at is not None:
            clocks.compare(asked_at, server_at, clocks.wall())
