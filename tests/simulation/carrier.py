"""Callbacks on their way to the product: delayed, doubled, lost, forged, or answered in vain."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bot.runtime.ports import Query
from bot.sandbox.emulator import Answered, GaveUp, Letter, Outcome
from tests.simulation.loop import VirtualLoop

TRAVEL_S = (0.001, 0.1)
DELAYS_S = (0.5, 3.0, 12.0, 45.0)
FAULTS = ("not_delivered", "delayed", "duplicate", "ack_lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One request to the product: which account it is for, how it is signed, what is in it."""

    channel: str
    account: str
    query: Query
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The product's answer; `status` 0: there is none, the connection broke."""

    status: int
    body: bytes = b""


@dataclass(slots=True, kw_only=True)
class FaultyCarrier:
    """Delivers letters to `product`. `rate` is asked for every fault of every letter."""

    loop: VirtualLoop
    dice: random.Random
    product: Callable[[Envelope], Awaitable[Said]]
    rate: Callable[[str], float]
    struck: Callable[[str, str], None]
    answered: Callable[[Envelope, Said], None]
    under_way: int = field(default=0)

    async def carry(self, letter: Letter) -> Outcome:
        """What the platform hears of one delivery."""
        envelope = _envelope(letter)
        fault = self._strikes(envelope)
        if self._happens("forged"):
            self.loop.begin(None, self._deliver(_forged(envelope), self._travel_s()))
        if fault == "not_delivered":
            return GaveUp(why="lost on the way")
        delay = self.dice.choice(DELAYS_S) if fault == "delayed" else self._travel_s()
        first = self.loop.begin(None, self._deliver(envelope, delay))
        if fault == "duplicate":
            self.loop.begin(None, self._deliver(envelope, self.dice.choice((0.0, 0.01, 2.0, 30.0))))
        done, _ = await asyncio.wait({first}, timeout=letter.within_s)
        if not done:
            return GaveUp(why="no answer in time")
        said = first.result()
        if fault == "ack_lost" or said.status == 0:
            return GaveUp(why="connection lost")
        if said.status != 200:
            return GaveUp(why=f"HTTP {said.status}")
        return Answered(body=said.body)

    async def _deliver(self, envelope: Envelope, delay_s: float) -> Said:
        self.under_way += 1
        await self.loop.pause(delay_s)
        said = await self.product(envelope)
        self.under_way -= 1
        self.answered(envelope, said)
        return said

    def _strikes(self, envelope: Envelope) -> str:
        return next((fault for fault in FAULTS if self._happens(fault, envelope.channel)), "")

    def _happens(self, fault: str, about: str = "") -> bool:
        rate = self.rate(fault)
        if not rate or self.dice.random() >= rate:
            return False
        self.struck(fault, about)
        return True

    def _travel_s(self) -> float:
        return self.dice.uniform(*TRAVEL_S)


def _envelope(letter: Letter) -> Envelope:
    _, _, kind, account = urlsplit(letter.url).path.split("/")
    query = letter.query
    asked = Query(
        signature=query.get("signature", ""),
        msg_signature=query.get("msg_signature", ""),
        timestamp=query.get("timestamp", ""),
        nonce=query.get("nonce", ""),
        encrypt_type=query.get("encrypt_type", ""),
    )
    return Envelope(channel="app" if kind == "wecom" else kind, account=account, query=asked, body=letter.body)


def _forged(envelope: Envelope) -> Envelope:
    """The same body, signed by somebody who does not know our token."""
    asked = envelope.query
    wrong = Query(
        signature="0" * 40,
        msg_signature="0" * 40,
        timestamp=asked.timestamp,
        nonce=asked.nonce,
        encrypt_type=asked.encrypt_type,
    )
    return Envelope(channel=envelope.channel, account=envelope.account, query=wrong, body=envelope.body)
