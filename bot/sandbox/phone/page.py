"""HTTP for the phone page: the page itself, what it shows, what is done on it.

| route | |
|---|---|
| `GET /phone` | the page |
| `GET /phone/static/NAME` | its files |
| `GET /phone/snapshot?openid=&after=N` | waits until the change number is greater than N, then everything to show |
| `POST /phone/act` | one action |

Errors are JSON objects whose `error` is a Chinese sentence for the person at the page.
"""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

import orjson
from aiohttp import web
from pydantic import ValidationError

from bot.core.events import Json
from bot.errors import BotError
from bot.sandbox.phone import actions
from bot.sandbox.phone.snapshot import Snapshot

BODY_BYTES_MAX = 16 * 1024
WAIT_S_MAX = 20.0
"""A question for news is answered after this long even when there is none: so the page's clock stays right."""
WAITING_MAX = 64
"""Pages that may wait at once; one more is told to come back later."""

_CHANGE = re.compile(r"-1|[0-9]{1,15}")
_STATIC = Path(__file__).parent / "static"
_CONTENT_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Stage(Protocol):
    """The play that the page shows."""

    async def snapshot(self, openid: str) -> Snapshot | None:
        """Everything to show for this buyer. None: nobody here has this openid."""
        ...

    async def act(self, action: Mapping[str, Json]) -> Mapping[str, Json]:
        """Do one action of `actions.py` and return once it is done. BotError: it cannot be done; `what` is shown.

        The answer to `new_buyer` holds the new buyer's `openid`.
        """
        ...

    async def changed(self, after: int) -> int:
        """Return the number of the newest change once it is greater than `after`. Numbers begin at 0 or above."""
        ...


class _Page:
    def __init__(self, stage: Stage, closing: asyncio.Event) -> None:
        self._stage: Final = stage
        self._closing: Final = closing
        self._files: Final = _read_files()
        self._waiting = 0

    async def index(self, _request: web.Request) -> web.Response:
        return self._file("phone.html")

    async def static(self, request: web.Request) -> web.Response:
        return self._file(request.match_info["name"])

    def _file(self, name: str) -> web.Response:
        if name not in self._files:
            raise web.HTTPNotFound(headers=_HEADERS)
        content_type = _CONTENT_TYPES[Path(name).suffix]
        return web.Response(body=self._files[name], content_type=content_type, charset="utf-8", headers=_HEADERS)

    async def snapshot(self, request: web.Request) -> web.Response:
        """200 `{change, snapshot}`; 404 for an unknown buyer; 503 while closing, or when too many pages wait."""
        openid = request.query.get("openid", "")
        after = _change_number(request.query.get("after", ""))
        if after is None or not 0 < len(openid) <= actions.OPENID_LENGTH_MAX:
            return _refusal(400, "请求不合格：需要 `openid` 和整数 `after`")
        if self._waiting >= WAITING_MAX:
            return _refusal(503, "打开的页面太多，请关掉几个")
        change = await self._news(after)
        if self._closing.is_set():
            return _refusal(503, "演示正在关闭")
        # The number is older than the snapshot, never newer: at worst the page asks once too often.
        shown = await self._stage.snapshot(openid)
        return _refusal(404, "没有这位买家") if shown is None else _json(200, {"change": change, "snapshot": shown})

    async def _news(self, after: int) -> int:
        changed = asyncio.ensure_future(self._stage.changed(after))
        closing = asyncio.ensure_future(self._closing.wait())
        self._waiting += 1
        try:
            await asyncio.wait({changed, closing}, timeout=WAIT_S_MAX, return_when=asyncio.FIRST_COMPLETED)
            return changed.result() if changed.done() else after
        finally:
            self._waiting -= 1
            changed.cancel()
            closing.cancel()

    async def act(self, request: web.Request) -> web.Response:
        """200 with the stage's answer; 400, 413, 415 for a bad request; 409 when it cannot be done now."""
        # Other sites' forms and scripts cannot send this type here without a preflight, which we do not answer.
        if request.content_type != "application/json":
            return _refusal(415, "请求必须是 application/json")
        body = await _body(request)
        if body is None:
            return _refusal(413, f"请求太大，最多 {BODY_BYTES_MAX} 字节")
        try:
            action = actions.parse(body)
        except ValidationError as error:
            return _refusal(400, actions.complaint(error))
        try:
            return _json(200, await self._stage.act(action))
        except BotError as error:
            return _refusal(409, error.what)


def routes(stage: Stage, closing: asyncio.Event) -> list[web.RouteDef]:
    """The page's routes. Whoever sets `closing` lets go of the requests that wait for news."""
    page = _Page(stage, closing)
    return [
        web.get("/phone", page.index),
        web.get("/phone/static/{name}", page.static),
        web.get("/phone/snapshot", page.snapshot),
        web.post("/phone/act", page.act),
    ]


def install(app: web.Application, stage: Stage) -> None:
    """Add the routes to `app` and let go of waiting requests when it shuts down."""
    closing = asyncio.Event()

    async def close(_app: web.Application) -> None:
        closing.set()

    app.on_shutdown.append(close)
    app.add_routes(routes(stage, closing))


def _read_files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in _STATIC.iterdir() if path.suffix in _CONTENT_TYPES}


async def _body(request: web.Request) -> bytes | None:
    """The request's body; None when it is longer than we read."""
    try:
        await request.content.readexactly(BODY_BYTES_MAX + 1)
    except asyncio.IncompleteReadError as short:
        return short.partial
    return None


def _change_number(text: str) -> int | None:
    return int(text) if _CHANGE.fullmatch(text) else None


def _json(status: int, body: object) -> web.Response:
    return web.Response(
        status=status,
        body=orjson.dumps(body, default=_plain),
        content_type="application/json",
        charset="utf-8",
        headers=_HEADERS,
    )


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"`{type(value).__name__}` has no JSON form")


def _refusal(status: int, error: str) -> web.Response:
    return _json(status, {"error": error})
