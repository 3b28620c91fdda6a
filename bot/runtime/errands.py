"""The errands loop: what journeys have done outside the conversation is done, and comes back as an event.

What our own ledgers do is done and settled in one transaction. A webhook goes the way of a message: leased →
`sending` committed → request → settled; whatever got no answer is asked again under the same key.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.core.effects import RunErrand
from bot.core.errands import NO_TARGET, CallWebhook
from bot.core.ids import EffectId
from bot.errors import StorageError
from bot.runtime import errand_settling as settling
from bot.runtime.bugs import kind_of, trace_of
from bot.runtime.live import Live
from bot.runtime.metrics import Metrics
from bot.runtime.parking import Aside, Parking, park, set_aside, tell_aside, tell_parked
from bot.runtime.ports import Answered, Caller, Clock, Unanswered
from bot.runtime.under_way import wait_out, write_down
from bot.storage import OURS, ErrandLine, ErrandVerdict, Lane, Priority, Storage, Transaction

LEASE_FOR = timedelta(seconds=60)
"""At least twice the time-out of a request."""
IN_FLIGHT_MAX = 8
"""Requests to one target at once: a slow one keeps only itself busy."""
OURS_MAX = 25
"""Errands of our ledgers in one transaction, so that the writer is not held long (delivery.md 5)."""

log = structlog.get_logger(__name__)


class Errands:
    """Runs what is planned. `tick` starts requests; they settle on their own. `told`: a lane has an event to step."""

    def __init__(
        self, storage: Storage, *, live: Live, clock: Clock, metrics: Metrics, told: Callable[[], None]
    ) -> None:
        self._storage = storage
        self._live = live
        self._clock = clock
        self._caller = NOBODY_TO_ASK
        self._metrics = metrics
        self._told = told
        self._flying: dict[asyncio.Task[None], tuple[EffectId, str]] = {}
        self._worker = ""
        self._epoch = 0

    @property
    def busy(self) -> bool:
        """Whether a request is under way."""
        return bool(self._flying)

    async def start(self, caller: Caller, *, epoch: int) -> None:
        """From now on `caller` is asked; whatever an earlier process had in hand is asked again under the same key."""
        self._caller = caller
        self._epoch = epoch
        self._worker = f"errands {epoch}"
        count = await self._storage.write(Priority.SETTLE, lambda tx: tx.errands.recover())
        if count:
            log.warning("errands_run_again_after_restart", count=count)

    async def tick(self, *, expires: bool = True) -> int:
        """Do what our ledgers can, give up what is too late, start what others are to be asked. How many those were.

        `expires` false: nobody knows what is too late, for the clock is not believed.
        """
        if not await self._storage.read(self._anything):
            return 0
        try:
            taken = await self._storage.write(Priority.LEASE, lambda tx: self._take(tx, expires=expires))
        except StorageError:
            raise
        except Exception as bug:  # noqa: BLE001 - a bug in one errand: whose it is stands still, the others go on
            return await self._one_by_one(bug)
        done = taken.expired + len(taken.settled) + len(taken.aside.rows)
        tell_aside(taken.aside)
        for effect, verdict in taken.settled:
            self._count(effect, verdict)
        for line in taken.leased:
            task = asyncio.create_task(self._run(line))
            self._flying[task] = (line.effect.effect_id, _target(line.effect))
            task.add_done_callback(self._landed)
        if done:
            self._told()
        return done + len(taken.leased)

    async def drain(self, *, within_s: float) -> None:
        """Wait for the requests under way; those that take longer are asked again by the next start."""
        left = await wait_out(self._flying, within_s=within_s)
        if left:
            log.warning("errands_left_under_way", count=left)

    def _anything(self, tx: Transaction) -> bool:
        return tx.errands.anything(self._clock.now())

    def _take(self, tx: Transaction, *, expires: bool) -> "_Taken":
        now, targets = self._clock.now(), self._caller.targets
        flying = frozenset(effect_id for effect_id, _ in self._flying.values())
        expired = settling.expire(tx, now=now) if expires else 0
        tx.errands.reclaim(flying=flying)
        settled = []
        for line in tx.errands.free(OURS, now=now, limit=OURS_MAX):
            outcome = settling.do_ours(tx, line, self._live.program, now=now)
            settling.settle(tx, line, outcome)
            settled.append((line.effect, outcome.verdict))
        for line in tx.errands.stray([OURS, *targets], now=now, limit=OURS_MAX):
            settling.settle(tx, line, settling.Outcome(verdict="failed", error=NO_TARGET))
            settled.append((line.effect, "failed"))
        leased = tx.errands.lease(now, worker=self._worker, hold=LEASE_FOR, room=self._room())
        return _Taken(expired=expired, settled=tuple(settled), leased=leased, aside=set_aside(tx))

    async def _one_by_one(self, bug: Exception) -> int:
        """Do what our ledgers can in transactions of their own. Whose errand fails, her lane is parked with the reason
        (`zhitu retry`, `zhitu why`), and her errands wait with it. How many came to an end.

        Raises `bug` when no errand of ours was to blame.
        """
        now, done, parked = self._clock.now(), 0, 0
        lines, aside = await self._storage.write(Priority.LEASE, self._ours)
        tell_aside(aside)
        for line in lines:
            outcome = await self._tried(line, now)
            if outcome is None:
                continue
            if isinstance(outcome, Exception):
                parking = Parking(lane=Lane(line.customer_id), seq=None, bug=outcome)
                await self._storage.write(Priority.SETTLE, partial(_park, parking))
                tell_parked([parking])
                parked += 1
            else:
                done += 1
                self._count(line.effect, outcome)
        if not parked:
            raise bug
        self._told()
        return done + parked

    def _ours(self, tx: Transaction) -> tuple[Sequence[ErrandLine], Aside]:
        return tx.errands.free(OURS, now=self._clock.now(), limit=OURS_MAX), set_aside(tx)

    async def _tried(self, line: ErrandLine, now: datetime) -> ErrandVerdict | Exception | None:
        """What became of an errand of ours, or the bug that it met. StorageError: the database itself fails.

        None: it may not be done any more, since it was withdrawn or its lane parked after `line` was read.
        """

        def do(tx: Transaction) -> ErrandVerdict | None:
            if line.seq not in {one.seq for one in tx.errands.free(OURS, now=now, limit=OURS_MAX)}:
                return None
            outcome = settling.do_ours(tx, line, self._live.program, now=now)
            settling.settle(tx, line, outcome)
            return outcome.verdict

        try:
            return await self._storage.write(Priority.LEASE, do)
        except StorageError:
            raise
        except Exception as bug:  # noqa: BLE001 - the bug of this one errand, which its customer's lane is parked with
            return bug

    def _room(self) -> dict[str, int]:
        under_way = [target for _, target in self._flying.values()]
        return {target: IN_FLIGHT_MAX - under_way.count(target) for target in sorted(self._caller.targets)}

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.pop(task, None)
        self._told()

    async def _run(self, line: ErrandLine) -> None:
        """The top of the errands loop for one row: whatever happens here, the row gets a state."""
        effect = line.effect
        try:
            if not await self._storage.write(Priority.LEASE, lambda tx: self._begin(tx, line)):
                return
            found = await self._ask(effect)
            await self._settle(line, found)
        except Exception as bug:  # noqa: BLE001 - the top of the errands loop: one errand must not stop the others
            log.error("errand_failed", effect=effect.effect_id, why=kind_of(bug), trace=trace_of(bug))

    def _begin(self, tx: Transaction, line: ErrandLine) -> bool:
        effect_id = line.effect.effect_id
        if tx.errands.begin(effect_id, worker=self._worker, started_at=self._clock.now(), epoch=self._epoch):
            return True
        tx.errands.release(effect_id, worker=self._worker)
        return False

    async def _ask(self, effect: RunErrand) -> Answered | Unanswered:
        request = effect.errand
        assert isinstance(request, CallWebhook), "only webhooks are leased"
        found = await self._caller.call(request, key=effect.effect_id, at=self._clock.now())
        if isinstance(found, Unanswered):
            log.warning("webhook_unanswered", target=request.target, effect=effect.effect_id, why=found.why)
        elif not 200 <= found.status < 300:
            log.warning("webhook_not_taken", target=request.target, effect=effect.effect_id, status=found.status)
        elif not found.readable:
            log.error("webhook_unreadable", target=request.target, effect=effect.effect_id)
        return found

    async def _settle(self, line: ErrandLine, found: Answered | Unanswered) -> None:
        """Write what became of it, even when the database fails for a moment: its answer may not come twice."""
        await write_down(
            lambda: self._storage.write(Priority.SETTLE, lambda tx: self._write(tx, line, found)),
            effect_id=line.effect.effect_id,
        )

    def _write(self, tx: Transaction, line: ErrandLine, found: Answered | Unanswered) -> None:
        verdict = settling.judge(line, found, now=self._clock.now())
        if isinstance(verdict, settling.Outcome):
            settling.settle(tx, line, verdict)
            self._count(line.effect, verdict.verdict)
            return
        tx.errands.retry(
            line.effect.effect_id,
            worker=self._worker,
            not_before=verdict.at,
            reason=verdict.reason,
            status=verdict.status,
        )
        self._metrics.errand(line.effect.errand.kind, _target(line.effect), outcome="again")

    def _count(self, effect: RunErrand, verdict: ErrandVerdict) -> None:
        self._metrics.errand(effect.errand.kind, _target(effect), outcome=verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """What one transaction did: errands given up and settled, those that are leased to be asked now, and those that
    do not open."""

    expired: int
    settled: tuple[tuple[RunErrand, ErrandVerdict], ...]
    leased: tuple[ErrandLine, ...]
    aside: Aside


class _Nobody:
    """Nobody to ask: no webhook is configured."""

    targets: frozenset[str] = frozenset()

    async def call(self, request: CallWebhook, *, key: EffectId, at: datetime) -> Answered | Unanswered:
        """Never asked, for it has no targets."""
        return Unanswered(why="no such webhook", may_be_taken=False)


def _park(parking: Parking, tx: Transaction) -> None:
    park(tx, parking)


NOBODY_TO_ASK: Caller = _Nobody()


def _target(effect: RunErrand) -> str:
    """The webhook that is asked; empty: a ledger of ours."""
    return effect.errand.target if isinstance(effect.errand, CallWebhook) else OURS
