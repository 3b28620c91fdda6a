"""The emulator: both platforms' servers on loopback, and the phones in front of them."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import assert_never

from aiohttp import web

from bot.runtime.ports import Clock
from bot.sandbox.emulator.answers import read_answer
from bot.sandbox.emulator.buyers import Buyers
from bot.sandbox.emulator.control import Control
from bot.sandbox.emulator.courier import Courier
from bot.sandbox.emulator.deeds import Deed, Impossible, NotPlayed
from bot.sandbox.emulator.draws import opaque
from bot.sandbox.emulator.endpoints import Endpoint
from bot.sandbox.emulator.exchange import Cut, Endpoints, Exchange, Reply, Tokens
from bot.sandbox.emulator.fault_script import Script
from bot.sandbox.emulator.faults import Faults
from bot.sandbox.emulator.gateway import BODY_BYTES_MAX, Gateway
from bot.sandbox.emulator.judging import Request
from bot.sandbox.emulator.listener import Listener
from bot.sandbox.emulator.numbers import Numbers
from bot.sandbox.emulator.oa_account import OfficialAccount
from bot.sandbox.emulator.oa_api import OaApi
from bot.sandbox.emulator.oa_push import OaPush
from bot.sandbox.emulator.partners import Partners
from bot.sandbox.emulator.settings import EmulatorSettings, Platform
from bot.sandbox.emulator.staff import Staff
from bot.sandbox.emulator.state import all_of, next_end
from bot.sandbox.emulator.surroundings import Surroundings
from bot.sandbox.emulator.traffic import Line, Traffic
from bot.sandbox.emulator.transcript import Bubble, Chat, Feed
from bot.sandbox.emulator.turning import NotOurs, Turn, turned
from bot.sandbox.emulator.verification import Verification, verify_oa, verify_wecom
from bot.sandbox.emulator.wecom_api import WecomApi
from bot.sandbox.emulator.wecom_app import WecomApp
from bot.sandbox.emulator.wecom_push import WecomPush
from bot.sandbox.emulator.wire import Json


class ConnectionCut(Exception):
    """No reply came. `refused`: the connection was never made, so that nothing can have happened."""

    def __init__(self, *, refused: bool) -> None:
        super().__init__("connection refused" if refused else "connection cut")
        self.refused = refused


class Emulator:
    """Official accounts and WeCom applications as their vendors would serve them, at a virtual time.

    `log_path`: also write the log there; a line is on the disk before anybody gets the reply it tells of.
    `control_token`: what `/_emulator/` asks for, drawn unless given.

    Over HTTP: `start`, `set_callback`, `stop`. Within a process, without a socket: no `start`; requests go in by
    `call`, and callbacks come out at the `carrier` of the surroundings, to any URL that `set_callback` was given::

        async def carrier(letter: Letter) -> Outcome: ...       # Answered(body=...) for a 200, else GaveUp(why=...)
        emulator = Emulator(
            settings=settings,
            clock=clock,
            surroundings=Surroundings(chance=Random(seed), real=clock.now, carrier=carrier),
        )
        emulator.set_callback("oa", "main", "http://product/callback/oa/main")
        await emulator.act({"do": "follow", "openid": "o1"})
        reply = await emulator.call("POST", "/cgi-bin/message/custom/send", query={...}, body=b"...")
        await emulator.idle()

    With the same seed, clock and order of requests every byte is the same. Waiting (retries, slow replies) is by the
    event loop's own time.
    """

    def __init__(
        self,
        *,
        settings: EmulatorSettings,
        clock: Clock,
        log_path: Path | None = None,
        control_token: str = "",
        surroundings: Surroundings | None = None,
    ) -> None:
        around = surroundings if surroundings is not None else Surroundings()
        self.faults = Faults(clock)
        self.traffic = Traffic(clock, path=log_path, real=around.real)
        self.feed = Feed()
        self.partners = Partners(self.traffic)
        self.control_token = control_token or opaque(around.chance, 32)
        self._clock = clock
        self._around = around
        self._stamps = around.stamps or clock
        self._oa = {
            one.name: OfficialAccount(one, settings.conduct, feed=self.feed, chance=around.chance)
            for one in settings.oa
        }
        self._wecom = {one.name: WecomApp(one, self.feed, chance=around.chance) for one in settings.wecom}
        self._courier = Courier(
            conduct=settings.conduct,
            clock=self._stamps,
            traffic=self.traffic,
            faults=self.faults,
            surroundings=around,
        )
        self._open(Numbers(around.real()))

    def _open(self, numbers: Numbers) -> None:
        courier, clock, traffic = self._courier, self._clock, self.traffic
        oa_push = OaPush(courier=courier, clock=self._stamps, numbers=numbers, traffic=traffic)
        wecom_push = WecomPush(courier=courier, clock=self._stamps, numbers=numbers, traffic=traffic)
        self._buyers = Buyers(accounts=self._oa, push=oa_push, clock=clock)
        self._staff = Staff(apps=self._wecom, push=wecom_push, clock=clock)
        self._oa_api = OaApi(self._oa, oa_push, numbers)
        oa, wecom = self._oa_api.endpoints(), WecomApi(self._wecom, numbers).endpoints()
        self._endpoints = Endpoints((*oa, *wecom))
        tokens = Tokens(owner=self._owner, kill=self.kill_tokens, spoil=self._spoil)
        self._exchange = Exchange(
            tokens=tokens, faults=self.faults, traffic=traffic, clock=clock, surroundings=self._around
        )
        control = Control(self, traffic=traffic, token=self.control_token)
        self._shared = Listener(self._app((*oa, *wecom), control))
        self._own: dict[Platform, Listener] = {
            "oa": Listener(self._app(oa, None)),
            "wecom": Listener(self._app(wecom, None)),
        }
        for platform, listener in self._own.items():
            self.faults.guard(platform, listener)

    def _app(self, endpoints: tuple[Endpoint, ...], control: Control | None) -> web.Application:
        gateway = Gateway(endpoints, self._exchange)
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.router.add_route("*", "/cgi-bin/{tail:.*}", gateway.serve)
        if control is not None:
            app.router.add_routes(control.routes())
            app.router.add_routes(self.partners.routes())
        return app

    def _owner(self, token: str) -> Platform:
        return "oa" if self._oa_api.owns(token) else "wecom"

    def _spoil(self, platform: Platform, token: str) -> None:
        for account in self._oa.values() if platform == "oa" else self._wecom.values():
            if account.tokens.owns(token):
                account.tokens.spoil(token)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and return the base URL that serves both platforms and the control interface.

        ValueError: `host` is not a loopback address.
        """
        await self._courier.start()
        await self._shared.start(host, port)
        for listener in self._own.values():
            await listener.start(host)
        return self._shared.base_url

    async def stop(self) -> None:
        """Stop listening and delivering; what still waits is dropped."""
        await self._courier.stop()
        await self._exchange.stop()
        for listener in (*self._own.values(), self._shared):
            await listener.stop()
        await self.traffic.close()

    async def call(self, method: str, path: str, *, query: Mapping[str, str], body: bytes = b"") -> Reply:
        """What a platform replies to one request, without HTTP between; `faults` strike as they would there.

        An endpoint that is not listed replies 404. ConnectionCut: no reply, or only a part of one.
        """
        request = Request(method=method, path=path, query=tuple(query.items()), body=body)
        endpoint = self._exchange.find(self._endpoints, request)
        if endpoint is None:
            return Reply(status=404, body=b"no such endpoint")
        ending = self._exchange.down(endpoint) or await self._exchange.answer(request, endpoint)
        if isinstance(ending, Cut):
            raise ConnectionCut(refused=ending.refused)
        self._exchange.arrived(ending, sent=True)
        if ending.torn:
            raise ConnectionCut(refused=False)
        return ending

    def base_url(self, platform: Platform | None = None) -> str:
        """The address of both platforms, or the one that serves `platform` alone and can be refused alone."""
        return self._shared.base_url if platform is None else self._own[platform].base_url

    def set_callback(self, platform: Platform, name: str, url: str) -> None:
        """Enter the callback URL of an account, as in the vendor's console. KeyError: there is no such account."""
        self._account(platform, name).callback_url = url

    async def verify_callback(self, platform: Platform, name: str) -> Verification:
        """Check the callback URL of an account as the vendor's console does. KeyError: no such account."""
        at = int(self._stamps.now().timestamp())
        account, carrier, chance = self._account(platform, name), self._courier.carrier, self._around.chance
        if isinstance(account, OfficialAccount):
            return await verify_oa(carrier, account, at=at, chance=chance)
        return await verify_wecom(carrier, account, at=at, chance=chance)

    def kill_tokens(self, platform: Platform, name: str) -> None:
        """Let an account's current access tokens die before their time. KeyError: no such account."""
        self._account(platform, name).tokens.kill()

    async def act(self, action: Mapping[str, Json]) -> dict[str, Json]:
        """Let a person do something; returns when the platform knows of it, not when it was delivered.

        `do` is one of: say, image, voice, video, location, link, tap, menu, follow, unfollow, scan, block, unblock
        (with `openid`), click, staff_say, which is also say (with `staff_id`). Impossible: it cannot be done now;
        NotPlayed: it belongs to a channel that is not emulated.
        """
        deed = Deed(action)
        if deed.do == "say" and not deed.text("openid") and deed.text("staff_id"):
            deed = Deed({**action, "do": "staff_say"})
        if self._buyers.plays(deed.do):
            done, platform = self._buyers.act(deed), "oa"
        elif self._staff.plays(deed.do):
            done, platform = self._staff.act(deed), "wecom"
        else:
            raise _unknown(deed.do)
        self.traffic.append(Line(direction="act", platform=platform, endpoint=deed.do, request=dict(action)))
        await self.traffic.durable()
        return done

    async def put_in_force(self, script: Script) -> dict[str, Json]:
        """Put the faults of `script` in force, and return all that are. TooManyFaults: none is."""
        if script.clear:
            self.faults.clear()
            self._note_control("faults cleared", None)
        self.faults.add(script.faults)
        for fault in script.faults:
            self._note_control("fault in force", {"id": fault.fault_id, "what": fault.what})
        await self.traffic.durable()
        return self.faults.state()

    async def turn(self, turn: Turn) -> datetime:
        """Turn the clock of the surroundings: windows, quotas and tokens see it, nothing that is under way does.

        Returns the new time. NotOurs: the surroundings have none to turn. BadTurn: not there.
        """
        if self._around.turning is None:
            raise NotOurs("the clock of this emulator is turned by whoever started it, together with the product's")
        now = turned(self._around.turning, turn)
        self._note_control("clock turned", {"now": now.isoformat()})
        await self.traffic.durable()
        return now

    async def answer_partners(self, script: Mapping[str, Json]) -> dict[str, Json]:
        """Have other systems answer webhooks so: `{"crm.create_lead": {"fail": 500}}`; an empty table: well again.

        BadAnswer: one of them says no answer, and none is put in force.
        """
        wanted = {call: read_answer(answer) for call, answer in script.items()}
        if not wanted:
            self.partners.answers.clear()
        for call, answer in wanted.items():
            self.partners.answers.put(call, answer)
        self._note_control("answers of partners", dict(script))
        await self.traffic.durable()
        return dict(self.partners.answers.state())

    def _note_control(self, what: str, request: Json) -> None:
        self.traffic.append(Line(direction="note", platform="", endpoint="control", request=request, verdict=what))

    def buyer_chat(self, openid: str, account: str = "") -> list[Bubble]:
        """The conversation of a buyer with an official account, by default the first that knows them."""
        for one in self._oa.values():
            person = one.known(openid) if account in ("", one.settings.name) else None
            if person is not None:
                return person.chat.bubbles()
        return []

    def staff_chat(self, staff_id: str, account: str = "") -> list[Bubble]:
        """The conversation of a member with an application, by default the first they can see."""
        chat = self._staff_chat(staff_id, account)
        return chat.bubbles() if chat is not None else []

    def _staff_chat(self, staff_id: str, account: str) -> Chat | None:
        for app in self._wecom.values():
            if staff_id in app.members and account in ("", app.settings.name):
                return app.members[staff_id].chat
        return None

    def following(self, openid: str, account: str = "") -> bool:
        """Whether this person follows an official account now."""
        people = [one.known(openid) for one in self._oa.values() if account in ("", one.settings.name)]
        return any(person is not None and person.following for person in people)

    async def changed(self, after: int) -> int:
        """Wait for a change of any conversation with a number above `after`, and return the last one's."""
        return await self.feed.beyond(after)

    def busy(self) -> bool:
        """Whether a callback waits or is under way."""
        return self._courier.busy()

    def waiting(self) -> int:
        """How many callbacks wait or are under way."""
        return self._courier.waiting()

    def answered(self) -> int:
        """How many callbacks were answered with 200 so far; a delivery too many counts for nothing."""
        return self._courier.answered

    async def idle(self) -> None:
        """Wait until no callback waits or is under way, retries included."""
        await self._courier.idle()

    def next_due(self) -> datetime | None:
        """The next virtual moment at which something lapses by itself: a reply window or a response code."""
        return next_end(self._oa.values(), self._wecom.values(), self._clock.now())

    def state(self) -> dict[str, Json]:
        """Accounts, followers with their windows, members, faults, and what is under way, as JSON.

        `seq`: the number of the last line of the log.
        """
        known = all_of(self._oa.values(), self._wecom.values(), now=self._clock.now(), busy=self.busy())
        partners = dict(self.partners.answers.state())
        return {**known, "faults": self.faults.state(), "partners": partners, "seq": self.traffic.seq}

    def _account(self, platform: Platform, name: str) -> OfficialAccount | WecomApp:
        match platform:
            case "oa":
                return self._oa[name]
            case "wecom":
                return self._wecom[name]
            case _:
                assert_never(platform)


_NOT_EMULATED = {
    **dict.fromkeys(("add", "delete", "confirm"), "企业微信客户联系（外部联系人、群发确认）"),
    **dict.fromkeys(("enter", "trans"), "微信客服（进入会话、转接会话）"),
}


def _unknown(do: str) -> Impossible | NotPlayed:
    if do in _NOT_EMULATED:
        return NotPlayed(f"`{do}` 属于{_NOT_EMULATED[do]}：模拟器只有公众号和自建应用，没有这个通道")
    return Impossible(f"没有 `{do}` 这个动作")
