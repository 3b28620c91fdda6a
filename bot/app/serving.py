"""`zhitu run`: serve until a signal says stop."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import structlog

from bot.app.composition import MachineClock, running
from bot.app.programs import load_program, reload_program, warn_of_channels, warn_of_templates
from bot.config import Config, Declared, key_texts
from bot.errors import StorageError
from bot.runtime.live import Live
from bot.runtime.reloading import Outcome, Reloading
from bot.storage import KeyRing

log = structlog.get_logger(__name__)


def _log_change(outcome: Outcome, reloading: Reloading, live: Live) -> None:
    if outcome == "taken":
        log.info("journeys_reloaded", release=live.program.library.release[:12])
    elif outcome == "refused" and not reloading.failed:
        log.error("journeys_refused", why=reloading.refused, hint="the old ones stay in force; run zhitu check")


async def serve(settings: Config, journeys: Path, content: Path, *, now: Callable[[], Declared]) -> None:
    """`zhitu run`: serve until a signal says stop. `now`: what the configuration names by now."""
    program = load_program(journeys, content, settings)
    warn_of_templates(settings)
    found = key_texts(settings.storage)
    if found.file is not None:
        log.warning("key_file", file=str(found.file), created=found.created, hint="back it up apart from the database")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    keys = KeyRing.from_texts(list(found.texts))
    warn_of_channels(program, connected=frozenset({"oa"} if settings.channels.oa else ()))
    async with running(settings, program, clock=MachineClock(), keys=keys) as product:
        reloading = Reloading(
            product.live,
            (journeys, content),
            lambda: reload_program(journeys, content, settings, now=now),
            taken=product.engine.wake,
        )
        looking = reloading.begin(stop, told=lambda outcome: _log_change(outcome, reloading, product.live))
        log.info("serving", port=product.port, admin_port=product.admin_port, release=program.library.release[:12])
        ends = [asyncio.create_task(stop.wait()), asyncio.create_task(product.lost.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in (*ends, looking):
            end.cancel()
        log.info("stopping")
    if product.lost.is_set():
        raise StorageError("另一个进程现在占用着这个数据库", hint="这一版一个数据库只能有一个服务器")
