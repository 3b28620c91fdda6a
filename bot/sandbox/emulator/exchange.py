"""Both platforms as their clients meet them, without a network: a request goes in, a reply or its loss comes out."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from bot.runtime.ports import Clock
from bot.sandbox.emulator.denial import Denial, denial_reply
from bot.sandbox.emulator.endpoints import Endpoint
from bot.sandbox.emulator.fault_rules import CallFault, Standing
from bot.sandbox.emulator.faults import Faults
from bot.sandbox.emulator.judging import Case, Request, Verdict
from bot.sandbox.emulator.settings import Platform
from bot.sandbox.emulator.surroundings import Surroundings
from bot.sandbox.emulator.traffic import Line, Traffic
from bot.sandbox.emulator.wire import Json

MALFORMED = b'{"errcode": 0, "errmsg": "ok'
"""A reply that is no JSON."""
BUSY = b'{"errcode": -1, "errmsg": "system error"}'
"""What a reply that is torn off would have said, where nothing was accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the client gets. `torn`: half of the body and then the end of the connection.

    `seq`: the line of the log it belongs to, 0 for none. `late`: that line does not say yet whether it was sent.
    """

    status: int = 200
    body: bytes = b""
    torn: bool = False
    late: bool = False
    seq: int = 0

    def json(self) -> Json:
        """The body as JSON. ValueError: it is none."""
        parsed: Json = json.loads(self.body)
        return parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The connection ends without a reply. `refused`: it was never made, so that nothing can have happened."""

    refused: bool = False


Ending: TypeAlias = Reply | Cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What the exchange may do to access tokens. `owner`: the platform that issued one; `kill`: all of one's account;
    `spoil`: one that is about to be handed out."""

    owner: Callable[[str], Platform]
    kill: Callable[[Platform, str], None]
    spoil: Callable[[Platform, str], None]


class Exchange:
    """Finds the endpoint, lets faults strike, asks the endpoint, writes the verdict down.

    A line is written when a request is decided, in that order, and is on the disk before the reply is given out.
    """

    def __init__(
        self, *, tokens: Tokens, faults: Faults, traffic: Traffic, clock: Clock, surroundings: Surroundings
    ) -> None:
        self._tokens = tokens
        self._faults = faults
        self._traffic = traffic
        self._clock = clock
        self._chance = surroundings.chance
        self._pause = surroundings.pause
        self._outages: set[asyncio.Task[None]] = set()

    def find(self, endpoints: "Endpoints", request: Request) -> Endpoint | None:
        """The endpoint of `request`; None, with a line: there is none."""
        found = endpoints.at(request.method, request.path)
        if len(found) > 1:
            owner = self._tokens.owner(dict(request.query).get("access_token", ""))
            return next(one for one in found if one.platform == owner)
        if not found:
            line = Line(
                direction="in",
                platform=endpoints.platforms,
                endpoint=f"{request.method} {request.path}",
                request={"query": dict(request.query)},
                verdict="404 no such endpoint",
                unfaithful=True,
                reply_sent=True,
            )
            self._traffic.append(line)
            return None
        return found[0]

    def down(self, endpoint: Endpoint) -> Ending | None:
        """What becomes of a request before it is read; None: the platform is up."""
        match self._faults.outage(endpoint.platform):
            case "refuse":
                return Cut(refused=True)
            case "error":
                return Reply(status=503)
            case None:
                return None

    async def answer(self, request: Request, endpoint: Endpoint) -> Ending:
        """Decide one request that was read whole."""
        await self._faults.hold(endpoint.platform)
        case = Case(request, endpoint)
        struck = self._faults.on_call(case.site()) if self._faults.strikes_calls else None
        if struck is None:
            ending: Ending = self._reply(self._judged(case))
        elif struck.fault.moment == "before":
            ending = await self._before(case, struck)
        else:
            ending = await self._after(case, struck)
        await self._traffic.durable()
        return ending

    def arrived(self, reply: Reply, *, sent: bool) -> None:
        """Correct the record: a late reply was sent after all, or a reply found nobody to read it."""
        if reply.seq and (reply.late or not sent):
            verdict = "sent late" if sent else "nobody is there"
            request: dict[str, Json] = {"of": reply.seq}
            self._traffic.append(
                Line(
                    direction="note",
                    platform="",
                    endpoint="reply",
                    request=request,
                    verdict=verdict,
                    reply_sent=sent,
                )
            )

    async def stop(self) -> None:
        """Forget the ends of outages that faults have begun."""
        for task in list(self._outages):
            task.cancel()
        await asyncio.gather(*self._outages, return_exceptions=True)

    async def _before(self, case: Case, struck: Standing[CallFault]) -> Ending:
        fault, hit, platform = struck.fault, struck.hit(), case.endpoint.platform
        match fault.what:
            case "slow":
                await self._pause(fault.seconds)
                return self._reply(self._judged(case), hit)
            case "errcode":
                return self._reply(case.denied(Denial(fault.code, "forced"), chance=self._chance), hit)
            case "token_killed":
                if (account := case.site().account) != "":
                    self._tokens.kill(platform, account)
                return self._reply(self._judged(case), hit)
            case "dead_token":
                verdict = self._judged(case)
                if verdict.accepted:
                    self._tokens.spoil(platform, _granted(verdict))
                return self._reply(verdict, hit)
            case "drop":
                return self._reply(case.judge(self._clock.now(), chance=self._chance, dropped=True), hit)
            case "unreachable":
                self._log(case.line("cut; unreachable from now on", reply_sent=False), hit)
                await self._begin_outage(platform, fault.seconds)
                return Cut()
            case _:
                sent = fault.what not in ("cut", "torn")
                seq = self._log(case.line(f"{fault.what} before it was accepted", reply_sent=sent), hit)
                return _broken(fault, BUSY, seq)

    async def _after(self, case: Case, struck: Standing[CallFault]) -> Ending:
        verdict = self._judged(case)
        if not verdict.accepted:
            # A fault of accepted requests leaves a refused one alone, and does not count it.
            return self._reply(verdict)
        fault, hit = struck.fault, struck.hit()
        if fault.what == "slow":
            seq = self._log(replace(verdict.line, reply_sent=None), hit)
            await self._traffic.durable()
            await self._pause(fault.seconds)
            return Reply(body=verdict.body(), late=True, seq=seq)
        if fault.what == "errcode":
            said = denial_reply(Denial(fault.code, "forced"), case.endpoint.platform, chance=self._chance)
            line = replace(verdict.line, reply=said)
            return Reply(body=Verdict(line=line, accepted=True).body(), seq=self._log(line, hit))
        line = replace(verdict.line, reply_sent=fault.what not in ("cut", "torn"))
        return _broken(fault, verdict.body(), self._log(line, hit))

    def _judged(self, case: Case) -> Verdict:
        return case.judge(self._clock.now(), chance=self._chance)

    def _reply(self, verdict: Verdict, hit: str = "") -> Reply:
        return Reply(body=verdict.body(), seq=self._log(verdict.line, hit))

    def _log(self, line: Line, hit: str) -> int:
        return self._traffic.append(replace(line, fault=hit) if hit else line).seq

    async def _begin_outage(self, platform: Platform, seconds: float) -> None:
        async def end() -> None:
            await self._faults.take_down(platform)
            self._traffic.append(Line(direction="note", platform=platform, endpoint="outage", verdict="begun"))
            await self._pause(seconds)
            await self._faults.bring_up(platform)
            self._traffic.append(Line(direction="note", platform=platform, endpoint="outage", verdict="over"))

        # Shutting a listener waits for its requests, and this is one of them.
        task = asyncio.get_running_loop().create_task(end())
        self._outages.add(task)
        task.add_done_callback(self._outages.discard)


class Endpoints:
    """The endpoints that are served at one address."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._at: dict[tuple[str, str], list[Endpoint]] = {}
        for one in endpoints:
            self._at.setdefault((one.method, one.path), []).append(one)
        self.platforms = "+".join(sorted({one.platform for found in self._at.values() for one in found}))

    def at(self, method: str, path: str) -> list[Endpoint]:
        """The endpoints of this name: none, one, or one of each platform."""
        return self._at.get((method, path), [])


def _granted(verdict: Verdict) -> str:
    reply = verdict.line.reply
    return str(reply.get("access_token", "")) if isinstance(reply, Mapping) else ""


def _broken(fault: CallFault, body: bytes, seq: int) -> Ending:
    match fault.what:
        case "error":
            return Reply(status=fault.status, seq=seq)
        case "malformed":
            return Reply(body=MALFORMED, seq=seq)
        case "torn":
            return Reply(body=body, torn=True, seq=seq)
        case _:
            return Cut()
