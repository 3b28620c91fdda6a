"""A platform's API that answers what a test tells it to, and keeps what it was asked."""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.channels.app.sender import AppAccount, AppSender
from bot.channels.oa.sender import OaAccount, OaSender
from bot.channels.vault import Vault
from bot.channels.wire import Wire
from bot.core.effects import SendMessage
from bot.core.ids import ConversationId, EffectId
from bot.core.messages import Message
from bot.web.server import listening

from .memory_vault import MemoryVault
from .posting import StillClock

EFFECT_ID = EffectId("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
SECRET = "verySecretSecret"
Answer = dict[str, Any] | Callable[[web.Request], web.StreamResponse]  # Any: JSON as the test writes it


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request that arrived."""

    path: str
    query: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:  # Any: JSON as it came
        return json.loads(self.raw)


@dataclass(kw_only=True)
class Vendor:
    """Scripted answers by path; a path without any left answers `errcode` 0, token endpoints a new token."""

    asked: list[Asked] = field(default_factory=list)
    answers: defaultdict[str, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))
    given_tokens: int = 0
    repeats_its_token: bool = False
    hold: asyncio.Event | None = None

    def will_answer(self, path: str, *answers: Answer) -> None:
        self.answers[path].extend(answers)

    def of(self, path: str) -> list[Asked]:
        return [one for one in self.asked if one.path == path]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(Asked(path=request.path, query=dict(request.query), raw=await request.read()))
        if self.hold is not None:
            await self.hold.wait()
        waiting = self.answers[request.path]
        answer = waiting.popleft() if waiting else self._usual(request.path, self.asked[-1])
        return answer(request) if callable(answer) else web.json_response(answer)

    def _usual(self, path: str, asked: Asked) -> Answer:
        if path.endswith("token"):
            if not self.repeats_its_token or not self.given_tokens or b'"force_refresh":true' in asked.raw:
                self.given_tokens += 1
            return {"access_token": f"token-{self.given_tokens}", "expires_in": 7200}
        return {"errcode": 0, "errmsg": "ok"}


def hang_up(request: web.Request) -> web.StreamResponse:
    """The connection ends without an answer, after the whole request was read."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def status(code: int, **headers: str) -> Callable[[web.Request], web.StreamResponse]:
    return lambda _: web.Response(status=code, text="{}", headers=headers)


def raw(body: bytes) -> Callable[[web.Request], web.StreamResponse]:
    return lambda _: web.Response(body=body)


def effect(message: Message, *, to: str = "oDemo", channel: str = "oa") -> SendMessage:
    return SendMessage(
        effect_id=EFFECT_ID,
        conversation_id=ConversationId(f"{channel}:main:{to}"),
        channel=channel,
        account="main",
        to=to,
        message=message,
        content="welcome",
        send_class="service",
        delivery="at_most_once",
        sequence=0,
    )


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Both senders, talking to one vendor."""

    vendor: Vendor
    clock: StillClock
    oa: OaSender
    app: AppSender
    base: str
    wire: Wire


@asynccontextmanager
async def ways(*, call_timeout_s: float = 5) -> AsyncIterator[Ways]:
    vendor, clock = Vendor(), StillClock()
    served = web.Application()
    served.router.add_route("*", "/{path:.*}", vendor.answer)
    async with (
        listening(served, host="127.0.0.1", port=0) as port,
        Wire(call_timeout_s=call_timeout_s) as wire,
    ):
        base = f"http://127.0.0.1:{port}"
        yield Ways(
            vendor=vendor,
            clock=clock,
            oa=oa_sender(base, wire=wire, clock=clock),
            app=app_sender(base, wire=wire, clock=clock),
            base=base,
            wire=wire,
        )


def oa_sender(base: str, *, wire: Wire, clock: StillClock, vault: Vault | None = None) -> OaSender:
    account = OaAccount(
        name="main", app_id="wx1", secret=SECRET, api_base=base, template_ids={"booking": "TPL_booking_1"}
    )
    return OaSender(account=account, wire=wire, clock=clock, vault=vault or MemoryVault())


def app_sender(base: str, *, wire: Wire, clock: StillClock, vault: Vault | None = None) -> AppSender:
    account = AppAccount(name="main", corp_id="ww1", agent_id=1000002, secret=SECRET, api_base=base)
    return AppSender(account=account, wire=wire, clock=clock, vault=vault or MemoryVault())
