"""The power switch: what was synced survives a cut, what was not may be lost, and `synchronous=OFF` is found out."""

import sqlite3
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.survival import power
from tests.survival.cutting import cut

ROOT = Path(__file__).parents[2]
WRITER = """
import os, sqlite3, sys
from pathlib import Path
from tests.survival import power
directory, synchronous, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
power.watch(directory / "power")
first = sqlite3.connect(directory / "a.db", isolation_level=None)
first.execute("PRAGMA journal_mode = WAL")
first.execute("CREATE TABLE IF NOT EXISTS u (x)")
first.close()  # whoever closes last removes the log, and the next makes another
database = sqlite3.connect(directory / "a.db", isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
database.execute(f"PRAGMA synchronous = {synchronous}")
database.execute("PRAGMA wal_autocheckpoint = 20")
database.execute("CREATE TABLE IF NOT EXISTS t (x INTEGER PRIMARY KEY, y)")
for number in range(rounds):
    database.execute("INSERT INTO t (y) VALUES (?)", (os.urandom(3000),))
database.execute("BEGIN IMMEDIATE")
database.execute("UPDATE t SET y = zeroblob(3000)")
os.kill(os.getpid(), 9)
"""


@pytest.fixture(autouse=True)
def has_switch() -> None:
    try:
        power.library()
    except power.NoPowerSwitch as refused:
        pytest.skip(str(refused))


def write_and_die(directory: Path, synchronous: str, rounds: int) -> None:
    command = [sys.executable, "-c", WRITER, str(directory), synchronous, str(rounds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (-9, "")


def rows_after(directory: Path) -> int:
    """How many rows are whole; -1: the file is no database any more."""
    database = sqlite3.connect(directory / "a.db")
    try:
        if database.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            return -1
        return int(database.execute("SELECT count(*) FROM t").fetchone()[0])
    except sqlite3.DatabaseError:
        return -1
    finally:
        database.close()


@pytest.mark.parametrize("seed", range(4))
def test_what_was_committed_survives_every_cut(tmp_path: Path, seed: int) -> None:
    for life in range(3):
        write_and_die(tmp_path, "FULL", 30)
        cut(tmp_path / "a.db", tmp_path / "power", Random(seed * 100 + life))
        assert rows_after(tmp_path) == 30 * (life + 1)


def test_commits_that_do_not_wait_for_the_disk_are_lost(tmp_path: Path) -> None:
    write_and_die(tmp_path, "OFF", 30)
    done = cut(tmp_path / "a.db", tmp_path / "power", Random(1))
    assert done.lost + done.torn > 0
    assert rows_after(tmp_path) < 30


def test_without_a_cut_the_same_commits_are_all_there(tmp_path: Path) -> None:
    write_and_die(tmp_path, "OFF", 30)
    assert rows_after(tmp_path) == 30
