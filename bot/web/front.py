"""The addresses that anybody can reach, looked up in a dictionary.

Not an aiohttp application: its router, its query of routes and its errors by exception cost a stranger's request more
than answering it does, and a flood of such requests is to be borne (bot/BENCHMARKS.md, `reject`).
"""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

Page = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Pages = Mapping[tuple[str, str], Page]
"""By method and path."""


class Front:
    """Answers requests with the pages it was given; others are not found, or not allowed by that method."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._paths = {path for _, path in pages}

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """What the page says. A request that is refused keeps its connection if nothing of it is left unread."""
        page = self._pages.get((request.method, request.path))
        if page is not None:
            return await page(request)
        return refusal(request, 405 if request.path in self._paths else 404)


def refusal(request: web.BaseRequest, status: int) -> web.Response:
    """An answer without words. The connection ends after it where the rest of the request is still to come."""
    response = web.Response(status=status)
    if not request.content.is_eof():
        response.force_close()
    return response
