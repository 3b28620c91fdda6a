"""Sending to our own advisors as a WeCom application. Source: delivery.md 3.4 and 3.9, wechat-api.md 4."""

from dataclasses import dataclass, field

from bot.channels.api import Api, ThroughApi, accepted, grant_in, text_in
from bot.channels.app.messages import message_body, update_body
from bot.channels.tokens import Fetch, Grant, Tokens
from bot.channels.verdicts import Endpoint
from bot.channels.wire import Wire
from bot.core.effects import SendMessage
from bot.core.messages import Card
from bot.errors import Unreachable
from bot.runtime.ports import Accepted, Clock

IN_FLIGHT_MAX = 32

_GETTOKEN = Endpoint(platform="wecom", path="/cgi-bin/gettoken", method="GET", keyed=True, grants_tokens=True)
_SEND = Endpoint(platform="wecom", path="/cgi-bin/message/send")
_UPDATE_CARD = Endpoint(platform="wecom", path="/cgi-bin/message/update_template_card", keyed=True)


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
    in_flight_max = IN_FLIGHT_MAX

    def __init__(self, *, account: AppAccount, wire: Wire, clock: Clock) -> None:
        tokens = Tokens(fetch=_gettoken(account, wire), clock=clock, can_force=False)
        super().__init__(account=account.name, api=Api(wire=wire, base=account.api_base, tokens=tokens))
        self._agent_id = account.agent_id

    async def send(self, effect: SendMessage) -> Accepted:
        message = effect.message
        if isinstance(message, Card) and message.response_code:
            reply = await self._api.call(_UPDATE_CARD, body=update_body(effect.to, message, self._agent_id))
            return Accepted(response_code=text_in(reply, "response_code"))
        reply = await self._api.call(_SEND, body=message_body(effect.to, message, self._agent_id))
        # A partial failure is reported as success; with one receiver it is a whole one.
        if text_in(reply, "invaliduser") or text_in(reply, "unlicenseduser"):
            raise Unreachable("wecom does not know this member as a receiver of the application", reason="gone")
        return Accepted(provider_id=text_in(reply, "msgid"), response_code=text_in(reply, "response_code"))


def _gettoken(account: AppAccount, wire: Wire) -> Fetch:
    async def fetch(*, force: bool) -> Grant:
        """WeCom knows no way to insist, so `force` changes nothing."""
        query = {"corpid": account.corp_id, "corpsecret": account.secret}
        reply = await wire.exchange(account.api_base, _GETTOKEN, query=query)
        return grant_in(_GETTOKEN, accepted(_GETTOKEN, reply))

    return fetch
