"""What an endpoint of the platforms is to the gateway in front of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from bot.sandbox.emulator.denial import bad_parameter
from bot.sandbox.emulator.forms import Form
from bot.sandbox.emulator.settings import Platform
from bot.sandbox.emulator.wire import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, read from HTTP. `dropped`: what it asks for is granted and then reaches nobody."""

    platform: Platform
    query: Mapping[str, str]
    body: Mapping[str, Json]
    now: datetime
    dropped: bool = False

    @property
    def token(self) -> str:
        """The access token in the query, empty when there is none."""
        return self.query.get("access_token", "")

    def form(self) -> Form:
        """The body, to be read field by field."""
        return Form(self.body, bad=bad_parameter(self.platform))

    def asked(self) -> Form:
        """The query, to be read field by field; the token in it is nobody's field."""
        form = Form(dict(self.query), bad=bad_parameter(self.platform))
        form.ignore("access_token")
        return form


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply of the platform. `verdict`: what the log says of it, where "ok" would hide something."""

    body: dict[str, Json]
    account: str
    verdict: str = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`answer` raises Denial to refuse.

    `sends`: it makes a message appear, so that its reply can be worth losing. `grants`: it hands out a token.
    `account`: query and body → the name of the account they belong to, empty when they are nobody's.
    """

    platform: Platform
    method: Literal["GET", "POST"]
    path: str
    answer: Callable[[Call], Answer]
    account: Callable[[Mapping[str, str], Mapping[str, Json]], str]
    sends: bool = False
    grants: bool = False


Ok: TypeAlias = dict[str, Json]


def ok(**more: Json) -> Ok:
    """A reply with errcode 0 and `more`."""
    return {"errcode": 0, "errmsg": "ok", **more}
