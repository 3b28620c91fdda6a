"""Moving SQLite's log into the database beside the commits, not inside one: a commit then costs one flush, always.

Most of the log is moved while the writer goes on; the rest, a few pages, in the short moment that it is kept waiting,
so that the log begins anew and does not grow for ever. A crash loses nothing: the log is read at the next start.
"""

import sqlite3
import threading
import time
from pathlib import Path

import structlog

LOOK_EVERY_S = 0.25
LOG_BYTES = 16 * 1024 * 1024
"""A longer log is moved."""
REST_PAGES_MAX = 500
"""No more pages than this are left to be moved while the writer waits; otherwise it is tried again at the next look."""
TRIES_MAX, TRY_REST_S = 100, 0.001
"""The short moment is found by trying, between two transactions of the writer and while nobody reads: whoever waited
for a reader would keep the writer out meanwhile. After so many tries the next look goes on."""
WARN_BYTES = 16 * LOG_BYTES
"""A log of this length is told of: something keeps it from being moved, and the disk will be full one day."""

log = structlog.get_logger(__name__)


class Checkpoints:
    """A thread of its own with a connection of its own. Nobody hears of its failures but the log: it tries again.

    `warn_bytes`: a log of this length is told of.
    """

    def __init__(self, database: Path, *, warn_bytes: int = WARN_BYTES) -> None:
        self._database = database
        self._warn_bytes = warn_bytes
        self._log = Path(f"{database}-wal")
        self._stop = threading.Event()
        self._failed = ""
        self._warned = False
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    @property
    def log_bytes(self) -> int:
        """How long the log is now."""
        try:
            return self._log.stat().st_size
        except FileNotFoundError:
            return 0

    def close(self) -> None:
        """Stop looking. Blocks until a checkpoint in hand is done."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            if self.log_bytes >= LOG_BYTES:
                self._move_once()
                self.warn()

    def warn(self) -> None:
        """Tell of a log that stays too long, once until it is short again."""
        is_over = self.log_bytes >= self._warn_bytes
        if is_over and not self._warned:
            log.error("database_log_grows", bytes=self.log_bytes, bound=self._warn_bytes)
        self._warned = is_over

    def _move_once(self) -> None:
        try:
            move(self._database)
            self._failed = ""
        except sqlite3.Error as error:
            if self._failed != str(error):
                self._failed = str(error)
                log.error("checkpoint_failed", why=self._failed)


def move(database: Path, *, kind: type[sqlite3.Connection] = sqlite3.Connection) -> bool:
    """Move the log of `database` into it and let it begin anew; whether it could. sqlite3.Error: the disk failed.

    `kind`: what the connection is made of.
    """
    connection = sqlite3.connect(database, isolation_level=None, timeout=0, factory=kind)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        _, pages, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if pages - moved > REST_PAGES_MAX:
            return False
        return any(_cut_off(connection) for _ in range(TRIES_MAX))
    finally:
        connection.close()


def _cut_off(connection: sqlite3.Connection) -> bool:
    """Whether the log is empty now. It is not only begun anew: by its length we tell whether there is work to do."""
    busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        time.sleep(TRY_REST_S)
    return not busy
