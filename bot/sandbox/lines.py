"""Lines from standard input, read so that the program can end at any moment, also while it waits for one."""

import asyncio
import codecs
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress

from bot.errors import BotError

LENGTH_MAX = 10_000
"""Characters of a line. A longer one comes as its first `LENGTH_MAX + 1`, so that it can be told and refused."""
AHEAD_MAX = 100
"""Lines read before somebody asks for them; then reading waits."""
_CHUNK_BYTES = 64 * 1024


async def lines(descriptor: int) -> AsyncIterator[str]:
    """Every line of an open file, pipe or terminal, without its end; what is not UTF-8 becomes U+FFFD.

    BotError: it cannot be read.
    """
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[str | OSError | None] = asyncio.Queue()
    room = threading.Semaphore(AHEAD_MAX)

    def hand_over(one: str | OSError | None) -> None:
        room.acquire()
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(arrived.put_nowait, one)

    # Not a thread of the executor: that one is waited for at the end, and Ctrl-C would hang until the next line.
    threading.Thread(target=_read, args=(descriptor, hand_over), name="lines", daemon=True).start()
    while (one := await arrived.get()) is not None:
        room.release()
        if isinstance(one, OSError):
            raise BotError(f"标准输入读不了：{one.strerror}") from one
        yield one


def _read(descriptor: int, hand_over: Callable[[str | OSError | None], None]) -> None:
    try:
        for line in _split(descriptor):
            hand_over(line)
        hand_over(None)
    except OSError as error:
        hand_over(error)


def _split(descriptor: int) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    held = ""
    # Not `sys.stdin`: a thread that sleeps in it holds its lock, and the interpreter cannot end.
    while chunk := os.read(descriptor, _CHUNK_BYTES):
        *whole, held = (held + decoder.decode(chunk)).split("\n")
        yield from (line.removesuffix("\r")[: LENGTH_MAX + 1] for line in whole)
        held = held[: LENGTH_MAX + 1]
    held += decoder.decode(b"", final=True)
    if held:
        yield held
