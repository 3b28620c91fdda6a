"""Moving SQLite's log into the database beside the commits, not inside one: a commit then costs one flush, always.

Most of the log is moved while the writer goes on; the rest, a few pages, in the short moment that it is kept waiting,
so that the log begins anew and does not grow for ever. A crash loses nothing: the log is read at the next start.
"""

import sqlite3
import threading
from pathlib import Path

import structlog

LOOK_EVERY_S = 0.25
LOG_BYTES = 16 * 1024 * 1024
"""A longer log is moved."""
REST_PAGES_MAX = 500
"""No more pages than this are left to be moved while the writer waits; otherwise it is tried again at the next look."""
WAIT_MS = 50
"""How long the short moment is waited for; then the next look tries again."""

log = structlog.get_logger(__name__)


class Checkpoints:
    """A thread of its own with a connection of its own. Nobody hears of its failures but the log: it tries again."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._log = Path(f"{database}-wal")
        self._stop = threading.Event()
        self._failed = ""
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking. Blocks until a checkpoint in hand is done."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            if self._is_long():
                self._move_once()

    def _is_long(self) -> bool:
        try:
            return self._log.stat().st_size >= LOG_BYTES
        except FileNotFoundError:
            return False

    def _move_once(self) -> None:
        try:
            move(self._database)
            self._failed = ""
        except sqlite3.Error as error:
            if self._failed != str(error):
                self._failed = str(error)
                log.error("checkpoint_failed", why=self._failed)


def move(database: Path) -> bool:
    """Move the log of `database` into it and let it begin anew; whether it could. sqlite3.Error: the disk failed."""
    connection = sqlite3.connect(database, isolation_level=None, timeout=WAIT_MS / 1000)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        _, pages, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if pages - moved > REST_PAGES_MAX:
            return False
        # Cut off, not only begun anew: the length of the log is what tells whether there is something to move.
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    finally:
        connection.close()
