"""Sending as an official account. Source: delivery.md 3.4, wechat-api.md 3."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from bot.channels.api import Api, ThroughApi, accepted, grant_in, text_in
from bot.channels.oa.messages import custom_body, template_body, unsendable
from bot.channels.tokens import Fetch, Grant, Tokens
from bot.channels.verdicts import Endpoint
from bot.channels.wire import Wire
from bot.core.effects import SendMessage
from bot.core.messages import Card, Image, Markdown, Menu, TemplateMessage, Text
from bot.runtime.ports import Accepted, Clock

IN_FLIGHT_MAX = 32

_STABLE_TOKEN = Endpoint(platform="oa", path="/cgi-bin/stable_token", keyed=True, grants_tokens=True)
_CUSTOM_SEND = Endpoint(platform="oa", path="/cgi-bin/message/custom/send")
_TEMPLATE_SEND = Endpoint(platform="oa", path="/cgi-bin/message/template/send", keyed=True)
_USER_INFO = Endpoint(platform="oa", path="/cgi-bin/user/info", method="GET", keyed=True)


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
    in_flight_max = IN_FLIGHT_MAX

    def __init__(self, *, account: OaAccount, wire: Wire, clock: Clock) -> None:
        tokens = Tokens(fetch=_stable_token(account, wire), clock=clock, can_force=True)
        super().__init__(account=account.name, api=Api(wire=wire, base=account.api_base, tokens=tokens))
        self._template_ids = account.template_ids

    async def send(self, effect: SendMessage) -> Accepted:
        message = effect.message
        match message:
            case Text() | Image() | Menu():
                await self._api.call(_CUSTOM_SEND, body=custom_body(effect.to, message))
                return Accepted()
            case TemplateMessage():
                body = template_body(effect, message, self._template_ids)
                reply = await self._api.call(_TEMPLATE_SEND, body=body)
                return Accepted(provider_id=text_in(reply, "msgid"))
            case Markdown() | Card():
                raise unsendable(message)
            case _:
                assert_never(message)

    async def user_info(self, openid: str) -> Follower:
        """What the platform knows of a person. `unionid` only where the account is bound to an open platform.

        ChannelError: nothing could be learnt; asking again is harmless.
        """
        reply = await self._api.call(_USER_INFO, query={"openid": openid, "lang": "zh_CN"})
        return Follower(
            openid=openid,
            follows=text_in(reply, "subscribe") == "1",
            unionid=text_in(reply, "unionid") or None,
            scene=text_in(reply, "qr_scene_str") or None,
            follow_scene=text_in(reply, "subscribe_scene") or None,
        )


def _stable_token(account: OaAccount, wire: Wire) -> Fetch:
    async def fetch(*, force: bool) -> Grant:
        reply = await wire.exchange(
            account.api_base,
            _STABLE_TOKEN,
            query={},
            body={
                "grant_type": "client_credential",
                "appid": account.app_id,
                "secret": account.secret,
                "force_refresh": force,
            },
        )
        return grant_in(_STABLE_TOKEN, accepted(_STABLE_TOKEN, reply))

    return fetch
