"""A database is served by one process. A lock says so, which dies with its holder: a file's, or a session's.

The steps, the recovery at a start and the counts of limits rely on it: a second server would step every event once
more and take the messages that the first one is sending for lost.
"""

import fcntl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from bot.errors import StorageError
from bot.storage.database import meaning_of, parse_url, writing_engine

SERVED_LOCK = 0x7A68_6974_75
"""The advisory lock of whoever serves a PostgreSQL database. One number: the locks of ingest are pairs."""
TAKE_WITHIN_S = 5.0
"""A server whose predecessor was killed waits so long for the database to notice."""
TAKE_REST_S = 0.1
LOOK_EVERY_S = 1.0
"""How often a server looks whether its session still lives."""
CLOSE_WITHIN_S = 5.0
"""A database that does not answer keeps a server no longer than this from ending; the session ends with the process."""
REFUSED_MAX = 3
"""Looks in a row at which a lost lock was in another's hands; then it is lost for good. Our own dead session may
hold it for a moment."""

_try = text("SELECT pg_try_advisory_lock(:lock)")
_alive = text("SELECT 1")
log = structlog.get_logger(__name__)


def served_alone(
    url: str, *, lost: Callable[[], object], within_s: float = TAKE_WITHIN_S
) -> AbstractContextManager[None]:
    """Hold the database at `url` as its only server. StorageError: another process serves it, or it is unreachable.

    On PostgreSQL the lock lives as long as a session, which may break: then it is taken anew, and `lost` is called,
    once and from another thread, when somebody else has it by then. `within_s`: how long its taking is tried.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _locked(Path(f"{parsed.database}.lock"))
    return _session(parsed, lost, within_s)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _taken(str(path.with_suffix(""))) from error
        yield


def _taken(where: str) -> StorageError:
    hint = "stop it first: one server per database in this version"
    return StorageError("another process serves this database", where=where, hint=hint)


@contextmanager
def _session(url: URL, lost: Callable[[], object], within_s: float) -> Iterator[None]:
    engine = writing_engine(url)
    watch = _Watch(engine, lost)
    try:
        _take(watch, until=time.monotonic() + within_s)
        watch.start()
        yield
    finally:
        watch.close()
        engine.dispose()


def _take(watch: "_Watch", *, until: float) -> None:
    try:
        while not watch.take():
            if time.monotonic() >= until:
                raise _taken("[storage] url")
            time.sleep(TAKE_REST_S)
    except DBAPIError as error:
        raise meaning_of(error) from error


class _Watch:
    """Holds the session that has the lock, and looks after it in a thread of its own."""

    def __init__(self, engine: Engine, lost: Callable[[], object]) -> None:
        self._engine = engine
        self._lost = lost
        self._connection: Connection | None = None
        self._refused = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ownership", daemon=True)

    def start(self) -> None:
        """Look after the lock from now on."""
        self._thread.start()

    def take(self) -> bool:
        """Whether the lock is ours now, in a session of ours. DBAPIError: the database is not reached."""
        # Outside any transaction: one that is open for days would keep the database from tidying its rows.
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            if connection.execute(_try, {"lock": SERVED_LOCK}).scalar_one():
                self._connection = connection
                return True
        finally:
            if self._connection is not connection:
                connection.close()
        return False

    def close(self) -> None:
        """Give the lock back, with its session. Blocks until a look in hand is over, or for `CLOSE_WITHIN_S`."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_WITHIN_S)
        if not self._thread.is_alive():
            self._drop()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            if not self._holds():
                log.error("database_lost_to_another_server")
                self._lost()
                return

    def _holds(self) -> bool:
        """Whether nobody else has the lock, as far as can be told. While the database is down nobody gets it."""
        try:
            if self._connection is not None:
                self._connection.execute(_alive)
                return True
            taken = self.take()
        except DBAPIError as error:
            log.error("ownership_session_lost", why=meaning_of(error).what)
            self._drop()
            return True
        self._refused = 0 if taken else self._refused + 1
        if taken:
            log.warning("ownership_taken_anew")
        return self._refused < REFUSED_MAX

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
