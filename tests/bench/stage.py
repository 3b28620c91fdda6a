"""The product as `zhitu run` composes it, in a process that tells about itself when asked.

A process of its own: `python -m tests.bench.stage DIRECTORY`, with the configuration in the environment. SIGUSR1 has
it write `strain.json`: what its writer did, and settings read back from the connection that writes. With
ZHITU_BENCH_PROFILE a profile of every thread is written at the end.
"""

import asyncio
import cProfile
import json
import os
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from bot import config
from bot.app.composition import MachineClock, Running, running
from bot.app.programs import load_program
from bot.config import key_texts
from bot.runtime import logs
from bot.storage import KeyRing, Priority, Transaction
from tests.bench.lines import say

ROOT = Path(__file__).parents[2]
PRAGMAS = ("journal_mode", "synchronous", "wal_autocheckpoint", "cache_size", "page_size")


def _pragmas(tx: Transaction) -> dict[str, object]:
    connection = tx._connection
    return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS}


async def _tell(product: Running, directory: Path) -> None:
    read_back = await product.storage.write(Priority.SETTLE, _pragmas)
    told = {"strain": asdict(product.storage.strain()), "pragmas": read_back}
    draft = directory / "strain.json.new"
    draft.write_text(json.dumps(told), encoding="utf-8")
    draft.rename(directory / "strain.json")


async def serve(directory: Path) -> None:
    """Serve until SIGTERM."""
    settings = config.load(ROOT / "config.toml", os.environ)
    program = load_program(ROOT / "journeys", ROOT / "content", settings)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    keys = KeyRing.from_texts(list(key_texts(settings.storage).texts))
    tasks: set[asyncio.Task[None]] = set()
    async with running(settings, program, clock=MachineClock(), keys=keys) as product:
        loop.add_signal_handler(signal.SIGUSR1, lambda: tasks.add(asyncio.create_task(_tell(product, directory))))
        say(f"ready {product.port}")
        await stop.wait()


def _profiled(directory: Path) -> None:
    """Every thread gets a profile of its own, written when the server ends."""
    profiles: dict[str, cProfile.Profile] = {}

    def begin(*_: object) -> None:
        profile = cProfile.Profile()
        profiles[threading.current_thread().name] = profile
        profile.enable()

    threading.setprofile(begin)
    main = cProfile.Profile()
    main.runcall(asyncio.run, serve(directory))
    main.dump_stats(directory / "main.prof")
    for name, profile in profiles.items():
        profile.create_stats()
        profile.dump_stats(directory / f"{name}.prof")


if __name__ == "__main__":
    logs.configure("json")
    place = Path(sys.argv[1])
    if os.environ.get("ZHITU_BENCH_PROFILE"):
        _profiled(place)
    else:
        asyncio.run(serve(place))
