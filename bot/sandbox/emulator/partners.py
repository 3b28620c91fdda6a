"""The servers of other systems that journeys ask by webhook, on the emulator's address. They check the signature."""

import asyncio
import hashlib
import hmac
import json

from aiohttp import web

from bot.sandbox.emulator.answers import Answers
from bot.sandbox.emulator.traffic import Line, Traffic
from bot.sandbox.emulator.wire import Json

PARTNER_KEY = "sandbox-partner-key"
"""What requests to all of them are signed with."""
PREFIX = "/_partners"


class Partners:
    """Serves `POST /_partners/TARGET/OPERATION` as `answers` say."""

    def __init__(self, traffic: Traffic) -> None:
        self.answers = Answers()
        self._traffic = traffic

    def routes(self) -> list[web.RouteDef]:
        return [web.post(PREFIX + "/{target}/{operation}", self._serve)]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        call = f"{request.match_info['target']}.{request.match_info['operation']}"
        key = request.headers.get("Idempotency-Key", "")
        if not _is_signed(request, raw):
            return self._end(call, 401, None, raw)
        found = self.answers.answer(call, key)
        if found.delay_s:
            await asyncio.sleep(found.delay_s)
        if found.silent or found.lost:
            # As a connection that breaks: nobody here waits for somebody else's patience to end.
            self._note(call, "silent" if found.silent else "lost", raw, None)
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        return self._end(call, found.status, found.body, raw)

    def _end(self, call: str, status: int, body: Json, raw: bytes) -> web.Response:
        self._note(call, str(status), raw, body)
        return web.json_response(body, status=status) if body is not None else web.Response(status=status)

    def _note(self, call: str, verdict: str, raw: bytes, reply: Json) -> None:
        self._traffic.append(
            Line(direction="in", platform="", endpoint=call, request=_read(raw), reply=reply, verdict=verdict)
        )


def _read(raw: bytes) -> Json:
    try:
        found: Json = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found


def _is_signed(request: web.Request, raw: bytes) -> bool:
    stamp, key = request.headers.get("X-Zhitu-Timestamp", ""), request.headers.get("Idempotency-Key", "")
    signed = b"\n".join((b"POST", request.raw_path.encode(), stamp.encode(), key.encode(), raw))
    wanted = "v1=" + hmac.new(PARTNER_KEY.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), request.headers.get("X-Zhitu-Signature", "").encode())
