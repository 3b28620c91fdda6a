"""A process that writes down events and prints each one's number after its commit, until it is killed."""

import asyncio
import sys

from bot.storage import KeyRing, Priority, Storage
from tests.storage.makers import NOON, event


async def main(url: str, key: str) -> None:
    storage = await Storage.open(url, keys=KeyRing.from_texts([key]), clock_now=lambda: NOON)

    async def acknowledge(number: int) -> None:
        one = event(f"e{number}", sender=f"o{number % 20}")
        await storage.write(Priority.INGEST, lambda t: t.lanes.ingest([one], received_at=NOON))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()

    for start in range(0, 100_000, 25):
        await asyncio.gather(*(acknowledge(number) for number in range(start, start + 25)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
