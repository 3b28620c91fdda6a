"""Sealed rows that are made not to open, and mended again."""

from collections.abc import Callable, Mapping
from typing import Literal

from sqlalchemy import text

from bot.core.ids import CustomerId
from bot.runtime import retry, why
from bot.runtime.engine import Engine
from bot.storage import KeyRing, Storage, Transaction
from tests.storage.makers import write

Damage = Literal["cut", "key", "form"]
Spoil = Callable[[bytes, KeyRing, str], bytes]

QUIET: str = "dsl: 1\njourney: quiet\nname: 静\nchannel: oa\nstates:\n  a:\n    end: done\n"
KEYS: Mapping[str, str] = {
    "inbox": "event_id",
    "outbox": "effect_id",
    "errands": "effect_id",
    "customers": "customer_id",
    "quarantine": "quarantine_id",
    "tasks": "task_id",
}
DAMAGES: Mapping[Damage, Spoil] = {
    "cut": lambda sealed, keys, place: sealed[:9],
    "key": lambda sealed, keys, place: bytes((9,)) + sealed[1:],
    "form": lambda sealed, keys, place: keys.seal(b'["of the future"]', place=place),
}


async def spoil(storage: Storage, table: str, key: str | int, *, damage: Damage = "cut") -> bytes:
    """Make the row not open; what it held."""

    def job(tx: Transaction) -> bytes:
        found: bytes = tx._connection.execute(
            text(f"SELECT sealed FROM {table} WHERE {KEYS[table]} = :key"), {"key": key}
        ).scalar_one()
        bad = DAMAGES[damage](found, tx.lanes.keys, f"{table}.sealed:{key}")
        _put(tx, table, key, bad)
        return found

    return await write(storage, job)


async def mend(storage: Storage, table: str, key: str | int, sealed: bytes) -> None:
    """Put back what it held: the key is there again."""
    await write(storage, lambda tx: _put(tx, table, key, sealed))


def _put(tx: Transaction, table: str, key: str | int, sealed: bytes) -> None:
    statement = text(f"UPDATE {table} SET sealed = :sealed WHERE {KEYS[table]} = :key")
    tx._connection.execute(statement, {"sealed": sealed, "key": key})


async def run(engine: Engine) -> None:
    """Let the engine do all it can."""
    engine.wake()
    await engine.quiesce()


async def release(storage: Storage, words: str) -> None:
    """`zhitu retry lane`."""
    await write(storage, lambda tx: retry.release(tx, retry.find_lane(tx, words)))


async def survey(storage: Storage) -> retry.Survey:
    return await storage.read(retry.survey)


async def told(storage: Storage, customer_id: CustomerId) -> str:
    """`zhitu why`, each line of it whole."""
    return "\n".join(line.text for line in why.lines(await storage.read(lambda tx: why.tell(tx, customer_id))))


async def heard(storage: Storage, customer_id: CustomerId, beginning: str) -> list[str]:
    """What her lane was told, by type."""
    lines = await storage.read(lambda tx: tx.reading.inbox_of(customer_id))
    return [line.event.type for line in lines if line.event.type.startswith(beginning)]
