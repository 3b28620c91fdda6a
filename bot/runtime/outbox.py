"""The outbox loop: what is planned leaves, one message of a conversation at a time.

leased → (token) → `sending` committed → request → settled. Every state is a row; a kill at any point leaves one
that `recover` can read. Rows are leased ahead: the transaction that settles some sends begins the next.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

import structlog

from bot.core.ids import EffectId
from bot.errors import ChannelError, Spoilt, StorageError, TryLater
from bot.runtime import dispatch, settling
from bot.runtime.accounts import Account, Accounts
from bot.runtime.bugs import kind_of, trace_of
from bot.runtime.live import Live
from bot.runtime.metrics import Verdict
from bot.runtime.parking import Aside, Parking, park, set_aside, tell_aside, tell_parked
from bot.runtime.places import Place, Places
from bot.runtime.ports import Clock, Sender
from bot.runtime.together import Together
from bot.runtime.under_way import wait_out, write_down
from bot.storage import Lane, Leased, OutboxLine, Priority, Room, Storage, Transaction

LEASE_FOR = timedelta(seconds=60)
"""At least twice the time-out of a request (delivery.md 3.1)."""
BEGIN_WITHIN_S = LEASE_FOR.total_seconds() / 2
"""A request starts in the first half of its lease, so that it ends, answered or not, before the lease does."""
STORAGE_REST = timedelta(seconds=5)
"""A send that could not begin because the database failed is tried again after this."""

log = structlog.get_logger(__name__)


_Settling: TypeAlias = Callable[[Transaction], dispatch.Standing]
_Move: TypeAlias = "_Beginning | _Settling"
_Moves: TypeAlias = "Together[_Move, dispatch.Begun | dispatch.Standing]"


class Settled(Protocol):
    """Who wants to know that a row changed."""

    def __call__(self, *, lane_told: bool) -> None:
        """A row was settled. `lane_told`: its lane has an event to step now."""
        ...


class Outbox:
    """Leases what may leave and sends it. `tick` starts sends; they settle on their own."""

    def __init__(
        self,
        storage: Storage,
        *,
        live: Live,
        clock: Clock,
        accounts: Accounts,
        settled: Settled,
    ) -> None:
        self._storage = storage
        self._live = live
        self._clock = clock
        self._accounts = accounts
        self._settled = settled
        self._flying: dict[asyncio.Task[None], _Flight] = {}
        self._places = Places(accounts.places)
        self._moves: _Moves = Together(storage, _priority, self._move)
        self._starts: _Moves = Together(storage, lambda _: Priority.LEASE, self._move)
        self._worker = ""
        self._epoch = 0

    @property
    def busy(self) -> bool:
        """Whether a send is under way."""
        return bool(self._flying)

    @property
    def epoch(self) -> int:
        """The number of this start of the program; 0 before `recover`."""
        return self._epoch

    async def recover(self) -> None:
        """At the start: whatever an earlier process was sending is unknown; what it had leased is ready again."""
        self._epoch = await self._storage.write(Priority.SETTLE, lambda tx: tx.begin_epoch())
        self._worker = f"epoch {self._epoch}"

        def settle(tx: Transaction) -> tuple[int, Aside]:
            lines = tx.outbox.recover(self._epoch)
            self._settle_lost(tx, lines)
            return len(lines), set_aside(tx)

        unknown, aside = await self._storage.write(Priority.SETTLE, settle)
        tell_aside(aside)
        if unknown:
            log.warning("sends_unknown_after_restart", count=unknown)

    async def tick(self, *, only_urgent: bool = False, expires: bool = True) -> int:
        """Expire what is too late, lease what may leave, start it. How many rows that were: a leased one
        counts even if it does not leave after all, for there may be others behind it.

        `expires` false: nobody knows what is too late, for the clock is not believed.
        """
        room = self._accounts.room([flight.account for flight in self._flying.values()])
        if only_urgent:
            room = {account: replace(free, for_urgent=free.slots) for account, free in room.items()}
        flying = frozenset(flight.effect_id for flight in self._flying.values())
        # Measured from before the lease is taken: ours may only be over too early.
        begin_until_s = self._accounts.monotonic() + BEGIN_WITHIN_S
        expired, rows, aside = await self._storage.write(
            Priority.LEASE, lambda tx: self._lease(tx, room, flying, expires=expires)
        )
        tell_aside(aside)
        for row in rows:
            account = (row.effect.channel, row.effect.account)
            flight = _Flight(account=account, effect_id=row.effect.effect_id, begin_until_s=begin_until_s)
            task = asyncio.create_task(self._deliver(row, self._accounts.senders[account], flight))
            self._flying[task] = flight
            task.add_done_callback(self._landed)
        if expired:
            self._settled(lane_told=True)
        return expired + len(rows) + len(aside.rows)

    def close(self) -> None:
        """Let no further request begin: rows that wait for their place are given back."""
        self._places.close()

    async def drain(self, *, within_s: float) -> None:
        """Wait for the sends under way; nothing new is started. Those that take longer are left to the next start."""
        left = await wait_out(self._flying, within_s=within_s)
        if left:
            log.warning("sends_left_under_way", count=left)

    def _lease(
        self, tx: Transaction, room: dict[Account, Room], flying: frozenset[EffectId], *, expires: bool
    ) -> tuple[int, tuple[Leased, ...], Aside]:
        now = self._clock.now()
        ended = settling.expire(tx, now=now) if expires else 0
        # A lease outlives its request by far: one that is over is one whose verdict could not be written.
        lapsed = tx.outbox.reclaim(flying=flying)
        self._settle_lost(tx, lapsed)
        ended += len(lapsed)
        leased = tx.outbox.lease(now, worker=self._worker, hold=LEASE_FOR, limits=room)
        return ended, leased, set_aside(tx)

    def _settle_lost(self, tx: Transaction, lines: Sequence[OutboxLine]) -> None:
        desk = self._desk()
        for line in lines:
            try:
                settling.settle_unknown(tx, settling.attempt_of(line), desk, repeat_at=desk.now)
            except Spoilt as error:
                tx.spoilt.note("outbox", line.seq, error, met="sending")

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.pop(task, None)
        self._settled(lane_told=False)

    def _desk(self) -> dispatch.Circumstances:
        return dispatch.Circumstances(
            program=self._live.program, now=self._clock.now(), worker=self._worker, epoch=self._epoch
        )

    async def _deliver(self, row: Leased, sender: Sender, flight: "_Flight") -> None:
        """The top of the outbox loop for one row: whatever happens here, the row gets a state."""
        begun: dispatch.Begun | None = None
        try:
            if not await self._prepare(row, sender):
                return
            flight.place = await self._places.take(flight.account, urgent=row.effect.urgent)
            if flight.place is None:
                await self._settle(row, lambda tx: self._released(tx, row))
                return
            found = await self._way_of(row).ask(_Beginning(row=row, flight=flight))
            if isinstance(found, dispatch.Standing):
                self._note(row, found)
                return
            begun = found
            self._accounts.metrics.verdict("dispatch", "allow")
            await self._send(begun, sender, flight)
        except Exception as bug:  # noqa: BLE001 - the top of the outbox loop: one send must not stop the others
            log.error("send_failed", effect=row.effect.effect_id, why=kind_of(bug), trace=trace_of(bug))
            await self._settle_failure(row, begun, bug)
        finally:
            flight.leave()

    def _way_of(self, row: Leased) -> _Moves:
        """What only begins waits for steps, where nobody urgent and no verdict waits behind it.

        While verdicts are being written it goes with the next of them, in one transaction.
        """
        return self._moves if row.effect.urgent or self._moves.busy else self._starts

    def _move(self, tx: Transaction, asked: Sequence[_Move]) -> list[dispatch.Begun | dispatch.Standing]:
        """Settle what is over, then begin what may follow.

        So there are no more `sending` than places, but for requests that are over and whose verdict was not taken.
        """
        settled = iter([job(tx) for job in asked if not isinstance(job, _Beginning)])
        begun = iter(self._begin(tx, [one for one in asked if isinstance(one, _Beginning)]))
        return [next(begun) if isinstance(one, _Beginning) else next(settled) for one in asked]

    def _begin(self, tx: Transaction, asked: "Sequence[_Beginning]") -> list[dispatch.Begun | dispatch.Standing]:
        """Mark rows as sending, or give them back at once: an expired one must not wait for the end of its lease."""
        if not asked:
            return []
        late = {one.row.effect.effect_id for one in asked if self._is_late(one.flight)}
        in_time = [one.row for one in asked if one.row.effect.effect_id not in late]
        begun = iter(dispatch.begin_all(tx, in_time, self._desk()))
        late_one = dispatch.Standing(state="ready")
        found = [late_one if one.row.effect.effect_id in late else next(begun) for one in asked]
        for one, stands in zip(asked, found, strict=True):
            if stands is late_one or stands is dispatch.TAKEN_BACK:
                tx.outbox.release(one.row.effect.effect_id, worker=self._worker)
        return found

    def _released(self, tx: Transaction, row: Leased) -> dispatch.Standing:
        """Give back what was leased for an account that has begun to rest: it waits as if nobody had seen it."""
        tx.outbox.release(row.effect.effect_id, worker=self._worker)
        return dispatch.Standing(state="ready")

    def _parked(self, tx: Transaction, row: Leased, parking: Parking) -> dispatch.Standing:
        """Her own row does not open: the message waits with her lane."""
        park(tx, parking)
        return self._released(tx, row)

    def _is_late(self, flight: "_Flight") -> bool:
        """Whether a request that starts now might outlive its lease: this process stood still for a long time."""
        return self._accounts.monotonic() >= flight.begin_until_s

    async def _prepare(self, row: Leased, sender: Sender) -> bool:
        """Get the account ready. False: it is not, and the row waits."""
        try:
            await sender.prepare()
        except ChannelError as error:
            until = self._accounts.failed(row.effect, error)
            why = error.code
            await self._settle(row, lambda tx: self._again(tx, row, until, reason=why))
            return False
        return True

    async def _send(self, begun: dispatch.Begun, sender: Sender, flight: "_Flight") -> None:
        effect = begun.row.effect
        if self._is_late(flight):
            late = TryLater("the lease was over before the request began", after_s=0.0)
            await self._settle(begun.row, lambda tx: settling.settle_error(tx, begun, late, self._desk()))
            return
        try:
            accepted = await sender.send(effect)
        except ChannelError as error:
            self._accounts.failed(effect, error)
            failed = error
            flight.leave()
            await self._settle(begun.row, lambda tx: settling.settle_error(tx, begun, failed, self._desk()))
            return
        self._accounts.answered(effect)
        # Whoever takes the place begins in the transaction that settles this one, or in a later one. A verdict that the
        # database does not take keeps no place: the request is over, and one bad row must not stop its account.
        flight.leave()
        await self._settle(begun.row, lambda tx: settling.settle_accepted(tx, begun, accepted))

    async def _settle_failure(self, row: Leased, begun: dispatch.Begun | None, bug: Exception) -> None:
        """A bug of ours, or a database that failed between two states: say where the row stands now."""
        until = self._clock.now() + STORAGE_REST
        if begun is not None:
            await self._settle(
                row,
                lambda tx: settling.settle_unknown(tx, settling.attempt_of(row), self._desk(), repeat_at=until),
            )
        elif isinstance(bug, Spoilt):
            parking = Parking(lane=Lane(row.customer_id), seq=None, bug=bug)
            await self._settle(row, lambda tx: self._parked(tx, row, parking))
            tell_parked([parking])
        elif isinstance(bug, StorageError):
            await self._settle(row, lambda tx: self._again(tx, row, until))
        else:
            await self._settle(row, lambda tx: settling.give_up(tx, row, self._desk()))

    async def _settle(self, row: Leased, job: "_Settling") -> None:
        """Write what became of the row, even when the database fails for a moment: what left must not leave again."""
        found = await write_down(lambda: self._moves.ask(job), effect_id=row.effect.effect_id)
        if found is not None:
            assert isinstance(found, dispatch.Standing), "only a beginning is answered by Begun"
            self._note(row, found)

    def _again(self, tx: Transaction, row: Leased, until: datetime, *, reason: str = "") -> dispatch.Standing:
        tx.outbox.retry(row.effect.effect_id, worker=self._worker, not_before=until, reason=reason)
        return dispatch.Standing(state="ready")

    def _note(self, row: Leased, found: dispatch.Standing) -> None:
        if found.objection:
            verdict: Verdict = "defer" if found.state == "ready" else "refuse"
            self._accounts.metrics.verdict("dispatch", verdict, reason=found.objection)
        if found.state not in ("ready", "leased") and found is not dispatch.TAKEN_BACK:
            self._accounts.metrics.send(row.effect.channel, row.effect.account, state=found.state)
        if found.lane_told:
            self._settled(lane_told=True)


@dataclass(slots=True, kw_only=True)
class _Flight:
    """A row in the hands of a task. `begin_until_s`: by the monotonic clock, when it is too late to begin.

    `place`: what it takes while its request is under way.
    """

    account: Account
    effect_id: EffectId
    begin_until_s: float
    place: Place | None = None

    def leave(self) -> None:
        """Let another request begin, if this one kept a place."""
        if self.place is not None:
            self.place.leave()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beginning:
    """A row whose request is to begin now."""

    row: Leased
    flight: _Flight


def _priority(asked: Sequence[_Move]) -> Priority:
    """What is over is written down before new steps, and what begins with it; what is urgent even sooner."""
    urgent = any(isinstance(one, _Beginning) and one.row.effect.urgent for one in asked)
    return Priority.URGENT if urgent else Priority.SETTLE
