"""Sending as an official account. Source: delivery.md 3.4, wechat-api.md 3."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

import structlog

from bot.channels.api import Api, ThroughApi, asking, text_in
from bot.channels.endpoints import CUSTOM_SEND, STABLE_TOKEN, TEMPLATE_SEND, USER_INFO
from bot.channels.oa.messages import custom_body, template_body, unsendable
from bot.channels.tokens import Tokens
from bot.channels.vault import Vault
from bot.channels.wire import Body, Wire
from bot.core.effects import SendMessage
from bot.core.messages import Card, Image, Markdown, Menu, TemplateMessage, Text
from bot.errors import ChannelError, Unknown, Unreachable
from bot.runtime.ports import Accepted, Clock

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OaAccount:
    """One `[channels.oa.NAME]`: what its calls need. `template_ids`: the platform's id of each named template."""

    name: str
    app_id: str
    secret: str = field(repr=False)
    api_base: str
    template_ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """What the platform tells about a person. Without `follows` it tells nothing else."""

    openid: str
    follows: bool
    unionid: str | None
    scene: str | None
    follow_scene: str | None


class OaSender(ThroughApi):
    """The sending half of an official account."""

    channel = "oa"

    def __init__(self, *, account: OaAccount, wire: Wire, clock: Clock, vault: Vault) -> None:
        who: Body = {"grant_type": "client_credential", "appid": account.app_id, "secret": account.secret}
        fetch = asking(wire, account.api_base, STABLE_TOKEN, body=who)
        tokens = Tokens(name=f"oa:{account.name}", fetch=fetch, clock=clock, can_force=True, vault=vault)
        super().__init__(account=account.name, api=Api(wire=wire, base=account.api_base, tokens=tokens))
        self._template_ids = account.template_ids

    async def send(self, effect: SendMessage) -> Accepted:
        message = effect.message
        match message:
            case Text() | Image() | Menu():
                await self._api.call(CUSTOM_SEND, body=custom_body(effect.to, message))
                return Accepted()
            case TemplateMessage():
                body = template_body(effect, message, self._template_ids)
                reply = await self._api.call(TEMPLATE_SEND, body=body)
                return Accepted(provider_id=text_in(reply, "msgid"))
            case Markdown() | Card():
                raise unsendable(message)
            case _:
                assert_never(message)

    async def subscribed(self, openid: str) -> bool | None:
        """Whether this person follows the account. None: the platform could not say now."""
        try:
            return (await self.user_info(openid)).follows
        except ChannelError as error:
            if isinstance(error, Unreachable) and error.reason == "gone":
                return False
            log.warning("follower_not_known", account=self.account, decision=error.code, why=error.what)
            return None

    async def user_info(self, openid: str) -> Follower:
        """What the platform knows of a person. `unionid` only where the account is bound to an open platform.

        ChannelError: nothing could be learnt; asking again is harmless.
        """
        reply = await self._api.call(USER_INFO, query={"openid": openid, "lang": "zh_CN"})
        follows = text_in(reply, "subscribe")
        if follows not in ("0", "1"):
            raise Unknown("oa /cgi-bin/user/info does not say whether she follows")
        return Follower(
            openid=openid,
            follows=follows == "1",
            unionid=text_in(reply, "unionid") or None,
            scene=text_in(reply, "qr_scene_str") or None,
            follow_scene=text_in(reply, "subscribe_scene") or None,
        )
