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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, assert_never

import structlog
from aiohttp import web

from bot.errors import StorageError, Unreadable, Unsupported, Untrusted
from bot.runtime.metrics import CallbackOutcome, Metrics
from bot.runtime.ports import Callbacks, Clock, Decoded, Lanes, Query
from bot.web.body import CutOff, Limits, TooLarge, TooSlow, read_body

Channel = Literal["oa", "app"]
Accounts = Mapping[tuple[str, str], Callbacks]
"""By channel (`oa`, `app`) and account name."""

ECHO_LENGTH_MAX = 1024
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
            decoded = callback.callbacks.decode(callback.query, body, self._clock.now())
        except Untrusted as error:
            return self._distrust(callback, error)
        except Unsupported as error:
            self._metrics.unsupported(error.kind)
            self._count(callback, "unsupported")
            return _plain(_acknowledgement(callback))
        except Unreadable as error:
            return await self._quarantine(callback, error)
        return await self._accept(callback, decoded)

    async def _accept(self, callback: Callback, decoded: Decoded) -> web.Response:
        started = time.perf_counter()
        if self._waiting >= self._limits.commits_waiting_max:
            return self._turn_away(callback, "too many callbacks wait for their commit")
        self._waiting += 1
        try:
            await self._lanes.accept(decoded.events)
        except StorageError as error:
            return self._turn_away(callback, error.what)
        finally:
            self._waiting -= 1
        self._metrics.accepted_in(time.perf_counter() - started)
        self._count(callback, "accepted")
        return _plain(decoded.acknowledgement)

    async def _quarantine(self, callback: Callback, unreadable: Unreadable) -> web.Response:
        try:
            await self._lanes.quarantine(
                channel=callback.channel, account=callback.account, body=unreadable.body, why=unreadable.what
            )
        except StorageError as error:
            return self._turn_away(callback, error.what)
        _log.error("callback.unreadable", channel=callback.channel, account=callback.account, why=unreadable.what)
        self._count(callback, "unreadable")
        return _plain(_acknowledgement(callback))

    def _distrust(self, callback: Callback, error: Untrusted) -> web.Response:
        _log.info("callback.untrusted", channel=callback.channel, account=callback.account, why=error.what)
        return self._turn_down(callback, status=403, outcome="untrusted")

    def _turn_away(self, callback: Callback, why: str) -> web.Response:
        _log.error("callback.turned_away", channel=callback.channel, account=callback.account, why=why)
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


def _acknowledgement(callback: Callback) -> str:
    """What tells the platform that nothing need come again (delivery.md 1.7)."""
    match callback.channel:
        case "oa":
            return "success"
        case "app":
            return ""
        case _:
            assert_never(callback.channel)


def _plain(text: str) -> web.Response:
    # The echo string of an official account is not signed: it must not be taken for a page.
    return web.Response(text=text, content_type="text/plain", headers={"X-Content-Type-Options": "nosniff"})


def _closing(response: web.Response) -> web.Response:
    """The connection ends after `response`, because the rest of the request stays unread."""
    response.force_close()
    return response
