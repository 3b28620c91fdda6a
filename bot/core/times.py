"""Times as marketers write them: how long, and until when. Source: journey-language.md 2.3, "Time in files"."""

import hashlib
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Literal, TypeAlias

from bot.core.expressions.tree import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """Working time: `4h working` (`hours`), or `2d working` (`days`), in the calendar of the customer's dealer."""

    hours: timedelta = timedelta(0)
    days: int = 0


Span: TypeAlias = timedelta | Working
"""How long something lasts: elapsed time, or working time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WallClock:
    """The next moment at which the customer's clock shows `at`, from the moment of asking on.

    `day`: any; tomorrow; a weekday (the next one, not today), 0 is Monday; month_end, the last day of this month.
    """

    at: time
    day: Literal["any", "tomorrow", "weekday", "month_end"] = "any"
    weekday: int = 0


Until: TypeAlias = WallClock | Expression
"""A moment: a phrase, worked out once, or an expression, worked out again whenever a value it reads changes."""


def part_of(length: timedelta, *what: object) -> timedelta:
    """A part of `length` that looks as if it were drawn, and is the same whenever it is asked of the same things."""
    digest = hashlib.sha256("|".join(str(one) for one in what).encode()).digest()
    return length * (int.from_bytes(digest[:4], "big") / 2**32)
