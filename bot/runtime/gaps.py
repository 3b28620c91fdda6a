"""Callbacks that were turned away: kept as soon as the database takes it, then made up for (delivery.md 1.8)."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog

from bot.core.events import Event
from bot.core.ids import CustomerId, EventId, conversation_id
from bot.runtime.accounts import Account
from bot.runtime.metrics import TurnedAway
from bot.runtime.ports import Clock, Followers
from bot.storage import Gap, Missed, Priority, Storage, Transaction

Arrive: TypeAlias = Callable[[Sequence[Event]], Awaitable[None]]
"""The door."""

ROUND_PEOPLE = 50
"""People asked about in one round: the calls share the account's connections with everything else."""
SETTLE_FOR = timedelta(seconds=60)
"""The platform repeats what it could not deliver; only then is asked for what is missing."""
ROUND_S_MAX = 10.0
"""A round that lasts longer ends with the person in question; the next round goes on behind her."""
ASK_AGAIN_AFTER = timedelta(seconds=30)
"""An account that told nothing is left alone for so long; the gaps of the others are gone through meanwhile."""
UNASKED_FOR = timedelta(days=7)
"""A gap of an account that nobody can be asked about is told for so long, unless an operator closes it before."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Loss:
    since: datetime
    until: datetime
    count: int


class Gaps:
    """Counts what was turned away, keeps it durably, and asks the platforms what became of their people."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._losses: dict[tuple[str, str, TurnedAway], _Loss] = {}  # at most accounts times reasons
        self._known: tuple[Gap, ...] = ()
        self._not_before: dict[Account, datetime] = {}

    @property
    def unwritten(self) -> bool:
        """Whether something was turned away that no row tells of yet."""
        return bool(self._losses)

    def turned_away(self, channel: str, account: str, *, reason: TurnedAway) -> None:
        """A rightly signed callback was not answered 200. Noted and logged; `flush` makes it durable."""
        now = self._clock.now()
        loss = self._losses.get((channel, account, reason))
        if loss is None:
            log.error("callbacks_turned_away", channel=channel, account=account, reason=reason)
            self._losses[channel, account, reason] = _Loss(since=now, until=now, count=1)
        else:
            loss.until, loss.count = now, loss.count + 1

    def told(self) -> dict[str, str]:
        """What /readyz says of gaps that are not made up for, by account."""
        found = {
            f"{gap.channel}:{gap.account}:gap": _words(gap.since, gap.until, gap.turned_away) for gap in self._known
        }
        for (channel, account, _), loss in self._losses.items():
            found[f"{channel}:{account}:gap"] = _words(loss.since, loss.until, loss.count)
        return found

    async def load(self) -> None:
        """Read the gaps that are not made up for, those of earlier processes among them."""
        self._known = await self._storage.read(lambda tx: tx.gaps.unreconciled())

    async def flush(self) -> None:
        """Write down what was turned away. StorageError: not taken yet, and nothing is forgotten."""
        losses = {key: _Loss(loss.since, loss.until, loss.count) for key, loss in self._losses.items()}
        if not losses:
            return
        await self._storage.write(Priority.INGEST, lambda tx: _note(tx, losses))
        for key, written in losses.items():
            self._forget(key, written)
        await self.load()

    def _forget(self, key: tuple[str, str, TurnedAway], written: _Loss) -> None:
        """Take off what was written; more may have been turned away meanwhile."""
        left = self._losses[key].count - written.count
        if left:
            self._losses[key].since, self._losses[key].count = written.until, left
        else:
            del self._losses[key]

    async def reconcile(self, followers: Mapping[Account, Followers], arrive: Arrive) -> bool:
        """Ask about the next people of the oldest gap; what was missed arrives. False: there is nothing to ask now."""
        now = self._clock.now()
        if self._known:
            await self.load()  # an operator may have closed one beside us
        await self._close_unasked(followers, now)
        # One that ends in the future was noted by a clock that was wrong, and needs no further wait.
        open_gaps = [gap for gap in self._known if gap.until + SETTLE_FOR <= now or gap.until > now]
        ready = [gap for gap in open_gaps if self._may_ask((gap.channel, gap.account), followers, now)]
        if not ready:
            return False
        gap = min(ready, key=lambda one: one.seq)
        account = (gap.channel, gap.account)
        end = await self._round(gap, followers[account], arrive)
        await self._advance(gap, end or gap.cursor, mended_at=None if end is None or end else now)
        return True

    def _may_ask(self, account: Account, followers: Mapping[Account, Followers], now: datetime) -> bool:
        return account in followers and self._not_before.get(account, now) <= now

    async def _close_unasked(self, followers: Mapping[Account, Followers], now: datetime) -> None:
        for gap in self._known:
            if (gap.channel, gap.account) not in followers and gap.until + UNASKED_FOR <= now:
                await self._advance(gap, gap.cursor, mended_at=now)

    async def _advance(self, gap: Gap, cursor: str, *, mended_at: datetime | None) -> None:
        await self._storage.write(
            Priority.REST, lambda tx: tx.gaps.advance(gap, cursor=cursor, reconciled_at=mended_at)
        )
        await self.load()

    async def _round(self, gap: Gap, book: Followers, arrive: Arrive) -> str | None:
        """Ask about one page of people; how far it went, "" at the end, None: it went nowhere.

        What is found out arrives at once: whatever she does herself afterwards comes behind it.
        """
        people, end = await self._storage.read(lambda tx: _believed(tx, gap))
        loop, reached = asyncio.get_running_loop(), None
        until_s = loop.time() + ROUND_S_MAX
        for person in people:
            if loop.time() >= until_s:
                return reached
            asked_at = self._clock.now()
            follows = await book.subscribed(person.external_id)
            if follows is None:
                self._not_before[gap.channel, gap.account] = self._clock.now() + ASK_AGAIN_AFTER
                log.warning("reconciling_waits", channel=gap.channel, account=gap.account)
                return reached
            if follows != person.follows:
                log.warning("reconciled", channel=gap.channel, account=gap.account, count=1)
                await arrive([_event(gap, person.external_id, follows=follows, at=asked_at)])
            reached = person.external_id
        return end


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    external_id: str
    follows: bool


def _believed(tx: Transaction, gap: Gap) -> tuple[list[_Person], str]:
    """The next page of people, with what we believe of them. Those of whom we know nothing yet are left out."""
    people, end = tx.gaps.people(gap, limit=ROUND_PEOPLE)
    customers = tx.customers.load_readable([customer_id for _, customer_id in people])
    found = []
    for external_id, customer_id in people:
        conversation = conversation_id(gap.channel, gap.account, external_id)
        customer = customers.get(CustomerId(customer_id))
        talk = customer.conversations.get(conversation) if customer else None
        if talk is not None:
            found.append(_Person(external_id=external_id, follows=talk.reachable))
    return found, end


def _event(gap: Gap, external_id: str, *, follows: bool, at: datetime) -> Event:
    kind = "oa.follow" if follows else "oa.unfollow"
    name = f"reconciled|{gap.seq}|{gap.channel}|{gap.account}|{external_id}|{kind}"
    return Event(
        event_id=EventId(hashlib.sha256(name.encode()).hexdigest()),
        type=kind,
        channel=gap.channel,
        account=gap.account,
        sender=external_id,
        occurred_at=at,
        fields={"reconciled": True},
    )


def _note(tx: Transaction, losses: Mapping[tuple[str, str, TurnedAway], _Loss]) -> None:
    for (channel, account, reason), loss in losses.items():
        missed = Missed(
            channel=channel,
            account=account,
            since=loss.since,
            until=loss.until,
            reason=reason,
            turned_away=loss.count,
        )
        tx.gaps.note(missed)


def _words(since: datetime, until: datetime, count: int) -> str:
    return f"{count} callbacks turned away from {since:%Y-%m-%d %H:%M:%S} to {until:%H:%M:%S} UTC: some may be missing"
