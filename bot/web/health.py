"""What operators' machines ask: alive, ready, counters."""

from aiohttp import web

from bot.runtime.metrics import CONTENT_TYPE, Metrics
from bot.runtime.ports import Health
from bot.web.front import Page


class HealthPages:
    """/healthz: the process answers. /readyz: whether callbacks can be committed, and what else is down."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def pages(self) -> dict[tuple[str, str], Page]:
        """Both, by method and path."""
        return {("GET", "/healthz"): self._alive, ("GET", "/readyz"): self._ready}

    async def _alive(self, _: web.BaseRequest) -> web.Response:
        return web.json_response({"alive": True})

    async def _ready(self, _: web.BaseRequest) -> web.Response:
        """200 also while a platform is down: what comes in is kept, and what goes out waits in the outbox."""
        ready = self._health.accepting()
        told = {"ready": ready, "degraded": dict(self._health.degraded()), **await self._health.waiting()}
        return web.json_response(told, status=200 if ready else 503)


class MetricsPage:
    """/metrics in the text format of Prometheus."""

    def __init__(self, health: Health, metrics: Metrics) -> None:
        self._health = health
        self._metrics = metrics

    def pages(self) -> dict[tuple[str, str], Page]:
        """The one, by method and path."""
        return {("GET", "/metrics"): self._show}

    async def _show(self, _: web.BaseRequest) -> web.Response:
        await self._health.waiting()
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})
