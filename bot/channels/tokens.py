"""Access tokens: one request at a time, however many callers wait for it. Source: delivery.md 3.11, wechat-api.md 3.1.

A token is never part of an error, a log line or a repr.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.errors import ChannelError, Forbidden, TryLater, Unauthorised, Unknown
from bot.runtime.ports import Clock

PROBE_EVERY = timedelta(seconds=30)
"""How often a parked account asks again."""
FORCE_EVERY = timedelta(seconds=30)
FORCED_A_DAY_MAX = 10
"""The platform allows 20; the other half is left to an operator's own hands."""
WAIT_MAX_S = 3
"""How long a sender waits for somebody else's request before it tries later."""
_MARGIN_S = 60.0
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token as the platform gave it out."""

    access_token: str = field(repr=False)
    expires_in_s: float


class Fetch(Protocol):
    """How a platform is asked for a token."""

    async def __call__(self, *, force: bool) -> Grant:
        """The token it gives out now; with `force` a new one, which kills the old. ChannelError: it gives none."""
        ...


class Tokens:
    """The access token of one account.

    `can_force`: the platform repeats its present token when asked normally, even one that it refuses, and
    has a way to insist (stable_token).
    """

    def __init__(self, *, fetch: Fetch, clock: Clock, can_force: bool) -> None:
        self._fetch = fetch
        self._clock = clock
        self._can_force = can_force
        self._token = ""
        self._refused = ""
        self._fresh_until: datetime | None = None
        self._dead_at: datetime | None = None
        self._parked: tuple[ChannelError, datetime] | None = None
        self._forced_at: deque[datetime] = deque(maxlen=FORCED_A_DAY_MAX)
        self._renewal: asyncio.Task[str | ChannelError] | None = None

    @property
    def trouble(self) -> str | None:
        """Why no token can be had; None while all is well."""
        return None if self._parked is None else self._parked[0].what

    async def current(self) -> str:
        """A token to use now. TryLater, Unauthorised or Forbidden: there is none, and nothing was sent."""
        now = self._clock.now()
        if self._token and self._fresh_until is not None and now < self._fresh_until:
            return self._token
        self._raise_if_parked(now)
        return await self._renewed()

    async def replace(self, refused: str) -> str:
        """The token to use instead of `refused`, which the platform did not accept. Errors as of `current`."""
        if self._token and self._token != refused:
            return self._token
        self._drop(refused)
        self._raise_if_parked(self._clock.now())
        return await self._renewed()

    def park(self, refused: str, error: ChannelError) -> None:
        """Give up for 30 seconds: a token that was just fetched is refused too."""
        self._drop(refused)
        self._parked = (error, self._clock.now() + PROBE_EVERY)

    def _drop(self, refused: str) -> None:
        self._refused = refused
        if self._token == refused:
            self._token = ""

    def _raise_if_parked(self, now: datetime) -> None:
        if self._parked is None or now >= self._parked[1]:
            return
        error, until = self._parked
        match error:
            case Unauthorised() | Forbidden():
                raise type(error)(error.what, vendor_code=error.vendor_code, hint=error.hint)
            case _:
                raise TryLater(
                    error.what, after_s=(until - now).total_seconds(), vendor_code=error.vendor_code
                ) from None

    async def _renewed(self) -> str:
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._renew())
            self._renewal.add_done_callback(self._forget_renewal)
        try:
            async with asyncio.timeout(WAIT_MAX_S):
                # Shielded: a caller that gives up must not take the token from the others.
                outcome = await asyncio.shield(self._renewal)
        except TimeoutError:
            raise TryLater("the access token is still on its way", after_s=1) from None
        if isinstance(outcome, ChannelError):
            raise outcome
        return outcome

    def _forget_renewal(self, _: asyncio.Task[str | ChannelError]) -> None:
        self._renewal = None

    async def _renew(self) -> str | ChannelError:
        """The new token, the old one while it lives, or what went wrong: returned, as several callers read it."""
        try:
            grant = await self._fetch(force=False)
            if grant.access_token == self._refused:
                grant = await self._insist()
        except ChannelError as error:
            return self._fall_back(_as_nothing_sent(error))
        now = self._clock.now()
        margin_s = min(_MARGIN_S, grant.expires_in_s / 2)
        self._token = grant.access_token
        self._fresh_until = now + timedelta(seconds=grant.expires_in_s - margin_s)
        self._dead_at = now + timedelta(seconds=grant.expires_in_s)
        self._parked = None
        return self._token

    def _fall_back(self, error: ChannelError) -> str | ChannelError:
        now = self._clock.now()
        self._parked = (error, now + PROBE_EVERY)
        if self._token and self._dead_at is not None and now < self._dead_at:
            self._fresh_until = min(self._dead_at, now + PROBE_EVERY)
            return self._token
        return error

    async def _insist(self) -> Grant:
        if not self._can_force:
            self._refused = ""  # the next probe tries it once more: nothing else could ever end this
            raise Unauthorised("the platform refuses the very token that it gives out")
        now = self._clock.now()
        if self._forced_at and now - self._forced_at[-1] < FORCE_EVERY:
            wait = FORCE_EVERY - (now - self._forced_at[-1])
            raise TryLater("a new access token was forced a moment ago", after_s=wait.total_seconds())
        if len(self._forced_at) == FORCED_A_DAY_MAX and now - self._forced_at[0] < _DAY:
            raise Unauthorised("a new access token was forced ten times within a day")
        self._forced_at.append(now)
        return await self._fetch(force=True)


def _as_nothing_sent(error: ChannelError) -> ChannelError:
    """A lost request for a token can simply be made again."""
    match error:
        case TryLater() | Unauthorised() | Forbidden():
            return error
        case Unknown():
            return TryLater(error.what, after_s=PROBE_EVERY.total_seconds(), vendor_code=error.vendor_code)
        case _:
            return Unauthorised(error.what, vendor_code=error.vendor_code, hint=error.hint)
