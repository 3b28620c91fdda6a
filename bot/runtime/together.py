"""Small jobs of one kind that wait for the writer at the same moment go to it as one.

Each job costs a turn of the event loop and of the writer's queue, and a group of the writer takes only as many as
fit into its time: thirty sends that are begun one by one are several commits, begun together they are one.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from bot.storage import Priority, Storage, Transaction

Q = TypeVar("Q")
A = TypeVar("A")

TOGETHER_MAX = 32
"""Questions in one job, so that it holds the writer well under 50 ms (delivery.md 5); more wait for the next."""


class Together(Generic[Q, A]):
    """Answers questions by one kind of job. `answers` gives one answer for each question, in order.

    `priority`: of a job with these questions.
    """

    def __init__(
        self,
        storage: Storage,
        priority: Callable[[Sequence[Q]], Priority],
        answers: Callable[[Transaction, Sequence[Q]], Sequence[A]],
    ) -> None:
        self._storage = storage
        self._priority = priority
        self._answers = answers
        self._waiting: deque[tuple[Q, asyncio.Future[A]]] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer: who asks now comes after them."""
        return self._task is not None and not self._task.done()

    async def ask(self, question: Q) -> A:
        """The answer, once it is committed. Whatever the job raises for this question is raised here."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if not self.busy:
            self._task = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            asked = [self._waiting.popleft() for _ in range(min(len(self._waiting), TOGETHER_MAX))]
            failure = await self._tried(asked)
            if failure is None:
                continue
            for one in asked:
                # Nothing of them was written: each gets what is its own.
                alone = failure if len(asked) == 1 else await self._tried([one])
                if alone is not None and not one[1].done():
                    one[1].set_exception(alone)

    async def _tried(self, asked: Sequence[tuple[Q, "asyncio.Future[A]"]]) -> BaseException | None:
        """Answer them all; or why none of them was."""
        questions = [question for question, _ in asked]
        job = self._storage.write(self._priority(questions), lambda tx: self._answers(tx, questions))
        (found,) = await asyncio.gather(job, return_exceptions=True)
        if isinstance(found, BaseException):
            return found
        for (_, future), answer in zip(asked, found, strict=True):
            if not future.done():
                future.set_result(answer)
        return None
