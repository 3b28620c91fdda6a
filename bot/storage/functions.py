"""Functions that SQLite lacks and that conditions are written with. Source: journey-language.md 3.11, "Numbers"."""

import sqlite3

from bot.core.expressions.wording import lower, upper


def teach(connection: sqlite3.Connection) -> None:
    """Make `zt_lower` and `zt_upper` known: they fold ASCII and full-width letters and no others."""
    connection.create_function("zt_lower", 1, _lower, deterministic=True)
    connection.create_function("zt_upper", 1, _upper, deterministic=True)


def _lower(text: str | None) -> str | None:
    return None if text is None else lower(text)


def _upper(text: str | None) -> str | None:
    return None if text is None else upper(text)
