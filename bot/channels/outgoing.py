"""Connections to far sides, and the one question that matters when a request fails: had it left?"""

from dataclasses import dataclass
from types import SimpleNamespace, TracebackType
from typing import Self

import aiohttp

IDLE_S = 10
"""Connections are dropped before the far side drops them: nobody could say whether a dying one took a request."""


@dataclass(slots=True, kw_only=True)
class Progress:
    """Given to a request as `trace_request_ctx`. `left`: the far side may have it."""

    left: bool = False


class Outgoing:
    """At most so many connections, as a context. `timeout`: of each request that brings none of its own."""

    def __init__(self, *, connections_max: int, timeout: aiohttp.ClientTimeout) -> None:
        self._connections_max = connections_max
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        tracing = aiohttp.TraceConfig()
        tracing.on_request_headers_sent.append(_mark_left)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections_max, keepalive_timeout=IDLE_S),
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            # A packed answer could be small on the way and huge in memory; nobody sends any unasked.
            auto_decompress=False,
            headers={"Accept-Encoding": "identity"},
            trace_configs=[tracing],
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """For requests. RuntimeError: outside the context."""
        if self._session is None:
            raise RuntimeError("connections are used outside their context")
        return self._session


async def _mark_left(
    session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestHeadersSentParams
) -> None:
    """Called immediately before the first byte is written, so that doubt counts as `left`."""
    progress: object = context.trace_request_ctx
    if isinstance(progress, Progress):
        progress.left = True
