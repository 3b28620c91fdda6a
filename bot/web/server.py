"""The two HTTP applications, and how they listen."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.runtime.metrics import Metrics
from bot.runtime.ports import Health
from bot.web.front import Front
from bot.web.health import HealthPages, MetricsPage
from bot.web.webhook import Webhook

UNREAD_S = 1
"""How long the rest of a turned down request is let run into nothing, so that its sender can read the answer."""
DRAIN_S = 10
"""How long requests in hand may take to finish when the server stops; then they are cut."""
CONNECTIONS_PENDING_MAX = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """How many peers are served at once, and for how long one may ignore us.

    `count_max`: one more is hung up on at once, and a platform comes again; a burst may exceed it by those pending.
    Both together stay below 1,024, the usual limit of open files, so that the database and our own calls keep
    theirs. `idle_s`: a connection that has no whole header to show after this long is closed, be it idle or slow on
    purpose. `unread_answer_s`: a peer that lets our answer lie for so long is cut off (where the system knows how).
    """

    count_max: int = 640
    idle_s: float = 15.0
    unread_answer_s: float = 20.0


class _WithoutGarbage(logging.Filter):
    """Keeps out what the HTTP parser says about malformed requests: it quotes them, and anybody can send them."""

    def filter(self, record: logging.LogRecord) -> bool:
        raised = record.exc_info[0] if record.exc_info else None
        return raised is None or not issubclass(raised, HttpProcessingError)


_log = logging.getLogger(__name__)
_log.addFilter(_WithoutGarbage())


def build(webhook: Webhook, health: Health) -> Front:
    """What the platforms talk to."""
    return Front(webhook.pages() | HealthPages(health).pages())


def admin(*, health: Health, metrics: Metrics) -> Front:
    """What operators talk to, on a port of its own: /metrics, and the health pages again."""
    return Front(MetricsPage(health, metrics).pages() | HealthPages(health).pages())


class _Refused(asyncio.Protocol):
    """A connection for which there is no room."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()


def _doorkeeper(server: web.Server, count_max: int) -> Callable[[], asyncio.BaseProtocol]:
    return lambda: server() if len(server.connections) < count_max else _Refused()


@asynccontextmanager
async def listening(
    served: Front | web.Application, *, host: str, port: int, connections: Connections = Connections()
) -> AsyncIterator[int]:
    """Serve a front, or an application with a router of its own, while the context lasts; gives the port.

    Port 0 stands for a free one.

    On leaving, no connection is accepted any more and requests in hand are finished, at most DRAIN_S long.
    OSError: the address is taken. Requests are not logged: their queries are secrets.
    """
    runner = _runner(served, connections)
    await runner.setup()
    try:
        async with _bound(runner, (host, port), connections) as open_port:
            yield open_port
    finally:
        await runner.cleanup()


def _runner(served: Front | web.Application, connections: Connections) -> web.BaseRunner:
    if isinstance(served, web.Application):
        return web.AppRunner(served, shutdown_timeout=DRAIN_S, **_protocol(connections))
    return web.ServerRunner(web.Server(served.answer, **_protocol(connections)), shutdown_timeout=DRAIN_S)


def _protocol(connections: Connections) -> dict[str, Any]:  # Any: options of the library's, each of its own type
    return {
        "access_log": None,
        "logger": _log,
        "keepalive_timeout": connections.idle_s,
        "lingering_time": UNREAD_S,
        # A compressed body could be far longer than its length says, and no platform sends one.
        "auto_decompress": False,
    }


@asynccontextmanager
async def _bound(runner: web.BaseRunner, at: tuple[str, int], connections: Connections) -> AsyncIterator[int]:
    """Accept connections while the context lasts."""
    if runner.server is None:
        raise RuntimeError("the runner was not set up")
    doorkeeper = _doorkeeper(runner.server, connections.count_max)
    door = await asyncio.get_running_loop().create_server(doorkeeper, *at, backlog=CONNECTIONS_PENDING_MAX)
    try:
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            patience_ms = int(connections.unread_answer_s * 1000)
            for listener in door.sockets:  # whose connections inherit it
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience_ms)
        yield door.sockets[0].getsockname()[1]
    finally:
        door.close()
