"""Takes one request of a platform to the server under test, over HTTP or however somebody else likes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import urlencode, urlsplit

import aiohttp

CONNECTIONS_MAX = 256
"""Deliveries under way at once; further senders wait for their turn, within the platform's own patience."""
ANSWER_BYTES_MAX = 64 * 1024
"""Bytes of an answer that are read; a longer one counts as malformed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The server said 200 with this body."""

    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """No delivery was answered with 200; `why` of the last."""

    why: str


Outcome: TypeAlias = Answered | GaveUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One request to the server under test.

    `query` is not in `url` and not yet quoted. `within_s`: the platform's patience, in seconds of the event loop.
    `cut_at`: only so many bytes of the body are to be sent before the connection is cut; None: all of it.
    """

    method: Literal["GET", "POST"]
    url: str
    query: Mapping[str, str]
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    within_s: float = 5.0
    cut_at: int | None = None


Carrier: TypeAlias = Callable[[Letter], Awaitable[Outcome]]
"""Delivers a letter once. Whatever goes wrong on the way is `GaveUp`, as is every status but 200."""


class HttpCarrier:
    """Carries letters over HTTP."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Get ready to carry."""
        # A connection kept alive would hide what a platform does all the time: come from a fresh one.
        connector = aiohttp.TCPConnector(force_close=True, limit=CONNECTIONS_MAX)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    async def stop(self) -> None:
        """End for good."""
        if self._session is not None:
            await self._session.close()

    async def __call__(self, letter: Letter) -> Outcome:
        """Deliver `letter` once. RuntimeError: not started."""
        if self._session is None:
            raise RuntimeError("the carrier was not started")
        if letter.cut_at is not None:
            return await _cut_off(letter, letter.cut_at)
        try:
            async with self._session.request(
                letter.method,
                letter.url,
                params=letter.query,
                data=letter.body if letter.method == "POST" else None,
                headers=letter.headers,
                timeout=aiohttp.ClientTimeout(total=letter.within_s),
                allow_redirects=False,
            ) as response:
                answer = await _limited(response)
        except TimeoutError:
            return GaveUp(why="no answer in time")
        except aiohttp.ClientError as error:
            return GaveUp(why=type(error).__name__)
        return Answered(body=answer) if response.status == 200 else GaveUp(why=f"HTTP {response.status}")


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    answer = b""
    async for chunk in response.content.iter_any():
        answer += chunk
        if len(answer) > ANSWER_BYTES_MAX:
            break
    return answer


async def _cut_off(letter: Letter, cut_at: int) -> Outcome:
    """Announce the whole body, send a part of it, hang up. An HTTP client would not do that, so it is done by hand."""
    parts = urlsplit(letter.url)
    head = [
        f"POST {parts.path}?{urlencode(letter.query)} HTTP/1.1",
        f"Host: {parts.netloc}",
        *(f"{name}: {value}" for name, value in letter.headers.items()),
        f"Content-Length: {len(letter.body)}",
    ]
    try:
        async with asyncio.timeout(letter.within_s):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
            writer.write("\r\n".join([*head, "", ""]).encode() + letter.body[:cut_at])
            await writer.drain()
            writer.close()
            await writer.wait_closed()
    except OSError as error:  # a TimeoutError is one too
        return GaveUp(why=type(error).__name__)
    return GaveUp(why=f"cut after {cut_at} bytes")
