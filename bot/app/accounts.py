"""The two halves of every configured account: what reads its callbacks, and what sends for it."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.channels.app.codec import AppCallbacks
from bot.channels.app.sender import AppAccount, AppSender
from bot.channels.oa.codec import OaCallbacks
from bot.channels.oa.sender import OaAccount, OaSender
from bot.channels.webhooks import Target
from bot.channels.wire import Wire
from bot.config import Config
from bot.core.access import KeptToken
from bot.runtime.ports import Callbacks, Clock, Sender
from bot.storage import Priority, Storage

log = structlog.get_logger(__name__)


def callbacks_of(settings: Config) -> dict[tuple[str, str], Callbacks]:
    """The receiving halves of all configured accounts, by channel and name."""
    found: dict[tuple[str, str], Callbacks] = {}
    for name, oa in settings.channels.oa.items():
        found["oa", name] = OaCallbacks(
            account=name,
            app_id=oa.app_id,
            token=oa.token.get_secret_value(),
            aes_keys=oa.aes_keys,
            mode=oa.mode,
        )
        if oa.mode == "plain":
            log.warning("plain_mode", account=name, why="its signature does not cover the body: use `safe`")
    for name, app in settings.channels.wecom.items():
        found["app", name] = AppCallbacks(
            account=name,
            corp_id=app.corp_id,
            agent_id=app.agent_id,
            token=app.token.get_secret_value(),
            aes_keys=app.aes_keys,
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTokens:
    """Where channels keep the access token of one account: in the database (delivery.md 3.11)."""

    storage: Storage
    channel: str
    account: str

    async def load(self) -> KeptToken:
        """What is kept now."""
        return await self.storage.read(lambda tx: tx.tokens.load(self.channel, self.account))

    async def lease(self, *, owner: str, lasts: timedelta) -> bool:
        """Whether `owner` alone may fetch a new token, for so long."""
        return await self.storage.write(
            Priority.URGENT, lambda tx: tx.tokens.lease(self.channel, self.account, owner=owner, lasts=lasts)
        )

    async def release(self, *, owner: str) -> None:
        """Give the lease back."""
        await self.storage.write(Priority.URGENT, lambda tx: tx.tokens.release(self.channel, self.account, owner=owner))

    async def swap(self, kept: KeptToken) -> bool:
        """Write `kept` over its own generation. False: there is another by now."""
        return await self.storage.write(Priority.URGENT, lambda tx: tx.tokens.swap(self.channel, self.account, kept))


def senders_of(settings: Config, wire: Wire, clock: Clock, storage: Storage) -> dict[tuple[str, str], Sender]:
    """The sending halves of all configured accounts, by channel and name."""
    found: dict[tuple[str, str], Sender] = {}
    for name, oa in settings.channels.oa.items():
        account = OaAccount(
            name=name,
            app_id=oa.app_id,
            secret=oa.secret.get_secret_value(),
            api_base=oa.api_base,
            template_ids=oa.template_ids,
        )
        found["oa", name] = OaSender(
            account=account, wire=wire, clock=clock, vault=KeptTokens(storage=storage, channel="oa", account=name)
        )
    for name, app in settings.channels.wecom.items():
        staff = AppAccount(
            name=name,
            corp_id=app.corp_id,
            agent_id=app.agent_id,
            secret=app.secret.get_secret_value(),
            api_base=app.api_base,
        )
        found["app", name] = AppSender(
            account=staff, wire=wire, clock=clock, vault=KeptTokens(storage=storage, channel="app", account=name)
        )
    return found


def targets_of(settings: Config) -> dict[str, Target]:
    """The systems that journeys may ask, by name."""
    return {
        name: Target(url=one.url, key=one.key.get_secret_value(), timeout_s=one.timeout_s)
        for name, one in settings.webhooks.items()
    }
