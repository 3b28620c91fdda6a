"""Sending to our own advisors as a WeCom application. Source: delivery.md 3.4 and 3.9, wechat-api.md 4."""

from dataclasses import dataclass, field

from bot.channels.api import Api, ThroughApi, asking, names_in, text_in
from bot.channels.app.messages import message_body, update_body
from bot.channels.endpoints import GETTOKEN, MESSAGE_SEND, UPDATE_CARD
from bot.channels.tokens import Tokens
from bot.channels.vault import Vault
from bot.channels.wire import Wire
from bot.core.effects import SendMessage
from bot.core.messages import Card
from bot.errors import Unreachable
from bot.runtime.ports import Accepted, Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class AppAccount:
    """One `[channels.wecom.NAME]`: what its calls need."""

    name: str
    corp_id: str
    agent_id: int
    secret: str = field(repr=False)
    api_base: str


class AppSender(ThroughApi):
    """The sending half of a WeCom application."""

    channel = "app"

    def __init__(self, *, account: AppAccount, wire: Wire, clock: Clock, vault: Vault) -> None:
        who = {"corpid": account.corp_id, "corpsecret": account.secret}
        fetch = asking(wire, account.api_base, GETTOKEN, query=who)
        tokens = Tokens(name=f"app:{account.name}", fetch=fetch, clock=clock, can_force=False, vault=vault)
        super().__init__(account=account.name, api=Api(wire=wire, base=account.api_base, tokens=tokens))
        self._agent_id = account.agent_id

    async def send(self, effect: SendMessage) -> Accepted:
        """Send to one member. Unreachable: the application does not reach her; whoever waits must not wait for her."""
        message = effect.message
        if isinstance(message, Card) and message.response_code:
            reply = await self._api.call(UPDATE_CARD, body=update_body(effect.to, message, self._agent_id))
        else:
            reply = await self._api.call(MESSAGE_SEND, body=message_body(effect.to, message, self._agent_id))
        # A partial failure is reported as success; with one receiver it is a whole one.
        if names_in(reply, "invaliduser", "unlicenseduser"):
            raise Unreachable("wecom does not know this member as a receiver of the application", reason="gone")
        return Accepted(provider_id=text_in(reply, "msgid"), response_code=text_in(reply, "response_code"))
