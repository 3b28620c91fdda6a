"""Where a request was when it failed, over real sockets: before its first byte nothing happened, then nobody knows."""

import asyncio
import gzip
import logging
import socket
import ssl
import struct
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bot.channels.endpoints import CUSTOM_SEND, USER_INFO
from bot.channels.wire import REPLY_BYTES_MAX, Wire
from bot.errors import ChannelError, Forbidden, TryLater, Unknown

TOKEN = "hush-hush-token"
TEXT = "不能说的话"
PATIENCE_S = (0.3, 3.0, 30.0)
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def platform(talk: Talk, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that talks so on every connection; its address."""
    open_ones: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.add(writer)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the far side had enough
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        for writer in open_ones:
            writer.transport.abort()
        server.close()
        await server.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(one.split(b":")[1]) for one in head.split(b"\r\n") if one.lower().startswith(b"content-length")), 0
    )
    await reader.readexactly(length)


def replying(raw: bytes) -> Talk:
    """Reads the request, writes these very bytes, hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(raw)
        await writer.drain()

    return talk


def answer(body: bytes, *, status: str = "200 OK", headers: str = "") -> Talk:
    return replying(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def resetting_unread(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.transport.abort()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer that goes on for ever, a byte at a time."""
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.wait([asyncio.ensure_future(asyncio.Event().wait())], timeout=0.02)


async def exchanged(base: str, *, call_timeout_s: float = 5.0) -> ChannelError:
    """The error of one call to `base`."""
    async with Wire(call_timeout_s=call_timeout_s) as wire:
        with pytest.raises(ChannelError) as caught:
            await wire.exchange(base, CUSTOM_SEND, query={"access_token": TOKEN}, body={"text": TEXT})
    return caught.value


def self_made(folder: Path) -> Path:
    """A file with a key and a certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "self-made.pem"
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return path


def unheard_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        port: int = unheard.getsockname()[1]
    return port


async def test_a_refused_connection_is_try_later() -> None:
    assert type(await exchanged(f"http://127.0.0.1:{unheard_port()}")) is TryLater


async def test_a_name_that_nobody_knows_is_try_later() -> None:
    assert type(await exchanged("http://nobody-has-this-name.invalid")) is TryLater


async def test_tls_to_a_port_that_speaks_none_is_try_later() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with platform(plain) as base:
        assert type(await exchanged(base.replace("http:", "https:"))) is TryLater


async def test_a_handshake_that_never_ends_is_try_later() -> None:
    async with platform(silent) as base:
        assert type(await exchanged(base.replace("http:", "https:"), call_timeout_s=0.3)) is TryLater


async def test_a_certificate_that_nobody_vouches_for_is_try_later(tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(self_made(tmp_path))
    heard = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())

    async with platform(talk, tls=context) as base:
        assert type(await exchanged(base.replace("http:", "https:"))) is TryLater
    assert [one for one in heard if one] == []


HALF = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"errcode":'
PACKED = gzip.compress(b'{"errcode":0}')
HUGE = b'{"errcode":0,"more":"' + b"x" * REPLY_BYTES_MAX + b'"}'


@pytest.mark.parametrize(
    ("talk", "decision"),
    [
        pytest.param(resetting, Unknown, id="reset after reading"),
        pytest.param(resetting_unread, Unknown, id="reset while reading"),
        pytest.param(replying(b""), Unknown, id="hung up after reading"),
        pytest.param(replying(HALF), Unknown, id="half a reply"),
        pytest.param(replying(b"HTTP/1.1 200"), Unknown, id="half a status line"),
        pytest.param(replying(b"SSH-2.0-OpenSSH_9.6\r\n"), Unknown, id="another protocol"),
        pytest.param(answer(b"{}", status="500 Oops"), Unknown, id="500"),
        pytest.param(answer(b"<html>bad gateway</html>", status="502 Bad Gateway"), Unknown, id="502 with HTML"),
        pytest.param(answer(b'{"errcode":0}', status="503 Busy"), Unknown, id="503 that looks like a success"),
        pytest.param(answer(b"<html>", headers="Content-Type: text/html\r\n"), Unknown, id="HTML"),
        pytest.param(answer(b'{"errcode":0'), Unknown, id="malformed JSON"),
        pytest.param(answer(b""), Unknown, id="empty"),
        pytest.param(answer(b"[" * 100_000), Unknown, id="nested without end"),
        pytest.param(answer(HUGE), Unknown, id="huge"),
        pytest.param(answer('{"errmsg":"系统繁忙"}'.encode("gb18030")), Unknown, id="wrong charset"),
        pytest.param(answer(PACKED, headers="Content-Encoding: gzip\r\n"), Unknown, id="packed unasked"),
        pytest.param(answer(b"{}", status="429 Too Many"), TryLater, id="429"),
        pytest.param(answer(b"{}", status="404 Not Found"), Forbidden, id="404"),
        pytest.param(answer(b"", status="302 Found", headers="Location: http://x.invalid/\r\n"), Forbidden, id="302"),
    ],
)
async def test_what_a_far_side_can_do_to_a_request_that_reached_it(talk: Talk, decision: type[ChannelError]) -> None:
    async with platform(talk) as base:
        assert type(await exchanged(base)) is decision


@pytest.mark.parametrize("talk", [silent, deaf, dripping])
async def test_a_reply_slower_than_the_limit_is_unknown(talk: Talk) -> None:
    for limit_s in PATIENCE_S:
        async with platform(talk) as base:
            error = await exchanged(base, call_timeout_s=limit_s)
        if type(error) is Unknown:  # else this machine was too slow to get the request off within the limit
            break
    assert type(error) is Unknown
    assert "TimeoutError" in error.what


async def test_a_huge_reply_is_not_read_to_its_end() -> None:
    written = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        while not writer.transport.is_closing():
            writer.write(chunk)
            await writer.drain()
            written += 0x10000

    async with platform(endless) as base:
        assert type(await exchanged(base)) is Unknown
    assert written < 64 * REPLY_BYTES_MAX


async def test_a_connection_that_the_far_side_closed_while_idle_does_not_lose_a_request_unnoticed() -> None:
    """A request on a dying connection is Unknown or goes out anew; it is never sent twice behind our back."""
    bodies = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal bodies
        await read_request(reader)
        bodies += 1
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"errcode":0}')
        await writer.drain()
        await reader.read(1)  # the next request has begun to arrive: drop it
        writer.transport.abort()

    async with platform(once) as base, Wire() as wire:
        await wire.exchange(base, CUSTOM_SEND, query={}, body={})
        with pytest.raises(Unknown):
            await wire.exchange(base, CUSTOM_SEND, query={}, body={})
    assert bodies == 1


async def test_connections_are_kept_and_used_again() -> None:
    connections = 0

    async def patient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await read_request(reader)
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"errcode":0}')
            await writer.drain()

    async with platform(patient) as base, Wire() as wire:
        for _ in range(5):
            await wire.exchange(base, CUSTOM_SEND, query={}, body={})
    assert connections == 1


async def test_nothing_that_is_logged_or_raised_shows_a_query_or_a_body(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    told = []
    for talk in (resetting, replying(b""), answer(b"{}", status="404 Not Found"), answer(b"<html>"), silent):
        async with platform(talk) as base:
            told.append(await exchanged(base, call_timeout_s=0.5))
            told.append(await exchanged(base.replace("http:", "https:"), call_timeout_s=0.5))
    told.append(await exchanged(f"http://127.0.0.1:{unheard_port()}"))
    told.append(await exchanged("http://127.0.0.1:1/a b?c=d"))
    for error in told:
        _shows_nothing("".join(traceback.format_exception(error)) + repr(error))
        assert error.__cause__ is None and error.__context__ is None
    _shows_nothing(caplog.text)
    _shows_nothing("".join(capsys.readouterr()))


def _shows_nothing(text: str) -> None:
    for secret in (TOKEN, TEXT, "access_token="):
        assert secret not in text


async def test_a_get_that_is_lost_is_unknown_too() -> None:
    async with platform(resetting) as base, Wire() as wire:
        with pytest.raises(Unknown):
            await wire.exchange(base, USER_INFO, query={"access_token": TOKEN, "openid": "o"})
