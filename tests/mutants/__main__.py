"""The share of mutants that the shipped journeys' own tests kill, and which survive."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bot.authoring import load, load_trials
from bot.authoring.trials import TrialFile
from bot.core.library import Library
from tests.mutants.changes import mutants
from tests.mutants.killing import killer, without_deaths

ROOT = Path(__file__).parents[2]
GOAL = 0.85


def main() -> int:
    """0: the goal is met. 1: it is not."""
    options = argparse.ArgumentParser(prog="python -m tests.mutants")
    options.add_argument("journeys", nargs="*", metavar="JOURNEY")
    asked = options.parse_args()
    loaded = load(ROOT / "journeys", ROOT / "content", templates=None)
    assert loaded.library is not None, "the shipped journeys have no errors"
    trials = load_trials(ROOT / "journeys", loaded.drafts)
    assert not trials.broken, "nor have their tests"
    files = [without_deaths(file) for file in trials.files]
    names = asked.journeys or sorted({file.journey for file in files})
    killed = total = 0
    for name in names:
        done, met = _one(loaded.library, files, name)
        killed, total = killed + met, total + done
    share = killed / total if total else 0.0
    sys.stdout.write(f"killed {killed} of {total} mutants: {share:.1%} (goal {GOAL:.0%})\n")
    return 0 if share >= GOAL else 1


def _one(library: Library, files: Sequence[TrialFile], name: str) -> tuple[int, int]:
    started, kinds, killed = time.monotonic(), Counter[str](), Counter[str]()
    for mutant in mutants(library.journeys[name]):
        kinds[mutant.kind] += 1
        if killer(library, files, mutant):
            killed[mutant.kind] += 1
        else:
            sys.stdout.write(f"  survives: {mutant.what}\n")
    told = "  ".join(f"{kind} {killed[kind]}/{kinds[kind]}" for kind in sorted(kinds))
    sys.stdout.write(f"{name}: {told}   {time.monotonic() - started:.1f} s\n")
    sys.stdout.flush()
    return sum(kinds.values()), sum(killed.values())


if __name__ == "__main__":
    sys.exit(main())
