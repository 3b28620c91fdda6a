"""An access token as it is kept between requests and between starts of the program. Source: delivery.md 3.11."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptToken:
    """The token of one account. `generation` 0: nothing was kept yet; empty `token`: there is none.

    `fresh_until`: used without a question until then; `dead_at`: of no use from then on. `refused`: fingerprint of a
    token that the platform did not accept though it had only just given it out, since `refused_at`. `forced_at`,
    `forced_count`: the last time that a new one was forced, and how often on that day. `unreadable`: one was kept, and
    no key opens it.
    """

    generation: int = 0
    token: str = field(default="", repr=False)
    fresh_until: datetime | None = None
    dead_at: datetime | None = None
    refused: str = ""
    refused_at: datetime | None = None
    forced_at: datetime | None = None
    forced_count: int = 0
    unreadable: bool = False

    def is_fresh(self, now: datetime) -> bool:
        """Whether it may be used without asking for another."""
        return bool(self.token) and self.fresh_until is not None and now < self.fresh_until

    def is_alive(self, now: datetime) -> bool:
        """Whether the platform should still take it."""
        return bool(self.token) and self.dead_at is not None and now < self.dead_at

    @property
    def is_hopeless(self) -> bool:
        """Whether the platform refused the very token that it gave out last."""
        return bool(self.token) and self.refused == fingerprint(self.token)


def fingerprint(token: str) -> str:
    """What a token is compared by where it must not stand itself."""
    return hashlib.sha256(token.encode()).hexdigest()
