"""The schema: the migrations make what the tables declare, and other versions are refused."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from bot.errors import ConfigError, OutOfDate, StorageError
from bot.storage import KeyRing, Storage, migrate
from bot.storage.database import parse_url
from bot.storage.schema import HEAD
from bot.storage.tables import Row
from tests.storage.makers import TurnedClock, claimed, event, ingest


@pytest.fixture
def empty_postgres(server: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS nothing WITH (FORCE)")
        connection.execute("CREATE DATABASE nothing")
    return server.replace("/postgres?", "/nothing?")


def test_the_migrations_make_exactly_the_tables_that_are_declared(url: str) -> None:
    engine = create_engine(parse_url(url))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Row.metadata)
    engine.dispose()
    assert differences == []


def test_the_program_knows_its_newest_migration() -> None:
    settings = Config()
    settings.set_main_option("script_location", "bot.storage:migrations")
    settings.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(settings).get_current_head() == HEAD


async def test_a_new_sqlite_database_is_made_and_migrated_when_it_is_opened(
    tmp_path: Path, keys: KeyRing, clock: TurnedClock
) -> None:
    opened = await Storage.open(f"sqlite:///{tmp_path}/new.db", keys=keys, clock_now=clock.now)
    assert await ingest(opened, event("a")) == (True,)
    await opened.close()


async def test_what_was_written_is_there_after_opening_again(url: str, keys: KeyRing, clock: TurnedClock) -> None:
    for expected in (True, False):
        opened = await Storage.open(url, keys=keys, clock_now=clock.now)
        assert await ingest(opened, event("a")) == (expected,)
        assert await claimed(opened) == ["a"]
        await opened.close()


def test_migrating_tells_the_version_before_and_may_be_done_twice(empty_postgres: str) -> None:
    assert migrate(empty_postgres) == ""
    assert migrate(empty_postgres) == HEAD


async def test_a_postgresql_that_was_not_migrated_is_refused(
    empty_postgres: str, keys: KeyRing, clock: TurnedClock
) -> None:
    with pytest.raises(OutOfDate, match="zhitu migrate"):
        await Storage.open(empty_postgres, keys=keys, clock_now=clock.now)


async def test_a_database_of_a_newer_program_is_refused(tmp_path: Path, keys: KeyRing, clock: TurnedClock) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    migrate(url)
    raw = sqlite3.connect(tmp_path / "x.db")
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.commit()
    raw.close()
    with pytest.raises(OutOfDate, match="`9999`"):
        await Storage.open(url, keys=keys, clock_now=clock.now)
    with pytest.raises(OutOfDate, match="`9999`"):
        migrate(url)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "no address at all", ""])
async def test_an_address_that_is_no_database_of_ours_is_a_config_error(
    url: str, keys: KeyRing, clock: TurnedClock
) -> None:
    with pytest.raises(ConfigError, match=r"\[storage\] url"):
        await Storage.open(url, keys=keys, clock_now=clock.now)


async def test_a_folder_that_does_not_exist_is_a_clear_error(tmp_path: Path, keys: KeyRing, clock: TurnedClock) -> None:
    with pytest.raises(StorageError, match="does not exist"):
        await Storage.open(f"sqlite:///{tmp_path}/nowhere/x.db", keys=keys, clock_now=clock.now)


async def test_a_server_that_is_down_is_a_storage_error_without_the_password(
    tmp_path: Path, keys: KeyRing, clock: TurnedClock
) -> None:
    with pytest.raises(StorageError, match="cannot work") as raised:
        await Storage.open(f"postgresql://zhitu:hunter2@/x?host={tmp_path}", keys=keys, clock_now=clock.now)
    assert "hunter2" not in str(raised.value)


async def test_a_file_that_is_no_database_is_a_storage_error(tmp_path: Path, keys: KeyRing, clock: TurnedClock) -> None:
    (tmp_path / "x.db").write_bytes(b"no database " * 1000)
    with pytest.raises(StorageError):
        await Storage.open(f"sqlite:///{tmp_path}/x.db", keys=keys, clock_now=clock.now)


def test_sqlite_flushes_every_commit(tmp_path: Path) -> None:
    """Read back by a fresh process, since the setting belongs to the connection that the program opens."""
    script = (
        "from bot.storage.database import parse_url, writing_engine\n"
        f"with writing_engine(parse_url('sqlite:///{tmp_path}/x.db')).begin() as c:\n"
        "    print(c.exec_driver_sql('PRAGMA synchronous').scalar(), c.exec_driver_sql('PRAGMA journal_mode').scalar())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.split() == ["2", "wal"]


def to_baseline(url: str) -> None:
    """Make the tables of the first schema, and one row in each that changes later."""
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        settings = Config()
        settings.set_main_option("script_location", "bot.storage:migrations")
        settings.set_main_option("path_separator", "os")
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0001")
        connection.execute(
            text(
                "INSERT INTO quarantine (quarantine_id, channel, account, why, received_at, sealed)"
                " VALUES ('q', 'oa', 'main', 'no XML', 1, :sealed)"
            ),
            {"sealed": b"x"},
        )
        connection.execute(text("UPDATE counters SET value = 41 WHERE name = 'customer_id'"))
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_of_the_first_schema_is_brought_up_to_date_with_its_rows(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/old.db" if kind == "sqlite" else str(request.getfixturevalue("empty_postgres"))
    to_baseline(url)
    assert migrate(url) == "0001"
    engine = create_engine(parse_url(url))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT quarantine_id, why, form FROM quarantine")).all() == [
            ("q", "no XML", "body")
        ]
        counters = {row.name: row.value for row in connection.execute(text("SELECT name, value FROM counters"))}
        assert counters == {"customer_id": 41, "epoch": 0, "clock_confirmed": 0, "probe": 0}
        assert compare_metadata(MigrationContext.configure(connection), Row.metadata) == []
    engine.dispose()
