"""Mutants of journeys: which there are, and that a test which looks kills what a test which does not lets live."""

from dataclasses import replace

from bot.core.library import Library
from tests.mutants.changes import mutants
from tests.mutants.killing import killer, without_deaths

from .stage import Play, of_steps


def library_of(played: Play) -> Library:
    found = played(of_steps("event: oa.follow")).library
    assert found is not None
    return found


def test_every_guard_wait_and_goto_that_is_written_makes_mutants(played: Play) -> None:
    journey = library_of(played).journeys["round"]
    found = list(mutants(journey))
    told = "\n".join(mutant.what for mutant in found)
    assert "round.states.want.timeout.goto: rest → help" in told
    assert "round.states.want.timeout.after: 2:00:00 → 1:00:00" in told
    assert "round.states.rest.when: window.open and counts.rest < 1 → and/or" in told
    assert "round.states.rest.when: window.open and counts.rest < 1 → +1" in told
    assert "max_age" not in told
    assert all(mutant.journey != journey for mutant in found)
    assert {mutant.kind for mutant in found} == {"goto", "wait", "guard"}


def test_a_test_that_looks_kills_the_mutant_and_one_that_does_not_lets_it_live(played: Play) -> None:
    played_once = played(of_steps("event: oa.follow\nwait: 1h59m\nexpect: {state: want}"))
    assert played_once.library is not None
    assert played_once.outcome is not None
    (file,) = [without_deaths(report.file) for report in played_once.outcome.reports]
    early = next(one for one in mutants(played_once.library.journeys["round"]) if one.what.endswith("→ 1:00:00"))
    assert killer(played_once.library, [file], early) == "round: 一个测试"
    (trial,) = file.trials
    blind = replace(file, trials=(replace(trial, steps=trial.steps[:1]),))
    assert killer(played_once.library, [blind], early) == ""
