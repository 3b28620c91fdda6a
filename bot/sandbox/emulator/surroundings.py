"""What an emulator takes from the world around it, so that a test or a simulation can put its own in the place."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random, SystemRandom

from bot.runtime.ports import Clock
from bot.sandbox.clock import VirtualClock, machine_now
from bot.sandbox.emulator.carrier import Carrier, HttpCarrier


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Chance, real time, and the way out.

    `chance`: everything an emulator draws (tokens, nonces, response codes, the leading bytes of ciphertexts); a
    seeded one makes two runs alike to the byte. `real`: the `real_at` of the log, and where message numbers begin.
    `stamps`: dates and signs callbacks, by default the emulator's clock; an emulator that turns only its own windows
    must not sign for a time that the server under test has not reached. `turning`: the clock that
    `POST /_emulator/clock` turns; None: it is refused, somebody else turns the clock. `carrier`: takes callbacks to
    the server under test, over HTTP unless given. `pause`: waits so many real seconds, between deliveries and where a
    fault makes something slow.
    """

    chance: Random = field(default_factory=SystemRandom)
    real: Callable[[], datetime] = machine_now
    stamps: Clock | None = None
    turning: VirtualClock | None = None
    carrier: Carrier = field(default_factory=HttpCarrier)
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
