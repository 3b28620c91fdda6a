"""Peers that take their time, pipeline, chunk, or wait to be asked: over real sockets, with deadlines made short."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from bot.runtime.metrics import Metrics
from bot.web.body import Limits
from bot.web.front import Front
from bot.web.server import Connections, listening
from bot.web.webhook import Webhook

from .posting import KeptLanes, Push, StillClock, fixture, oa_callbacks, oa_safe, sha1

TEXT = fixture("oa_text.xml")
BODY_BYTES_MAX = 256 * 1024
SHORT_S = 0.05
ROOMY_S = 3.0
"""Short, and yet long enough for a first request on a slow machine."""
PATIENCE_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Served:
    """A listening webhook, and what it kept."""

    port: int
    lanes: KeptLanes


@asynccontextmanager
async def _served(*, idle_s: float = PATIENCE_S, body_timeout_s: float = PATIENCE_S) -> AsyncIterator[Served]:
    lanes = KeptLanes()
    webhook = Webhook(
        accounts={("oa", "main"): oa_callbacks()},
        lanes=lanes,
        clock=StillClock(),
        metrics=Metrics(),
        limits=Limits(body_timeout_s=body_timeout_s),
    )
    served, connections = Front(webhook.pages()), Connections(idle_s=idle_s)
    async with listening(served, host="127.0.0.1", port=0, connections=connections) as port:
        yield Served(port=port, lanes=lanes)


@asynccontextmanager
async def _peer(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def _head(push: Push, *lines: str) -> bytes:
    query = "&".join(f"{key}={value}" for key, value in push.query.items())
    return "\r\n".join((f"POST {push.path}?{query} HTTP/1.1", "Host: x", *lines, "", "")).encode()


def _whole(push: Push, *lines: str) -> bytes:
    return _head(push, f"Content-Length: {len(push.body)}", *lines) + push.body


def _second(text: str) -> Push:
    return oa_safe(TEXT.replace(b"24900000000000001", text.encode()), nonce="n2")


async def _trickle_until_cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bytes_: bytes) -> None:
    """Write the same again and again, until the other side has hung up."""
    hung_up = asyncio.ensure_future(reader.read(1))
    while not hung_up.done():
        with suppress(ConnectionError):
            writer.write(bytes_)
            await writer.drain()
        await asyncio.wait([hung_up], timeout=SHORT_S / 5)
    with suppress(ConnectionError):
        assert await hung_up == b""


@pytest.mark.parametrize("first", [b"", b"POST /", b"POST /callback/oa/main HTTP/1.1\r\nHost: x\r\nX: "])
async def test_a_peer_that_says_its_header_bit_by_bit_is_cut(first: bytes) -> None:
    async with _served(idle_s=SHORT_S) as ours, _peer(ours.port) as (reader, writer):
        writer.write(first)
        await _trickle_until_cut(reader, writer, b"1" if first else b"")


async def test_a_kept_connection_whose_second_header_comes_bit_by_bit_is_cut() -> None:
    async with _served(idle_s=ROOMY_S) as ours, _peer(ours.port) as (reader, writer):
        writer.write(_whole(oa_safe(TEXT)))
        assert (await reader.readuntil(b"success")).startswith(b"HTTP/1.1 200")
        writer.write(b"POST /callback/oa/main HTTP/1.1\r\nX: ")
        await _trickle_until_cut(reader, writer, b"1")


async def test_a_body_that_comes_bit_by_bit_is_given_up_in_spite_of_each_bit() -> None:
    async with _served(body_timeout_s=SHORT_S) as ours, _peer(ours.port) as (reader, writer):
        writer.write(_head(oa_safe(TEXT), "Content-Length: 200000"))
        answered = asyncio.ensure_future(reader.readline())
        while not answered.done():
            writer.write(b"<")
            await asyncio.wait([answered], timeout=SHORT_S / 5)
        assert answered.result().startswith(b"HTTP/1.1 408")
        assert ours.lanes.events == {}


async def test_pipelined_callbacks_are_answered_in_their_order() -> None:
    async with _served() as ours, _peer(ours.port) as (reader, writer):
        forged = oa_safe(TEXT)
        writer.write(_whole(oa_safe(TEXT)))
        writer.write(_whole(Push(path=forged.path, query={**forged.query, "nonce": "x"}, body=forged.body)))
        writer.write(_whole(_second("24900000000000002"), "Connection: close"))
        answers = await reader.read()
    assert [answer.split()[0] for answer in answers.split(b"HTTP/1.1 ")[1:]] == [b"200", b"403", b"200"]
    assert len(ours.lanes.events) == 2


async def test_a_refused_stranger_keeps_the_connection_when_the_request_was_all_there() -> None:
    """Before: each refusal closed it, and a flood cost a new connection for every request."""
    async with _served() as ours, _peer(ours.port) as (reader, writer):
        for _ in range(2):
            writer.write(b"POST /callback/oa/main HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 403") and b"close" not in answer


async def test_a_refused_stranger_who_has_more_to_send_is_hung_up_on() -> None:
    async with _served() as ours, _peer(ours.port) as (reader, writer):
        writer.write(b"POST /callback/oa/main HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\nabc")
        assert b"Connection: close" in await reader.read()


async def test_a_chunked_callback_is_taken() -> None:
    push = oa_safe(TEXT)
    half = len(push.body) // 2
    parts = [b"%x\r\n%b\r\n" % (len(part), part) for part in (push.body[:half], push.body[half:], b"")]
    async with _served() as ours, _peer(ours.port) as (reader, writer):
        writer.write(_head(push, "Transfer-Encoding: chunked", "Connection: close") + b"".join(parts))
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
    assert len(ours.lanes.events) == 1


@pytest.mark.parametrize("together", [True, False])
async def test_chunks_over_256_kib_are_refused_however_they_come(*, together: bool) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    async with _served() as ours, _peer(ours.port) as (reader, writer):
        writer.write(_head(oa_safe(TEXT), "Transfer-Encoding: chunked", "Connection: close"))
        if together:
            writer.write(chunk * 5 + b"0\r\n\r\n")
        else:
            for _ in range(5):
                writer.write(chunk)
                await writer.drain()
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    assert ours.lanes.events == {}


@pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=gbk", "multipart/form-data; boundary=x", ""])
async def test_the_declared_type_of_a_body_does_not_matter(kind: str) -> None:
    async with _served() as ours, _peer(ours.port) as (reader, writer):
        writer.write(_whole(oa_safe(TEXT), f"Content-Type: {kind}", "Connection: close"))
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
    assert len(ours.lanes.events) == 1


async def test_a_sender_who_waits_to_be_asked_for_the_body_is_asked() -> None:
    push = oa_safe(TEXT)
    async with _served() as ours, _peer(ours.port) as (reader, writer):
        writer.write(_head(push, f"Content-Length: {len(push.body)}", "Expect: 100-continue"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(push.body)
        assert (await reader.readuntil(b"success")).startswith(b"HTTP/1.1 200")
    assert len(ours.lanes.events) == 1


async def test_nobody_is_asked_for_a_body_that_is_refused_anyway() -> None:
    async with _served() as ours, _peer(ours.port) as (reader, writer):
        writer.write(_head(oa_safe(TEXT), f"Content-Length: {BODY_BYTES_MAX + 1}", "Expect: 100-continue"))
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    old = oa_safe(TEXT, timestamp="1")
    async with _served() as ours, _peer(ours.port) as (reader, writer):
        writer.write(_head(old, "Content-Length: 10", "Expect: 100-continue"))
        assert (await reader.readline()).startswith(b"HTTP/1.1 403")


async def test_a_stale_request_is_refused_without_its_body() -> None:
    query = {"signature": sha1("a"), "msg_signature": sha1("b"), "timestamp": "1", "nonce": "n", "encrypt_type": "aes"}
    async with _served() as ours, _peer(ours.port) as (reader, writer):
        writer.write(_head(Push(path="/callback/oa/main", query=query, body=b""), "Content-Length: 1000"))
        assert (await reader.readline()).startswith(b"HTTP/1.1 403")
