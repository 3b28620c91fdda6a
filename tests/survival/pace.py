"""Time that passes in the harness: people think, platforms are slow, a director looks again. No test waits by it."""

import asyncio
import threading


async def passes(seconds: float) -> None:
    """Return after so long."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    call = loop.call_later(seconds, over.set_result, None)
    try:
        await over
    finally:
        call.cancel()


def passes_here(seconds: float) -> None:
    """The same in a process without a loop."""
    threading.Event().wait(seconds)
