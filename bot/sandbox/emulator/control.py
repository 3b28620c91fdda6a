"""The control interface under `/_emulator/`, for programs outside the process. Source: delivery.md 6.3."""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Protocol

from aiohttp import web

from bot.sandbox.emulator.answers import BadAnswer
from bot.sandbox.emulator.deeds import Impossible, NotPlayed
from bot.sandbox.emulator.fault_script import Script, ScriptError, read_script
from bot.sandbox.emulator.faults import TooManyFaults
from bot.sandbox.emulator.traffic import Traffic, as_json
from bot.sandbox.emulator.turning import BadTurn, NotOurs, Turn, read_turn
from bot.sandbox.emulator.wire import Json

LOG_PAGE_MAX = 1000
"""Lines in one answer of the log; ask again with the last number."""
ACTION_BYTES_MAX = 64 * 1024
SCRIPT_BYTES_MAX = 256 * 1024
_SEQ_DIGITS_MAX = 18

_Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Controlled(Protocol):
    """What the control interface steers."""

    async def act(self, action: Mapping[str, Json]) -> dict[str, Json]:
        """Let a person do something. Impossible: it cannot be done now; NotPlayed: the emulator does not play it."""
        ...

    async def put_in_force(self, script: Script) -> dict[str, Json]:
        """Put the faults of a script in force, and tell all that are. TooManyFaults: none is."""
        ...

    async def turn(self, turn: Turn) -> datetime:
        """Turn the clock, and tell the time. NotOurs: it is turned elsewhere; BadTurn: it cannot be turned there."""
        ...

    async def answer_partners(self, script: Mapping[str, Json]) -> dict[str, Json]:
        """Set what other systems answer to webhooks. BadAnswer: the script says no answer."""
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
        """The routes of the control interface; whatever else lies under `/_emulator/` asks for the token too."""
        return [
            web.post("/_emulator/act", self._guarded(self._act)),
            web.post("/_emulator/faults", self._guarded(self._faults)),
            web.post("/_emulator/clock", self._guarded(self._clock)),
            web.post("/_emulator/partners", self._guarded(self._partners)),
            web.get("/_emulator/log", self._guarded(self._log)),
            web.get("/_emulator/state", self._guarded(self._state)),
            web.route("*", "/_emulator/{tail:.*}", self._guarded(self._nothing)),
        ]

    def _guarded(self, route: _Route) -> _Route:
        async def serve(request: web.Request) -> web.StreamResponse:
            given = request.headers.get("Authorization", "")
            if not given:
                return _said(401, "control token is missing: Authorization: Bearer TOKEN")
            wanted = f"Bearer {self._token}"
            if not hmac.compare_digest(given.encode(errors="surrogateescape"), wanted.encode()):
                return _said(403, "control token is wrong")
            return await route(request)

        return serve

    async def _act(self, request: web.Request) -> web.StreamResponse:
        raw = await _read(request, ACTION_BYTES_MAX)
        try:
            action = json.loads(raw)
        except (ValueError, RecursionError):
            return _said(400, "body is not JSON")
        if not isinstance(action, dict):
            return _said(400, "body is not a JSON object")
        try:
            return web.json_response(await self._controlled.act(action))
        except NotPlayed as unplayed:
            return _said(501, unplayed.what)
        except Impossible as impossible:
            return _said(409, impossible.what)

    async def _faults(self, request: web.Request) -> web.StreamResponse:
        raw = await _read(request, SCRIPT_BYTES_MAX)
        try:
            return web.json_response({"faults": await self._controlled.put_in_force(read_script(raw))})
        except ScriptError as error:
            return web.json_response({"error": error.what, "mistakes": error.mistakes}, status=400)
        except TooManyFaults:
            return _said(409, "there are too many faults in force: clear them first")

    async def _clock(self, request: web.Request) -> web.StreamResponse:
        raw = await _read(request, ACTION_BYTES_MAX)
        try:
            now = await self._controlled.turn(read_turn(raw))
        except BadTurn as error:
            return _said(400, str(error))
        except NotOurs as error:
            return _said(409, str(error))
        return web.json_response({"now": now.isoformat()})

    async def _partners(self, request: web.Request) -> web.StreamResponse:
        raw = await _read(request, ACTION_BYTES_MAX)
        try:
            script = json.loads(raw)
        except (ValueError, RecursionError):
            return _said(400, "body is not JSON")
        if not isinstance(script, dict):
            return _said(400, "body is not a JSON object")
        try:
            return web.json_response({"done": await self._controlled.answer_partners(script)})
        except BadAnswer as error:
            return _said(400, str(error))

    async def _log(self, request: web.Request) -> web.StreamResponse:
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) <= _SEQ_DIGITS_MAX):
            return _said(400, "`after` is not the number of a line")
        lines = self._traffic.after(int(after), limit=LOG_PAGE_MAX)
        # Nobody is told of a line that a power cut could still take back.
        await self._traffic.durable()
        body = b"".join(as_json(line) + b"\n" for line in lines)
        return web.Response(body=body, content_type="application/x-ndjson", charset="utf-8")

    async def _state(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self._controlled.state())

    async def _nothing(self, request: web.Request) -> web.StreamResponse:
        return _said(404, f"there is no `{request.method} {request.path}`"[:200])


async def _read(request: web.Request, bytes_max: int) -> bytes:
    if request.content_length is not None and request.content_length > bytes_max:
        raise web.HTTPRequestEntityTooLarge(bytes_max, request.content_length)
    raw = await request.read()
    if len(raw) > bytes_max:
        raise web.HTTPRequestEntityTooLarge(bytes_max, len(raw))
    return raw


def _said(status: int, error: str) -> web.Response:
    return web.json_response({"error": error}, status=status)
