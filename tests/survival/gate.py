"""How much may be open at once: people write no faster than the product answers, or a run shows a backlog and no more.

A platform gives a callback up after three deliveries, and a window of a minute ends while a greeting waits: with more
people than the product can answer nothing that comes late, or never, says anything about deaths.
"""

from dataclasses import dataclass, field

CLOSED_MAX_S = 180.0
"""Longer than an account rests and than a stopped product sleeps: what is still open then is stuck, and stays so."""


@dataclass(slots=True)
class Gate:
    """Open while fewer than `open_max` callbacks wait for an answer and messages wait for their turn, together.

    `callbacks`, `messages`: as they were last counted, and every act since. A gate that does not open for
    `CLOSED_MAX_S` stays open from then on: a defect keeps something open for ever, and people must go on to show it.
    """

    open_max: int
    callbacks: int = 0
    messages: int = 0
    is_given_up: bool = field(default=False, init=False)
    _closed_since: float | None = field(default=None, init=False)

    def passed(self) -> None:
        """Somebody has acted."""
        self.callbacks += 1

    def is_open(self, now_s: float) -> bool:
        """Whether somebody may act. `now_s`: of a clock that only goes on."""
        if self.is_given_up or self.callbacks + self.messages < self.open_max:
            self._closed_since = None
            return True
        if self._closed_since is None:
            self._closed_since = now_s
        self.is_given_up = now_s - self._closed_since > CLOSED_MAX_S
        return self.is_given_up
