"""Where the access token of one account is kept. The port is here, beside its consumer; storage stands behind it."""

from datetime import timedelta
from typing import Protocol

from bot.core.access import KeptToken


class Vault(Protocol):
    """Shared by every process that serves the account, and left as it is by a restart. StorageError: out of order."""

    async def load(self) -> KeptToken:
        """What is kept now."""
        ...

    async def lease(self, *, owner: str, lasts: timedelta) -> bool:
        """Whether `owner` alone may fetch a new token, for so long."""
        ...

    async def release(self, *, owner: str) -> None:
        """Give the lease back."""
        ...

    async def swap(self, kept: KeptToken) -> bool:
        """Write `kept` over its own generation, which becomes the next. False: there is another by now."""
        ...
