"""Choices, each one throw: what random stories are made with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dice:
    """The first of every choice is the simplest, so that Hypothesis shrinks towards it."""

    throw: Callable[[], int]

    def pick(self, options: Sequence[T]) -> T:
        return options[self.throw() % len(options)]

    def perhaps(self, options: Sequence[T], *, one_in: int) -> T | None:
        return self.pick(options) if self.throw() % one_in == one_in - 1 else None

    def some(self, options: Sequence[T], most: int) -> tuple[T, ...]:
        return tuple(self.pick(options) for _ in range(self.throw() % (most + 1)))
