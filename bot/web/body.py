"""Reading a request's body without giving it more memory or time than it deserves."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import hdrs, web
from aiohttp.http import HttpVersion11

from bot.runtime.ports import AGE_MAX

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much the callbacks may ask for.

    `body_bytes_max`: the platforms' largest pushes stay far below; a longer body is answered 413 and not
    read on. `body_timeout_s`: a platform gives up after five seconds, so nobody waits for the answer to a
    slower one (408). `commits_waiting_max`: callbacks that wait for their commit at once; one more is turned
    away (503), because the database has stopped, and waiting requests would only keep others out.
    `age_max`: older and newer ones are refused (403).
    """

    body_bytes_max: int = 256 * 1024
    body_timeout_s: float = 5.0
    commits_waiting_max: int = 500
    age_max: timedelta = AGE_MAX


LIMITS = Limits()


class TooLarge(Exception):
    """The body is longer than allowed, or says that it will be."""


class TooSlow(Exception):
    """The body did not arrive in time."""


class CutOff(Exception):
    """The connection ended, or broke the protocol, before the body did."""


class Unmeetable(Exception):
    """The sender expects something else of us than to go on."""


async def read_body(request: web.BaseRequest, limits: Limits) -> bytes:
    """The whole body. TooLarge before a byte is read if the length is announced, else TooSlow, CutOff or Unmeetable."""
    if request.content_length is not None and request.content_length > limits.body_bytes_max:
        raise TooLarge
    await _invite(request)
    content = request.content
    try:
        if content.is_eof():
            return _bounded(content.read_nowait(), limits.body_bytes_max)
        async with asyncio.timeout(limits.body_timeout_s):
            return await _read(request, limits.body_bytes_max)
    except TimeoutError:
        raise TooSlow from None
    except (web.RequestPayloadError, ConnectionError):
        raise CutOff from None


async def _invite(request: web.BaseRequest) -> None:
    """Tell a sender who waits for it that the body is wanted: nobody is asked for a body that would be refused."""
    expected = request.headers.get(hdrs.EXPECT)
    if expected is None or request.version != HttpVersion11:
        return
    if expected.lower() != "100-continue":
        raise Unmeetable
    await request.writer.write(_CONTINUE)
    # What was written belongs to no answer: its length must not be counted as part of one.
    request.writer.output_size = 0


async def _read(request: web.BaseRequest, bytes_max: int) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > bytes_max:
            raise TooLarge
    return bytes(body)


def _bounded(body: bytes, bytes_max: int) -> bytes:
    if len(body) > bytes_max:
        raise TooLarge
    return body
