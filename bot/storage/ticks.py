"""The clock that leases are measured with: the database's own, since workers on several machines must agree on it.

An SQLite file is served by one process, whose monotonic clock never jumps (delivery.md 2.6).
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from bot.storage.moments import moment

Ticks: TypeAlias = Callable[[Connection], int]
"""Microseconds that never run back; only their differences mean anything."""

_of_server = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")


def ticks_of(url: URL) -> Ticks:
    """The clock of leases in the database at `url`."""
    return _monotonic if url.get_backend_name() == "sqlite" else _server


def server_time(connection: Connection) -> datetime | None:
    """What the database's own clock shows; None: it runs in this process and has none of its own."""
    return None if connection.dialect.name == "sqlite" else moment(_server(connection))


def _monotonic(_: Connection) -> int:
    return time.monotonic_ns() // 1000


def _server(connection: Connection) -> int:
    found: int = connection.execute(_of_server).scalar_one()
    return found
