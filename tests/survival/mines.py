"""Labelled places in the product at which the survival run kills its process.

C1 to C5 are the points of journey-language.md 3.5, as in `tests.crash.mines`; the others are the places where one
transaction has to tell of another: `ingest` after the commit of an event and before its answer, `token` with a new
access token on its way, `receipts` in the transaction that settles a send and tells its lane, `tidy` in the one that
forgets old events.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias, TypeVar, get_args

from bot.channels.wire import Wire
from bot.core.effects import SendMessage
from bot.storage import Priority, Storage, Transaction

Point: TypeAlias = Literal["C1", "C2", "C3", "C4", "C5", "ingest", "token", "receipts", "tidy"]
POINTS: tuple[Point, ...] = get_args(Point)
AT_START: frozenset[Point] = frozenset({"tidy"})
"""Points that a process passes soon after its start and then not for long."""
T = TypeVar("T")


@dataclass(kw_only=True)
class Mine:
    """Goes off when `point` is passed for the `nth` time since it was armed. `point` None: never."""

    point: Point | None = None
    nth: int = 1
    is_armed: bool = field(default=False, init=False)
    _passed: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.is_armed = self.point in AT_START

    def arm(self) -> None:
        """From now on passings count. Called by the signal that the director sends."""
        self.is_armed = True

    def passes(self, point: Point) -> None:
        """The process is at `point`: die there, when it is the one."""
        if point != self.point or not self.is_armed:
            return
        self._passed += 1
        if self._passed >= self.nth:
            os.kill(os.getpid(), signal.SIGKILL)

    async def before_request(self, _effect: SendMessage) -> None:
        """`sending` is committed, and the request would start now."""
        self.passes("C3")

    async def after_request(self, _effect: SendMessage) -> None:
        """The platform has given its verdict."""
        self.passes("C4")

    def before_commit(self, priority: Priority, done: object) -> None:
        """A job has run, and its transaction is still open. Called by the writer's thread.

        Jobs are told by what they return: a batch of steps `worked`, a settled send has a `state`.
        """
        if getattr(done, "worked", False):
            self.passes("C1")
        elif (settled := _settled(done)) is not None:
            self.passes("receipts" if getattr(settled, "lane_told", False) else "C5")
        elif priority is Priority.REST:
            self.passes("tidy")

    def after_commit(self, priority: Priority, done: object) -> None:
        """The transaction of a job is committed; whoever waits for it does not know yet."""
        if getattr(done, "worked", False) and getattr(done, "effects", None):
            self.passes("C2")
        elif priority is Priority.INGEST:
            self.passes("ingest")


def _settled(done: object) -> object:
    """The first send that this job settled, of those that went to the writer as one; None: it settled none."""
    several = done if isinstance(done, list) else [done]
    over = [one for one in several if getattr(one, "state", "ready") not in ("ready", "leased")]
    return next((one for one in over if getattr(one, "lane_told", False)), over[0] if over else None)


class MinedStorage(Storage):
    """A storage with a mine in its transactions."""

    mine: ClassVar[Mine]

    async def write(self, priority: Priority, job: Callable[[Transaction], T]) -> T:
        """As the storage does; the mine may go off before the commit or after it."""

        def run(tx: Transaction) -> T:
            done = job(tx)
            self.mine.before_commit(priority, done)
            return done

        done = await super().write(priority, run)
        self.mine.after_commit(priority, done)
        return done


def mine_tokens(mine: Mine) -> None:
    """Let `mine` see every access token that the platform has given out and nobody has stored yet."""
    exchange = Wire.exchange

    # Any: the wire's own parameters, handed on untouched.
    async def mined(self: Wire, base, endpoint, **rest):  # type: ignore[no-untyped-def]
        reply = await exchange(self, base, endpoint, **rest)
        if "token" in endpoint.path:
            mine.passes("token")
        return reply

    Wire.exchange = mined  # type: ignore[method-assign]  # the one place between the platform's answer and ours
