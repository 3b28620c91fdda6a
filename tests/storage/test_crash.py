"""A process is killed in the middle of writing: everything it acknowledged is there."""

import asyncio
import subprocess
import sys

from bot.storage import KeyRing, Storage, new_key_text
from tests.storage.makers import TurnedClock, claimed

ACKNOWLEDGED_MIN = 200


def acknowledged_before_the_kill(url: str, key: str) -> list[int]:
    """The numbers that a process told us it had committed, before we killed it."""
    command = [sys.executable, "-m", "tests.storage.acknowledging", url, key]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        numbers = [int(process.stdout.readline()) for _ in range(ACKNOWLEDGED_MIN)]
        process.kill()
        # What stood in the pipe was acknowledged too; the last line may be cut.
        return numbers + [int(line) for line in process.stdout if line.endswith("\n")]


async def test_everything_that_was_acknowledged_survives_a_kill(url: str, clock: TurnedClock) -> None:
    key = new_key_text()
    numbers = await asyncio.to_thread(acknowledged_before_the_kill, url, key)
    again = await Storage.open(url, keys=KeyRing.from_texts([key]), clock_now=clock.now)
    there = {int(text.removeprefix("e")) for text in await claimed(again, 100_000)}
    lanes = {row.lane for row in await again.read(lambda t: t.claims.claim(100_000))}
    await again.close()
    assert set(numbers) <= there
    assert len(lanes) <= 20
