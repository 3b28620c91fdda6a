"""Numbers that a platform hands out once: message ids and template jobs."""

from datetime import datetime

_STEPS_PER_MS = 1000


class Numbers:
    """Ever growing 64-bit numbers.

    They begin at the real time, so that an emulator started anew never repeats one that the side under test has
    already seen and would drop as a duplicate.
    """

    def __init__(self, real_now: datetime) -> None:
        self._last = int(real_now.timestamp() * 1000) * _STEPS_PER_MS

    def next(self) -> int:
        """A number that was never given before."""
        self._last += 1
        return self._last
