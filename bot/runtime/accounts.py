"""The sending halves of all accounts, and which of them rest because their platform does not take our messages."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog

from bot.core.effects import SendMessage
from bot.errors import ChannelError, Forbidden, Refused, TryLater, Unauthorised, Unknown
from bot.runtime.metrics import AccountState, Metrics
from bot.runtime.ports import Clock, Sender
from bot.runtime.settling import PARKED_RETRY
from bot.storage import Room

Account: TypeAlias = tuple[str, str]
"""Channel and name."""

RESERVED_PART = 4
"""One of so many sends under way is kept for urgent ones; an account that may send fewer at once keeps none."""
LEASED_AHEAD = 2
"""So many times the sends under way are leased besides: whenever one is settled the next begins, in one commit."""
QUOTA_FROM_S = 30.0
"""A platform that asks for this long a pause means the quota of the account, not the one message (verdicts.py)."""
UNANSWERED_MAX = 3
"""Requests in a row without any verdict, after which the account rests: each of them may be a message lost."""
SILENCE_REST = timedelta(seconds=30)
STILL_DOWN_FOR = timedelta(seconds=30)
"""How long an account counts as down after its rest, while no message has proved the contrary."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Standing:
    """`rests_until` None: it works. `unanswered`: requests without a verdict since the last one with."""

    rests_until: datetime | None = None
    why: str = ""
    unanswered: int = 0


@dataclass(slots=True)
class Accounts:
    """Notes what platforms answer, and decides how much each account may send now."""

    senders: Mapping[Account, Sender]
    clock: Clock
    metrics: Metrics
    monotonic: Callable[[], float] = time.monotonic
    """Seconds that never run back, by which the outbox watches its leases."""
    _standings: dict[Account, _Standing] = field(default_factory=dict)

    def room(self, flying: Collection[Account]) -> dict[Account, Room]:
        """How many rows may be leased for each account, beside those that are. One that rests or is full is missing.

        More than may be under way, for some wait for their place. A part of the room is kept for urgent ones, so that a
        campaign never stands in the way of a welcome (delivery.md 2.2).
        """
        found: dict[Account, Room] = {}
        for account in self.senders:
            places = self.places(account)
            held = sum(1 for one in flying if one == account)
            ahead = 0 if self._rests(account) else LEASED_AHEAD * places.slots
            if places.slots + ahead > held:
                found[account] = replace(places, slots=places.slots + ahead - held)
        return found

    def places(self, account: Account) -> Room:
        """How many sends of this account may be under way (delivery.md 3.1). One that has rested is probed by one."""
        if not self._rests(account):
            limit = self.senders[account].in_flight_max
            return Room(slots=limit, for_urgent=limit // RESERVED_PART)
        rests_until = self._standing(account).rests_until
        return Room(slots=1 if rests_until is not None and rests_until <= self.clock.now() else 0)

    def degraded(self) -> dict[str, str]:
        """Accounts whose platform does not take our messages now: `oa:main` → why."""
        now = self.clock.now()
        refused = {":".join(account): sender.trouble or "" for account, sender in self.senders.items()}
        resting = {
            ":".join(account): standing.why
            for account, standing in self._standings.items()
            if standing.rests_until is not None and now < standing.rests_until + STILL_DOWN_FOR
        }
        return {name: why for name, why in (refused | resting).items() if why}

    def states(self) -> dict[Account, AccountState]:
        """How each account's platform treats us now."""
        down = self.degraded()
        return {
            account: "refused" if sender.trouble else "resting" if ":".join(account) in down else "working"
            for account, sender in self.senders.items()
        }

    async def greet(self) -> None:
        """Get every account ready once, so that a wrong secret is told at the start and not at the first message."""
        for (channel, account), sender in self.senders.items():
            try:
                await sender.prepare()
            except ChannelError as error:
                log.error("account_not_ready", channel=channel, account=account, why=error.what)

    def answered(self, effect: SendMessage) -> None:
        """The platform gave a verdict on a message: it works."""
        self._standings.pop((effect.channel, effect.account), None)

    def failed(self, effect: SendMessage, error: ChannelError) -> datetime:
        """Count an error; an account that cannot send at all rests. The moment at which to try this message again."""
        account = (effect.channel, effect.account)
        self.metrics.channel_error(effect.channel, effect.account, decision=error.code)
        now = self.clock.now()
        until = now + PARKED_RETRY
        match error:
            case TryLater(after_s=after_s):
                until = now + timedelta(seconds=after_s)
                if error.vendor_code is None or after_s >= QUOTA_FROM_S:
                    self._rest(account, until, error.what)
            case Unauthorised() | Forbidden():
                self._rest(account, until, error.what)
                log.error("account_refused", channel=effect.channel, account=effect.account, why=error.what)
            case Unknown():
                self._unanswered(account, now + SILENCE_REST, error.what)
            case Refused():
                self.answered(effect)
                log.error("send_refused", effect=effect.effect_id, vendor_code=error.vendor_code, why=error.what)
            case _:
                self.answered(effect)
                log.info("send_not_taken", effect=effect.effect_id, decision=error.code, why=error.what)
        return until

    def _rests(self, account: Account) -> bool:
        """Whether it rests, or was not proved to work since."""
        return self._standing(account).rests_until is not None

    def _standing(self, account: Account) -> _Standing:
        return self._standings.get(account, _Standing())

    def _rest(self, account: Account, until: datetime, why: str) -> None:
        standing = self._standings.setdefault(account, _Standing())
        if standing.rests_until is None:
            log.warning("account_rests", channel=account[0], account=account[1], until=until.isoformat(), why=why)
        standing.rests_until = until if standing.rests_until is None else max(until, standing.rests_until)
        standing.why = why

    def _unanswered(self, account: Account, until: datetime, why: str) -> None:
        standing = self._standings.setdefault(account, _Standing())
        standing.unanswered += 1
        log.warning("send_unanswered", channel=account[0], account=account[1], why=why)
        if standing.unanswered >= UNANSWERED_MAX or standing.rests_until is not None:
            self._rest(account, until, why)
