"""The callbacks of the platforms: verified, committed, answered, in this order. Source: delivery.md 1.

| what came | answer | kept |
|---|---|---|
| signed, readable | 200 after the commit | events |
| the same again | 200 | nothing new |
| signed, unreadable | 200 after the commit | quarantine row |
| signed, of no use to us | 200 | a count |
| wrong signature, age or receiver | 403 | a count |
| over 256 KiB | 413, unread | a count |
| signed, and a bug of ours met it | 200 after the commit | quarantine row |
| the commit failed, or too many wait for theirs | 503 | a count: turned away |
| signed, and our clock too wrong to tell its age | 503 | a count: turned away |
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal
from urllib.parse import parse_qsl

import structlog
from aiohttp import web

from bot.errors import StorageError, Unreadable, Unsupported, Untrusted
from bot.runtime.bugs import kind_of, place_of, trace_of
from bot.runtime.metrics import CallbackOutcome, Metrics, TurnedAway
from bot.runtime.ports import Callbacks, Clock, Lanes, Query, looks_signed
from bot.web.body import LIMITS, CutOff, Limits, TooLarge, TooSlow, Unmeetable, read_body
from bot.web.front import Page, refusal

Channel = Literal["oa", "app"]
Accounts = Mapping[tuple[str, str], Callbacks]
"""By channel (`oa`, `app`) and account name."""

ECHO_LENGTH_MAX = 1024
QUERY_FIELDS_MAX = 32
"""Platforms send seven at most."""
DISTRUST_TOLD_EVERY_S = 60.0
"""Strangers can send wrong signatures without end: of each account and reason one line in so long is logged."""
_MOMENTS_END_S = datetime.max.replace(tzinfo=UTC).timestamp()
_STALE = "the request is older or newer than allowed"
_FORGED = "the signature does not match"
_PLATFORMS: Mapping[Channel, str] = {"oa": "oa", "app": "wecom"}
"""Channels as their addresses name them."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One request, with the account that it is for."""

    channel: Channel
    account: str
    callbacks: Callbacks
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the callbacks of one account come in."""

    channel: Channel
    account: str
    callbacks: Callbacks

    def asked(self, query: Query) -> Callback:
        """One request to it."""
        return Callback(channel=self.channel, account=self.account, callbacks=self.callbacks, query=query)


class Webhook:
    """Takes the requests of every account."""

    def __init__(
        self, *, accounts: Accounts, lanes: Lanes, clock: Clock, metrics: Metrics, limits: Limits = LIMITS
    ) -> None:
        self._accounts = accounts
        self._lanes = lanes
        self._clock = clock
        self._metrics = metrics
        self._limits = limits
        self._waiting = 0
        self._distrust_told: dict[tuple[Channel, str, str], float] = {}

    def pages(self) -> dict[tuple[str, str], Page]:
        """Every account's address, for the console's verification and for pushes, by method and path."""
        found: dict[tuple[str, str], Page] = {}
        for (channel, account), callbacks in self._accounts.items():
            address = Address(channel="oa" if channel == "oa" else "app", account=account, callbacks=callbacks)
            path = f"/callback/{_PLATFORMS[address.channel]}/{account}"
            found["GET", path] = partial(self._on_check, address)
            found["POST", path] = partial(self._on_push, address)
        return found

    async def _on_check(self, address: Address, request: web.BaseRequest) -> web.Response:
        return self._check(address.asked(self._query(request)))

    async def _on_push(self, address: Address, request: web.BaseRequest) -> web.Response:
        return await self._push(request, address.asked(self._query(request)))

    def _check(self, callback: Callback) -> web.Response:
        try:
            if len(callback.query.echostr) > ECHO_LENGTH_MAX:
                raise Untrusted("the echo string is too long")
            echo = callback.callbacks.verify(callback.query, self._clock.now())
        except Untrusted as error:
            return self._distrust(callback, error)
        return _plain(echo)

    async def _push(self, request: web.BaseRequest, callback: Callback) -> web.Response:
        if not _plausible(callback.query):
            return self._refuse(request, callback, status=403, outcome="untrusted")
        if callback.query.is_stale(self._clock.now()) and not self._lanes.clock_trouble:
            # The codec could not but refuse this request for its age, whatever stands in the body.
            self._tell_distrust(callback, _STALE)
            return self._refuse(request, callback, status=403, outcome="untrusted")
        if callback.callbacks.is_forged(callback.query):
            self._tell_distrust(callback, _FORGED)
            return self._refuse(request, callback, status=403, outcome="untrusted")
        try:
            body = await read_body(request, self._limits)
        except TooLarge:
            return self._refuse(request, callback, status=413, outcome="too_large")
        except TooSlow:
            return self._refuse(request, callback, status=408, outcome="too_slow")
        except CutOff:
            return self._refuse(request, callback, status=400, outcome="cut_off")
        except Unmeetable:
            return self._refuse(request, callback, status=417, outcome="cut_off")
        return await self._take(callback, body)

    def _refuse(
        self, request: web.BaseRequest, callback: Callback, *, status: int, outcome: CallbackOutcome
    ) -> web.Response:
        self._count(callback, outcome)
        return refusal(request, status)

    async def _take(self, callback: Callback, body: bytes) -> web.Response:
        now = self._clock.now()
        at = self._read_as_of(callback.query, now)
        try:
            events = callback.callbacks.decode(callback.query, body, at)
        except Untrusted as error:
            return self._distrust(callback, error)
        except Unsupported as error:
            self._metrics.unsupported(error.kind)
            return self._acknowledge(callback, "unsupported")
        except Unreadable as error:
            if at == now:
                return await self._quarantine(callback, error)
        except Exception as bug:  # noqa: BLE001 - the top of all that is read: nobody would repeat it long enough
            return await self._set_aside(callback, body, bug)
        else:
            if at == now:
                return await self._commit(callback, lambda: self._lanes.accept(events), outcome="accepted")
        return self._turn_away(callback, "clock")

    def _read_as_of(self, query: Query, now: datetime) -> datetime:
        """The moment to judge a request by. While our clock is wrong, its own tells at least whether it is signed."""
        claimed_s = int(query.timestamp)
        if not (query.is_stale(now) and self._lanes.clock_trouble and claimed_s < _MOMENTS_END_S):
            return now
        return datetime.fromtimestamp(claimed_s, UTC)

    async def _set_aside(self, callback: Callback, body: bytes, bug: Exception) -> web.Response:
        """Quarantine what a bug of ours met, as it came: it is read again once the bug is mended."""
        channel, account, why = callback.channel, callback.account, f"{kind_of(bug)} at {place_of(bug)}"
        _log.error("callback.failed", channel=channel, account=account, why=why, trace=trace_of(bug))
        return await self._commit(
            callback,
            lambda: self._lanes.quarantine(channel=channel, account=account, body=body, why=why),
            outcome="unreadable",
        )

    async def _quarantine(self, callback: Callback, unreadable: Unreadable) -> web.Response:
        channel, account, why = callback.channel, callback.account, unreadable.what
        _log.error("callback.unreadable", channel=channel, account=account, why=why)
        return await self._commit(
            callback,
            lambda: self._lanes.quarantine(channel=channel, account=account, body=unreadable.body, why=why),
            outcome="unreadable",
        )

    async def _commit(
        self, callback: Callback, keep: Callable[[], Awaitable[None]], *, outcome: CallbackOutcome
    ) -> web.Response:
        started = time.perf_counter()
        if self._waiting >= self._limits.commits_waiting_max:
            return self._turn_away(callback, "full")
        self._waiting += 1
        try:
            await keep()
        except StorageError:
            return self._turn_away(callback, "storage")
        finally:
            self._waiting -= 1
        self._metrics.accepted_in(time.perf_counter() - started)
        return self._acknowledge(callback, outcome)

    def _acknowledge(self, callback: Callback, outcome: CallbackOutcome) -> web.Response:
        self._count(callback, outcome)
        return _plain(callback.callbacks.acknowledgement)

    def _distrust(self, callback: Callback, error: Untrusted) -> web.Response:
        self._tell_distrust(callback, error.what)
        return self._turn_down(callback, status=403, outcome="untrusted")

    def _tell_distrust(self, callback: Callback, why: str) -> None:
        key, now = (callback.channel, callback.account, why), time.monotonic()
        if now - self._distrust_told.get(key, float("-inf")) >= DISTRUST_TOLD_EVERY_S:
            self._distrust_told[key] = now
            _log.warning("callback.untrusted", channel=callback.channel, account=callback.account, why=why)

    def _turn_away(self, callback: Callback, reason: TurnedAway) -> web.Response:
        self._metrics.turned_away(callback.channel, callback.account, reason=reason)
        self._lanes.turned_away(callback.channel, callback.account, reason=reason)
        return self._turn_down(callback, status=503, outcome="turned_away")

    def _turn_down(self, callback: Callback, *, status: int, outcome: CallbackOutcome) -> web.Response:
        self._count(callback, outcome)
        return web.Response(status=status)

    def _count(self, callback: Callback, outcome: CallbackOutcome) -> None:
        self._metrics.callback(callback.channel, callback.account, outcome=outcome)

    def _query(self, request: web.BaseRequest) -> Query:
        return _query(request, age_max=self._limits.age_max)


def _query(request: web.BaseRequest, *, age_max: timedelta) -> Query:
    """The query as the platform wrote it; of a name that comes twice, the first. Too many fields are no query."""
    # Not `request.query`: it costs a stranger's request more than everything else that is done with it.
    raw = request.rel_url.raw_query_string
    if not raw:
        return Query()
    try:
        fields = parse_qsl(raw, keep_blank_values=True, max_num_fields=QUERY_FIELDS_MAX)
    except ValueError:
        return Query()
    given = dict(reversed(fields))
    return Query(
        signature=given.get("signature", ""),
        msg_signature=given.get("msg_signature", ""),
        timestamp=given.get("timestamp", ""),
        nonce=given.get("nonce", ""),
        encrypt_type=given.get("encrypt_type", ""),
        echostr=given.get("echostr", ""),
        age_max=age_max,
    )


def _plausible(query: Query) -> bool:
    """Whether the query looks signed. What does not is answered without its body being read."""
    return looks_signed(query.msg_signature or query.signature) and query.is_dated


def _plain(text: str) -> web.Response:
    # The echo string of an official account is not signed: it must not be taken for a page.
    return web.Response(text=text, content_type="text/plain", headers={"X-Content-Type-Options": "nosniff"})
