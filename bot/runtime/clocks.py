"""Whether the machine's clocks can be believed; while they cannot, no timer fires (delivery.md 2.6).

Two faults are told apart: the wall clock jumps against the monotonic one, and the wall clock is another than the
database server's. The application's clock is not looked at: the sandbox turns it as it likes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

JUMP_MAX = timedelta(seconds=30)
"""How far the wall clock may part from the monotonic one between two looks."""
SKEW_MAX = timedelta(seconds=5)
"""How far the wall clock may be from the database's."""
SKEW_EVERY_S = 60.0
"""The database is asked for its time no more often than this."""

log = structlog.get_logger(__name__)


def _wall() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinePair:
    """The two clocks of a machine. `monotonic`: seconds that never run back."""

    wall: Callable[[], datetime] = _wall
    monotonic: Callable[[], float] = time.monotonic


class Clocks:
    """Looks at the clocks whenever it is asked, and remembers since when they disagree."""

    def __init__(self, machine: MachinePair | None = None) -> None:
        machine = machine or MachinePair()
        self._machine = machine
        self._agreed_wall, self._agreed_s = machine.wall(), machine.monotonic()
        self._skew_asked_s = float("-inf")
        self._jump = timedelta(0)
        self._skew = self._confirmed_skew = timedelta(0)
        self._told = False

    @property
    def trouble(self) -> str:
        """Why the clocks are not believed now; "": they are."""
        self._look()
        if abs(self._jump) > JUMP_MAX:
            return f"the wall clock jumped by {self._jump.total_seconds():+.0f} s: timers are held"
        if min(abs(self._skew), abs(self._skew - self._confirmed_skew)) > SKEW_MAX:
            return f"the wall clock is {self._skew.total_seconds():+.1f} s off the database's: timers are held"
        return ""

    def asks_database(self) -> bool:
        """Whether it is time to compare with the database's clock. True once in `SKEW_EVERY_S`."""
        now_s = self._machine.monotonic()
        if now_s - self._skew_asked_s < SKEW_EVERY_S:
            return False
        self._skew_asked_s = now_s
        return True

    def compare(self, asked_at: datetime, server_at: datetime, answered_at: datetime) -> None:
        """Take in what the database's clock showed between two looks at ours; a slow answer is no skew."""
        if server_at < asked_at:
            self._skew = asked_at - server_at
        elif server_at > answered_at:
            self._skew = answered_at - server_at
        else:
            self._skew = timedelta(0)
        if abs(self._skew) <= SKEW_MAX:
            self._confirmed_skew = timedelta(0)

    def wall(self) -> datetime:
        """The machine's wall clock."""
        return self._machine.wall()

    def confirm(self) -> None:
        """An operator says that the wall clock is right as it is now, the database's as far off as it was found."""
        self._agreed_wall, self._agreed_s = self._machine.wall(), self._machine.monotonic()
        self._jump, self._confirmed_skew = timedelta(0), self._skew

    def _look(self) -> None:
        wall, now_s = self._machine.wall(), self._machine.monotonic()
        self._jump = wall - self._agreed_wall - timedelta(seconds=now_s - self._agreed_s)
        held = abs(self._jump) > JUMP_MAX
        if not held:
            # Small steps of a time server add up to nothing: each look begins anew.
            self._agreed_wall, self._agreed_s = wall, now_s
        if held != self._told:
            self._told = held
            log.error("clock_jumped" if held else "clocks_agree_again", by_s=self._jump.total_seconds())
