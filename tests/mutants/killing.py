"""Playing the tests on a mutant until one fails."""

from collections.abc import Sequence
from dataclasses import replace

from bot.authoring.trials import TrialFile
from bot.core.library import Library
from bot.core.program import compile_library
from bot.sandbox.trials.run import play_all
from tests.mutants.changes import Mutant


def without_deaths(file: TrialFile) -> TrialFile:
    """The file without the tests that play others again: what they would notice, those notice as well."""
    return replace(file, trials=tuple(trial for trial in file.trials if not trial.repeat))


def killer(library: Library, files: Sequence[TrialFile], mutant: Mutant) -> str:
    """The first case that fails on the mutant; empty: it survives. Its own journey's tests are played first."""
    changed = replace(library, journeys={**library.journeys, mutant.journey.journey: mutant.journey})
    program = compile_library(changed)
    own = [file for file in files if file.journey == mutant.journey.journey]
    others = [file for file in files if file.journey != mutant.journey.journey]
    for file in (*own, *others):
        for trial in file.trials:
            outcome = play_all(program, [replace(file, trials=(trial,))])
            if outcome.failed:
                return f"{file.journey}: {trial.name}"
    return ""
