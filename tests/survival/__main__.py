"""`zhitu bench survive`: kill the product while people write to it, and let the checker judge what they saw.

Exit code 0: every column is 0, and as much was done to the product as was asked for. 1: it was not. 2: the run could
not be made.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any  # Any: JSON

from tests.bench.command import Parser
from tests.survival import outside, power
from tests.survival.checker.judging import Verdict, judge
from tests.survival.checker.reading import read
from tests.survival.checker.report import as_object, as_text
from tests.survival.director import Director
from tests.survival.plan import Options

ALL = "all"
TURNED_AWAY_MAX = 0.01
"""The share of events that may have been given up by the platform; more, and the run shows a backlog."""
STANDSTILL_MAX_S = 5.0
"""So long the platforms wait for the answer to a callback: standing still for longer, they miss it."""
CALM_WITH_DEFECT_S = 45.0
"""A product with a defect may never come to rest."""


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = Parser(prog="zhitu bench survive", usage="%(prog)s [选项]", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    parser.add_argument("--events", type=int, default=Options.events, help="events that the product takes in, in all")
    parser.add_argument("--kills", type=int, default=Options.kills, help="SIGKILLs, at labelled points and at random")
    parser.add_argument("--cuts", type=int, default=Options.cuts, help="power cuts: what was not synced may be lost")
    parser.add_argument("--stop", type=float, default=Options.stop_s, help="seconds of one SIGSTOP; 130 is two leases")
    parser.add_argument("--seed", type=int, default=Options.seed)
    parser.add_argument("--minutes", type=float, default=0.0, help="end after so long, whatever --events says")
    parser.add_argument("--at-once", type=int, default=Options.at_once, help="buyers who are there at the same time")
    parser.add_argument("--open", type=int, default=Options.open_max, help="people pause while so much is unanswered")
    parser.add_argument("--no-faults", action="store_true", help="the platforms behave")
    parser.add_argument("--defect", default="", help=f"plant a defect by its name; `{ALL}`: each alone")
    parser.add_argument("--work", type=Path, help="where the run is kept; a temporary folder unless given")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Run, judge, print."""
    options = arguments(given)
    if options.defect == ALL:
        return all_defects(options)
    try:
        power.library()
    except power.NoPowerSwitch as refused:
        if options.cuts:
            sys.stderr.write(f"{refused}\nhint: `--cuts 0` runs without power cuts\n")
            return 2
    with tempfile.TemporaryDirectory(prefix="zhitu-survive-") as temporary:
        directory = options.work or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            sys.stderr.write(f"{directory} is not empty\n")
            return 2
        return _run(options, directory)


def _options(given: argparse.Namespace) -> Options:
    return Options(
        events=given.events,
        kills=given.kills,
        cuts=given.cuts,
        seed=given.seed,
        minutes=given.minutes,
        at_once=given.at_once,
        open_max=given.open,
        stop_s=given.stop,
        faults=not given.no_faults,
        defect=given.defect,
    )


def survive(options: Options, directory: Path) -> tuple[Verdict, str]:
    """The verdict on a run in this empty folder, and what broke it off; empty: nothing did."""
    director = Director(directory, options)
    broken = director.play() or outside.damage(director.database)
    return judge(read(directory)), broken


def _run(given: argparse.Namespace, directory: Path) -> int:
    options = _options(given)
    began = time.monotonic()
    verdict, broken = survive(options, directory)
    missing = shortfall(options, verdict)
    is_good = verdict.is_clean and not broken and not missing
    told: dict[str, Any] = {
        "name": "survive",
        "good": is_good,
        "seed": options.seed,
        "defect": options.defect,
        "took_s": round(time.monotonic() - began, 1),
        "file_system": _file_system(directory),
        "broken": broken,
        "missing": missing,
    }
    if given.json:
        _say(json.dumps({**told, **as_object(verdict)}, ensure_ascii=False))
    else:
        _say(as_text(verdict))
        _say("\n".join(f"{name:<12}{value}" for name, value in told.items() if value != ""))
    return 0 if is_good else 1


def all_defects(given: argparse.Namespace) -> int:
    """Plant every defect alone and see whether a run of the size asked for finds it."""
    from tests.survival.defects import SHOWS, UNDISTURBED  # nobody else pays for them

    missed = 0
    for name, shows in SHOWS.items():
        options = replace(_options(given), defect=name, calm_s=CALM_WITH_DEFECT_S, calm_max_s=CALM_WITH_DEFECT_S)
        if name in UNDISTURBED:
            options = replace(options, kills=0, cuts=0)
        with tempfile.TemporaryDirectory(prefix="zhitu-defect-") as temporary:
            verdict, broken = survive(options, Path(temporary))
        fired = {column: count for column, count in verdict.columns.items() if count and column in shows}
        missed += not fired
        told = {"defect": name, "seed": options.seed, "found": bool(fired), "by": fired, "broken": broken}
        _say(json.dumps(told) if given.json else f"{name:<28}seed {options.seed:<5}{fired or 'NOT FOUND'}")
    return 1 if missed else 0


def shortfall(options: Options, verdict: Verdict) -> list[str]:
    """What was asked for and not done to the product: a run that spared it proves nothing."""
    cuts = sum(count for name, count in verdict.deaths.items() if name.startswith("cut"))
    kills = sum(verdict.deaths.values()) - cuts
    asked = {"kills": (options.kills, kills), "power cuts": (options.cuts, cuts)}
    short = [f"{name}: {done} of {wanted} hit something" for name, (wanted, done) in asked.items() if done < wanted]
    crashes = sum(count for name, count in verdict.deaths.items() if name == "start")
    return short + ([f"the product ended by itself {crashes} times"] if crashes else []) + _starved(options, verdict)


def _starved(options: Options, verdict: Verdict) -> list[str]:
    """Whether it was this machine that was tested, and not the product."""
    told = verdict.figures
    events, away, still = (told.get(name, 0.0) for name in ("events", "turned away", "platforms_standstill_s"))
    short = []
    if events < options.events and not options.minutes:
        short.append(f"events: {events:.0f} of {options.events} taken in")
    if away > TURNED_AWAY_MAX * (events + away):
        short.append(f"{away:.0f} events were never answered in time: fewer people, or a machine with less else to do")
    if still > STANDSTILL_MAX_S:
        short.append(f"the platforms stood still for {still:.1f} s: a machine with less else to do")
    return short


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _file_system(directory: Path) -> str:
    """The kind of file system, from the longest mount point above; `unknown` where the system does not tell."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return "unknown"
    place, kind = directory.resolve(), "unknown"
    longest = -1
    for line in mounts.read_text(encoding="utf-8").splitlines():
        _, point, found, *_ = line.split()
        if place.is_relative_to(point) and len(point) > longest:
            longest, kind = len(point), found
    return kind


if __name__ == "__main__":
    sys.exit(main())
