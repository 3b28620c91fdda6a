"""SQLite's log is moved beside the writer, which waits for nobody's reading."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.storage.checkpoints import Checkpoints, move


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None, timeout=0)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("CREATE TABLE t (a)")
    yield connection
    connection.close()


def log_of(tmp_path: Path) -> int:
    return (tmp_path / "x.db-wal").stat().st_size


def test_a_moved_log_is_cut_off(tmp_path: Path, writer: sqlite3.Connection) -> None:
    assert log_of(tmp_path) > 0
    assert move(tmp_path / "x.db")
    assert log_of(tmp_path) == 0


class Tapped(sqlite3.Connection):
    """Notes how long each of its statements would wait for others."""

    settings: tuple[int, ...] = ()

    def execute(self, *asked: object) -> sqlite3.Cursor:
        (waits_ms,) = super().execute("PRAGMA busy_timeout").fetchone()
        Tapped.settings += (waits_ms,)
        return super().execute(str(asked[0]))


def test_moving_waits_for_no_reader_while_it_keeps_the_writer_out(tmp_path: Path, writer: sqlite3.Connection) -> None:
    reader = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM t").fetchone()
    Tapped.settings = ()
    assert not move(tmp_path / "x.db", kind=Tapped)
    assert set(Tapped.settings) == {0}
    reader.execute("COMMIT")
    assert move(tmp_path / "x.db")
    reader.close()


def test_a_log_that_stays_too_long_is_told_of_once(tmp_path: Path, writer: sqlite3.Connection) -> None:
    watch = Checkpoints(tmp_path / "x.db", warn_bytes=1)
    watch.close()
    with capture_logs() as logs:
        watch.warn()
        watch.warn()
    assert [(line["event"], line["bytes"]) for line in logs] == [("database_log_grows", log_of(tmp_path))]
    assert watch.log_bytes == log_of(tmp_path)
