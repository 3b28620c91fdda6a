"""A process of its own that fills a database until the system forbids it, and goes on once there is room again.

Arguments: database, key, bytes a file may have. Prints one JSON line: what was acknowledged before, what was refused
while the disk was full, and what was acknowledged afterwards.
"""

import asyncio
import json
import resource
import signal
import sqlite3
import sys
from pathlib import Path

from bot.errors import Unavailable
from bot.storage import KeyRing, Priority, Storage
from bot.storage.checkpoints import move
from tests.storage.makers import NOON, event

EVENTS_MAX = 2_000
LONG = "长" * 2_000


async def fill(path: str, key: str, limit: int) -> dict[str, list[str]]:
    # Without this the system would kill whoever writes too much, instead of refusing it as a full disk does.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    storage = await Storage.open(f"sqlite:///{path}", keys=KeyRing.from_texts([key]), clock_now=lambda: NOON)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    told: dict[str, list[str]] = {"before": [], "refused": [], "after": []}
    for number in range(EVENTS_MAX):
        try:
            await accept(storage, f"e{number}")
        except Unavailable:
            told["refused"].append(f"e{number}")
            if len(told["refused"]) == 3:
                break
        else:
            told["before"].append(f"e{number}")
    # The log holds pages again and again, and the database only once: it needs less room, so it gets none at all.
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_of(path), hard))
    told["checkpoint"] = [checkpoint(Path(path))]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    for name in (*told["refused"], "later"):
        await accept(storage, name)
        told["after"].append(name)
    told["checkpoint"].append(checkpoint(Path(path)))
    await storage.close()
    return told


async def accept(storage: Storage, name: str) -> None:
    one = event(name, sender=f"o{name}", fields={"kind": "text", "text": name, "long": LONG})
    await storage.write(Priority.INGEST, lambda tx: tx.lanes.ingest([one], received_at=NOON))


def size_of(path: str) -> int:
    return Path(path).stat().st_size


def checkpoint(path: Path) -> str:
    """Move the log while the disk is as full as it is."""
    try:
        return "moved" if move(path) else "busy"
    except sqlite3.Error as error:
        return type(error).__name__


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(fill(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
