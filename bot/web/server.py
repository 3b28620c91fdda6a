"""The two HTTP applications, and how they listen."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.runtime.metrics import Metrics
from bot.runtime.ports import Clock, Health, Lanes
from bot.web.body import Limits
from bot.web.health import HealthPages, MetricsPage
from bot.web.webhook import Accounts, Webhook

IDLE_TIMEOUT_S = 15
"""A connection that has no whole header to show after this long is closed, be it idle or slow on purpose."""
UNREAD_S = 1
"""How long the rest of a turned down request is let run into nothing, so that its sender can read the answer."""
DRAIN_S = 10
"""How long requests in hand may take to finish when the server stops; then they are cut."""
CONNECTIONS_PENDING_MAX = 1024


class _WithoutGarbage(logging.Filter):
    """Keeps out what the HTTP parser says about malformed requests: it quotes them, and anybody can send them."""

    def filter(self, record: logging.LogRecord) -> bool:
        raised = record.exc_info[0] if record.exc_info else None
        return raised is None or not issubclass(raised, HttpProcessingError)


_log = logging.getLogger(__name__)
_log.addFilter(_WithoutGarbage())


def build(*, callbacks: Accounts, lanes: Lanes, health: Health, clock: Clock, metrics: Metrics) -> web.Application:
    """The application that the platforms talk to. `callbacks`: by channel (`oa`, `app`) and account name."""
    application = web.Application()
    webhook = Webhook(accounts=callbacks, lanes=lanes, clock=clock, metrics=metrics, limits=Limits())
    application.add_routes(webhook.routes())
    application.add_routes(HealthPages(health).routes())
    return application


def admin(*, health: Health, metrics: Metrics) -> web.Application:
    """The application for operators, on a port of its own: /metrics, and the health pages again."""
    application = web.Application()
    application.add_routes(MetricsPage(metrics).routes())
    application.add_routes(HealthPages(health).routes())
    return application


@asynccontextmanager
async def listening(application: web.Application, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve `application` while the context lasts; gives the port, which is a free one for port 0.

    On leaving, no connection is accepted any more and requests in hand are finished, at most DRAIN_S long.
    OSError: the address is taken. Requests are not logged: their queries are secrets.
    """
    runner = web.AppRunner(
        application,
        access_log=None,
        logger=_log,
        keepalive_timeout=IDLE_TIMEOUT_S,
        lingering_time=UNREAD_S,
        shutdown_timeout=DRAIN_S,
        # A compressed body could be far longer than its length says, and no platform sends one.
        auto_decompress=False,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=CONNECTIONS_PENDING_MAX).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
