"""Carries callbacks to the server under test: in order per sender, with retries, until answered or given up."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TypeAlias

import aiohttp

from bot.runtime.ports import Clock
from bot.sandbox.emulator.envelopes import Envelope, Packed
from bot.sandbox.emulator.settings import Conduct, Platform
from bot.sandbox.emulator.traffic import Line, Traffic
from bot.sandbox.emulator.wire import Json

QUEUE_MAX = 1000
"""Callbacks of one sender that may wait; the next is dropped, with a line in the log."""
CONNECTIONS_MAX = 256
"""Deliveries under way at once; further senders wait for their turn, within the platform's own patience."""
ANSWER_BYTES_MAX = 64 * 1024
"""Bytes of an answer that are read; a longer one counts as malformed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The server said 200 with this body."""

    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """No delivery was answered with 200; `why` of the last."""

    why: str


Outcome: TypeAlias = Answered | GaveUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One callback. `settle` learns what became of it, once."""

    platform: Platform
    account: str
    sender: str
    url: str
    inner: str
    envelope: Envelope
    settle: Callable[[Outcome], None]


class Courier:
    """Delivers parcels over HTTP. One sender's next parcel leaves when the one before was answered or given up."""

    def __init__(self, *, conduct: Conduct, clock: Clock, traffic: Traffic) -> None:
        self._conduct = conduct
        self._clock = clock
        self._traffic = traffic
        self._waiting: dict[tuple[str, str, str], deque[Parcel]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Get ready to deliver."""
        # A connection kept alive would hide what a platform does all the time: come from a fresh one.
        connector = aiohttp.TCPConnector(force_close=True, limit=CONNECTIONS_MAX)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    async def stop(self) -> None:
        """Drop what still waits, end what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._waiting.clear()
        self._quiet.set()
        if self._session is not None:
            await self._session.close()

    def send(self, parcel: Parcel) -> None:
        """Queue `parcel` behind the earlier ones of its sender. Without a URL it is only noted: nobody asked for it."""
        if not parcel.url:
            self._note(parcel, attempt=0, query={}, verdict="dropped: no callback url")
            return
        key = (parcel.platform, parcel.account, parcel.sender)
        queue = self._waiting.get(key)
        if queue is None:
            self._waiting[key] = deque([parcel])
            self._quiet.clear()
            self._spawn(self._drain(key))
        elif len(queue) >= QUEUE_MAX:
            self._note(parcel, attempt=0, query={}, verdict=f"dropped: {QUEUE_MAX} callbacks wait already")
        else:
            queue.append(parcel)

    def busy(self) -> bool:
        """Whether any callback waits or is under way."""
        return bool(self._waiting)

    async def idle(self) -> None:
        """Wait until no callback waits or is under way."""
        await self._quiet.wait()

    async def get(self, url: str, query: dict[str, str], within_s: float) -> Outcome:
        """One GET, for the verification of a callback URL; never repeated."""
        return await self._request("GET", url, query=query, body=None, within_s=within_s)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drain(self, key: tuple[str, str, str]) -> None:
        queue = self._waiting[key]
        try:
            while queue:
                parcel = queue[0]
                parcel.settle(await self._deliver(parcel))
                queue.popleft()
        finally:
            self._waiting.pop(key, None)
            if not self._waiting:
                self._quiet.set()

    async def _deliver(self, parcel: Parcel) -> Outcome:
        packed = parcel.envelope.pack(parcel.inner)
        query = self._signed(parcel, packed)
        outcome: Outcome = GaveUp(why="never tried")
        for attempt in range(1, self._conduct.deliveries_max + 1):
            next_at = asyncio.get_running_loop().time() + self._conduct.retry_every_s
            if attempt > 1 and self._conduct.retry_signature == "fresh":
                query = self._signed(parcel, packed)
            outcome = await self._request(
                "POST", parcel.url, query=query, body=packed.body, within_s=self._conduct.reply_within_s
            )
            self._note(parcel, attempt=attempt, query=query, verdict=_said(outcome))
            if isinstance(outcome, Answered):
                return outcome
            if attempt < self._conduct.deliveries_max:
                await asyncio.sleep(max(0.0, next_at - asyncio.get_running_loop().time()))
        return outcome

    def _signed(self, parcel: Parcel, packed: Packed) -> dict[str, str]:
        return parcel.envelope.sign(packed, sender=parcel.sender, at=int(self._clock.now().timestamp()))

    async def _request(
        self, method: str, url: str, *, query: dict[str, str], body: bytes | None, within_s: float
    ) -> Outcome:
        if self._session is None:
            raise RuntimeError("the courier was not started")
        headers = {"Content-Type": "text/xml"} if body is not None else {}
        timeout = aiohttp.ClientTimeout(total=within_s)
        try:
            async with self._session.request(
                method, url, params=query, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                answer = await _limited(response)
        except TimeoutError:
            return GaveUp(why="no answer in time")
        except aiohttp.ClientError as error:
            return GaveUp(why=type(error).__name__)
        return Answered(body=answer) if response.status == 200 else GaveUp(why=f"HTTP {response.status}")

    def _note(self, parcel: Parcel, *, attempt: int, query: dict[str, str], verdict: str) -> None:
        request: dict[str, Json] = {"attempt": attempt, "query": dict(query), "inner": parcel.inner}
        self._traffic.append(
            Line(
                direction="out",
                platform=parcel.platform,
                endpoint="callback",
                account=parcel.account,
                request=request,
                verdict=verdict,
            )
        )


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    answer = b""
    async for chunk in response.content.iter_any():
        answer += chunk
        if len(answer) > ANSWER_BYTES_MAX:
            break
    return answer


def _said(outcome: Outcome) -> str:
    return "answered 200" if isinstance(outcome, Answered) else outcome.why
