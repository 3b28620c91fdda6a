"""The detail of a trace, read without surprises: what is missing or of another type is simply empty."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bot.core.effects import Trace
from bot.core.events import Json
from bot.runtime.why.line import Tone, Wall, shortened
from bot.runtime.why.reasons import because


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The wording of one trace. `outcome` is what a program may branch on."""

    text: str
    tone: Tone = "info"
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One trace, and the wall clock by which its moments are told."""

    trace: Trace
    wall: Wall

    def text(self, name: str) -> str:
        """The value as one short line without telephone numbers; empty when it is absent or null."""
        value = self.trace.detail.get(name)
        return "" if value is None else shortened(str(value))

    def source(self, name: str) -> str:
        """An author's own words on one line, whole: a guard that is cut explains nothing."""
        return " ".join(str(self.trace.detail.get(name) or "").split())

    def flag(self, name: str) -> bool:
        """Whether the value is true, and not merely something."""
        return self.trace.detail.get(name) is True

    def spelled(self, name: str) -> str:
        return self.wall.spelled(self.trace.detail.get(name))

    def moment(self, name: str) -> str:
        """The moment as it looks on the wall; empty when it is absent or null."""
        return self.wall.written(self.trace.detail.get(name)) if self.text(name) else ""

    def values(self) -> Mapping[str, Json]:
        """What was looked at."""
        found = self.trace.detail.get("values")
        return found if isinstance(found, Mapping) else {}

    def because(self) -> str:
        """The `reason` in words, with the values it was decided by."""
        purpose = self.trace.detail.get("purpose")
        return because(self.text("reason"), self.values() or ({"purpose": purpose} if purpose else {}), self.wall)

    @property
    def journey(self) -> str:
        """The journey, in words when none stood behind it."""
        return self.trace.journey or "（不属于任何旅程）"


Words: TypeAlias = Mapping[str, Callable[[Detail], Said]]
"""Kinds of traces with the function that words them."""
