"""The outbox loop: what is planned leaves, one message of a conversation at a time.

leased → (token) → `sending` committed → request → settled. Every state is a row; a kill at any point leaves one
that `recover` can read.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from bot.errors import ChannelError, Forbidden, Refused, TryLater, Unauthorised
from bot.runtime import dispatch
from bot.runtime.live import Live
from bot.runtime.metrics import Metrics
from bot.runtime.ports import Clock, Sender
from bot.storage import Leased, Priority, Storage, Transaction

Account = tuple[str, str]

LEASE_FOR = timedelta(seconds=60)
"""At least twice the time-out of a request (delivery.md 3.1)."""
REST_AFTER_BUG = timedelta(seconds=60)

log = structlog.get_logger(__name__)


class Outbox:
    """Leases what may leave and sends it. `tick` starts sends; they settle on their own."""

    def __init__(
        self,
        storage: Storage,
        *,
        live: Live,
        clock: Clock,
        senders: Mapping[Account, Sender],
        metrics: Metrics,
        settled: Callable[[], None],
    ) -> None:
        self._storage = storage
        self._live = live
        self._clock = clock
        self._senders = senders
        self._metrics = metrics
        self._settled = settled
        self._flying: dict[asyncio.Task[None], Account] = {}
        self._down: dict[Account, tuple[datetime, str]] = {}
        self._worker = "one"
        self._epoch = 0

    @property
    def busy(self) -> bool:
        """Whether a send is under way."""
        return bool(self._flying)

    def degraded(self) -> dict[str, str]:
        """Accounts whose platform does not take our messages now: `oa:main` → why."""
        now = self._clock.now()
        return {":".join(account): why for account, (until, why) in self._down.items() if until > now}

    async def recover(self) -> None:
        """At the start: whatever an earlier process was sending is unknown; what it had leased is ready again."""
        self._epoch = await self._storage.write(Priority.SETTLE, lambda tx: tx.begin_epoch())

        def settle(tx: Transaction) -> int:
            lines = tx.outbox.recover(self._epoch)
            for line in lines:
                dispatch.settle_unknown(tx, dispatch.attempt_of(line), self._desk())
            return len(lines)

        unknown = await self._storage.write(Priority.SETTLE, settle)
        if unknown:
            log.warning("sends_unknown_after_restart", count=unknown)

    async def tick(self) -> int:
        """Expire what is too late, lease what may leave, start it. How many rows were touched."""
        limits = self._limits()

        def lease(tx: Transaction) -> tuple[int, tuple[Leased, ...]]:
            now = self._clock.now()
            expired = dispatch.expire(tx, now=now)
            return expired, tx.outbox.lease(now, worker=self._worker, until=now + LEASE_FOR, limits=limits)

        expired, rows = await self._storage.write(Priority.LEASE, lease)
        for row in rows:
            account = (row.effect.channel, row.effect.account)
            task = asyncio.create_task(self._deliver(row, self._senders[account]))
            self._flying[task] = account
            task.add_done_callback(self._landed)
        if expired:
            self._settled()
        return expired + len(rows)

    async def drain(self) -> None:
        """Wait for the sends under way; nothing new is started."""
        if self._flying:
            await asyncio.wait(list(self._flying))

    def _limits(self) -> dict[Account, int]:
        now = self._clock.now()
        flying = list(self._flying.values())
        limits: dict[Account, int] = {}
        for account, sender in self._senders.items():
            until, _ = self._down.get(account, (now, ""))
            room = sender.in_flight_max - flying.count(account)
            if until <= now and room > 0:
                # An account that was down is probed by one message before the rest follow.
                limits[account] = 1 if account in self._down else room
        return limits

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.pop(task, None)
        self._settled()

    def _desk(self) -> dispatch.Desk:
        return dispatch.Desk(
            rules=self._live.program.rules, now=self._clock.now(), worker=self._worker, epoch=self._epoch
        )

    async def _deliver(self, row: Leased, sender: Sender) -> None:
        """The top of the outbox loop for one row: whatever happens here, the row gets a state."""
        begun: dispatch.Begun | None = None
        try:
            if not await self._prepare(row, sender):
                return
            begun = await self._storage.write(
                Priority.URGENT if row.effect.urgent else Priority.LEASE,
                lambda tx: dispatch.begin(tx, row, self._desk()),
            )
            if begun is not None:
                await self._send(begun, sender)
        except Exception as bug:  # a bug in one send must not stop the others
            log.error("send_failed_by_bug", effect=row.effect.effect_id, exc_info=bug)
            await self._settle_bug(row, begun)

    async def _prepare(self, row: Leased, sender: Sender) -> bool:
        """Get the account ready. False: it is not, and the row waits."""
        try:
            await sender.prepare()
        except ChannelError as error:
            until = self._note_error(row, error)
            await self._storage.write(
                Priority.SETTLE, lambda tx: tx.outbox.retry(row.effect.effect_id, not_before=until)
            )
            return False
        return True

    async def _send(self, begun: dispatch.Begun, sender: Sender) -> None:
        effect = begun.row.effect
        try:
            accepted = await sender.send(effect)
        except ChannelError as error:
            self._note_error(begun.row, error)
            failed = error
            await self._storage.write(
                Priority.SETTLE, lambda tx: dispatch.settle_error(tx, begun, failed, self._desk())
            )
            return
        self._down.pop((effect.channel, effect.account), None)
        self._metrics.send(effect.channel, effect.account, state="sent")
        await self._storage.write(Priority.SETTLE, lambda tx: dispatch.settle_accepted(tx, begun, accepted))

    def _note_error(self, row: Leased, error: ChannelError) -> datetime:
        """Count it; an account that cannot be used at all rests. The moment at which to try again."""
        effect = row.effect
        account = (effect.channel, effect.account)
        self._metrics.channel_error(effect.channel, effect.account, decision=error.code)
        until = self._clock.now() + dispatch.PARKED_RETRY
        match error:
            case TryLater(after_s=after_s):
                until = self._clock.now() + timedelta(seconds=after_s)
                self._down[account] = (until, error.what)
            case Unauthorised() | Forbidden():
                self._down[account] = (until, error.what)
                log.error("account_refused", channel=effect.channel, account=effect.account, why=error.what)
            case Refused():
                log.error("send_refused", effect=effect.effect_id, vendor_code=error.vendor_code, why=error.what)
            case _:
                log.info("send_not_taken", effect=effect.effect_id, decision=error.code, why=error.what)
        return until

    async def _settle_bug(self, row: Leased, begun: dispatch.Begun | None) -> None:
        def settle(tx: Transaction) -> None:
            if begun is not None:
                dispatch.settle_unknown(tx, dispatch.attempt_before(row), self._desk())
            else:
                tx.outbox.retry(row.effect.effect_id, not_before=self._clock.now() + REST_AFTER_BUG)

        await self._storage.write(Priority.SETTLE, settle)
