"""How somebody outside turns the emulator's clock. Source: delivery.md 6.2."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from bot.sandbox.clock import VirtualClock

TURN_MAX = timedelta(days=366)
"""The furthest one turn goes; a year is beyond every window and every token."""


class BadTurn(ValueError):
    """The request does not say where to, or says what no clock can do."""


class NotOurs(Exception):
    """The clock belongs to somebody else, who turns it together with the product's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Forward by so much."""

    delta: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class To:
    """Forward to this moment."""

    at: datetime


Turn: TypeAlias = By | To


def read_turn(raw: bytes) -> Turn:
    """`{"advance_s": SECONDS}` or `{"to": "ISO 8601 with zone"}`. BadTurn: neither."""
    try:
        asked = json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise BadTurn("body is not JSON") from error
    match asked:
        case {"advance_s": int() | float() as seconds} if len(asked) == 1 and not isinstance(seconds, bool):
            if not 0 <= seconds <= TURN_MAX.total_seconds():
                raise BadTurn(f"`advance_s` is not between 0 and {TURN_MAX.total_seconds():.0f}")
            return By(delta=timedelta(seconds=seconds))
        case {"to": str() as text} if len(asked) == 1:
            try:
                return To(at=datetime.fromisoformat(text))
            except ValueError as error:
                raise BadTurn("`to` is not a moment in ISO 8601") from error
        case _:
            raise BadTurn('wanted: {"advance_s": SECONDS} or {"to": "ISO 8601 with zone"}')


def turned(clock: VirtualClock, turn: Turn) -> datetime:
    """Turn `clock`, and return its new time. BadTurn: backwards, too far, or to a moment without a zone."""
    if isinstance(turn, By):
        clock.advance(turn.delta)
        return clock.now()
    if turn.at.tzinfo is None:
        raise BadTurn("`to` has no time zone")
    delta = turn.at - clock.now()
    if not timedelta(0) <= delta <= TURN_MAX:
        raise BadTurn(f"`to` is not between now ({clock.now().isoformat()}) and {TURN_MAX.days} days later")
    clock.advance(delta)
    return clock.now()
