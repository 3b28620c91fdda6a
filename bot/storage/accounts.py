"""Numbers for channel accounts: the key of an account's lane."""

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from bot.storage import tables
from bot.storage.dialect import insert_or_nothing
from bot.storage.rows import Lane

_ALL = select(tables.accounts.c.channel, tables.accounts.c.account, tables.accounts.c.lane)
_LOWEST = select(func.coalesce(func.min(tables.accounts.c.lane), 0))


def account_lanes(connection: Connection, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Lane]:
    """The lanes of all accounts known, those of `wanted` (channel, account) among them; new ones are entered.

    There are as many as sections in the configuration, so all of them are read at once.
    """
    known = {(channel, account): Lane(lane) for channel, account, lane in connection.execute(_ALL)}
    new = sorted(set(wanted) - known.keys())
    if not new:
        return known
    lowest: int = connection.execute(_LOWEST).scalar_one()
    rows = [
        {"lane": lowest - number, "channel": channel, "account": account}
        for number, (channel, account) in enumerate(new, start=1)
    ]
    connection.execute(insert_or_nothing(connection, tables.accounts, "channel", "account"), rows)
    return {(channel, account): Lane(lane) for channel, account, lane in connection.execute(_ALL)}
