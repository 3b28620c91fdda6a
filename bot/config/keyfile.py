"""Where the keys of the database come from: the environment, or a file beside an SQLite database."""

import base64
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from bot.config.sections import Storage
from bot.errors import Complaint, ConfigError

KEY_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_FILE_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTexts:
    """Keys as texts `VERSION:BASE64`. `file`: the key file they came from, if any: whoever loses it loses the data."""

    texts: tuple[str, ...] = field(repr=False)
    file: Path | None = None
    created: bool = False


def key_texts(storage: Storage) -> KeyTexts:
    """The keys of `[storage] keys`; without any, those of the key file beside the SQLite database.

    The file, `<database>.key` with mode 0600, is created when there is no database yet. ConfigError: it is missing
    though there is a database, others may read it, or it holds nothing.
    """
    if storage.keys is not None:
        return KeyTexts(texts=tuple(key.get_secret_value() for key in storage.keys))
    database = database_file(storage)
    path = database.with_name(f"{database.name}.key")
    created = not path.exists() and _create(path, database)
    return KeyTexts(texts=_read(path), file=path, created=created)


def database_file(storage: Storage) -> Path:
    """The file of an SQLite database. `sqlite:///a.db` is relative to the working directory; four slashes: absolute."""
    return Path(storage.url.partition("://")[2].removeprefix("/").partition("?")[0])


def _create(path: Path, database: Path) -> bool:
    """Whether this call created the file. It appears whole or not at all, and never replaces another."""
    if database.exists():
        what = f"数据库 `{database}` 还在，打开它的密钥却不在"
        raise _fault(path, what, hint="从备份里放回密钥文件，或在 `[storage] keys` 里写出密钥")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = _draft(path)
        try:
            os.link(draft, path)
        finally:
            draft.unlink()
        _sync_directory(path.parent)
    except FileExistsError:
        return False
    except OSError as error:
        raise _fault(path, f"建不了：{error.strerror}", hint="让程序可以写这个目录") from error
    return True


def _draft(path: Path) -> Path:
    """A new file beside `path` with a new key in it, on disk for good."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(b"1:" + base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> tuple[str, ...]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(_FILE_BYTES_MAX)
    except OSError as error:
        raise _fault(path, f"读不了：{error.strerror}", hint="用文件主人的身份运行") from error
    if mode & _OTHERS:
        raise _fault(path, "主人以外的人也能读密钥文件", hint=f"`chmod 600 {path}`")
    texts = tuple(line for line in raw.decode("ascii", errors="replace").split() if line)
    if not texts:
        raise _fault(path, "密钥文件是空的", hint="从备份里放回去")
    return texts


def _fault(path: Path, what: str, *, hint: str) -> ConfigError:
    return ConfigError([Complaint(where=str(path), what=what, hint=hint)])
