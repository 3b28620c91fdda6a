"""The callbacks of the platforms: verified, committed, answered, in this order. Source: delivery.md 1.

| what came | answer | kept |
|---|---|---|
| signed, readable | 200 after the commit | events |
| the same again | 200 | nothing new |
| signed, unreadable | 200 after the commit | quarantine row |
| signed, of no use to us | 200 | a count |
| wrong signature, age or receiver | 403 | a count |
| over 256 KiB | 413, unread | a count |
| the commit failed, or too many wait for theirs | 503 | a count: turned away |
"""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import structlog
from aiohttp import web

from bot.errors import StorageError, Unreadable, Unsupported, Untrusted
from bot.runtime.metrics import CallbackOutcome, Metrics, TurnedAway
from bot.runtime.ports import Callbacks, Clock, Lanes, Query
from bot.web.body import CutOff, Limits, TooLarge, TooSlow, read_body

Channel = Literal["oa", "app"]
Accounts = Mapping[tuple[str, str], Callbacks]
"""By channel (`oa`, `app`) and account name."""

ECHO_LENGTH_MAX = 1024
DISTRUST_TOLD_EVERY_S = 60.0
"""Strangers can send wrong signatures without end: of each account and reason one line in so long is logged."""
_SIGNATURE = re.compile(r"[0-9a-f]{40}")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One request, with the account that it is for."""

    channel: Channel
    account: str
    callbacks: Callbacks
    query: Query


class Webhook:
    """Takes the requests of every account."""

    def __init__(self, *, accounts: Accounts, lanes: Lanes, clock: Clock, metrics: Metrics, limits: Limits) -> None:
        self._accounts = accounts
        self._lanes = lanes
        self._clock = clock
        self._metrics = metrics
        self._limits = limits
        self._waiting = 0
        self._distrust_told: dict[tuple[Channel, str, str], float] = {}

    def routes(self) -> list[web.RouteDef]:
        """The two addresses that the platforms' consoles are given, each for verification and for pushes."""
        return [
            web.get("/callback/oa/{account}", self._on_oa_check, allow_head=False),
            web.post("/callback/oa/{account}", self._on_oa_push),
            web.get("/callback/wecom/{account}", self._on_wecom_check, allow_head=False),
            web.post("/callback/wecom/{account}", self._on_wecom_push),
        ]

    async def _on_oa_check(self, request: web.Request) -> web.Response:
        return self._check(self._callback(request, "oa"))

    async def _on_oa_push(self, request: web.Request) -> web.Response:
        return await self._push(request, self._callback(request, "oa"))

    async def _on_wecom_check(self, request: web.Request) -> web.Response:
        return self._check(self._callback(request, "app"))

    async def _on_wecom_push(self, request: web.Request) -> web.Response:
        return await self._push(request, self._callback(request, "app"))

    def _callback(self, request: web.Request, channel: Channel) -> Callback:
        account = request.match_info["account"]
        callbacks = self._accounts.get((channel, account))
        if callbacks is None:
            raise web.HTTPNotFound
        return Callback(channel=channel, account=account, callbacks=callbacks, query=_query(request))

    def _check(self, callback: Callback) -> web.Response:
        try:
            if len(callback.query.echostr) > ECHO_LENGTH_MAX:
                raise Untrusted("the echo string is too long")
            echo = callback.callbacks.verify(callback.query, self._clock.now())
        except Untrusted as error:
            return self._distrust(callback, error)
        return _plain(echo)

    async def _push(self, request: web.Request, callback: Callback) -> web.Response:
        if not _plausible(callback.query):
            return _closing(self._turn_down(callback, status=403, outcome="untrusted"))
        try:
            body = await read_body(request, self._limits)
        except TooLarge:
            return _closing(self._turn_down(callback, status=413, outcome="too_large"))
        except TooSlow:
            return _closing(self._turn_down(callback, status=408, outcome="too_slow"))
        except CutOff:
            return _closing(self._turn_down(callback, status=400, outcome="cut_off"))
        return await self._take(callback, body)

    async def _take(self, callback: Callback, body: bytes) -> web.Response:
        try:
            events = callback.callbacks.decode(callback.query, body, self._clock.now())
        except Untrusted as error:
            return self._distrust(callback, error)
        except Unsupported as error:
            self._metrics.unsupported(error.kind)
            return self._acknowledge(callback, "unsupported")
        except Unreadable as error:
            return await self._quarantine(callback, error)
        return await self._commit(callback, lambda: self._lanes.accept(events), outcome="accepted")

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
            return self._turn_away(callback, "full", why="too many callbacks wait for their commit")
        self._waiting += 1
        try:
            await keep()
        except StorageError as error:
            return self._turn_away(callback, "storage", why=error.what)
        finally:
            self._waiting -= 1
        self._metrics.accepted_in(time.perf_counter() - started)
        return self._acknowledge(callback, outcome)

    def _acknowledge(self, callback: Callback, outcome: CallbackOutcome) -> web.Response:
        self._count(callback, outcome)
        return _plain(callback.callbacks.acknowledgement)

    def _distrust(self, callback: Callback, error: Untrusted) -> web.Response:
        key, now = (callback.channel, callback.account, error.what), time.monotonic()
        if now - self._distrust_told.get(key, float("-inf")) >= DISTRUST_TOLD_EVERY_S:
            self._distrust_told[key] = now
            _log.warning("callback.untrusted", channel=callback.channel, account=callback.account, why=error.what)
        return self._turn_down(callback, status=403, outcome="untrusted")

    def _turn_away(self, callback: Callback, reason: TurnedAway, *, why: str) -> web.Response:
        _log.error("callback.turned_away", channel=callback.channel, account=callback.account, why=why)
        self._metrics.turned_away(callback.channel, callback.account, reason=reason)
        return self._turn_down(callback, status=503, outcome="turned_away")

    def _turn_down(self, callback: Callback, *, status: int, outcome: CallbackOutcome) -> web.Response:
        self._count(callback, outcome)
        return web.Response(status=status)

    def _count(self, callback: Callback, outcome: CallbackOutcome) -> None:
        self._metrics.callback(callback.channel, callback.account, outcome=outcome)


def _query(request: web.Request) -> Query:
    given = request.query
    return Query(
        signature=given.get("signature", ""),
        msg_signature=given.get("msg_signature", ""),
        timestamp=given.get("timestamp", ""),
        nonce=given.get("nonce", ""),
        encrypt_type=given.get("encrypt_type", ""),
        echostr=given.get("echostr", ""),
    )


def _plausible(query: Query) -> bool:
    """Whether the query looks signed. What does not is answered without its body being read."""
    return bool(_SIGNATURE.fullmatch(query.msg_signature or query.signature)) and query.timestamp.isdecimal()


def _plain(text: str) -> web.Response:
    # The echo string of an official account is not signed: it must not be taken for a page.
    return web.Response(text=text, content_type="text/plain", headers={"X-Content-Type-Options": "nosniff"})


def _closing(response: web.Response) -> web.Response:
    """The connection ends after `response`, because the rest of the request stays unread."""
    response.force_close()
    return response
