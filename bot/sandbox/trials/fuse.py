"""Where the product dies in a test, and how often it got there: the points C1 to C4 of journey-language.md 3.5."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.authoring.trials import CrashPoint
from bot.core.effects import SendMessage


class Crashed(Exception):
    """The process is dead. Nothing but the database and the world outside is left of it."""


@dataclass(slots=True, kw_only=True)
class Fuse:
    """Goes off once, when `point` is reached for the time with this number (from 1). Without point it only counts.

    `struck`: messages that were under way then, so that nobody knows what became of them. `was_taken`: how many of
    them, from the first, the platform had taken.
    """

    point: CrashPoint | None = None
    number: int = 1
    counted: Counter[CrashPoint] = field(default_factory=Counter)
    struck: tuple[SendMessage, ...] = ()
    was_taken: int = 0
    went_off: bool = False

    def reach(self, point: CrashPoint, under_way: Sequence[SendMessage] = ()) -> None:
        """The product has come to this point. Crashed: it goes no further."""
        self.counted[point] += 1
        if point == self.point and self.counted[point] == self.number and not self.went_off:
            self.went_off = True
            self.struck = tuple(under_way)
            self.was_taken = 1 if point == "C4" else 0
            raise Crashed
