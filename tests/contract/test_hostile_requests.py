"""What strangers who hold no secret of ours can send: nothing of it is kept, crashes us, or takes the server away."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bot.channels.trust import CANDIDATES_MAX, Seal, unseal
from bot.errors import Untrusted
from bot.runtime.ports import Query
from bot.web.body import Limits
from bot.web.server import Connections, listening

from .posting import NOW, House, fixture, house, oa_safe

TEXT = fixture("oa_text.xml")
SIGNED = "&".join(f"{key}={value}" for key, value in oa_safe(TEXT).query.items())
HEAD = f"POST /callback/oa/main?{SIGNED} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@pytest.fixture
async def ours() -> AsyncIterator[House]:
    async with house() as running:
        yield running


ODD_REQUESTS = {
    "bytes that are no HTTP": b"\x00\xff\x16\x03\x01 /\r\n\r\n",
    "the old protocol": b"GET /\r\n\r\n",
    "the new protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown method": HEAD.replace("POST", "BREW").encode() + b"\r\n",
    "OPTIONS": HEAD.replace("POST", "OPTIONS").encode() + b"\r\n",
    "PUT": HEAD.replace("POST", "PUT").encode() + b"\r\n",
    "HEAD": HEAD.replace("POST", "HEAD").encode() + b"\r\n",
    "bytes in the path": HEAD.replace("main", "\udcff\udcfe").encode(errors="surrogateescape") + b"\r\n",
    "a NUL in the path": HEAD.replace("main", "main%00").encode() + b"\r\n",
    "Chinese in the path": HEAD.replace("main", "%E6%B1%BD").encode() + b"\r\n",
    "a way upwards": HEAD.replace("main", "..%2f..%2fmetrics").encode() + b"\r\n",
    "an endless line": HEAD.replace("nonce=", "nonce=" + "1" * 20_000).encode() + b"\r\n",
    "an endless header": (HEAD + "X: " + "1" * 20_000 + "\r\n\r\n").encode(),
    "a thousand headers": (HEAD + "X: 1\r\n" * 1000 + "\r\n").encode(),
    "two lengths": (HEAD + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab").encode(),
    "a length and chunks": (HEAD + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").encode(),
    "a length below zero": (HEAD + "Content-Length: -1\r\n\r\n").encode(),
    "a length beyond all": (HEAD + f"Content-Length: {10**30}\r\n\r\n").encode(),
    "a wrong expectation": (HEAD + "Expect: miracles\r\n\r\n").encode(),
    "a form": (HEAD + "Content-Type: multipart/form-data; boundary=\r\n\r\n").encode(),
    "a nonce that is not UTF-8": HEAD.replace("nonce=n1", "nonce=%FF").encode() + b"\r\n",
    "digits of another script": HEAD.replace("timestamp=1760000005", "timestamp=%EF%BC%91").encode() + b"\r\n",
    "a forged key before the right one": HEAD.replace("?", f"?msg_signature={'0' * 40}&").encode() + b"\r\n",
}


@pytest.mark.parametrize("request_bytes", ODD_REQUESTS.values(), ids=ODD_REQUESTS)
async def test_an_odd_request_is_refused_and_neither_kept_nor_quoted(
    ours: House, request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="bot"), capture_logs() as told:
        answer = await _answer(ours.port, request_bytes)
    assert 400 <= int(answer.split()[1]) < 500
    assert (ours.lanes.events, ours.lanes.quarantined) == ({}, [])
    assert "signature=" not in caplog.text + str(told)


async def test_wrong_signatures_are_all_counted_and_logged_once_a_while(ours: House) -> None:
    forged = oa_safe(TEXT)
    with capture_logs() as told:
        for nonce in ("a", "b", "c"):
            await ours.post(replace(forged, query={**forged.query, "nonce": nonce}))
        await ours.post(replace(forged, query={**forged.query, "timestamp": "1"}))
    assert [line["why"] for line in told] == [
        "the signature does not match",
        "the request is older or newer than allowed",
    ]
    assert ours.counted("untrusted") == 4


async def test_a_made_up_signature_is_refused_before_the_body_comes(ours: House) -> None:
    forged = HEAD.replace("?", f"?signature={'0' * 40}&") + "Content-Length: 1024\r\n\r\n"
    answer = await _answer(ours.port, forged.encode())
    assert answer.split()[1] == b"403"
    assert ours.counted("untrusted") == 1


async def test_unreadable_callbacks_beyond_the_waiting_ones_are_turned_away() -> None:
    async with house(limits=Limits(commits_waiting_max=0)) as full:
        assert (await full.post(oa_safe(b"unreadable")))[0] == 503
        turned_away = full.metrics.value(
            "zhitu_callbacks_turned_away_total", channel="oa", account="main", reason="full"
        )
        assert (turned_away, full.lanes.quarantined) == (1, [])


async def test_a_commit_that_fails_is_told_apart_from_a_full_house(ours: House) -> None:
    ours.lanes.broken = True
    await ours.post(oa_safe(TEXT))
    name, account = "zhitu_callbacks_turned_away_total", {"channel": "oa", "account": "main"}
    assert ours.metrics.value(name, **account, reason="storage") == 1


async def test_a_buyer_who_writes_like_the_envelope_is_heard_in_compatible_mode(ours: House) -> None:
    """Before: five such elements in her own text hid the platform's, and every delivery of it was refused."""
    fakes = b"<Encrypt>QUJD</Encrypt>" * (CANDIDATES_MAX + 1)
    sealed = oa_safe(TEXT)
    both = TEXT.replace("想预约试驾".encode(), fakes).replace(b"</xml>", sealed.body.removeprefix(b"<xml>"))
    assert await ours.post(replace(sealed, path="/callback/oa/mixed", body=both)) == (200, "success")
    assert ours.lanes.only.fields["text"] == "想预约试驾"


@pytest.mark.parametrize("opening", [b"<Encrypt>%b</Encrypt>", b'{"Encrypt":"%b"},'])
def test_no_more_of_an_unsigned_body_is_hashed_than_it_has_bytes(opening: bytes) -> None:
    hashed: list[int] = []

    def sign(parts: Sequence[bytes]) -> str:
        hashed.append(len(parts[-1]))
        return "0" * 40

    seal = Seal(token="t", receive_id="r", sign=sign, deciphers=())
    query = Query(msg_signature="1" * 40, timestamp=str(int(NOW.timestamp())), nonce="n")
    body = opening % (b"A" * 1000) * 100
    with pytest.raises(Untrusted):
        unseal(seal, query, body)
    assert hashed == [1000] * CANDIDATES_MAX


async def test_a_connection_beyond_the_last_is_hung_up_on_until_another_ends() -> None:
    async with _serving(Connections(count_max=1)) as port:
        async with _peer(port) as first:
            assert await first.asked() == b"HTTP/1.1 200 OK"
            async with _peer(port) as second:
                assert await second.asked() == b""
        assert await _asked_until_served(port) == b"HTTP/1.1 200 OK"


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux gives up on a peer that reads nothing")
async def test_a_peer_that_never_reads_our_answers_is_cut_off() -> None:
    """Before: its connection, and the place it took, were held for ever."""
    async with _serving(Connections(unread_answer_s=0.1)) as port:
        with socket.create_connection(("127.0.0.1", port)) as deaf, pytest.raises(ConnectionError):
            await _send_for_ever(deaf, b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)


@asynccontextmanager
async def _serving(connections: Connections) -> AsyncIterator[int]:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="x" * (100_000 if request.path == "/long" else 1))

    application = web.Application()
    application.router.add_get("/{any}", answer)
    async with listening(application, host="127.0.0.1", port=0, connections=connections) as port:
        yield port


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A client that keeps its connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def asked(self) -> bytes:
        """The first line of the answer to a request, nothing when the connection was hung up."""
        try:
            self.writer.write(b"GET /short HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(5):
                return (await self.reader.readline()).strip()
        except ConnectionError:
            return b""


@asynccontextmanager
async def _peer(port: int) -> AsyncIterator[Peer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Peer(reader=reader, writer=writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def _asked_until_served(port: int) -> bytes:
    """The server learns of a closed connection a moment after the client."""
    answer = b""
    for _ in range(100):
        async with _peer(port) as peer:
            answer = await peer.asked()
        if answer:
            break
    return answer


async def _send_for_ever(deaf: socket.socket, request: bytes) -> None:
    deaf.setblocking(False)
    async with asyncio.timeout(10):
        while True:
            await asyncio.get_running_loop().sock_sendall(deaf, request)


async def _answer(port: int, request: bytes) -> bytes:
    async with _peer(port) as peer, asyncio.timeout(5):
        peer.writer.write(request)
        return await peer.reader.read(4096)
