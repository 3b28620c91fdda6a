"""The HTTP face of both platforms: reads a request, hands it to the exchange, and puts the ending on the wire."""

import socket
from collections.abc import Iterable

from aiohttp import web

from bot.sandbox.emulator.endpoints import Endpoint
from bot.sandbox.emulator.exchange import Cut, Ending, Endpoints, Exchange, Reply
from bot.sandbox.emulator.judging import Request

BODY_BYTES_MAX = 1024 * 1024
"""Bytes of a request that are read; a larger one is answered 413."""


_TCP_INFO: int | None = getattr(socket, "TCP_INFO", None)
_ESTABLISHED = 1
"""The first byte that TCP_INFO tells while both ends are open (tcp(7))."""
_JSON = {"Content-Type": "application/json; charset=utf-8"}


class Gateway:
    """Serves the endpoints of one or both platforms at one address."""

    def __init__(self, endpoints: Iterable[Endpoint], exchange: Exchange) -> None:
        self._endpoints = Endpoints(endpoints)
        self._exchange = exchange

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request under `/cgi-bin/`."""
        head = Request(method=request.method, path=request.path, query=tuple(request.query.items()))
        endpoint = self._exchange.find(self._endpoints, head)
        if endpoint is None:
            return web.Response(status=404, text="no such endpoint")
        ending = self._exchange.down(endpoint)
        if ending is None:
            body = await request.read()
            whole = Request(method=head.method, path=head.path, query=head.query, body=body)
            ending = await self._exchange.answer(whole, endpoint)
        return await self._end(request, ending)

    async def _end(self, request: web.Request, ending: Ending) -> web.StreamResponse:
        if isinstance(ending, Cut):
            return _cut(request)
        self._exchange.arrived(ending, sent=_is_heard(request))
        if ending.torn:
            return await _torn(request, ending)
        return web.Response(status=ending.status, body=ending.body, headers=_JSON if ending.body else None)


def _is_heard(request: web.Request) -> bool:
    """Whether somebody still waits for the reply: who gave up has closed the far end, and the reply reaches nobody.

    The transport learns of that only when its loop comes to it; the system knows at once, where it tells.
    """
    transport = request.transport
    if transport is None or transport.is_closing():
        return False
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is None or _TCP_INFO is None:
        return True
    return connection.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, 1)[0] == _ESTABLISHED


def _cut(request: web.Request) -> web.StreamResponse:
    """Drop the connection without a reply."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _torn(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Announce the whole body, send half of it, hang up."""
    response = web.StreamResponse(headers=_JSON)
    response.content_length = len(reply.body)
    await response.prepare(request)
    await response.write(reply.body[: len(reply.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
