"""Places in the product at which a test kills its process: the points C1 to C5 of journey-language.md 3.5.

C1: inside the step's transaction, before its commit. C2: after that commit, before `sending`. C3: `sending` is
committed, the request was not made. C4: the platform took the message, nothing of it is settled. C5: inside the
settling transaction, before its commit.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal, TypeAlias, TypeVar

from bot.core.effects import SendMessage
from bot.core.messages import Card
from bot.errors import Conflict
from bot.runtime.dispatch import Begun, Standing
from bot.runtime.ports import Accepted
from bot.runtime.stepping import Batch
from bot.storage import Priority, Storage, Transaction
from tests.passing_on import PassingOn

Point: TypeAlias = Literal["C1", "C2", "C3", "C4", "C5"]
T = TypeVar("T")


def several(done: object) -> list[object]:
    """What jobs that went to the writer as one have done each."""
    return done if isinstance(done, list) and done else [done]


def name_of(effect: SendMessage) -> str:
    """What the tests call a message: its content, or what kind of card it is."""
    if isinstance(effect.message, Card):
        return "card-update" if effect.message.response_code else "card"
    return effect.content


@dataclass(kw_only=True)
class Mine:
    """Goes off once, at `point`: in the step with the number `step`, or for the message called `send`.

    It waits until its message is the only one under way, so that the death concerns no other.
    """

    point: Point
    step: int = 0
    send: str = ""
    _steps: int = field(default=0, init=False)
    _begun: int = field(default=0, init=False)
    _settled: int = field(default=0, init=False)
    _was_taken: bool = field(default=False, init=False)

    def before_commit(self, done: object, tx: Transaction) -> None:
        """A job has run, and its transaction is still open. Called by the writer's thread.

        Conflict: the death would concern a message that is still under way; the step has to come again.
        """
        self._begun += sum(isinstance(one, Begun) for one in several(done))
        if self.point in ("C1", "C2") and isinstance(done, Batch) and self._is_its_step(done):
            # The buyer may have read and answered a message before we have written down that it was taken.
            if tx.outbox.states().get("sending"):
                raise Conflict("a message is under way")
            if self.point == "C1":
                _die()
        if self.point == "C5" and self._was_taken and isinstance(several(done)[0], Standing):
            _die()

    async def after_commit(self, done: object) -> None:
        """The transaction of a job is committed."""
        if self.point == "C2" and isinstance(done, Batch) and self._is_its_step(done):
            _die()
        self._steps += isinstance(done, Batch) and done.worked
        self._settled += sum(isinstance(one, Standing) for one in several(done))
        async with self._changed:
            self._changed.notify_all()

    async def before_request(self, effect: SendMessage) -> None:
        """`sending` is committed, and the request would start now."""
        if self.point == "C3" and name_of(effect) == self.send:
            await self._alone()
            _die()

    async def after_request(self, effect: SendMessage) -> None:
        """The platform has taken the message."""
        if name_of(effect) != self.send:
            return
        await self._alone()
        if self.point == "C4":
            _die()
        self._was_taken = True

    @cached_property
    def _changed(self) -> asyncio.Condition:
        return asyncio.Condition()

    async def _alone(self) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._begun - self._settled == 1)

    def _is_its_step(self, batch: Batch) -> bool:
        return batch.worked and self._steps + 1 == self.step


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class MinedStorage(Storage):
    """A storage with a mine in its transactions."""

    mine: ClassVar[Mine]

    async def write(self, priority: Priority, job: Callable[[Transaction], T]) -> T:
        """As the storage does; the mine may go off before the commit or after it."""

        def run(tx: Transaction) -> T:
            done = job(tx)
            self.mine.before_commit(done, tx)
            return done

        done = await super().write(priority, run)
        await self.mine.after_commit(done)
        return done


@dataclass(frozen=True, slots=True, kw_only=True)
class MinedSender(PassingOn):
    """A sending half with a mine before and after every request."""

    mine: Mine

    async def send(self, effect: SendMessage) -> Accepted:
        await self.mine.before_request(effect)
        accepted = await self.within.send(effect)
        await self.mine.after_request(effect)
        return accepted
