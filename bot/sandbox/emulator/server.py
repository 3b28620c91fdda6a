"""The emulator: both platforms' servers on loopback, and the phones in front of them."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import assert_never

from aiohttp import web

from bot.runtime.ports import Clock
from bot.sandbox.clock import machine_now
from bot.sandbox.emulator.buyers import Buyers
from bot.sandbox.emulator.control import Control
from bot.sandbox.emulator.courier import Courier
from bot.sandbox.emulator.deeds import Deed, Impossible
from bot.sandbox.emulator.endpoints import Endpoint
from bot.sandbox.emulator.faults import Faults
from bot.sandbox.emulator.gateway import BODY_BYTES_MAX, Gateway
from bot.sandbox.emulator.listener import Listener
from bot.sandbox.emulator.numbers import Numbers
from bot.sandbox.emulator.oa_account import OfficialAccount
from bot.sandbox.emulator.oa_api import OaApi
from bot.sandbox.emulator.oa_push import OaPush
from bot.sandbox.emulator.settings import EmulatorSettings, Platform
from bot.sandbox.emulator.staff import Staff
from bot.sandbox.emulator.state import all_of, next_end
from bot.sandbox.emulator.traffic import Line, Traffic
from bot.sandbox.emulator.transcript import Bubble, Chat, Feed
from bot.sandbox.emulator.verification import Verification, verify_oa, verify_wecom
from bot.sandbox.emulator.wecom_api import WecomApi
from bot.sandbox.emulator.wecom_app import WecomApp
from bot.sandbox.emulator.wecom_push import WecomPush
from bot.sandbox.emulator.wire import Json


class Emulator:
    """Official accounts and WeCom applications as their vendors would serve them, at a virtual time.

    `log_path`: also write the log there, synced line by line. `control_token`: what `/_emulator/` asks for, drawn at
    random unless given.
    """

    def __init__(
        self,
        *,
        settings: EmulatorSettings,
        clock: Clock,
        log_path: Path | None = None,
        control_token: str = "",
    ) -> None:
        self.faults = Faults()
        self.traffic = Traffic(clock, path=log_path)
        self.feed = Feed()
        self._clock = clock
        self._oa = {one.name: OfficialAccount(one, settings.conduct, self.feed) for one in settings.oa}
        self._wecom = {one.name: WecomApp(one, self.feed) for one in settings.wecom}
        self._courier = Courier(conduct=settings.conduct, clock=clock, traffic=self.traffic)
        self._open(Numbers(machine_now()), control_token or secrets.token_urlsafe())

    def _open(self, numbers: Numbers, control_token: str) -> None:
        courier, clock, traffic = self._courier, self._clock, self.traffic
        oa_push = OaPush(courier=courier, clock=clock, numbers=numbers, traffic=traffic)
        wecom_push = WecomPush(courier=courier, clock=clock, numbers=numbers, traffic=traffic)
        self._buyers = Buyers(accounts=self._oa, push=oa_push, clock=clock)
        self._staff = Staff(apps=self._wecom, push=wecom_push, clock=clock)
        self._oa_api = OaApi(self._oa, oa_push, numbers)
        oa, wecom = self._oa_api.endpoints(), WecomApi(self._wecom, numbers).endpoints()
        control = Control(self, traffic=traffic, token=control_token)
        self._shared = Listener(self._app((*oa, *wecom), control))
        self._own: dict[Platform, Listener] = {
            "oa": Listener(self._app(oa, None)),
            "wecom": Listener(self._app(wecom, None)),
        }
        for platform, listener in self._own.items():
            self.faults.guard(platform, listener)

    def _app(self, endpoints: tuple[Endpoint, ...], control: Control | None) -> web.Application:
        gateway = Gateway(
            endpoints=endpoints, faults=self.faults, traffic=self.traffic, clock=self._clock, owner=self._owner
        )
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.router.add_route("*", "/cgi-bin/{tail:.*}", gateway.serve)
        if control is not None:
            app.router.add_routes(control.routes())
        return app

    def _owner(self, token: str) -> Platform:
        return "oa" if self._oa_api.owns(token) else "wecom"

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and return the base URL that serves both platforms and the control interface."""
        await self._courier.start()
        await self._shared.start(host, port)
        for listener in self._own.values():
            await listener.start(host)
        return self._shared.base_url

    async def stop(self) -> None:
        """Stop listening and delivering; what still waits is dropped."""
        await self._courier.stop()
        for listener in (*self._own.values(), self._shared):
            await listener.stop()
        self.traffic.close()

    def base_url(self, platform: Platform | None = None) -> str:
        """The address of both platforms, or the one that serves `platform` alone and can be refused alone."""
        return self._shared.base_url if platform is None else self._own[platform].base_url

    def set_callback(self, platform: Platform, name: str, url: str) -> None:
        """Enter the callback URL of an account, as in the vendor's console. KeyError: there is no such account."""
        self._account(platform, name).callback_url = url

    async def verify_callback(self, platform: Platform, name: str) -> Verification:
        """Check the callback URL of an account as the vendor's console does. KeyError: no such account."""
        at = int(self._clock.now().timestamp())
        account = self._account(platform, name)
        if isinstance(account, OfficialAccount):
            return await verify_oa(self._courier, account, at=at)
        return await verify_wecom(self._courier, account, at=at)

    def kill_tokens(self, platform: Platform, name: str) -> None:
        """Let an account's current access tokens die before their time. KeyError: no such account."""
        self._account(platform, name).tokens.kill()

    async def act(self, action: Mapping[str, Json]) -> dict[str, Json]:
        """Let a person do something; returns when the platform knows of it, not when it was delivered.

        `do` is one of: say, image, voice, video, location, link, tap, menu, follow, unfollow, scan, block, unblock
        (with `openid`), click, staff_say (with `staff_id`). Impossible: it cannot be done now.
        """
        deed = Deed(action)
        if self._buyers.plays(deed.do):
            done, platform = self._buyers.act(deed), "oa"
        elif self._staff.plays(deed.do):
            done, platform = self._staff.act(deed), "wecom"
        else:
            raise Impossible(f"这个版本不会 `{deed.do}`")
        self.traffic.append(Line(direction="act", platform=platform, endpoint=deed.do, request=dict(action)))
        return done

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

    async def idle(self) -> None:
        """Wait until no callback waits or is under way, retries included."""
        await self._courier.idle()

    def next_due(self) -> datetime | None:
        """The next virtual moment at which something lapses by itself: a reply window or a response code."""
        return next_end(self._oa.values(), self._wecom.values(), self._clock.now())

    def state(self) -> dict[str, Json]:
        """Accounts, followers with their windows, members, and what is under way, as JSON."""
        return all_of(self._oa.values(), self._wecom.values(), now=self._clock.now(), busy=self.busy())

    def _account(self, platform: Platform, name: str) -> OfficialAccount | WecomApp:
        match platform:
            case "oa":
                return self._oa[name]
            case "wecom":
                return self._wecom[name]
            case _:
                assert_never(platform)
