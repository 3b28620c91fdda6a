"""Starts the simulation's own command for tests: in a process of its own, with a fixed hash seed."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
FAILED = Path(__file__).parent / "failed_seeds.txt"
NEW_A_DAY = 20
PATIENCE_S = 110.0


def play(*options: str) -> subprocess.CompletedProcess[str]:
    """What `python -m tests.simulation` says to these options."""
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", *options],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def seeds_of_today() -> tuple[int, int]:
    """First and last of the seeds that nobody has played before today."""
    first = datetime.now(UTC).date().toordinal() * NEW_A_DAY
    return first, first + NEW_A_DAY - 1


def failed_seeds() -> list[int]:
    """Seeds that once failed."""
    lines = FAILED.read_text(encoding="utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line.strip() and not line.startswith("#")]
