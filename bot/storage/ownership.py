"""An SQLite database is served by one process. A lock beside the file says so; it dies with its holder."""

import fcntl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from bot.errors import StorageError
from bot.storage.database import parse_url


def served_alone(url: str) -> AbstractContextManager[None]:
    """Hold the database at `url` as its only server. StorageError: another process serves it.

    PostgreSQL is made for many servers and needs no lock.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database is None:
        return nullcontext()
    return _locked(Path(f"{parsed.database}.lock"))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError(
                "another process serves this database",
                where=str(path.with_suffix("")),
                hint="stop it first; several servers share a PostgreSQL",
            ) from error
        yield
