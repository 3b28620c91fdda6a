"""One HTTP request to a platform, and the one question that matters when it fails: had it left?

Until the first byte is written, nothing can have happened (TryLater); after it, silence is Unknown.
Source: delivery.md 3.3. No address, query or body ever enters an error or a log line, because access
tokens travel in the query.
"""

import json
from collections.abc import Mapping

import aiohttp

from bot.channels.outgoing import Outgoing, Progress
from bot.channels.verdicts import Endpoint
from bot.core.events import Json
from bot.errors import ChannelError, Forbidden, TryLater, Unknown

CALL_TIMEOUT_S = 10
"""A whole call. A lease of the outbox is at least twice as long (delivery.md 3.1)."""
CONNECT_TIMEOUT_S = 5
REPLY_BYTES_MAX = 1024 * 1024
"""A longer reply is cut off and counts as none."""
CONNECTIONS_MAX = 128

Body = Mapping[str, Json]
Reply = Mapping[str, Json]


class Wire(Outgoing):
    """The connections to the platforms, as a context: `async with Wire() as wire`."""

    def __init__(self, *, call_timeout_s: float = CALL_TIMEOUT_S) -> None:
        super().__init__(
            connections_max=CONNECTIONS_MAX,
            timeout=aiohttp.ClientTimeout(total=call_timeout_s, connect=CONNECT_TIMEOUT_S),
        )

    async def exchange(
        self, base: str, endpoint: Endpoint, *, query: Mapping[str, str], body: Body | None = None
    ) -> Reply:
        """The JSON object that the endpoint answers, whatever its `errcode`.

        TryLater: surely nothing happened. Unknown: it may have. Forbidden: somebody between us and the
        platform, or a wrong `api_base`, turned the request away.
        """
        progress = Progress()
        try:
            async with self.session.request(
                endpoint.method,
                base.rstrip("/") + endpoint.path,
                params=query,
                data=None if body is None else _encode(body),
                headers={"Content-Type": "application/json; charset=utf-8"} if body is not None else {},
                allow_redirects=False,
                trace_request_ctx=progress,
            ) as response:
                _check_status(endpoint, response.status)
                return _parse(endpoint, await _read(endpoint, response))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            lost = _lost(endpoint, progress, type(error).__name__)
        # Raised out here: the cause may show the address with its token, so it goes no further.
        raise lost


def _encode(body: Body) -> bytes:
    # The platforms refuse \uXXXX escapes (40033).
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _check_status(endpoint: Endpoint, status: int) -> None:
    what = f"{endpoint.platform} {endpoint.path} answered HTTP {status}"
    if status == 200:
        return
    if status == 429:
        raise TryLater(what, after_s=60)
    if status >= 500:
        raise Unknown(what)
    raise Forbidden(what, hint="检查 api_base、代理与出口 IP。")


async def _read(endpoint: Endpoint, response: aiohttp.ClientResponse) -> bytes:
    read = bytearray()
    async for chunk in response.content.iter_any():
        read += chunk
        if len(read) > REPLY_BYTES_MAX:
            raise Unknown(f"{endpoint.platform} {endpoint.path} answered with more than 1 MiB")
    return bytes(read)


def _parse(endpoint: Endpoint, raw: bytes) -> Reply:
    try:
        reply: object = json.loads(raw)
    except (ValueError, RecursionError):
        reply = None
    if not isinstance(reply, dict):
        raise Unknown(f"{endpoint.platform} {endpoint.path} answered with something that is no JSON object")
    return reply


def _lost(endpoint: Endpoint, progress: Progress, kind: str) -> ChannelError:
    """What is known of a request without an answer. `kind`: the class of what went wrong."""
    if progress.left:
        return Unknown(f"{endpoint.platform} {endpoint.path} gave no answer ({kind})")
    return TryLater(f"{endpoint.platform} cannot be reached ({kind})", after_s=5)
