"""Calls to a platform in the name of one account: the token, one retry when it is refused, and the verdict."""

import re
from collections.abc import Mapping

from bot.channels.tokens import Grant, Tokens
from bot.channels.verdicts import Endpoint, verdict
from bot.channels.wire import Body, Reply, Wire
from bot.core.events import Json
from bot.errors import Unauthorised, Unknown

_TRACE = re.compile(r"\brid: ([0-9a-f-]{8,40})\b")


class ThroughApi:
    """What the sending half of every account shares: its name, its token, and why there is none."""

    def __init__(self, *, account: str, api: "Api") -> None:
        self.account = account
        self._api = api

    @property
    def trouble(self) -> str | None:
        """Why nothing can be sent at all; None while an access token can be had."""
        return self._api.trouble

    async def prepare(self) -> None:
        """Get a token. TryLater, Unauthorised or Forbidden: there is none, and nothing was sent."""
        await self._api.ready()


class Api:
    """The platform as one account sees it. `base` is its `api_base`, without a slash at the end or with one."""

    def __init__(self, *, wire: Wire, base: str, tokens: Tokens) -> None:
        self._wire = wire
        self._base = base
        self._tokens = tokens

    @property
    def trouble(self) -> str | None:
        """Why no token can be had; None while all is well."""
        return self._tokens.trouble

    async def ready(self) -> None:
        """Return when a token is at hand. TryLater, Unauthorised or Forbidden: there is none."""
        await self._tokens.current()

    async def call(
        self, endpoint: Endpoint, *, body: Body | None = None, query: Mapping[str, str] | None = None
    ) -> Reply:
        """The answer to one call that the platform took. ChannelError otherwise: see `verdicts`.

        A refused token is replaced once; a code that says so also says that nothing happened. If the new
        one is refused too, the account is parked and Unauthorised raised.
        """
        token = await self._tokens.current()
        try:
            return await self._once(endpoint, token, body=body, query=query)
        except Unauthorised:
            token = await self._tokens.replace(token)
        try:
            return await self._once(endpoint, token, body=body, query=query)
        except Unauthorised as error:
            self._tokens.park(token, error)
            raise

    async def _once(
        self, endpoint: Endpoint, token: str, *, body: Body | None, query: Mapping[str, str] | None
    ) -> Reply:
        reply = await self._wire.exchange(
            self._base, endpoint, query={"access_token": token, **(query or {})}, body=body
        )
        return accepted(endpoint, reply)


def accepted(endpoint: Endpoint, reply: Reply) -> Reply:
    """`reply` itself when its `errcode` is 0 or absent; otherwise the verdict on it is raised."""
    code = reply.get("errcode", 0)
    if not isinstance(code, int) or isinstance(code, bool):
        raise Unknown(f"{endpoint.platform} {endpoint.path} answered with an `errcode` that is no number")
    if code != 0:
        raise verdict(endpoint, code, trace=_trace(reply))
    return reply


def grant_in(endpoint: Endpoint, reply: Reply) -> Grant:
    """The access token in the answer of an endpoint that gives them out. Unknown: there is none in it."""
    token = text_in(reply, "access_token")
    lifetime_s = reply.get("expires_in")
    if not token or not isinstance(lifetime_s, int) or lifetime_s <= 0:
        raise Unknown(f"{endpoint.platform} {endpoint.path} answered without a token")
    return Grant(access_token=token, expires_in_s=lifetime_s)


def text_in(reply: Mapping[str, Json], key: str) -> str:
    """The text or whole number under `key` as text; empty when absent or something else."""
    value = reply.get(key)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _trace(reply: Reply) -> str:
    found = _TRACE.search(text_in(reply, "errmsg"))
    return found.group(1) if found else ""
