"""What journeys have done outside the conversation, done in a test: at once, and answered by its `mocks`."""

from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar  # Any: the coroutine's own

from bot.core.errands import BookPlace, CallWebhook
from bot.core.events import Json
from bot.core.library import Library
from bot.core.program import Program
from bot.runtime import errand_settling as settling
from bot.runtime.errands import IN_FLIGHT_MAX, LEASE_FOR, OURS_MAX
from bot.sandbox.emulator.answers import read_answer
from bot.sandbox.scripted_calls import ScriptedCalls, targets_in
from bot.storage import OURS, ErrandLine, Transaction
from bot.storage.memory import MemoryDatabase

T = TypeVar("T")


class Partners:
    """The systems that journeys ask. They outlive the product, and remember what they have done by its key."""

    def __init__(self, library: Library, mocks: Mapping[str, Json]) -> None:
        """ValueError: one of `mocks` says no answer."""
        named = {call.partition(".")[0] for call in mocks}
        self._calls = ScriptedCalls(targets_in(library) | named, mocks)
        self._occupied: dict[str, str] = {}

    @property
    def targets(self) -> frozenset[str]:
        """The webhooks that can be asked."""
        return self._calls.targets

    def decide(self, call: str, answer: Json) -> None:
        """Answer `call` so from now on. ValueError: that says no answer."""
        self._calls.answers.put(call, read_answer(answer))

    def occupy(self, resource: str, error: str) -> None:
        """Let the next place of `resource` that is asked for fail with `error`."""
        self._occupied[resource] = error

    def taken(self, line: ErrandLine) -> settling.Outcome | None:
        """What comes of a place that somebody else has; None: it is free, as far as the test says."""
        request = line.effect.errand
        error = self._occupied.pop(request.resource, "") if isinstance(request, BookPlace) else ""
        return settling.Outcome(verdict="failed", error=error) if error else None

    def ask(self, line: ErrandLine, tx: Transaction) -> settling.Outcome | settling.Later:
        """What one try of this errand comes to."""
        request = line.effect.errand
        assert isinstance(request, CallWebhook), "only webhooks are leased"
        found = _at_once(self._calls.call(request, key=line.effect.effect_id, at=tx.now))
        return settling.judge(line, found, now=tx.now)


def run(database: MemoryDatabase, program: Program, partners: Partners, *, worker: str, epoch: int) -> None:
    """Do what may be done now: what our own ledgers do, and one try of each webhook."""
    with database.writing() as tx:
        leased = _take(tx, program, partners, worker=worker)
    for line in leased:
        with database.writing() as tx:
            begun = tx.errands.begin(line.effect.effect_id, worker=worker, started_at=tx.now, epoch=epoch)
            if not begun:
                tx.errands.release(line.effect.effect_id, worker=worker)
        if begun:
            _ask(database, partners, line, worker)


def _take(tx: Transaction, program: Program, partners: Partners, *, worker: str) -> tuple[ErrandLine, ...]:
    settling.expire(tx, now=tx.now)
    for line in tx.errands.free(OURS, now=tx.now, limit=OURS_MAX):
        settling.settle(tx, line, partners.taken(line) or settling.do_ours(tx, line, program, now=tx.now))
    room = dict.fromkeys(sorted(partners.targets), IN_FLIGHT_MAX)
    return tx.errands.lease(tx.now, worker=worker, hold=LEASE_FOR, room=room)


def _ask(database: MemoryDatabase, partners: Partners, line: ErrandLine, worker: str) -> None:
    with database.writing() as tx:
        verdict = partners.ask(line, tx)
        if isinstance(verdict, settling.Outcome):
            settling.settle(tx, line, verdict)
            return
        tx.errands.retry(
            line.effect.effect_id, worker=worker, not_before=verdict.at, reason=verdict.reason, status=verdict.status
        )


def _at_once(work: Coroutine[Any, Any, T]) -> T:  # Any: as above
    """What `work` returns, which waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        found: T = done.value
        return found
    raise AssertionError("a script waits for nothing")
