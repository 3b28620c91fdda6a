"""The database for commands that run beside the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.app.composition import MachineClock
from bot.config import Storage as StorageSection
from bot.config import key_texts
from bot.config.keyfile import database_file
from bot.errors import BotError
from bot.runtime import why
from bot.storage import KeyRing, Storage, Transaction, require_migrated


@asynccontextmanager
async def opened(settings: StorageSection) -> AsyncIterator[Storage]:
    """The database of the configuration, for a command beside the server, which is never migrated by it.

    BotError: there is none yet. OutOfDate: its schema is an older or a newer program's.
    """
    if settings.is_sqlite and not database_file(settings).exists():
        raise BotError(
            f"没有数据库 `{database_file(settings)}`", hint="用 --config 写服务器的配置文件；还没有运行过就没有数据库"
        )
    keys = KeyRing.from_texts(list(key_texts(settings).texts))
    await asyncio.to_thread(require_migrated, settings.url)
    storage = await Storage.open(settings.url, keys=keys, clock_now=MachineClock().now)
    try:
        yield storage
    finally:
        await storage.close()


async def explain(settings: StorageSection, customer: str, *, limit: int, as_json: bool) -> str:
    """`zhitu why`: the story of one customer, found by number, openid or phone.

    BotError: there is no such database, or nobody in it is known by that name.
    """

    def tell(tx: Transaction) -> why.Story | None:
        customer_id = tx.reading.find_customer(customer)
        return why.tell(tx, customer_id, limit=limit) if customer_id is not None else None

    async with opened(settings) as storage:
        story = await storage.read(tell)
    if story is None:
        raise BotError("没有这位客户", hint="可以用客户编号、openid 或手机号查找")
    return why.as_json(story) if as_json else why.as_text(story)
