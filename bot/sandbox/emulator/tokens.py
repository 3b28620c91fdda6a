"""Access tokens, as each platform hands them out, replaces them and lets them die (wechat-api.md 3.1, 4.1)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from bot.sandbox.emulator.denial import Denial
from bot.sandbox.emulator.draws import opaque

LIFETIME = timedelta(seconds=7200)
OVERLAP = timedelta(minutes=5)
FORCE_SPACING = timedelta(seconds=30)
FORCED_A_DAY_MAX = 20
PLAIN_A_DAY_MAX = 2000
REMEMBERED_MAX = 64
"""Tokens an account remembers; of older ones it says that it never issued them."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issued:
    token: str
    expires_at: datetime
    dead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token as handed out, with the whole seconds it still lives."""

    token: str
    expires_in: int


class _Book:
    """The tokens an account issued, newest last."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._issued: dict[str, _Issued] = {}

    def issue(self, now: datetime) -> _Issued:
        issued = _Issued(token=opaque(self._chance, 96), expires_at=now + LIFETIME)
        self._issued[issued.token] = issued
        if len(self._issued) > REMEMBERED_MAX:
            del self._issued[next(iter(self._issued))]
        return issued

    def expire_by(self, token: str, moment: datetime) -> None:
        old = self._issued.get(token)
        if old is not None:
            self._issued[token] = replace(old, expires_at=min(old.expires_at, moment))

    def kill(self, token: str) -> None:
        old = self._issued.get(token)
        if old is not None:
            self._issued[token] = replace(old, dead=True)

    def find(self, token: str) -> _Issued | None:
        return self._issued.get(token)


class OaTokens:
    """The tokens of an official account: `stable_token` and `token` live apart, both are accepted."""

    def __init__(self, chance: Random) -> None:
        self._book = _Book(chance)
        self._stable: _Issued | None = None
        self._plain: _Issued | None = None
        self._forced: list[datetime] = []
        self._plain_calls: list[datetime] = []

    def stable(self, now: datetime, *, force: bool) -> Grant:
        """The stable token: the same one until five minutes before its end, unless `force` replaces it.

        Forcing sooner than 30 s after the last time, or more than 20 times in 24 hours, is silently not done.
        A token that was killed early stays the answer until it is forced out.
        """
        if self._stable is not None and force and self._may_force(now):
            self._book.kill(self._stable.token)
            self._forced.append(now)
            self._stable = None
        if self._stable is None or now >= self._stable.expires_at - OVERLAP:
            self._stable = self._book.issue(now)
        return _grant(self._stable, now)

    def plain(self, now: datetime) -> Grant:
        """A new token each time; the one before lives five minutes more. Denial 45009: 2,000 in 24 hours."""
        self._plain_calls = [at for at in self._plain_calls if now - at < _DAY]
        if len(self._plain_calls) >= PLAIN_A_DAY_MAX:
            raise Denial(45009)
        self._plain_calls.append(now)
        if self._plain is not None:
            self._book.expire_by(self._plain.token, now + OVERLAP)
        self._plain = self._book.issue(now)
        return _grant(self._plain, now)

    def owns(self, token: str) -> bool:
        """Whether this account issued `token`, alive or not."""
        return self._book.find(token) is not None

    def check(self, token: str, now: datetime) -> None:
        """Denial 40014: never issued here; 40001: replaced or killed; 42001: expired."""
        issued = self._book.find(token)
        if issued is None:
            raise Denial(40014)
        if issued.dead:
            raise Denial(40001)
        if now >= issued.expires_at:
            raise Denial(42001)

    def spoil(self, token: str) -> None:
        """Let `token` be dead already when it is handed out."""
        self._book.kill(token)

    def kill(self) -> None:
        """Let every current token die early, as the platform may."""
        for issued in (self._stable, self._plain):
            if issued is not None:
                self._book.kill(issued.token)

    def _may_force(self, now: datetime) -> bool:
        self._forced = [at for at in self._forced if now - at < _DAY]
        if len(self._forced) >= FORCED_A_DAY_MAX:
            return False
        return not self._forced or now - self._forced[-1] >= FORCE_SPACING


class AppTokens:
    """The token of a WeCom application: one at a time, the same for every caller while it lives."""

    def __init__(self, chance: Random) -> None:
        self._book = _Book(chance)
        self._current: _Issued | None = None

    def get(self, now: datetime) -> Grant:
        """The current token, or a new one when that has expired or was killed."""
        if self._current is None or now >= self._current.expires_at:
            self._current = self._book.issue(now)
        return _grant(self._current, now)

    def owns(self, token: str) -> bool:
        """Whether this application issued `token`, alive or not."""
        return self._book.find(token) is not None

    def check(self, token: str, now: datetime) -> None:
        """Denial 40014: never issued here, or killed; 42001: expired."""
        issued = self._book.find(token)
        if issued is None or issued.dead:
            raise Denial(40014)
        if now >= issued.expires_at:
            raise Denial(42001)

    def spoil(self, token: str) -> None:
        """Let `token` be dead already when it is handed out; the next caller gets another."""
        self._book.kill(token)
        self._current = None

    def kill(self) -> None:
        """Let the current token die early, as the platform may."""
        if self._current is not None:
            self._book.kill(self._current.token)
            self._current = None


def _grant(issued: _Issued, now: datetime) -> Grant:
    return Grant(token=issued.token, expires_in=int((issued.expires_at - now).total_seconds()))
