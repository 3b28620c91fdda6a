"""All tests of some files, one case after the other."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.authoring.read_watch import parse_watch
from bot.authoring.source import Span
from bot.authoring.trials import Trial, TrialFile
from bot.core import watching
from bot.core.journey import Journey
from bot.core.program import Program
from bot.core.states import Ask, Book, CallJourney, Handoff, State, Wait, Webhook
from bot.errors import BotError
from bot.sandbox.trials import crashing
from bot.sandbox.trials.coverage import Coverage
from bot.sandbox.trials.fuse import Fuse
from bot.sandbox.trials.house import House
from bot.sandbox.trials.judge import judge
from bot.sandbox.trials.play import Failure, Play, Theatre, begin
from bot.sandbox.trials.sights import sights
from bot.sandbox.trials.wording import elapsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What became of one case. `variant`: the state or the crash point it was played for, empty: the test itself."""

    name: str
    span: Span
    variant: str = ""
    failures: tuple[Failure, ...] = ()
    plays: int = 1
    took_s: float = 0.0

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass(slots=True, kw_only=True)
class Report:
    """What became of the tests of one file."""

    file: TrialFile
    tests: int = 0
    cases: list[Case] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """How many cases failed."""
        return sum(not case.passed for case in self.cases)

    @property
    def took_s(self) -> float:
        return sum(case.took_s for case in self.cases)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Everything that was played. `coverage` by journey, of those that have tests."""

    reports: list[Report] = field(default_factory=list)
    coverage: dict[str, Coverage] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """How many cases failed."""
        return sum(report.failed for report in self.reports)


def play_all(program: Program, files: Sequence[TrialFile], *, product: type[House] = House) -> Outcome:
    """Play every test of `files`. Whatever goes wrong in a test is a failure of it.

    `product`: what is tested; whoever tests the tests may put a worse one there.
    """
    theatre = Theatre.build(program, product)
    journeys = {file.journey: program.journey(file.journey) for file in files}
    outcome = Outcome(coverage={name: Coverage(journey) for name, journey in journeys.items()})
    rules = _rules_of(journeys)
    try:
        for file in files:
            report = Report(file=file, tests=len(file.trials))
            for trial in file.trials:
                report.cases += _cases(
                    theatre, file, trial, _Watch(outcome.coverage, file, rules.get(file.journey, ()))
                )
            outcome.reports.append(report)
    finally:
        theatre.database.close()
    return outcome


def _rules_of(journeys: Mapping[str, Journey]) -> dict[str, tuple[watching.Property, ...]]:
    """The properties that each journey itself names."""
    found: dict[str, tuple[watching.Property, ...]] = {}
    for name, journey in journeys.items():
        found[name] = tuple(parse_watch(one.kind, one.text) for one in journey.rules)
    return found


@dataclass(frozen=True, slots=True)
class _Watch:
    """Looks at every play: for coverage, and for the properties of file and journey."""

    coverage: Mapping[str, Coverage]
    file: TrialFile
    rules: tuple[watching.Property, ...]

    def look(self, play: Play, span: Span) -> None:
        """Count what was seen; add what broke a property to the failures."""
        for coverage in self.coverage.values():
            coverage.add(play.story.journal)
        if not (self.rules or self.file.rules):
            return
        seen = [*_given_sights(play), *sights(play.program, play.story.told, play.outside.deliveries)]
        for watcher in self.file.rules:
            self._judge(play, seen, watcher.property, watcher.span)
        for rule in self.rules:
            self._judge(play, seen, rule, span)

    def _judge(self, play: Play, seen: Sequence[watching.Sight], rule: watching.Property, span: Span) -> None:
        for breach in watching.breaches(rule, seen, until=play.now):
            named = ""
            if breach.sight is not None:
                name = breach.sight.fields.get(watching.FIELDS[breach.sight.kind][0])
                named = f"：{breach.sight.kind} {name}"
            text = f"违反规则 “{rule.text}”{named}（{elapsed(play.began_at, breach.at)}）"
            play.failures.append(Failure(span=span, text=text))
            return


def _given_sights(play: Play) -> Iterator[watching.Sight]:
    """Consents that were given before the test began."""
    for purpose, consent in play.customer().consents.items():
        if consent.at <= play.began_at:
            fields = {"purpose": purpose, "granted": consent.granted, "journey": ""}
            yield watching.Sight(kind="consent", at=play.began_at, fields=fields)


def _cases(theatre: Theatre, file: TrialFile, trial: Trial, watch: _Watch) -> Iterator[Case]:
    if trial.repeat:
        yield from _crashes(theatre, file, trial, watch)
    elif trial.for_each_state:
        for state in resting(theatre.program.journey(file.journey)):
            yield _case(theatre, file, replace(trial, given=replace(trial.given, state=state)), watch, variant=state)
    else:
        yield _case(theatre, file, trial, watch)


def resting(journey: Journey) -> tuple[str, ...]:
    """The states in which a customer may be found: those that wait for something."""
    return tuple(name for name, state in journey.states.items() if _waits(state))


def _waits(state: State) -> bool:
    return isinstance(state.doing, Ask | Wait | Handoff | CallJourney | Book | Webhook)


def _case(theatre: Theatre, file: TrialFile, trial: Trial, watch: _Watch, *, variant: str = "") -> Case:
    started = time.perf_counter()
    failures = _played(theatre, file, trial, watch, variant)
    took_s = time.perf_counter() - started
    return Case(name=trial.name, span=trial.span, variant=variant, failures=tuple(failures), took_s=took_s)


def _played(theatre: Theatre, file: TrialFile, trial: Trial, watch: _Watch, state: str) -> list[Failure]:
    try:
        play = begin(theatre, file, trial, Fuse())
    except BotError as error:
        return [Failure(span=trial.span, text=error.what)]
    if state and play.story.state != state:
        return [Failure(span=trial.span, text=f"不能从状态 {state} 开始：它马上去了 {play.story.state or '别处'}")]
    play.perform(trial, judge)
    watch.look(play, trial.span)
    return play.failures


def _crashes(theatre: Theatre, file: TrialFile, trial: Trial, watch: _Watch) -> Iterator[Case]:
    """One case for each point: all deaths there."""
    found: dict[str, list[Failure]] = {}
    plays: dict[str, int] = {}
    started = time.perf_counter()
    try:
        for point, play in crashing.replay(theatre, file, trial):
            watch.look(play, trial.span)
            found.setdefault(point, []).extend(play.failures)
            plays[point] = plays.get(point, 0) + 1
    except BotError as error:
        yield Case(name=trial.name, span=trial.span, failures=(Failure(span=trial.span, text=error.what),))
        return
    took_s = (time.perf_counter() - started) / max(1, len(trial.crash))
    for point in trial.crash:
        failures = found.get(point, [])
        if point not in plays and not any(found.values()):
            failures = [Failure(span=trial.span, text=f"“{trial.repeat}” 一次也没有走到 {point}")]
        yield Case(
            name=trial.name,
            span=trial.span,
            variant=point,
            failures=tuple(failures),
            plays=plays.get(point, 0),
            took_s=took_s,
        )
