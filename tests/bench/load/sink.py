"""The platform's interface for sends: takes everything, remembers what it took and when. A process of its own.

`python -m tests.bench.load.sink PORT LATENCY_S LOG_FILE [shut]`. With `shut` no token is given out, so that nothing is
sent at all. The log is one line for each message: moment, and the text it carried, cut.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TextIO

from tests.bench.lines import say

OK = b'{"errcode":0,"errmsg":"ok"}'
TOKEN = b'{"errcode":0,"errmsg":"ok","access_token":"T","expires_in":7200}'
SHUT = b'{"errcode":45009,"errmsg":"reach max api daily quota limit"}'
TEXT_KEPT = 60


class Sink(asyncio.Protocol):
    """One connection. Requests that come together are answered in their order."""

    def __init__(self, *, latency_s: float, log: TextIO, is_shut: bool) -> None:
        self._latency_s = latency_s
        self._log = log
        self._is_shut = is_shut
        self._got = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._got[:end])
            mark = head.lower().find(b"content-length: ")
            length = int(head[mark + 16 :].split(b"\r\n", 1)[0]) if mark >= 0 else 0
            if len(self._got) < end + 4 + length:
                return
            body = bytes(self._got[end + 4 : end + 4 + length])
            del self._got[: end + 4 + length]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if b"token" in head.split(b"?", 1)[0]:
            self._write(SHUT if self._is_shut else TOKEN)
            return
        self._log.write(f"{time.monotonic():.6f} {_told(body)}\n")
        if self._latency_s:
            asyncio.get_running_loop().call_later(self._latency_s, self._write, OK)
        else:
            self._write(OK)

    def _write(self, reply: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(reply)}\r\n\r\n"
            self._transport.write(head.encode() + reply)


def _told(body: bytes) -> str:
    """To whom, and the beginning of what: enough to tell two messages of one buyer apart."""
    message = json.loads(body)
    return json.dumps([message.get("touser", ""), json.dumps(message, ensure_ascii=False)[-TEXT_KEPT:]])


async def serve(port: int, latency_s: float, log_file: Path, *, is_shut: bool) -> None:
    """Listen until somebody ends the process."""
    with log_file.open("a", encoding="utf-8", buffering=1) as log:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Sink(latency_s=latency_s, log=log, is_shut=is_shut), "127.0.0.1", port, backlog=512
        )
        say("ready")
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]), is_shut="shut" in sys.argv[4:]))
