"""Our server and our senders on one side, the emulated platforms on the other, nothing shared but HTTP and a clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.channels.app.codec import AppCallbacks
from bot.channels.app.sender import AppAccount, AppSender
from bot.channels.oa.codec import Mode, OaCallbacks
from bot.channels.oa.sender import OaAccount, OaSender
from bot.channels.wire import Wire
from bot.core.events import Event
from bot.runtime.metrics import Metrics
from bot.sandbox.clock import VirtualClock
from bot.sandbox.emulator import Conduct, Emulator, EmulatorSettings, OaSettings, WecomSettings
from bot.sandbox.emulator.settings import Template
from bot.web.server import build, listening
from bot.web.webhook import Webhook

from .memory_vault import MemoryVault
from .posting import AES_KEY, AGENT_ID, APP_ID, CORP_ID, TOKEN, KeptLanes, Told

OPENID = "oBuyer0000000000000000000001"
ADVISOR = "zhangmin"
NOON = datetime(2026, 5, 1, 4, tzinfo=UTC)
_SECRET = "s"


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """Everybody who takes part."""

    emulator: Emulator
    clock: VirtualClock
    lanes: KeptLanes
    oa: OaSender
    app: AppSender

    async def does(self, **action: str) -> list[Event]:
        """The events that reached us because somebody did something."""
        before = set(self.lanes.events)
        await self.emulator.act(action)
        await self.emulator.idle()
        return [event for key, event in self.lanes.events.items() if key not in before]

    def unfaithful(self) -> list[str]:
        """What we asked the platforms that no documentation lists."""
        return [f"{line.endpoint} {line.verdict}" for line in self.emulator.traffic.unfaithful()]


@asynccontextmanager
async def meeting(*, mode: Mode = "safe") -> AsyncIterator[Meeting]:
    clock, lanes = VirtualClock(NOON), KeptLanes()
    emulator = Emulator(settings=_settings(mode), clock=clock)
    oa = OaCallbacks(account="main", app_id=APP_ID, token=TOKEN, aes_keys=(AES_KEY,), mode=mode)
    app = AppCallbacks(account="main", corp_id=CORP_ID, agent_id=AGENT_ID, token=TOKEN, aes_keys=(AES_KEY,))
    accounts = {("oa", "main"): oa, ("app", "main"): app}
    served = build(Webhook(accounts=accounts, lanes=lanes, clock=clock, metrics=Metrics()), Told())
    await emulator.start()
    try:
        async with listening(served, host="127.0.0.1", port=0) as port, Wire() as wire:
            emulator.set_callback("oa", "main", f"http://127.0.0.1:{port}/callback/oa/main")
            emulator.set_callback("wecom", "main", f"http://127.0.0.1:{port}/callback/wecom/main")
            yield Meeting(
                emulator=emulator,
                clock=clock,
                lanes=lanes,
                oa=OaSender(account=_oa(emulator.base_url("oa")), wire=wire, clock=clock, vault=MemoryVault()),
                app=AppSender(account=_app(emulator.base_url("wecom")), wire=wire, clock=clock, vault=MemoryVault()),
            )
    finally:
        await emulator.stop()


def _settings(mode: Mode) -> EmulatorSettings:
    oa = OaSettings(
        name="main",
        app_id=APP_ID,
        secret=_SECRET,
        token=TOKEN,
        aes_key=AES_KEY,
        gh_id="gh_demo00000001",
        mode=mode,
        templates=(Template(template_id="TPL_visit", title="到店提醒", fields=("thing1", "time2")),),
        bound=True,
    )
    wecom = WecomSettings(
        name="main",
        corp_id=CORP_ID,
        agent_id=AGENT_ID,
        secret=_SECRET,
        token=TOKEN,
        aes_key=AES_KEY,
        members={ADVISOR: "张敏"},
    )
    return EmulatorSettings(oa=(oa,), wecom=(wecom,), conduct=Conduct(retry_every_s=0.01))


def _oa(base: str) -> OaAccount:
    return OaAccount(name="main", app_id=APP_ID, secret=_SECRET, api_base=base, template_ids={"visit": "TPL_visit"})


def _app(base: str) -> AppAccount:
    return AppAccount(name="main", corp_id=CORP_ID, agent_id=AGENT_ID, secret=_SECRET, api_base=base)
