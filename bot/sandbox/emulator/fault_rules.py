"""Which request or callback a fault strikes, and when: values, and the counting behind them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Literal, TypeAlias, TypeVar

from bot.sandbox.emulator.settings import Platform

CallWhat: TypeAlias = Literal[
    "cut", "error", "slow", "errcode", "malformed", "torn", "drop", "unreachable", "token_killed", "dead_token"
]
CallbackWhat: TypeAlias = Literal[
    "duplicate",
    "overlap",
    "delayed",
    "reorder",
    "lost",
    "wrong_signature",
    "stale_timestamp",
    "malformed",
    "garbled",
    "oversize",
    "cut",
]
Moment: TypeAlias = Literal["before", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """When a fault strikes, among the requests that match it.

    The first `after` are spared, of the others every `every`-th is struck with `probability`, drawn from `seed`; at
    most `count` (None: any number), and only from `from_s` to `for_s` virtual seconds after the script came.
    """

    after: int = 0
    every: int = 1
    probability: float = 1.0
    seed: int = 0
    count: int | None = None
    from_s: float = 0.0
    for_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFault:
    """A fault of requests to the platforms. Empty `platform`, `account` or `endpoint`: every one.

    `endpoint`: a path, `sends` (whatever makes a message appear) or `tokens` (whatever grants a token). `moment`:
    before the platform accepted the request, or after. `seconds` are real ones.
    """

    fault_id: str
    what: CallWhat
    moment: Moment = "before"
    platform: Platform | None = None
    account: str = ""
    endpoint: str = ""
    seconds: float = 0.0
    code: int = -1
    status: int = 502
    when: When = field(default_factory=When)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackFault:
    """A fault of callbacks. Empty `platform`, `account`, `kind` or `sender`: every one.

    `kind`: a MsgType or the name of an event, in any case. `attempts`: how many deliveries of a struck callback are
    spoiled, those after are sound. `signature`: of the second delivery of a `duplicate` or `overlap`.
    """

    fault_id: str
    what: CallbackWhat
    platform: Platform | None = None
    account: str = ""
    kind: str = ""
    sender: str = ""
    seconds: float = 0.0
    signature: Literal["fresh", "same"] = "fresh"
    attempts: int = 1
    when: When = field(default_factory=When)


Fault: TypeAlias = CallFault | CallbackFault


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSite:
    """What a fault of calls can tell requests apart by."""

    platform: Platform
    path: str
    account: str = ""
    sends: bool = False
    grants: bool = False

    def is_at(self, fault: CallFault) -> bool:
        """Whether `fault` is about this request."""
        groups = {"": True, "sends": self.sends, "tokens": self.grants}
        return (
            fault.platform in (None, self.platform)
            and fault.account in ("", self.account)
            and groups.get(fault.endpoint, fault.endpoint == self.path)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSite:
    """What a fault of callbacks can tell callbacks apart by."""

    platform: Platform
    account: str
    kind: str
    sender: str

    def is_at(self, fault: CallbackFault) -> bool:
        """Whether `fault` is about this callback."""
        return (
            fault.platform in (None, self.platform)
            and fault.account in ("", self.account)
            and fault.kind.lower() in ("", self.kind.lower())
            and fault.sender in ("", self.sender)
        )


F = TypeVar("F", CallFault, CallbackFault)


@dataclass(slots=True, kw_only=True)
class Standing(Generic[F]):
    """A fault in force, with what it has seen and struck so far."""

    fault: F
    since: datetime
    seen: int = 0
    hits: int = 0

    def over(self, now: datetime) -> bool:
        """Whether it can never strike again."""
        when = self.fault.when
        used_up = when.count is not None and self.hits >= when.count
        return used_up or (when.for_s is not None and now >= self.since + timedelta(seconds=when.from_s + when.for_s))

    def due(self, now: datetime) -> bool:
        """Count one request that matches; whether it is to be struck."""
        when = self.fault.when
        if self.over(now) or now < self.since + timedelta(seconds=when.from_s):
            return False
        self.seen += 1
        nth = self.seen - when.after
        return nth > 0 and nth % when.every == 0 and _draw(f"{when.seed} {nth}") < when.probability

    def hit(self) -> str:
        """Count a blow that landed. Returns its id, `FAULT#N`, which no other blow has."""
        self.hits += 1
        return f"{self.fault.fault_id}#{self.hits}"


def first_due(standing: Iterable[Standing[F]], sites: CallSite | CallbackSite, now: datetime) -> Standing[F] | None:
    """The first fault that strikes here; at most one does, so that a blow has one cause. All that match count it."""
    matching = [one for one in standing if _matches(sites, one.fault)]
    due = [one for one in matching if one.due(now)]
    return due[0] if due else None


def _matches(site: CallSite | CallbackSite, fault: CallFault | CallbackFault) -> bool:
    if isinstance(site, CallSite):
        return isinstance(fault, CallFault) and site.is_at(fault)
    return isinstance(fault, CallbackFault) and site.is_at(fault)


def _draw(what: str) -> float:
    """A number in [0, 1) that depends on `what` alone."""
    return int.from_bytes(hashlib.sha256(what.encode()).digest()[:7]) / (1 << 56)
