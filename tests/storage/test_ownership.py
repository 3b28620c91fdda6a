"""One process serves one database."""

import threading
from pathlib import Path

import psycopg
import pytest

from bot.errors import StorageError
from bot.storage import served_alone
from bot.storage.ownership import SERVED_LOCK

SOON_S = 60.0


def ignored() -> None:
    """Called by a server that lost its database; these never do."""


def test_a_second_server_of_the_same_database_is_refused_with_the_cure(url: str) -> None:
    with (
        served_alone(url, lost=ignored),
        pytest.raises(StorageError, match="another process") as refused,
        served_alone(url, lost=ignored, within_s=0),
    ):
        pass
    assert "one server per database" in refused.value.hint


def test_the_next_server_may_start_once_the_first_has_ended(url: str) -> None:
    served = 0
    for _ in range(2):
        with served_alone(url, lost=ignored):
            served += 1
    assert served == 2


def test_the_lock_of_a_file_stands_beside_it(tmp_path: Path) -> None:
    with served_alone(f"sqlite:///{tmp_path}/zhitu.db", lost=ignored):
        assert (tmp_path / "zhitu.db.lock").exists()


def test_a_postgresql_that_is_down_is_a_storage_error(tmp_path: Path) -> None:
    address = f"postgresql://zhitu@/x?host={tmp_path}"
    with pytest.raises(StorageError, match="cannot work"), served_alone(address, lost=ignored):
        pass


def end_session(admin: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Break the session that has the lock, as a network does."""
    admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        " AND objsubid = 1 AND classid::bigint << 32 | objid::bigint = %s",
        (SERVED_LOCK,),
    )


def sessions(admin: "psycopg.Connection[tuple[object, ...]]", *, granted: bool) -> set[object]:
    """The sessions that have the lock, or wait for it."""
    found = admin.execute(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted = %s"
        " AND classid::bigint << 32 | objid::bigint = %s",
        (granted, SERVED_LOCK),
    )
    return {pid for (pid,) in found.fetchall()}


def test_a_server_whose_session_broke_takes_its_lock_anew(migrated_postgres: str) -> None:
    told = threading.Event()
    with psycopg.connect(migrated_postgres, autocommit=True) as admin, served_alone(migrated_postgres, lost=told.set):
        (first,) = sessions(admin, granted=True)
        end_session(admin)
        waiting = threading.Event()
        for _ in range(600):
            if sessions(admin, granted=True) - {first}:
                break
            waiting.wait(0.1)
        assert sessions(admin, granted=True) - {first}
        assert not told.is_set()


def test_a_server_whose_session_broke_is_told_when_another_has_its_database(migrated_postgres: str) -> None:
    told, waiting = threading.Event(), threading.Event()
    with (
        psycopg.connect(migrated_postgres, autocommit=True) as admin,
        psycopg.connect(migrated_postgres, autocommit=True) as other,
        served_alone(migrated_postgres, lost=told.set),
    ):
        # Who waits in the queue gets it first, so that the outcome is no matter of speed.
        queued = threading.Thread(target=other.execute, args=("SELECT pg_advisory_lock(%s)", (SERVED_LOCK,)))
        queued.start()
        for _ in range(600):
            if sessions(admin, granted=False):
                break
            waiting.wait(0.1)
        end_session(admin)
        assert told.wait(SOON_S)
        queued.join(SOON_S)
        assert not queued.is_alive()
