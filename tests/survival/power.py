"""What of an SQLite database is on the disk, and what is only in the machine's memory.

`watch` puts itself between SQLite and the operating system in this process: as a VFS made of the default one, with
xWrite, xTruncate and xSync replaced. What was written to the database or its log and not yet synced stands, with what
was there before, in a file of its own; a sync empties it. `tests.survival.cutting` takes such writes away again.
"""

import _sqlite3
import ctypes
import os
import sqlite3
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any  # Any: ctypes calls have no types

HEADER = struct.Struct("<BqqII")
"""Kind (of `WRITE`), file size before, offset, bytes there before, bytes written; both follow it."""
WRITE = 1
SUFFIXES = {"": 0, "-wal": 1}
"""The files that survive a restart, by the ends of their names; the shared memory beside them does not."""
_IO_METHODS_MAX = 19
_VFS_BYTES = 168
_WRITE_AT, _TRUNCATE_AT, _SYNC_AT, _CLOSE_AT = 3, 4, 5, 1
_OPEN_AT_BYTES = 40

_Write = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64)
_Truncate = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int64)
_Sync = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
_Close = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_Open = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_MAIN_DB, _WAL = 0x100, 0x80000


_HIDDEN = f"{sys.executable} hides its SQLite {sqlite3.sqlite_version}: power cuts need a Python that links it openly"


class NoPowerSwitch(RuntimeError):
    """This Python hides the SQLite library that it uses, so that nobody can stand in front of it."""


def library() -> Any:
    """The library that Python's sqlite3 uses. NoPowerSwitch: it cannot be reached."""
    # Shared libraries are found by their file; a Python that carries SQLite within itself shows it as its own.
    for name in (getattr(_sqlite3, "__file__", None), "libsqlite3.so.0", None):
        try:
            found = ctypes.CDLL(name)
            found.sqlite3_libversion.restype = ctypes.c_char_p
            found.sqlite3_vfs_find.restype = ctypes.c_void_p
            version = found.sqlite3_libversion().decode()
        except (OSError, AttributeError):
            continue
        if version == sqlite3.sqlite_version:
            return found
    raise NoPowerSwitch(_HIDDEN)


class _Journal:
    """What is written and not yet synced, file by file."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._out: dict[int, int] = {}
        self._readers: dict[int, int] = {}

    def opened(self, which: int, path: str) -> None:
        if which in self._out and os.path.samestat(os.fstat(self._readers[which]), os.stat(path)):
            return
        # Before: a log that SQLite had removed and made anew was still measured by the one that was gone.
        # Never closed: closing any descriptor of a file drops the locks that SQLite has on it.
        self._readers[which] = os.open(path, os.O_RDONLY)
        name = self._log.with_suffix(f".{which}")
        self._out[which] = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)

    def changes(self, which: int, offset: int, data: bytes) -> None:
        """Before `data` is written at `offset`."""
        reader = self._readers[which]
        size = os.fstat(reader).st_size
        before = os.pread(reader, len(data), offset) if offset < size else b""
        os.write(self._out[which], HEADER.pack(WRITE, size, offset, len(before), len(data)) + before + data)

    def cuts_off(self, which: int, size_after: int) -> None:
        """Before the file is truncated: as if its end were written anew with nothing."""
        reader = self._readers[which]
        size = os.fstat(reader).st_size
        before = os.pread(reader, max(0, size - size_after), size_after)
        os.write(self._out[which], HEADER.pack(WRITE, size, size_after, len(before), 0) + before)

    def synced(self, which: int) -> None:
        """After the file was synced: nothing of it can be lost any more."""
        os.ftruncate(self._out[which], 0)


_kept: list[object] = []
"""What SQLite points to, for as long as the process lives."""


def watch(log: Path) -> None:
    """From now on every database that is opened here is watched. NoPowerSwitch: see `library`."""
    sqlite = library()
    default = sqlite.sqlite3_vfs_find(None)
    size = _VFS_BYTES
    vfs = ctypes.create_string_buffer(ctypes.string_at(default, size), size)
    address = ctypes.addressof(vfs)
    name = ctypes.create_string_buffer(b"power")
    _pointer(address + 24).value = ctypes.addressof(name)
    real = _Open(_pointer(default + _OPEN_AT_BYTES).value or 0)
    journal, files, tables = _Journal(log), {}, {}

    def opened(of: int, path: int | None, file: int, flags: int, out: int | None) -> int:
        result = int(real(default, path, file, flags, out))
        if result == 0 and flags & (_MAIN_DB | _WAL) and path:
            which = 1 if flags & _WAL else 0
            journal.opened(which, ctypes.string_at(path).decode())
            files[file] = which
            original = _pointer(file).value or 0
            if original not in tables:
                tables[original] = _replaced(original, journal, files)
            _pointer(file).value = ctypes.addressof(tables[original])
        return result

    ours = _Open(opened)
    _pointer(address + _OPEN_AT_BYTES).value = ctypes.cast(ours, ctypes.c_void_p).value
    _kept.extend((vfs, name, ours, journal, files, tables, real))
    if sqlite.sqlite3_vfs_register(ctypes.c_void_p(address), 1) != 0:
        raise NoPowerSwitch("SQLite does not take another VFS")
    try:
        # Two copies of the library may live in one process: the one that Python uses has to know ours by its name.
        sqlite3.connect("file::memory:?vfs=power", uri=True).close()
    except sqlite3.OperationalError as error:
        raise NoPowerSwitch(_HIDDEN) from error


def _replaced(original: int, journal: _Journal, files: dict[int, int]) -> Any:
    """A copy of a file's methods with ours in the places of those that change the disk."""
    methods = ctypes.create_string_buffer(ctypes.string_at(original, _IO_METHODS_MAX * 8), _IO_METHODS_MAX * 8)
    real_write = _Write(_slot(original, _WRITE_AT))
    real_truncate = _Truncate(_slot(original, _TRUNCATE_AT))
    real_sync = _Sync(_slot(original, _SYNC_AT))
    real_close = _Close(_slot(original, _CLOSE_AT))

    def write(file: int, data: int, count: int, offset: int) -> int:
        journal.changes(files[file], offset, ctypes.string_at(data, count))
        return int(real_write(file, data, count, offset))

    def truncate(file: int, size: int) -> int:
        journal.cuts_off(files[file], size)
        return int(real_truncate(file, size))

    def sync(file: int, flags: int) -> int:
        result = int(real_sync(file, flags))
        if result == 0:
            journal.synced(files[file])
        return result

    def close(file: int) -> int:
        files.pop(file, None)
        return int(real_close(file))

    _put(methods, _WRITE_AT, _Write(write))
    _put(methods, _TRUNCATE_AT, _Truncate(truncate))
    _put(methods, _SYNC_AT, _Sync(sync))
    _put(methods, _CLOSE_AT, _Close(close))
    return methods


def _put(methods: Any, slot: int, function: Callable[..., int]) -> None:
    _kept.append(function)
    _pointer(ctypes.addressof(methods) + slot * 8).value = ctypes.cast(function, ctypes.c_void_p).value  # type: ignore[arg-type]


def _slot(methods: int, slot: int) -> int:
    return _pointer(methods + slot * 8).value or 0


def _pointer(address: int) -> ctypes.c_void_p:
    return ctypes.c_void_p.from_address(address)
