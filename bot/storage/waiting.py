"""The queue in front of the writer: by priority, and by age for whoever waited too long."""

from collections import deque
from enum import IntEnum
from typing import Generic, TypeVar

T = TypeVar("T")

AGED_S = 0.5
"""After this long a job goes before all younger ones, so that nobody waits much over a second (delivery.md 5)."""


class Priority(IntEnum):
    """The order in which jobs get at the writer. Source: delivery.md 5."""

    INGEST = 0
    URGENT = 1
    SETTLE = 2
    STEP = 3
    LEASE = 4
    REST = 5


class Waiting(Generic[T]):
    """Things that wait, with the moment (monotonic seconds) since when. Not for several threads at once."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: tuple[deque[tuple[float, T]], ...] = tuple(deque() for _ in Priority)

    def __len__(self) -> int:
        return sum(len(line) for line in self._lines)

    def put(self, thing: T, priority: Priority, now: float) -> None:
        """Put `thing` at the end of its line."""
        self._lines[priority].append((now, thing))

    def take(self, now: float) -> T | None:
        """The next one: the oldest of those that wait for `AGED_S` or more, else the most urgent. None: empty."""
        lines = [line for line in self._lines if line]
        if not lines:
            return None
        oldest = min(lines, key=lambda line: line[0][0])
        line = oldest if now - oldest[0][0] >= AGED_S else lines[0]
        return line.popleft()[1]
