"""A disk that is full refuses what comes, keeps what it acknowledged, and works again once there is room."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

from bot.storage import KeyRing, Storage, new_key_text
from tests.storage.makers import TurnedClock, claimed

ROOM_BYTES = 700_000


def filled(path: Path, key: str) -> dict[str, list[str]]:
    """What a process told us that was given only so much room in each file."""
    command = [sys.executable, "-m", "tests.storage.filling", str(path), key, str(ROOM_BYTES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    told: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return told


async def test_when_the_system_gives_no_more_room_nothing_acknowledged_is_lost(
    tmp_path: Path, clock: TurnedClock
) -> None:
    key = new_key_text()
    told = await asyncio.to_thread(filled, tmp_path / "x.db", key)
    assert len(told["before"]) > 10
    assert len(told["refused"]) == 3
    again = await Storage.open(f"sqlite:///{tmp_path}/x.db", keys=KeyRing.from_texts([key]), clock_now=clock.now)
    there = await claimed(again, 10_000)
    await again.close()
    # What was refused came in when it was sent again, once there was room.
    assert sorted(there) == sorted([*told["before"], *told["after"]])
    assert told["after"] == [*told["refused"], "later"]


async def test_a_log_that_cannot_be_moved_into_a_full_database_is_kept_and_moved_later(
    tmp_path: Path,
) -> None:
    told = await asyncio.to_thread(filled, tmp_path / "x.db", new_key_text())
    assert told["checkpoint"] == ["OperationalError", "moved"]
    raw = sqlite3.connect(tmp_path / "x.db")
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    raw.close()
