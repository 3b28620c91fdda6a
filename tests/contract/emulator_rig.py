"""An emulator with one official account and one application, a server that takes its callbacks, and a client."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from aiohttp import web

from bot.sandbox.clock import VirtualClock
from bot.sandbox.emulator import (
    Bubble,
    Conduct,
    Emulator,
    EmulatorSettings,
    OaSettings,
    Platform,
    Surroundings,
    WecomSettings,
)
from bot.sandbox.emulator.crypto import Lock
from bot.sandbox.emulator.settings import Mode, Template
from bot.sandbox.emulator.wire import Json, parse

FIXTURES = Path(__file__).parents[1] / "fixtures" / "wechat"
NOON = datetime(2026, 5, 1, 4, tzinfo=UTC)
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
BUYER = "oBuyer0000000000000000000001"
ADVISOR = "zhangmin"
TEMPLATE_ID = "TPL_visit"

OA = OaSettings(
    name="main",
    app_id="wx00demo0000000001",
    secret="oa-secret",
    token="oaToken123",
    aes_key=AES_KEY,
    gh_id="gh_demo00000001",
    templates=(Template(template_id=TEMPLATE_ID, title="到店提醒", fields=("thing1", "time2")),),
)
WECOM = WecomSettings(
    name="main",
    corp_id="wwdemocorp0000001",
    agent_id=1000002,
    secret="app-secret",
    token="appToken123",
    aes_key=AES_KEY,
    members={ADVISOR: "张敏", "wangwei": "王伟"},
)
CONTROL_TOKEN = "let-me-in"
QUICK = Conduct(reply_within_s=0.2, retry_every_s=0.01)
PATIENT = Conduct(reply_within_s=60, retry_every_s=0.01)
"""For tests that count deliveries: a machine that is slow must not cause one more."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """One callback as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: str


@dataclass(kw_only=True)
class Receiver:
    """The server under test's place: takes callbacks, gives scripted answers, then `success`."""

    received: list[Received] = field(default_factory=list)
    answers: deque[web.Response | asyncio.Event] = field(default_factory=deque)
    echo: bytes | None = None
    url: str = ""
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        body = (await request.read()).decode()
        self.received.append(Received(method=request.method, path=request.path, query=dict(request.query), body=body))
        async with self.arrived:
            self.arrived.notify_all()
        if request.method == "GET":
            return web.Response(body=self.echo if self.echo is not None else request.query["echostr"].encode())
        answer = self.answers.popleft() if self.answers else web.Response(text="success")
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return web.Response(text="success")
        return answer

    async def until(self, count: int) -> None:
        """Wait until so many callbacks arrived; the test's own time limit ends a wait that never does."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.received) >= count)

    def opened(self, number: int = -1) -> dict[str, str]:
        """The fields inside one callback, decrypted when it is encrypted."""
        outer = parse(self.received[number].body)
        if "Encrypt" not in outer:
            return outer
        receiver = WECOM.corp_id if outer["ToUserName"] == WECOM.corp_id else OA.app_id
        return parse(Lock(aes_key=AES_KEY, receiver=receiver).open(outer["Encrypt"]).decode())


@dataclass(kw_only=True)
class Rig:
    """Everything a test needs, with short cuts for what tests do all the time."""

    emulator: Emulator
    clock: VirtualClock
    receiver: Receiver
    http: aiohttp.ClientSession
    base: str

    async def act(self, do: str, **fields: Json) -> dict[str, Json]:
        """Let a person act, the buyer unless a staff_id is given, and wait until all callbacks are settled."""
        who: dict[str, Json] = {} if "staff_id" in fields else {"openid": BUYER}
        done = await self.emulator.act({"do": do, **who, **fields})
        await self.emulator.idle()
        return done

    async def post(self, path: str, body: Json, *, token: str | None = None) -> dict[str, Json]:
        """POST JSON as UTF-8, with the platform's token unless another one is given."""
        raw = json.dumps(body, ensure_ascii=False).encode()
        return await self.post_raw(path, raw, token=token)

    async def post_raw(self, path: str, raw: bytes, *, token: str | None = None) -> dict[str, Json]:
        """POST these very bytes."""
        query = {"access_token": await self.token(path) if token is None else token}
        async with self.http.post(f"{self.base}{path}", params=query, data=raw) as response:
            reply: dict[str, Json] = await response.json()
            return reply

    async def get(self, path: str, **query: str) -> dict[str, Json]:
        """GET with this query."""
        async with self.http.get(f"{self.base}{path}", params=query) as response:
            reply: dict[str, Json] = await response.json()
            return reply

    async def token(self, path: str) -> str:
        """The present access token of the platform that `path` belongs to."""
        of_oa = any(part in path for part in ("/custom/", "/template/", "/user/"))
        return await (self.oa_token() if of_oa else self.app_token())

    async def control(
        self, method: str, path: str, body: "Json | bytes" = None, *, authorization: str = f"Bearer {CONTROL_TOKEN}"
    ) -> tuple[int, str]:
        """One request to the control interface, with its token unless another header is given: status and body."""
        headers = {"Authorization": authorization} if authorization else {}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        async with self.http.request(method, f"{self.base}{path}", data=raw, headers=headers) as response:
            return response.status, await response.text()

    async def put_in_force(self, *faults: dict[str, Json]) -> None:
        """Post a script with these faults, each with id `f1`, `f2`, ... unless it has one."""
        numbered: list[Json] = [{"id": f"f{number}", **fault} for number, fault in enumerate(faults, 1)]
        status, text = await self.control("POST", "/_emulator/faults", {"faults": numbered})
        assert status == 200, text

    async def logged(self, direction: str = "", *, after: int = 0) -> list[dict[str, Json]]:
        """The lines of the log, of one direction or all."""
        _, text = await self.control("GET", f"/_emulator/log?after={after}")
        lines = [json.loads(line) for line in text.splitlines()]
        return [line for line in lines if direction in ("", line["direction"])]

    async def oa_token(self, **more: Json) -> str:
        """What `stable_token` answers."""
        body = {"grant_type": "client_credential", "appid": OA.app_id, "secret": OA.secret, **more}
        return str((await self.post("/cgi-bin/stable_token", body, token=""))["access_token"])

    async def app_token(self) -> str:
        """What `gettoken` answers."""
        reply = await self.get("/cgi-bin/gettoken", corpid=WECOM.corp_id, corpsecret=WECOM.secret)
        return str(reply["access_token"])

    async def send_text(self, text: str = "您好", to: str = BUYER) -> int:
        """Send a customer-service text; the errcode."""
        body: Json = {"touser": to, "msgtype": "text", "text": {"content": text}}
        return code_of(await self.post("/cgi-bin/message/custom/send", body))

    async def send_app_text(self, text: str = "新线索", to: str = ADVISOR) -> dict[str, Json]:
        """Send an application text."""
        body: Json = {"touser": to, "msgtype": "text", "agentid": 1000002, "text": {"content": text}}
        return await self.post("/cgi-bin/message/send", body)

    async def send_card(self, task_id: str = "lead_1001", /, **changes: Json) -> dict[str, Json]:
        """Send the card of the fixture, with fields of `template_card` changed."""
        return await self.post("/cgi-bin/message/send", card_request(task_id, **changes))

    def theirs(self) -> list[Bubble]:
        """What the account sent the buyer."""
        return [bubble for bubble in self.emulator.buyer_chat(BUYER) if bubble.side == "them"]

    def system_lines(self) -> list[str]:
        """The grey lines of the buyer's chat."""
        return [bubble.text for bubble in self.emulator.buyer_chat(BUYER) if bubble.side == "system"]


def standing_alone(clock: VirtualClock) -> Surroundings:
    """The surroundings of an emulator whose clock is turned from outside."""
    return Surroundings(turning=clock, stamps=VirtualClock(NOON))


@dataclass(kw_only=True)
class Gate:
    """Waits in the place of real time until it is opened."""

    asked: list[float] = field(default_factory=list)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def pause(self, seconds: float) -> None:
        """Somebody wants to wait so long."""
        self.asked.append(seconds)
        self.entered.set()
        await self.opened.wait()

    def around(self, _clock: VirtualClock) -> Surroundings:
        """Surroundings in which all waiting is done here."""
        return Surroundings(pause=self.pause)


def code_of(reply: dict[str, Json]) -> int:
    """The errcode of a reply, 0 when it has none."""
    code = reply.get("errcode", 0)
    assert isinstance(code, int)
    return code


def card_request(task_id: str, /, **changes: Json) -> dict[str, Json]:
    """The request of the fixture with a card of this task id."""
    request: dict[str, Json] = json.loads((FIXTURES / "wecom_message_send_button_card.json").read_text())
    card = request["template_card"]
    assert isinstance(card, dict)
    return {
        **request,
        "touser": ADVISOR,
        "enable_duplicate_check": 0,
        "template_card": {**card, "task_id": task_id, **changes},
    }


@asynccontextmanager
async def rig(
    *,
    mode: Mode = "safe",
    conduct: Conduct = QUICK,
    log_path: Path | None = None,
    control_token: str = CONTROL_TOKEN,
    around: Callable[[VirtualClock], Surroundings] = lambda _: Surroundings(),
) -> AsyncIterator[Rig]:
    """A started rig, stopped at the end. `around` makes the surroundings of its emulator."""
    clock = VirtualClock(NOON)
    settings = EmulatorSettings(oa=(replace(OA, mode=mode),), wecom=(WECOM,), conduct=conduct)
    emulator = Emulator(
        settings=settings, clock=clock, log_path=log_path, control_token=control_token, surroundings=around(clock)
    )
    async with receiving() as receiver, aiohttp.ClientSession() as http:
        base = await emulator.start()
        for platform in _PLATFORMS:
            emulator.set_callback(platform, "main", f"{receiver.url}/callback/{platform}/main")
        try:
            yield Rig(emulator=emulator, clock=clock, receiver=receiver, http=http, base=base)
        finally:
            await emulator.stop()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/callback/{tail:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


_PLATFORMS: tuple[Platform, ...] = ("oa", "wecom")
