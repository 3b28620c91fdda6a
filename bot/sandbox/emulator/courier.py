"""Delivers callbacks to the server under test: in order per sender, with retries, until answered or given up."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from random import Random

from bot.runtime.ports import Clock
from bot.sandbox.emulator.carrier import Answered, GaveUp, HttpCarrier, Letter, Outcome
from bot.sandbox.emulator.fault_rules import CallbackFault, Standing
from bot.sandbox.emulator.faults import Faults
from bot.sandbox.emulator.parcels import Blow, Parcel, Writing
from bot.sandbox.emulator.settings import Conduct
from bot.sandbox.emulator.surroundings import Surroundings
from bot.sandbox.emulator.traffic import Line, Traffic
from bot.sandbox.emulator.wire import Json

QUEUE_MAX = 1000
"""Callbacks of one sender that may wait; the next is dropped, with a line in the log."""
REORDER_WITHIN_S = 5.0
"""How long a callback that is to be overtaken waits for the next of its sender, unless its fault says so."""


class _Lane:
    """The callbacks of one sender, and the news that one more came."""

    def __init__(self, parcel: Parcel) -> None:
        self.parcels = deque([parcel])
        self.came = asyncio.Event()


class Courier:
    """Delivers parcels. One sender's next parcel leaves when the one before was answered or given up.

    Patience and the pauses between deliveries are measured by the event loop, never by the clock, which only dates
    the signatures.
    """

    def __init__(
        self, *, conduct: Conduct, clock: Clock, traffic: Traffic, faults: Faults, surroundings: Surroundings
    ) -> None:
        self._conduct = conduct
        self._clock = clock
        self._traffic = traffic
        self._faults = faults
        self._real = surroundings.real
        self.carrier = surroundings.carrier
        self._chance = surroundings.chance
        self._pause = surroundings.pause
        self._lanes: dict[tuple[str, str, str], _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._answered = 0

    @property
    def answered(self) -> int:
        """How many callbacks were answered with 200 so far."""
        return self._answered

    def waiting(self) -> int:
        """How many callbacks wait or are under way."""
        return sum(len(lane.parcels) for lane in self._lanes.values())

    @property
    def chance(self) -> Random:
        """What nonces and ciphertexts are drawn from."""
        return self._chance

    async def start(self) -> None:
        """Get ready to deliver over HTTP. A carrier of somebody else's needs no start."""
        if isinstance(self.carrier, HttpCarrier):
            await self.carrier.start()

    async def stop(self) -> None:
        """Drop what still waits, end what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._lanes.clear()
        self._quiet.set()
        if isinstance(self.carrier, HttpCarrier):
            await self.carrier.stop()

    def send(self, parcel: Parcel) -> None:
        """Queue `parcel` behind the earlier ones of its sender. Without a URL it is only noted: nobody asked for it."""
        if not parcel.url:
            self._note(parcel, verdict="dropped: no callback url")
            return
        key = (parcel.platform, parcel.account, parcel.sender)
        lane = self._lanes.get(key)
        if lane is None:
            self._lanes[key] = _Lane(parcel)
            self._quiet.clear()
            self._spawn(self._drain(key))
        elif len(lane.parcels) >= QUEUE_MAX:
            self._note(parcel, verdict=f"dropped: {QUEUE_MAX} callbacks wait already")
        else:
            lane.parcels.append(parcel)
            lane.came.set()

    def busy(self) -> bool:
        """Whether any callback waits or is under way."""
        return bool(self._lanes)

    async def idle(self) -> None:
        """Wait until no callback waits or is under way."""
        await self._quiet.wait()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drain(self, key: tuple[str, str, str]) -> None:
        lane = self._lanes[key]
        try:
            while lane.parcels:
                parcel = lane.parcels[0]
                struck = self._faults.on_callback(parcel.site())
                blow = await self._overtaken(lane, struck) if struck is not None else None
                self._settle(parcel, await self._deliver(parcel, blow))
                # What the answer was taken for is part of the record, and the record comes first.
                await self._traffic.durable()
                lane.parcels.popleft()
        finally:
            self._lanes.pop(key, None)
            if not self._lanes:
                self._quiet.set()

    async def _overtaken(self, lane: _Lane, struck: Standing[CallbackFault]) -> Blow | None:
        """The blow to the first parcel of `lane`; a `reorder` is dealt here, by letting the next one go before."""
        if struck.fault.what == "reorder":
            if not await self._follows(lane, struck.fault.seconds or REORDER_WITHIN_S):
                return None
            next_one = lane.parcels[1]
            del lane.parcels[1]
            self._settle(next_one, await self._deliver(next_one, None))
        return Blow(fault=struck.fault, hit=struck.hit())

    def _settle(self, parcel: Parcel, outcome: Outcome) -> None:
        self._answered += isinstance(outcome, Answered)
        parcel.settle(outcome)

    async def _follows(self, lane: _Lane, within_s: float) -> bool:
        lane.came.clear()
        if len(lane.parcels) < 2:
            try:
                async with asyncio.timeout(within_s):
                    await lane.came.wait()
            except TimeoutError:
                return False
        return True

    async def _deliver(self, parcel: Parcel, blow: Blow | None) -> Outcome:
        writing = Writing(parcel, within_s=self._conduct.reply_within_s)
        if blow is None:
            return await self._retried(parcel, writing, None)
        match blow.fault.what:
            case "lost":
                self._note(parcel, verdict="never delivered", fault=blow.hit)
                return GaveUp(why="lost")
            case "delayed":
                await self._pause(blow.fault.seconds)
                return await self._retried(parcel, writing, blow)
            case "duplicate":
                outcome = await self._retried(parcel, writing, None)
                await self._again(parcel, writing, blow)
                return outcome
            case "overlap":
                both = self._retried(parcel, writing, None), self._again(parcel, writing, blow)
                return (await asyncio.gather(*both))[0]
            case _:
                return await self._retried(parcel, writing, blow)

    async def _retried(self, parcel: Parcel, writing: Writing, blow: Blow | None) -> Outcome:
        """Deliver until answered, at most as often as the platform does. `blow`: it marks or spoils deliveries."""
        outcome: Outcome = GaveUp(why="never tried")
        loop = asyncio.get_running_loop()
        for attempt in range(1, self._conduct.deliveries_max + 1):
            next_at = loop.time() + self._conduct.retry_every_s
            spoils = blow if blow is not None and attempt <= blow.fault.attempts else None
            if spoils is not None:
                letter = writing.spoiled(self._second(), spoils.fault)
            else:
                letter = writing.letter(self._second(), signature=self._conduct.retry_signature)
            outcome = await self._once(parcel, letter, attempt=attempt, blow=spoils)
            if isinstance(outcome, Answered):
                return outcome
            if attempt < self._conduct.deliveries_max:
                await self._pause(max(0.0, next_at - loop.time()))
        return outcome

    async def _again(self, parcel: Parcel, writing: Writing, blow: Blow) -> Outcome:
        """One delivery too many; what is answered to it counts for nothing."""
        letter = writing.letter(self._second(), signature=blow.fault.signature)
        return await self._once(parcel, letter, attempt=0, blow=blow)

    async def _once(self, parcel: Parcel, letter: Letter, *, attempt: int, blow: Blow | None) -> Outcome:
        begun = self._real().isoformat()
        outcome = await self.carrier(letter)
        more: dict[str, Json] = {"attempt": attempt, "begun_at": begun, "query": dict(letter.query)}
        if blow is not None:
            more["what"] = blow.fault.what
        verdict = "answered 200" if isinstance(outcome, Answered) else outcome.why
        self._note(parcel, verdict=verdict, fault=blow.hit if blow is not None else "", **more)
        await self._traffic.durable()
        return outcome

    def _second(self) -> int:
        return int(self._clock.now().timestamp())

    def _note(self, parcel: Parcel, *, verdict: str, fault: str = "", **more: Json) -> None:
        request: dict[str, Json] = {
            "attempt": 0, "query": {}, "kind": parcel.kind, "sender": parcel.sender, "inner": parcel.inner, **more
        }  # fmt: skip
        self._traffic.append(
            Line(
                direction="out",
                platform=parcel.platform,
                endpoint="callback",
                account=parcel.account,
                request=request,
                verdict=verdict,
                fault=fault,
            )
        )
