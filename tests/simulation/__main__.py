"""`python -m tests.simulation`: plays seeds, and tells the command that plays a failing one again."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

from tests.defects import DEFECTS, planted
from tests.simulation.chance import insist_on_hash_seed
from tests.simulation.seed import Verdict, quiet, run
from tests.simulation.swarm import PLOTS

STORY_LINES = 60
"""Lines of a failing seed's story that are shown without `--trace`."""
JOBS_MAX = 8


def main() -> int:
    """0 when every invariant held, 1 when one did not."""
    asked = _asked()
    insist_on_hash_seed()
    if asked.jobs > 1:
        return _in_parts(asked)
    quiet()
    began, played, failed = time.monotonic(), 0, 0
    with ExitStack() as defects:
        if asked.defect:
            _say(f"planted: {defects.enter_context(planted(asked.defect)).what}")
        for seed in _seeds(asked):
            if asked.minutes and time.monotonic() - began > asked.minutes * 60:
                break
            verdict = run(seed, plot=asked.plot)
            played += 1
            failed += bool(verdict.broken)
            _tell(verdict, asked)
            if asked.first and verdict.broken:
                break
    _say(f"{played} seeds, {failed} failed, {time.monotonic() - began:.1f} s")
    return 1 if failed else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one and tell its story")
    parser.add_argument("--seeds", metavar="A..B", default="1..100", help="play these, B included")
    parser.add_argument("--minutes", type=float, default=0.0, help="stop after so long")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument("--trace", action="store_true", help="tell everything that happened")
    parser.add_argument("--digest", action="store_true", help="print the hash of each seed's log")
    parser.add_argument("--defect", choices=sorted(DEFECTS), help="with this defect in the product")
    parser.add_argument("--plot", choices=sorted(set(PLOTS)), help="let everybody play this, whatever the seed draws")
    parser.add_argument("--first", action="store_true", help="stop at the first seed that fails")
    asked = parser.parse_args()
    asked.jobs = min(asked.jobs, JOBS_MAX)
    return asked


def _seeds(asked: argparse.Namespace) -> Iterator[int]:
    if asked.seed is not None:
        yield asked.seed
        return
    first, _, last = asked.seeds.partition("..")
    yield from range(int(first), int(last or first) + 1)


def _tell(verdict: Verdict, asked: argparse.Namespace) -> None:
    if asked.digest:
        _say(f"seed {verdict.seed} {verdict.digest}")
    if asked.trace:
        _say("\n".join(verdict.log))
    elif asked.seed is not None:
        _say(verdict.swarm.told())
        _say("\n".join(verdict.log[-STORY_LINES:]))
    if verdict.broken:
        defect = f" --defect {asked.defect}" if asked.defect else ""
        _say(f"seed {verdict.seed}: {verdict.swarm.told()}")
        _say("\n".join(f"  {fault}" for fault in verdict.broken))
        plot = f" --plot {asked.plot}" if asked.plot else ""
        _say(f"  again: uv run python -m tests.simulation --seed {verdict.seed}{defect}{plot} --trace")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _in_parts(asked: argparse.Namespace) -> int:
    """Give each process its share of the seeds."""
    seeds = list(_seeds(asked))
    share = -(-len(seeds) // asked.jobs)
    parts = [seeds[start : start + share] for start in range(0, len(seeds), share)]
    command = [sys.executable, "-m", "tests.simulation", f"--minutes={asked.minutes}"]
    command += [f"--defect={asked.defect}"] if asked.defect else []
    command += [f"--plot={asked.plot}"] if asked.plot else []
    running = [subprocess.Popen([*command, f"--seeds={part[0]}..{part[-1]}"], env=os.environ) for part in parts]
    return max(process.wait() for process in running)


if __name__ == "__main__":
    sys.exit(main())
