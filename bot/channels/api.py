"""Calls to a platform in the name of one account: the token, what happens when it is refused, and the verdict."""

import asyncio
import re
from collections.abc import Callable, Mapping

from bot.channels.tokens import Fetch, Grant, Tokens
from bot.channels.verdicts import Endpoint, verdict
from bot.channels.wire import Body, Reply, Wire
from bot.core.events import Json
from bot.errors import TryLater, Unauthorised, Unknown

_TRACE = re.compile(r"\brid: ([0-9a-f-]{8,40})\b")

IN_FLIGHT_MAX = 32
"""Sends of one account under way at once (delivery.md 3.1)."""
TOKENS_TRIED_MAX = 3
"""Tokens that one call tries: ours, the one that another process stored, a new one."""
ASK_WITHIN_S = 15.0
"""No token is asked for and no request begun later than this after the call began. A request that begins in the first
half of its lease thus ends within it, also where tokens are refused (delivery.md 3.1)."""


def _loop_s() -> float:
    return asyncio.get_running_loop().time()


class Api:
    """The platform as one account sees it. `base` is its `api_base`, without a slash at the end or with one.

    `seconds`: a clock that never runs back.
    """

    def __init__(self, *, wire: Wire, base: str, tokens: Tokens, seconds: Callable[[], float] = _loop_s) -> None:
        self._wire = wire
        self._base = base
        self._tokens = tokens
        self._seconds = seconds

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

        A refused token is replaced; a code that says so also says that nothing happened. If a token that was only
        just given out is refused too, the account is parked and Unauthorised raised. TryLater as well when
        `ASK_WITHIN_S` is over: nothing was taken.
        """
        until_s = self._seconds() + ASK_WITHIN_S
        token, is_new = await self._tokens.current(), False
        for tried in range(1, TOKENS_TRIED_MAX + 1):
            self._check_time(until_s)
            try:
                reply = await self._once(endpoint, token, body=body, query=query)
            except Unauthorised as error:
                if is_new:
                    await self._tokens.park(token, error)
                if is_new or tried == TOKENS_TRIED_MAX:
                    raise
            else:
                await self._tokens.accepted(token)
                return reply
            self._check_time(until_s)
            found = await self._tokens.replace(token)
            token, is_new = found.token, found.is_new
        raise AssertionError("the last token tried is returned with or raised for")

    def _check_time(self, until_s: float) -> None:
        if self._seconds() >= until_s:
            raise TryLater("the call took too long before the platform took a token", after_s=0.0)

    async def _once(
        self, endpoint: Endpoint, token: str, *, body: Body | None, query: Mapping[str, str] | None
    ) -> Reply:
        reply = await self._wire.exchange(
            self._base, endpoint, query={"access_token": token, **(query or {})}, body=body
        )
        return accepted(endpoint, reply)


class ThroughApi:
    """What the sending half of every account shares: its name, its way to the platform, and why that is shut."""

    in_flight_max = IN_FLIGHT_MAX

    def __init__(self, *, account: str, api: Api) -> None:
        self.account = account
        self._api = api

    @property
    def trouble(self) -> str | None:
        """Why nothing can be sent at all; None while the platform takes our access token."""
        return self._api.trouble

    async def prepare(self) -> None:
        """Get a token. TryLater, Unauthorised or Forbidden: there is none, and nothing was sent."""
        await self._api.ready()


def asking(
    wire: Wire, base: str, endpoint: Endpoint, *, query: Mapping[str, str] | None = None, body: Body | None = None
) -> Fetch:
    """How a token is asked for at `endpoint`. With a body, `force_refresh` in it says whether to insist."""

    async def fetch(*, force: bool) -> Grant:
        asked = None if body is None else {**body, "force_refresh": force}
        reply = await wire.exchange(base, endpoint, query=query or {}, body=asked)
        return _grant_in(endpoint, accepted(endpoint, reply))

    return fetch


def accepted(endpoint: Endpoint, reply: Reply) -> Reply:
    """`reply` itself when its `errcode` is 0 or absent; otherwise the verdict on it is raised."""
    code = reply.get("errcode", 0)
    if not isinstance(code, int) or isinstance(code, bool):
        raise Unknown(f"{endpoint.platform} {endpoint.path} answered with an `errcode` that is no number")
    if code != 0:
        raise verdict(endpoint, code, trace=_trace(reply))
    return reply


def text_in(reply: Mapping[str, Json], key: str) -> str:
    """The text or whole number under `key` as text; empty when absent or something else."""
    value = reply.get(key)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def names_in(reply: Mapping[str, Json], *keys: str) -> tuple[str, ...]:
    """All names under `keys`: WeCom lists them with bars in some answers and as a list in others."""
    found: list[str] = []
    for key in keys:
        match reply.get(key):
            case str() as barred:
                found += barred.split("|")
            case list() as listed:
                found += [str(name) for name in listed]
            case _:
                continue
    return tuple(name for name in found if name)


def _grant_in(endpoint: Endpoint, reply: Reply) -> Grant:
    """The access token in the answer of an endpoint that gives them out. Unknown: there is none in it."""
    token = text_in(reply, "access_token")
    lifetime_s = reply.get("expires_in")
    if not token or not isinstance(lifetime_s, int) or lifetime_s <= 0:
        raise Unknown(f"{endpoint.platform} {endpoint.path} answered without a token")
    return Grant(access_token=token, expires_in_s=lifetime_s)


def _trace(reply: Reply) -> str:
    found = _TRACE.search(text_in(reply, "errmsg"))
    return found.group(1) if found else ""
