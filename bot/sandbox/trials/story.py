"""What happened to the customer of a test, read from the journal: the way of the journey, effects, guards, reasons."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.authoring.trials import Wanted
from bot.core.effects import Trace
from bot.core.events import Json
from bot.core.ids import EnrolmentId
from bot.core.step.scope import MASK
from bot.storage import JournalLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line of the journal: what was decided at `at`. `because` says in words what it was decided on."""

    at: datetime
    trace: Trace
    because: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A guard that was evaluated, with the values that it read."""

    at: datetime
    state: str
    source: str
    holds: bool
    values: Mapping[str, Json]
    because: str


@dataclass(slots=True, kw_only=True)
class Story:
    """`journey` is the one that is tested; of several runs of it, the latest counts.

    `path`: the states that this run has entered. `end`: how it ended, empty while it lives. `mark`: how many lines
    were told before the last `expect`. `variants`: of planned messages, by effect.
    """

    journey: str
    told: list[Told] = field(default_factory=list)
    run: EnrolmentId | None = None
    path: list[str] = field(default_factory=list)
    end: str = ""
    stuck: str = ""
    goal: bool = False
    answers: dict[str, Json] = field(default_factory=dict)
    mark: int = 0
    variants: dict[str, str] = field(default_factory=dict)
    journal: list[JournalLine] = field(default_factory=list)

    @property
    def state(self) -> str:
        """Where the run stands, or stood when it ended; empty: it has not begun."""
        return self.path[-1] if self.path else ""

    def add(self, line: JournalLine, because: str) -> None:
        """Take in one more line of the journal; `because`: what it was written for, in words."""
        self.journal.append(line)
        for trace in line.entries:
            self.told.append(Told(at=line.at, trace=trace, because=because, number=len(self.journal)))
            if trace.kind == "planned":
                self.variants[str(trace.detail.get("effect"))] = str(trace.detail.get("variant") or "")
            if trace.journey == self.journey:
                self._follow(trace)

    def _follow(self, trace: Trace) -> None:
        match trace.kind:
            case "entered":
                self.run, self.end, self.stuck, self.goal = trace.enrolment_id, "", "", False
                self.path, self.answers = [], {}
            case "moved" if trace.enrolment_id == self.run:
                self.path.append(str(trace.detail.get("to")))
            case "ended" if trace.enrolment_id == self.run:
                self.end = str(trace.detail.get("end"))
            case "goal" if trace.enrolment_id == self.run:
                self.goal = True
            case "answered" if trace.enrolment_id == self.run and trace.detail.get("value") not in (None, MASK):
                self.answers[str(trace.detail.get("slot"))] = trace.detail.get("value")
            case "error" if trace.enrolment_id == self.run and trace.detail.get("outcome") == "stuck":
                self.stuck = str(trace.detail.get("error"))
            case _:
                return

    def lately(self) -> Sequence[Told]:
        """What was told since the last `expect`."""
        return self.told[self.mark :]

    def guards(self) -> Iterator[Guard]:
        """The guards of the journey, the latest first."""
        for one in reversed(self.told):
            detail = one.trace.detail
            if one.trace.kind == "guard" and one.trace.journey == self.journey:
                values = detail.get("values")
                yield Guard(
                    at=one.at,
                    state=one.trace.state,
                    source=str(detail.get("guard")),
                    holds=detail.get("holds") is True,
                    values=values if isinstance(values, dict) else {},
                    because=one.because,
                )

    def effects(self) -> list[Wanted]:
        """What was done since the last `expect`, as `effects` names it, in order."""
        return [found for one in self.lately() for found in effects_of(one.trace)]


def effects_of(trace: Trace) -> Iterator[Wanted]:
    """The effects that one line tells of: none, or one."""
    detail = trace.detail
    match trace.kind:
        case "planned" if detail.get("way") != "task":
            yield Wanted(kind="send", name=str(detail.get("content")))
        case "task" if detail.get("outcome") == "offered" and detail.get("task_kind") == "task":
            yield Wanted(kind="task", name=str(detail.get("to")))
        case "tag":
            yield Wanted(kind="-tag" if detail.get("removed") else "tag", name=str(detail.get("tag")))
        case "score" | "points":
            yield Wanted(kind=trace.kind, name=str(detail.get("add")))
        case "handoff" if detail.get("outcome") == "offered":
            yield Wanted(kind="handoff")
        case "errand" if detail.get("errand") != "points":
            yield Wanted(kind=str(detail.get("errand")), name=str(detail.get("name")))
        case "entered":
            kind, _, _ = str(detail.get("cause")).partition(":")
            if kind in ("start", "call"):
                yield Wanted(kind=kind, name=trace.journey)
        case _:
            name = _NAMED.get(trace.kind)
            if name is not None:
                yield Wanted(kind=trace.kind, name=str(detail.get(name, "")) if name else "")


_NAMED: Mapping[str, str] = {
    "set": "name",
    "lead": "",
    "note": "",
    "consent": "purpose",
    "opt_out": "scope",
    "goal": "goal",
    "emit": "event",
    "stage": "stage",
}
"""Which detail of a line stands behind the kind; empty: nothing does."""
