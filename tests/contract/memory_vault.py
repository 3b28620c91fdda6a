"""A vault in memory, for one or for several that share it; its lease lasts until it is given back or torn away."""

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.core.access import KeptToken
from bot.errors import StorageError


@dataclass(slots=True, kw_only=True)
class MemoryVault:
    """`broken`: the database behind it is out of order; `breaks_on_swap`: it cannot be written."""

    kept: KeptToken = KeptToken()  # noqa: RUF009 - frozen
    holder: str = ""
    broken: bool = False
    breaks_on_swap: bool = False

    async def load(self) -> KeptToken:
        self._check()
        return self.kept

    async def lease(self, *, owner: str, lasts: timedelta) -> bool:
        self._check()
        assert lasts > timedelta(0)
        if self.holder not in ("", owner):
            return False
        self.holder = owner
        return True

    async def release(self, *, owner: str) -> None:
        self._check()
        if self.holder == owner:
            self.holder = ""

    async def swap(self, kept: KeptToken) -> bool:
        self._check()
        if self.breaks_on_swap:
            raise StorageError("the disk is full")
        if kept.generation != self.kept.generation:
            return False
        self.kept = replace(kept, generation=kept.generation + 1)
        return True

    def _check(self) -> None:
        if self.broken:
            raise StorageError("the disk is full")
