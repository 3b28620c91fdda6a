"""Both platforms and the phones in front of them: the emulator, reached without sockets."""

import json
import random
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar  # Any: asyncio's own

from bot.sandbox.emulator import Emulator, EmulatorSettings, Impossible, Surroundings
from bot.sandbox.emulator.oa_account import Follower
from tests.simulation.carrier import FaultyCarrier
from tests.simulation.clocks import LoopClock
from tests.simulation.wire import Request

BASE = "https://platform.invalid"
ACCOUNT = "main"


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Platforms:
    """The emulator. `answer` is what the product's calls get; `act` what people do."""

    emulator: Emulator
    clock: LoopClock

    def answer(self, request: Request) -> dict[str, object]:
        """The reply to one call, a refusal or not."""
        endpoint = request.endpoint
        call = self.emulator.call(endpoint.method, endpoint.path, query=request.query, body=request.raw)
        reply = at_once(call)
        found = json.loads(reply.body)
        assert isinstance(found, dict), "the platforms answer with objects"
        return found

    def act(self, act: Mapping[str, str]) -> bool:
        """Let somebody do something. False: it cannot be done on a phone now."""
        try:
            at_once(self.emulator.act(dict(act)))
        except Impossible:
            return False
        return True

    def kill_token(self, platform: str) -> None:
        """Let the tokens of this platform die before their time."""
        self.emulator.kill_tokens("oa" if platform == "oa" else "wecom", ACCOUNT)

    def person(self, openid: str) -> Follower:
        """A buyer as the platform knows her."""
        return self.emulator._oa[ACCOUNT].person(openid)

    def members(self) -> tuple[str, ...]:
        """Our people who see the application."""
        return tuple(self.emulator._wecom[ACCOUNT].members)

    def left(self, openid: str) -> int:
        """Free messages that the platform would still take for her now."""
        return sum(bucket.left for bucket in self.person(openid).ledger.running(self.clock.now()))

    def callbacks_wait(self, openid: str) -> bool:
        """Whether something that she did has not been answered or given up yet."""
        return ("oa", ACCOUNT, openid) in self.emulator._courier._lanes


def platforms(settings: EmulatorSettings, clock: LoopClock, carrier: FaultyCarrier, dice: random.Random) -> Platforms:
    """An emulator that hands its callbacks to `carrier`."""
    around = Surroundings(chance=dice, real=clock.now, carrier=carrier.carry)
    emulator = Emulator(settings=settings, clock=clock, surroundings=around)
    emulator.set_callback("oa", ACCOUNT, "http://product.invalid/callback/oa/main")
    emulator.set_callback("wecom", ACCOUNT, "http://product.invalid/callback/wecom/main")
    return Platforms(emulator=emulator, clock=clock)


def at_once(work: Coroutine[Any, Any, T]) -> T:  # Any: asyncio's own
    """What `work` returns, which takes no time: it never waits for anything."""
    try:
        work.send(None)
    except StopIteration as done:
        found: T = done.value
        return found
    raise AssertionError("the emulator waits for something, and should not")
