"""The product's wire to the platforms, without sockets: what it sends is answered by the emulator in this process.

The request and the answer travel in the world, so a platform may accept a message of a process that is dead by then.
"""

import asyncio
import json
import random
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

from bot.channels import wire
from bot.channels.outgoing import Progress
from bot.channels.verdicts import Endpoint
from bot.channels.wire import Body, Reply, Wire
from bot.core.effects import SendMessage
from bot.runtime.ports import Accepted
from tests.passing_on import PassingOn
from tests.simulation.loop import VirtualLoop
from tests.simulation.swarm import CALL_CODES, CALL_FAULTS

TRAVEL_S = (0.002, 0.25)
SLOW_S = (3.0, 70.0)
SENDS = frozenset(
    {
        "/cgi-bin/message/custom/send",
        "/cgi-bin/message/template/send",
        "/cgi-bin/message/send",
        "/cgi-bin/message/update_template_card",
    }
)
GRANTS = frozenset({"/cgi-bin/stable_token", "/cgi-bin/gettoken"})
_SENDING: ContextVar[SendMessage | None] = ContextVar("sending", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call on its way since `left_at`. `effect`: the message that it is about; None: it is about none."""

    endpoint: Endpoint
    query: Mapping[str, str]
    raw: bytes
    effect: SendMessage | None
    left_at: float = 0.0


class Answering(Protocol):
    """The platforms' side."""

    def answer(self, request: Request) -> dict[str, object]:
        """The reply to one call."""
        ...

    def kill_token(self, platform: str) -> None:
        """Let the tokens of this platform die before their time."""
        ...


class Observer(Protocol):
    """Who is told what happened to a call."""

    def accepted(self, request: Request, reply: Mapping[str, object]) -> None:
        """The platform answered with this."""
        ...

    def told(self, request: Request, reply: Mapping[str, object]) -> None:
        """The product will hear of this answer."""
        ...

    def leaving(self, request: Request) -> None:
        """The request is about to leave."""
        ...

    def arrived(self, request: Request) -> None:
        """A request has come to its end, accepted or not."""
        ...

    def struck(self, fault: str, about: str) -> None:
        """A fault happened."""
        ...


@dataclass(slots=True, kw_only=True)
class Line:
    """Where calls travel, and what happens to them on the way. `rate` is asked for every fault of every call."""

    loop: VirtualLoop
    dice: random.Random
    platforms: Answering
    observer: Observer
    rate: Callable[[str], float]
    last_grant: dict[str, bytes] = field(default_factory=dict)

    def strikes(self, request: Request) -> str:
        """The fault that this call meets, empty: none."""
        for fault in CALL_FAULTS:
            rate = self.rate(fault)
            if rate and self.dice.random() < rate and _fits(fault, request):
                self.observer.struck(fault, request.endpoint.path)
                return fault
        return ""

    def send(self, request: Request, fault: str, answered: "asyncio.Future[tuple[int, bytes]]") -> None:
        """Let `request` travel; `answered` is told what comes back, if anything does."""
        slow = self.dice.uniform(*SLOW_S) if fault == "slow" else 0.0
        before = slow if self.dice.random() < 0.5 else 0.0
        out_s, back_s = self.dice.uniform(*TRAVEL_S), self.dice.uniform(*TRAVEL_S)

        def arrive() -> None:
            self.observer.arrived(request)
            status, raw = self._arrived(request, fault)
            self.loop.later(back_s + slow - before, _told, answered, status, raw)

        self.loop.later(out_s + before, arrive)

    def _arrived(self, request: Request, fault: str) -> tuple[int, bytes]:
        platform = request.endpoint.platform
        if fault == "error_before":
            return 502, b""
        if fault in CALL_CODES:
            refusal = {"errcode": CALL_CODES[fault], "errmsg": "simulated"}
            self.observer.told(request, refusal)
            return 200, json.dumps(refusal).encode()
        if fault == "token_dead" and platform in self.last_grant:
            return 200, self.last_grant[platform]
        if fault == "token_killed":
            self.platforms.kill_token(platform)
        reply = self.platforms.answer(request)
        raw = json.dumps(reply, ensure_ascii=False).encode()
        if request.endpoint.path in GRANTS and "access_token" in reply:
            self.last_grant[platform] = raw
        self.observer.accepted(request, reply)
        match fault:
            case "error_after":
                return 504, b""
            case "reply_lost":
                return 0, b""
            case "malformed":
                return 200, raw[: len(raw) // 2]
            case "slow":
                return 200, raw  # perhaps too late for anybody to hear it
            case _:
                self.observer.told(request, reply)
                return 200, raw


def _fits(fault: str, request: Request) -> bool:
    match fault:
        case "token_dead":
            return request.endpoint.path in GRANTS
        case "busy_code" | "quota_code" | "rate_code" | "token_killed":
            return request.endpoint.path in SENDS
        case _:
            return True


def _told(answered: "asyncio.Future[tuple[int, bytes]]", status: int, raw: bytes) -> None:
    if answered.done():
        return
    if status == 0:
        answered.set_exception(aiohttp.ServerDisconnectedError())
        answered.exception()  # a dead process never looks at it
    else:
        answered.set_result((status, raw))


class InlineWire(Wire):
    """The product's wire on a simulated line: its own time-outs, its own reading of what comes back."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    async def exchange(
        self, base: str, endpoint: Endpoint, *, query: Mapping[str, str], body: Body | None = None
    ) -> Reply:
        line, progress = self._line, Progress()
        raw = b"" if body is None else wire._encode(body)
        effect = _SENDING.get() if endpoint.path in SENDS else None
        request = Request(endpoint=endpoint, query=dict(query), raw=raw, effect=effect, left_at=line.loop.time())
        try:
            async with asyncio.timeout(wire.CALL_TIMEOUT_S):
                status, answer = await self._travel(line, request, progress)
            wire._check_status(endpoint, status)
            return wire._parse(endpoint, answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            lost = wire._lost(endpoint, progress, type(error).__name__)
        raise lost

    async def _travel(self, line: Line, request: Request, progress: Progress) -> tuple[int, bytes]:
        fault = line.strikes(request)
        if fault == "unreachable":
            await line.loop.pause(line.dice.uniform(*TRAVEL_S))
            raise ConnectionRefusedError
        progress.left = True
        line.observer.leaving(request)
        answered: asyncio.Future[tuple[int, bytes]] = line.loop.create_future()
        line.send(request, fault, answered)
        return await answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed(PassingOn):
    """A sending half that notes which message each call is about: the platforms' requests do not tell."""

    async def send(self, effect: SendMessage) -> Accepted:
        token = _SENDING.set(effect)
        try:
            return await self.within.send(effect)
        finally:
            _SENDING.reset(token)
