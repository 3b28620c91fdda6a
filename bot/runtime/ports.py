"""What the loops need from the outside, and what the outside needs from the loops."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from bot.core.effects import SendMessage
from bot.core.errands import CallWebhook
from bot.core.events import Event, Json
from bot.core.ids import EffectId

AGE_MAX = timedelta(minutes=10)
"""Older and newer callbacks are refused, unless the configuration says otherwise (delivery.md 1.2)."""
_SIGNATURE = re.compile(r"[0-9a-f]{40}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class Clock(Protocol):
    """The application's time. Two implementations: the machine's clock, and the sandbox's, which can be turned."""

    def now(self) -> datetime:
        """The present moment, aware UTC."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The query of a callback, as the framework decoded it. Absent keys are empty. No repr shows a signature.

    `age_max`: how far its timestamp may be from our time.
    """

    signature: str = field(default="", repr=False)
    msg_signature: str = field(default="", repr=False)
    timestamp: str = ""
    nonce: str = ""
    encrypt_type: str = ""
    echostr: str = ""
    age_max: timedelta = AGE_MAX

    @property
    def is_dated(self) -> bool:
        """Whether its timestamp is one."""
        return _TIMESTAMP.fullmatch(self.timestamp) is not None

    def is_stale(self, now: datetime) -> bool:
        """Whether it is more than `age_max` from `now`, either way. ValueError: it is not dated."""
        return abs(now.timestamp() - int(self.timestamp)) > self.age_max.total_seconds()


def looks_signed(claimed: str) -> bool:
    """Whether `claimed` has the form of a signature."""
    return _SIGNATURE.fullmatch(claimed) is not None


class Callbacks(Protocol):
    """The receiving half of a channel account."""

    @property
    def account(self) -> str:
        """The NAME of its section in config.toml."""
        ...

    @property
    def acknowledgement(self) -> str:
        """The body that tells the platform that nothing need come again (delivery.md 1.7)."""
        ...

    def verify(self, query: Query, now: datetime) -> str:
        """The body that proves to the platform that this URL is ours. Untrusted: the signature is wrong."""
        ...

    def is_forged(self, query: Query) -> bool:
        """Whether the query alone, without its body, shows that the platform has not written it."""
        ...

    def decode(self, query: Query, body: bytes, now: datetime) -> tuple[Event, ...]:
        """The events in one callback, at least one. Raises Untrusted, Unreadable or Unsupported, and nothing else."""
        ...

    def reread(self, body: bytes) -> tuple[Event, ...]:
        """The events in a body that was rightly signed when it came and could not be read then. Raises as `decode`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The platform took the message. `provider_id`: its id for it; `response_code`: the code that updates a card."""

    provider_id: str = ""
    response_code: str = ""


class Sender(Protocol):
    """The sending half of a channel account."""

    @property
    def channel(self) -> str: ...

    @property
    def account(self) -> str: ...

    @property
    def in_flight_max(self) -> int:
        """How many sends may be under way at once."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why nothing at all can be sent now, a refused token above all; None while all is well."""
        ...

    async def prepare(self) -> None:
        """Do what has to be done before a request may start (a token). ChannelError: nothing was sent."""
        ...

    async def send(self, effect: SendMessage) -> Accepted:
        """Send one message. ChannelError says what became of it; Unknown when that cannot be told."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A webhook was answered. `body`: the JSON in it, if `readable`. `after_s`: it asks to be left alone so long."""

    status: int
    body: Json = None
    readable: bool = True
    after_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """No answer came. `may_be_taken`: the request had left, so nobody can tell what became of it."""

    why: str
    may_be_taken: bool


class Caller(Protocol):
    """Who asks other systems. Two implementations: over HTTP, and a script of answers for tests of journeys."""

    @property
    def targets(self) -> frozenset[str]:
        """The webhooks that can be asked."""
        ...

    async def call(self, request: CallWebhook, *, key: EffectId, at: datetime) -> Answered | Unanswered:
        """Ask once. `key` is the same for every try of one errand; `at` is the application's time."""
        ...


class Followers(Protocol):
    """What an official account can be asked about a person, when its callbacks may have been missed."""

    async def subscribed(self, openid: str) -> bool | None:
        """Whether this person follows the account. None: it could not be learnt now."""
        ...


class Lanes(Protocol):
    """Where everything comes in."""

    async def accept(self, events: Sequence[Event]) -> None:
        """Return once all `events` are committed, or were before. StorageError: nothing was."""
        ...

    async def quarantine(self, *, channel: str, account: str, body: bytes, why: str) -> None:
        """Commit a body that was rightly signed and could not be read."""
        ...

    @property
    def clock_trouble(self) -> str:
        """Why our clock cannot tell a callback's age now; "": it can."""
        ...

    def turned_away(self, channel: str, account: str, *, reason: Literal["storage", "full", "clock"]) -> None:
        """A rightly signed callback was not answered 200: its account has a gap from now on (delivery.md 1.8)."""
        ...


class Health(Protocol):
    """What /readyz tells."""

    def accepting(self) -> bool:
        """Whether callbacks can be committed and the clocks be believed."""
        ...

    def degraded(self) -> Mapping[str, str]:
        """What is down though callbacks are committed: `oa:main` → why. Empty: all is well."""
        ...

    async def waiting(self) -> Mapping[str, Json]:
        """What waits for an operator, as counts, and the gaps in which messages may be missing.

        Sets the metrics that have a present value, too.
        """
        ...
