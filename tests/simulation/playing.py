"""Starts the simulation's own command for tests: in a process of its own, with a fixed hash seed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
FAILED = Path(__file__).parent / "failed_seeds.txt"
NEW_A_DAY = 20
ENVIRONMENT = os.environ | {"PYTHONHASHSEED": "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What the command says, and its exit code."""

    code: int
    told: str


@dataclass(frozen=True, slots=True)
class Nursery:
    """Many plays, each in a fork of one process that has imported everything."""

    process: "subprocess.Popen[str]"

    def play(self, *options: str) -> Played:
        """What `python -m tests.simulation` says to these options."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(options) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the process in which plays begin has ended; what it said stands above"
        code, told = json.loads(answer)
        return Played(code=code, told=told)


@contextmanager
def nursery() -> Iterator[Nursery]:
    """Such a process, until the block ends."""
    command = [sys.executable, "-m", "tests.simulation.nursery"]
    with subprocess.Popen(
        command, cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        yield Nursery(process)


def play_anew(*options: str) -> Played:
    """The same from a new interpreter."""
    command = [sys.executable, "-m", "tests.simulation", *options]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    return Played(code=done.returncode, told=done.stdout + done.stderr)


def seeds_of_today() -> tuple[int, int]:
    """First and last of the seeds that nobody has played before today."""
    first = datetime.now(UTC).date().toordinal() * NEW_A_DAY
    return first, first + NEW_A_DAY - 1


def failed_seeds() -> list[int]:
    """Seeds that once failed."""
    lines = FAILED.read_text(encoding="utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line.strip() and not line.startswith("#")]
