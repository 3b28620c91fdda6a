"""Bare POSTs by aiohttp's client, so many at a time: what a sender cannot beat that speaks through it.

A process of its own: `python -m tests.bench.floors.post_loop PORT IN_FLIGHT SECONDS`.
"""

import asyncio
import json
import sys
import time

import aiohttp

from tests.bench.lines import say

BODY = json.dumps(
    {"touser": "oBench" + "0" * 22, "msgtype": "text", "text": {"content": "您好，欢迎来到星澜汽车。" * 6}},
    ensure_ascii=False,
).encode()
WARM_UP_S = 1.0


async def post(port: int, in_flight: int, seconds: float) -> dict[str, float]:
    """Post for so long. How many a second were answered."""
    url = f"http://127.0.0.1:{port}/cgi-bin/message/custom/send?access_token=T"
    began = time.monotonic() + WARM_UP_S
    until = began + seconds
    counted = 0

    async def loop(http: aiohttp.ClientSession) -> None:
        nonlocal counted
        while (now := time.monotonic()) < until:
            async with http.post(url, data=BODY, headers={"Content-Type": "application/json"}) as answer:
                json.loads(await answer.read())
            counted += began <= now

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=in_flight)) as http:
        await asyncio.gather(*(loop(http) for _ in range(in_flight)))
    return {"sends": counted, "seconds": time.monotonic() - began}


if __name__ == "__main__":
    say(json.dumps(asyncio.run(post(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))))
