"""What tests have seen of a journey: states entered, ways taken, guards that held and that did not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.core.effects import Trace
from bot.core.errands import FULL
from bot.core.journey import Journey
from bot.sandbox.trials.ways import ANYWHERE, Question, Way, questions_of, ways_of
from bot.storage import JournalLine

_TIMERS = {"wait": "then", "timeout": "timeout", "accept": "fallback"}
_NAMED = "@"
_ANSWERED = frozenset({"taken", "confirmed", "skipped", "remembered", "prefilled"})


@dataclass(slots=True)
class Coverage:
    """Grows with every play that is added."""

    journey: Journey
    states: set[str] = field(default_factory=set)
    taken: set[Way] = field(default_factory=set)
    answers: set[tuple[Question, bool]] = field(default_factory=set)
    ways: tuple[Way, ...] = ()
    questions: tuple[Question, ...] = ()

    def __post_init__(self) -> None:
        self.ways, self.questions = ways_of(self.journey), questions_of(self.journey)

    def add(self, journal: Sequence[JournalLine]) -> None:
        """Count what happened in one play, whichever journey it was played for."""
        for line in journal:
            causes: dict[str, str] = {}
            for trace in line.entries:
                self._look(trace, causes)

    def _look(self, trace: Trace, causes: dict[str, str]) -> None:
        if trace.kind == "timer":
            causes[str(trace.detail.get("owner"))] = _timer(str(trace.detail.get("timer")))
        if trace.kind == "guard":
            self._answer(trace)
        run = trace.enrolment_id
        if run is None:
            return
        if trace.kind == "moved":
            self._move(trace, causes.pop(run, ""))
        else:
            causes[run] = _cause(trace) or causes.get(run, "")

    def _answer(self, trace: Trace) -> None:
        source, holds = str(trace.detail.get("guard")), trace.detail.get("holds") is True
        for question in self.questions:
            is_here = trace.journey == self.journey.journey and question.state in ("", trace.state)
            is_before = not trace.journey and not question.state
            if question.source == source and (is_here or is_before):
                self.answers.add((question, holds))

    def _move(self, trace: Trace, cause: str) -> None:
        if trace.journey != self.journey.journey:
            return
        target = str(trace.detail.get("to"))
        self.states.add(target)
        fitting = [way for way in self.ways if way.goto == target and way.state in (trace.state, ANYWHERE)]
        exact = [way for way in fitting if _is_taken(way, cause)]
        own = [way for way in fitting if way.state == trace.state]
        if exact:
            self.taken.add(exact[0])
        elif len(own) == 1 and not cause.startswith("error"):
            self.taken.add(own[0])

    @property
    def outcomes(self) -> int:
        """Guard outcomes that were seen, of two for each guard."""
        return len(self.answers)

    def missing(self) -> Iterator[str]:
        """The names of everything that no test has seen."""
        yield from (state for state in self.journey.states if state not in self.states)
        seen = self.taken
        yield from (way.name for way in self.ways if way not in seen)
        for question in self.questions:
            place = f"{question.state}: " if question.state else ""
            for holds in (True, False):
                if (question, holds) not in self.answers:
                    yield f"{place}{question.source} 为{'真' if holds else '假'}"


def _timer(name: str) -> str:
    return _TIMERS.get(name, f"timer:{name.removeprefix(_NAMED)}")


def _cause(trace: Trace) -> str:
    """What a line says about why the run moves next; empty: nothing."""
    detail = trace.detail
    match trace.kind:
        case "answered":
            return "then" if detail.get("outcome") in _ANSWERED else ""
        case "unparsed":
            return "unparsed"
        case "heard":
            return f"heard:{detail.get('event')}"
        case "error" if detail.get("outcome") == "handled":
            return f"error:{detail.get('error')}"
        case "guard":
            return f"guard:{detail.get('holds') is True}:{detail.get('guard')}"
        case "handoff" if detail.get("outcome") != "offered":
            return "fallback"
        case "floor" if detail.get("outcome") == "too_late_to_resume":
            return "timeout"
        case "exit":
            return "goal" if detail.get("by") == "goal" else f"exit:{detail.get('by')}"
        case "split":
            return f"split:{detail.get('arm')}"
        case _:
            return ""


def _is_taken(way: Way, cause: str) -> bool:
    kind, _, rest = way.cause.partition(":")
    match kind:
        case "arm":
            return cause == f"guard:True:{rest}" if rest else cause.startswith("guard:False") or cause == ""
        case "else":
            return cause.startswith("guard:False")
        case "then":
            return cause in ("then", "") or cause.startswith("guard:True")
        case "error":
            return cause.startswith("error:") and _names(rest, cause.partition(":")[2])
        case "exit":
            return cause == way.cause or (not rest and cause.startswith("guard:True"))
        case "full" | "fail":
            return cause.startswith("error:") and (kind == "fail" or cause == f"error:{FULL}")
        case _:
            return way.cause == cause


def _names(rule: str, error: str) -> bool:
    family = rule.removesuffix(".*")
    return rule in ("", "*") or error == family or error.startswith(f"{family}.")
