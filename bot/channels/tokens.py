"""Access tokens: kept in a vault that outlives the process, fetched by one at a time, however many need one.

Source: delivery.md 3.11, wechat-api.md 3.1 and 4.1. A token is never part of an error, a log line or a repr.
"""

import asyncio
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.channels.vault import Vault
from bot.core.access import KeptToken, fingerprint
from bot.errors import ChannelError, Forbidden, StorageError, TryLater, Unauthorised, Unknown
from bot.runtime.ports import Clock

PROBE_EVERY = timedelta(seconds=30)
"""How often a parked account asks again."""
LOOK_AGAIN_AFTER = timedelta(minutes=10)
"""How often an account whose newest token is refused asks, without force, whether there is another by now."""
FORCE_EVERY = timedelta(seconds=30)
FORCE_IN_VAIN_EVERY = timedelta(hours=1)
"""The same, when the token that was forced out last was refused as well: the fault is not the token's."""
FORCED_A_DAY_MAX = 10
"""The platform allows 20; the other half is left to an operator's own hands."""
WAIT_MAX_S = 3
"""How long a sender waits for somebody else's request before it tries later."""
LEASE_FOR = timedelta(seconds=30)
"""Two requests at their slowest, and some room. A process that dies while it fetches delays the others so long."""
_POLL_S = 0.25
_SWAP_TRIES_MAX = 3
_STORE_REST_S = 5
_MARGIN_S = 60.0
_CALENDAR = timedelta(hours=8)
"""The platforms' days begin at midnight in China."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token as the platform gave it out."""

    access_token: str = field(repr=False)
    expires_in_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A token to call with. `is_new`: the platform gave it out just now, in place of a refused one."""

    token: str = field(repr=False)
    is_new: bool = False


class Fetch(Protocol):
    """How a platform is asked for a token."""

    async def __call__(self, *, force: bool) -> Grant:
        """The token it gives out now; with `force` a new one, which kills the old. ChannelError: it gives none."""
        ...


class Tokens:
    """The access token of one account, `name` in the log.

    `can_force`: the platform repeats its present token when asked normally, even one that it refuses, and has a way
    to insist (stable_token). A token that is refused although it has only just been given out is *hopeless*: nothing
    is refreshed any more, and a probe uses it every 30 seconds until the platform takes it.
    """

    def __init__(self, *, name: str, fetch: Fetch, clock: Clock, can_force: bool, vault: Vault) -> None:
        self._name = name
        self._fetch = fetch
        self._clock = clock
        self._can_force = can_force
        self._vault = vault
        self._owner = secrets.token_hex(8)
        self._kept: KeptToken | None = None
        self._refused = ""
        self._parked: tuple[ChannelError, datetime] | None = None
        self._renewal: asyncio.Task[Pass | ChannelError] | None = None

    @property
    def trouble(self) -> str | None:
        """Why no token can be had, or none that the platform takes; None while all is well."""
        return None if self._parked is None else self._parked[0].what

    async def current(self) -> str:
        """A token to use now. TryLater, Unauthorised or Forbidden: there is none, and nothing was sent."""
        now = self._clock.now()
        kept = self._kept or await self._look()
        if kept.is_hopeless and kept.is_alive(now):
            self._raise_if_parked(now)
            if kept.refused_at is not None and now < kept.refused_at + LOOK_AGAIN_AFTER:
                return kept.token
        elif kept.is_fresh(now) and kept.token != self._refused:
            return kept.token
        self._raise_if_parked(now)
        return (await self._renewed()).token

    async def replace(self, refused: str) -> Pass:
        """The token to use instead of `refused`, which the platform did not accept. Errors as of `current`.

        The vault is asked first: another process may have replaced it already.
        """
        kept = await self._look()
        now = self._clock.now()
        if kept.is_hopeless and kept.token == refused:
            raise self._park(Unauthorised("the platform refuses the very token that it gives out"))
        if kept.token != refused and self._is_welcome(kept) and kept.is_alive(now):
            return Pass(token=kept.token)
        self._raise_if_parked(now)
        self._refused = refused
        return await self._renewed()

    async def park(self, refused: str, error: ChannelError) -> None:
        """Give up on `refused`, a token that was given out just now: only probes use it from here on."""
        self._park(error)
        kept = self._kept
        if kept is None or kept.token != refused:
            return
        given_up = replace(kept, refused=fingerprint(refused), refused_at=self._clock.now())
        self._kept = given_up
        await self._note(given_up)

    async def accepted(self, token: str) -> None:
        """The platform took `token`: a probe that passes ends the trouble. Never raises, for a message has left."""
        kept = self._kept
        if kept is None or not kept.refused or kept.refused != fingerprint(token):
            return
        self._parked = None
        self._kept = replace(kept, refused="", refused_at=None)
        log.info("token_taken_again", account=self._name)
        await self._note(self._kept)

    def _park(self, error: ChannelError) -> ChannelError:
        rest = PROBE_EVERY
        if isinstance(error, TryLater) and error.vendor_code is not None:
            rest = max(rest, timedelta(seconds=error.after_s))
        self._parked = (error, self._clock.now() + rest)
        return error

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

    async def _look(self) -> KeptToken:
        """What the vault holds. TryLater: it cannot be read."""
        try:
            kept = await self._vault.load()
        except StorageError as error:
            raise TryLater(f"the kept access token cannot be read: {error.what}", after_s=_STORE_REST_S) from None
        if kept.unreadable:
            log.warning("token_unreadable", account=self._name, hint="no key opens it; a new one is fetched")
        self._kept = kept
        return kept

    async def _note(self, kept: KeptToken) -> None:
        """Tell other processes what is thought of a token. Where that fails, each of them finds out by itself."""
        try:
            if await self._vault.swap(kept):
                self._kept = replace(kept, generation=kept.generation + 1)
            else:
                self._kept = None  # somebody changed it: look again at the next occasion
        except StorageError as error:
            log.warning("token_not_kept", account=self._name, why=error.what)

    async def _renewed(self) -> Pass:
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

    def _forget_renewal(self, _: asyncio.Task[Pass | ChannelError]) -> None:
        self._renewal = None

    async def _renew(self) -> Pass | ChannelError:
        """The new token, the old one while it lives, or what went wrong: returned, as several callers read it."""
        try:
            if not await self._vault.lease(owner=self._owner, lasts=LEASE_FOR):
                return await self._from_another()
            try:
                return await self._fetch_alone()
            finally:
                await self._vault.release(owner=self._owner)
        except ChannelError as error:
            return self._fall_back(_as_nothing_sent(error))
        except StorageError as error:
            return TryLater(f"the access token cannot be kept: {error.what}", after_s=_STORE_REST_S)

    async def _from_another(self) -> Pass | ChannelError:
        """The old token while another process fetches, if that is of use; otherwise what the other one gets."""
        kept = self._kept
        for _ in range(round(WAIT_MAX_S / _POLL_S)):
            if kept is not None and self._is_welcome(kept) and kept.is_alive(self._clock.now()):
                return Pass(token=kept.token)
            await asyncio.sleep(_POLL_S)
            kept = await self._look()
        return TryLater("another process is fetching the access token", after_s=1)

    async def _fetch_alone(self) -> Pass:
        """Ask the platform, unless somebody did while we were waiting for the lease."""
        kept = await self._look()
        if kept.is_fresh(self._clock.now()) and self._is_welcome(kept):
            return Pass(token=kept.token)
        grant = await self._fetch(force=False)
        if grant.access_token == self._refused or kept.refused == fingerprint(grant.access_token):
            grant = await self._insist(kept, grant)
            kept = self._kept or kept
        return await self._keep(_renewed_by(kept, grant, self._clock.now()))

    async def _keep(self, kept: KeptToken) -> Pass:
        """Store a new token. Another one that came meanwhile goes first, as ours may be the dead one of the two."""
        self._refused, self._parked = "", None
        self._kept = kept
        try:
            for _ in range(_SWAP_TRIES_MAX):
                if await self._vault.swap(kept):
                    self._kept = replace(kept, generation=kept.generation + 1)
                    break
                stored = await self._vault.load()
                if stored.is_fresh(self._clock.now()) and self._is_welcome(stored):
                    self._kept = stored
                    return Pass(token=stored.token)
                kept = replace(kept, generation=stored.generation)
        except StorageError as error:
            log.warning("token_not_kept", account=self._name, why=error.what)
        return Pass(token=kept.token, is_new=True)

    async def _insist(self, kept: KeptToken, grant: Grant) -> Grant:
        """A token forced out of a platform that repeats a refused one. The count is committed before the request."""
        now = self._clock.now()
        count = kept.forced_count if kept.forced_at is not None and _day(kept.forced_at) == _day(now) else 0
        since = now - kept.forced_at if kept.forced_at is not None else timedelta.max
        if not self._can_force or count >= FORCED_A_DAY_MAX or (kept.is_hopeless and since < FORCE_IN_VAIN_EVERY):
            given_up = replace(_renewed_by(kept, grant, now), refused=fingerprint(grant.access_token), refused_at=now)
            self._kept, self._refused = given_up, ""
            await self._note(given_up)
            raise Unauthorised("the platform refuses the very token that it gives out")
        if since < FORCE_EVERY:
            raise TryLater("a new access token was forced a moment ago", after_s=(FORCE_EVERY - since).total_seconds())
        counted = replace(kept, forced_at=now, forced_count=count + 1)
        if not await self._vault.swap(counted):
            raise TryLater("another process changed the access token", after_s=1)
        self._kept = replace(counted, generation=counted.generation + 1)
        log.warning("token_forced", account=self._name, count=count + 1)
        return await self._fetch(force=True)

    def _fall_back(self, error: ChannelError) -> Pass | ChannelError:
        self._park(error)
        now, kept = self._clock.now(), self._kept
        if kept is None or not self._is_welcome(kept) or not kept.is_alive(now) or kept.dead_at is None:
            return error
        self._kept = replace(kept, fresh_until=min(kept.dead_at, now + PROBE_EVERY))
        return Pass(token=kept.token)

    def _is_welcome(self, kept: KeptToken) -> bool:
        return kept.token != self._refused and not kept.is_hopeless


def _renewed_by(kept: KeptToken, grant: Grant, now: datetime) -> KeptToken:
    margin_s = min(_MARGIN_S, grant.expires_in_s / 2)
    return replace(
        kept,
        token=grant.access_token,
        fresh_until=now + timedelta(seconds=grant.expires_in_s - margin_s),
        dead_at=now + timedelta(seconds=grant.expires_in_s),
        refused="",
        refused_at=None,
        unreadable=False,
    )


def _day(at: datetime) -> int:
    return (at + _CALENDAR).toordinal()


def _as_nothing_sent(error: ChannelError) -> ChannelError:
    """A lost request for a token can simply be made again."""
    match error:
        case TryLater() | Unauthorised() | Forbidden():
            return error
        case Unknown():
            return TryLater(error.what, after_s=PROBE_EVERY.total_seconds(), vendor_code=error.vendor_code)
        case _:
            return Unauthorised(error.what, vendor_code=error.vendor_code, hint=error.hint)
