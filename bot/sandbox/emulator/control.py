"""The control interface under `/_emulator/`, for programs outside the process. Source: delivery.md 6.3."""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from aiohttp import web

from bot.sandbox.emulator.deeds import Impossible
from bot.sandbox.emulator.traffic import Traffic, as_json
from bot.sandbox.emulator.wire import Json

LOG_PAGE_MAX = 1000
"""Lines in one answer of the log; ask again with the last number."""
ACTION_BYTES_MAX = 64 * 1024

_Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Controlled(Protocol):
    """What the control interface steers."""

    async def act(self, action: Mapping[str, Json]) -> dict[str, Json]:
        """Let a person do something. Impossible: it cannot be done now."""
        ...

    def state(self) -> dict[str, Json]:
        """What the platforms know at this moment."""
        ...


class Control:
    """Routes for `controlled`. Only requests that bear `token` are served: any page in a browser can reach loopback."""

    def __init__(self, controlled: Controlled, *, traffic: Traffic, token: str) -> None:
        self._controlled = controlled
        self._traffic = traffic
        self._token = token

    def routes(self) -> list[web.RouteDef]:
        """The routes of the control interface."""
        return [
            web.post("/_emulator/act", self._guarded(self._act)),
            web.get("/_emulator/log", self._guarded(self._log)),
            web.get("/_emulator/state", self._guarded(self._state)),
            web.post("/_emulator/faults", self._guarded(self._not_yet)),
            web.post("/_emulator/clock", self._guarded(self._not_yet)),
        ]

    def _guarded(self, route: _Route) -> _Route:
        async def serve(request: web.Request) -> web.StreamResponse:
            given = request.headers.get("Authorization", "")
            wanted = f"Bearer {self._token}"
            if not hmac.compare_digest(given.encode(errors="surrogateescape"), wanted.encode()):
                return _said(403, "control token is missing or wrong")
            return await route(request)

        return serve

    async def _act(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        if len(raw) > ACTION_BYTES_MAX:
            return _said(413, f"body is longer than {ACTION_BYTES_MAX} bytes")
        try:
            action = json.loads(raw)
        except (ValueError, RecursionError):
            return _said(400, "body is not JSON")
        if not isinstance(action, dict):
            return _said(400, "body is not a JSON object")
        try:
            return web.json_response(await self._controlled.act(action))
        except Impossible as impossible:
            return _said(409, impossible.what)

    async def _log(self, request: web.Request) -> web.StreamResponse:
        try:
            after = int(request.query.get("after", "0"))
        except ValueError:
            return _said(400, "`after` is not a number")
        lines = self._traffic.after(after, limit=LOG_PAGE_MAX)
        body = b"".join(as_json(line) + b"\n" for line in lines)
        return web.Response(body=body, content_type="application/x-ndjson", charset="utf-8")

    async def _state(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self._controlled.state())

    async def _not_yet(self, request: web.Request) -> web.StreamResponse:
        return _said(
            501, f"`{request.path}` is not part of this version; the sandbox steers it from within its process"
        )


def _said(status: int, error: str) -> web.Response:
    return web.json_response({"error": error}, status=status)
