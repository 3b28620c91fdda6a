"""The HTTP face of both platforms: reads a request strictly, asks the endpoint, writes the verdict down, replies."""

import json
import re
from collections.abc import Callable, Iterable

from aiohttp import web

from bot.runtime.ports import Clock
from bot.sandbox.emulator.denial import Denial, bad_parameter, denial_reply
from bot.sandbox.emulator.endpoints import Answer, Call, Endpoint
from bot.sandbox.emulator.faults import Faults
from bot.sandbox.emulator.settings import Platform
from bot.sandbox.emulator.traffic import Line, Traffic
from bot.sandbox.emulator.wire import Json

BODY_BYTES_MAX = 1024 * 1024
"""Bytes of a request that are read; a larger one is answered 413."""

_ESCAPED = re.compile(rb"(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{4}")


class Gateway:
    """Serves the endpoints of one or both platforms at one address."""

    def __init__(
        self,
        *,
        endpoints: Iterable[Endpoint],
        faults: Faults,
        traffic: Traffic,
        clock: Clock,
        owner: Callable[[str], Platform],
    ) -> None:
        self._endpoints = {(one.platform, one.method, one.path): one for one in endpoints}
        self._platforms = sorted({one.platform for one in self._endpoints.values()})
        self._faults = faults
        self._traffic = traffic
        self._clock = clock
        self._owner = owner

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request under `/cgi-bin/`."""
        endpoint = self._find(request)
        if endpoint is None:
            return self._unlisted(request)
        outage = self._faults.outage(endpoint.platform)
        if outage == "refuse":
            return _cut(request)
        if outage == "error":
            return web.Response(status=503)
        raw = await request.read()
        await self._faults.hold(endpoint.platform)
        return await self._reply(request, endpoint, raw)

    def _find(self, request: web.Request) -> Endpoint | None:
        found = [
            self._endpoints[key]
            for platform in self._platforms
            if (key := (platform, request.method, request.path)) in self._endpoints
        ]
        if len(found) < 2:
            return found[0] if found else None
        owner = self._owner(request.query.get("access_token", ""))
        return next(one for one in found if one.platform == owner)

    def _unlisted(self, request: web.Request) -> web.Response:
        self._traffic.append(
            Line(
                direction="in",
                platform="+".join(self._platforms),
                endpoint=f"{request.method} {request.path}",
                request={"query": dict(request.query)},
                verdict="404 no such endpoint",
                unfaithful=True,
                reply_sent=True,
            )
        )
        return web.Response(status=404, text="no such endpoint")

    async def _reply(self, request: web.Request, endpoint: Endpoint, raw: bytes) -> web.StreamResponse:
        shown: dict[str, Json] = {"query": dict(request.query), "body": _shown(raw)}
        answer, denial = self._judge(request, endpoint, raw)
        lost = denial is None and endpoint.sends and self._faults.loses_reply(endpoint.platform)
        gone = request.transport is None or request.transport.is_closing()
        body = answer.body if answer is not None else {}
        if denial is not None:
            body = denial_reply(denial, endpoint.platform)
        self._traffic.append(
            Line(
                direction="in",
                platform=endpoint.platform,
                endpoint=f"{endpoint.method} {endpoint.path}",
                account=answer.account if answer is not None else "",
                request=shown,
                reply=body,
                verdict=answer.verdict if answer is not None else str(denial),
                unfaithful=denial is not None and denial.unfaithful,
                reply_sent=not (lost or gone),
            )
        )
        return _cut(request) if lost else web.json_response(body)

    def _judge(self, request: web.Request, endpoint: Endpoint, raw: bytes) -> tuple[Answer | None, Denial | None]:
        try:
            forced = self._faults.forced_answer(endpoint.platform) if endpoint.sends else None
            if forced is not None:
                raise Denial(forced, "forced")
            return endpoint.answer(self._call(request, endpoint, raw)), None
        except Denial as denial:
            return None, denial

    def _call(self, request: web.Request, endpoint: Endpoint, raw: bytes) -> Call:
        query = {key: request.query[key] for key in request.query}
        unknown = endpoint.method == "POST" and set(query) - {"access_token"}
        if unknown or len(request.query) > len(query):
            raise Denial(bad_parameter(endpoint.platform), "query", unfaithful=True)
        body = _body(raw) if endpoint.method == "POST" else {}
        return Call(platform=endpoint.platform, query=query, body=body, now=self._clock.now())


def _body(raw: bytes) -> dict[str, Json]:
    if _ESCAPED.search(raw):
        raise Denial(40033)
    try:
        body = json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise Denial(47001) from error
    if not isinstance(body, dict):
        raise Denial(47001)
    return body


def _shown(raw: bytes) -> Json:
    """The body as the log keeps it: parsed when it can be, the text as it came when not."""
    text = raw.decode(errors="replace")
    try:
        parsed: Json = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return parsed


def _cut(request: web.Request) -> web.StreamResponse:
    """Drop the connection without a reply."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
