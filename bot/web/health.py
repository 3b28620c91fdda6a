"""What operators' machines ask: alive, ready, counters."""

from aiohttp import web

from bot.runtime.metrics import CONTENT_TYPE, Metrics
from bot.runtime.ports import Health


class HealthPages:
    """/healthz: the process answers. /readyz: whether callbacks can be committed, and what else is down."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/healthz", self._alive), web.get("/readyz", self._ready)]

    async def _alive(self, _: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def _ready(self, _: web.Request) -> web.Response:
        """200 also while a platform is down: what comes in is kept, and what goes out waits in the outbox."""
        ready = self._health.accepting()
        told = {"ready": ready, "degraded": dict(self._health.degraded())}
        return web.json_response(told, status=200 if ready else 503)


class MetricsPage:
    """/metrics in the text format of Prometheus."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/metrics", self._show)]

    async def _show(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})
