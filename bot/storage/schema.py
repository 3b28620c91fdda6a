"""The version of the schema: which one a database has, and bringing it to ours."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine

from bot.errors import OutOfDate
from bot.storage.database import parse_url, transaction, writing_engine

HEAD = "0004"
"""The newest migration that this program has. Named here, so that a start needs not read the migrations."""
_KNOWN = ("0001", "0002", "0003", HEAD)


def migrate(url: str) -> str:
    """Bring the database to our schema, in one transaction; the version it had before, "" for an empty one.

    OutOfDate: it has a newer one. ConfigError: not an address. StorageError: it cannot be reached.
    """
    engine = writing_engine(parse_url(url))
    try:
        return upgrade(engine)
    finally:
        engine.dispose()


def upgrade(engine: Engine) -> str:
    """As `migrate`."""
    with transaction(engine) as connection:
        version = checked_version(connection)
        if version != HEAD:
            settings = Config()
            settings.set_main_option("script_location", "bot.storage:migrations")
            settings.set_main_option("path_separator", "os")
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")
        return version


def require_migrated(url: str) -> None:
    """For whoever stands beside a server: leave the schema as it is. OutOfDate: it is not exactly ours."""
    engine = writing_engine(parse_url(url))
    try:
        require_current(engine)
    finally:
        engine.dispose()


def require_current(engine: Engine) -> None:
    """OutOfDate: the schema is not exactly ours."""
    with transaction(engine) as connection:
        version = checked_version(connection)
    if version != HEAD:
        raise OutOfDate(
            f"the database has schema `{version or 'none'}`, this program needs `{HEAD}`",
            where="[storage] url",
            hint="run `zhitu migrate` first",
        )


def checked_version(connection: Connection) -> str:
    """The version of this database, "" for an empty one. OutOfDate: we do not know that version."""
    version = MigrationContext.configure(connection).get_current_revision() or ""
    if version and version not in _KNOWN:
        raise OutOfDate(
            f"the database has schema `{version}`, which this program does not know",
            where="[storage] url",
            hint="it was written by a newer program: run that one, or go back to a backup",
        )
    return version
