"""Access tokens at rest: sealed, leased by one at a time, swapped only on the generation that was read."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import create_engine, text

from bot.app.accounts import KeptTokens
from bot.channels.tokens import Grant, Tokens
from bot.core.access import KeptToken, fingerprint
from bot.errors import TryLater
from bot.storage import KeyRing, Priority, Storage
from bot.storage.database import parse_url
from tests.storage.makers import TurnedClock

A_MINUTE = timedelta(minutes=1)
HUSH = "hush-hush-token"


async def swapped(storage: Storage, kept: KeptToken, *, account: str = "main") -> bool:
    return await storage.write(Priority.LEASE, lambda tx: tx.tokens.swap("oa", account, kept))


async def loaded(storage: Storage, account: str = "main") -> KeptToken:
    return await storage.read(lambda tx: tx.tokens.load("oa", account))


async def leased(storage: Storage, owner: str, lasts: timedelta = A_MINUTE) -> bool:
    return await storage.write(Priority.LEASE, lambda tx: tx.tokens.lease("oa", "main", owner=owner, lasts=lasts))


async def test_nothing_is_kept_at_first(storage: Storage) -> None:
    assert await loaded(storage) == KeptToken()


async def test_what_is_kept_comes_back_one_generation_on(storage: Storage, clock: TurnedClock) -> None:
    now = clock.now()
    kept = KeptToken(
        token=HUSH,
        fresh_until=now + A_MINUTE,
        dead_at=now + 2 * A_MINUTE,
        refused=fingerprint("old"),
        refused_at=now,
        forced_at=now - A_MINUTE,
        forced_count=3,
    )
    assert await swapped(storage, kept)
    assert await loaded(storage) == replace(kept, generation=1)
    assert await loaded(storage, "other") == KeptToken()


async def test_of_two_that_read_the_same_generation_only_one_is_written(storage: Storage) -> None:
    assert await swapped(storage, KeptToken(token="first"))
    assert not await swapped(storage, KeptToken(token="second"))
    assert (await loaded(storage)).token == "first"


async def test_a_lease_is_one_owners_until_it_is_over_or_given_back(storage: Storage) -> None:
    assert await leased(storage, "a")
    assert not await leased(storage, "b")
    assert await leased(storage, "a", timedelta(0))
    assert await leased(storage, "b")
    await storage.write(Priority.LEASE, lambda tx: tx.tokens.release("oa", "main", owner="a"))
    assert not await leased(storage, "a")
    await storage.write(Priority.LEASE, lambda tx: tx.tokens.release("oa", "main", owner="b"))
    assert await leased(storage, "a")


async def test_leases_of_the_dead_can_be_given_back_all_at_once(storage: Storage) -> None:
    assert await leased(storage, "a")
    await storage.write(Priority.LEASE, lambda tx: tx.tokens.release_all())
    assert await leased(storage, "b")


async def test_a_token_stands_nowhere_in_the_clear(storage: Storage, url: str) -> None:
    await swapped(storage, KeptToken(token=HUSH, refused=fingerprint(HUSH)))
    engine = create_engine(parse_url(url))
    with engine.connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM tokens")).mappings()
    engine.dispose()
    assert HUSH.encode() not in bytes(row["sealed"])
    assert HUSH not in str(dict(row))


async def test_a_token_of_another_account_does_not_open_here(storage: Storage, url: str) -> None:
    await swapped(storage, KeptToken(token=HUSH))
    await swapped(storage, KeptToken(token="theirs"), account="other")
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE tokens SET sealed = (SELECT sealed FROM tokens WHERE account = 'other') WHERE account = 'main'"
            )
        )
    engine.dispose()
    found = await loaded(storage)
    assert (found.token, found.unreadable) == ("", True)


async def test_a_token_of_a_lost_key_is_told_apart_from_none(url: str, keys: KeyRing, clock: TurnedClock) -> None:
    before = await Storage.open(url, keys=keys, clock_now=clock.now)
    await swapped(before, KeptToken(token=HUSH))
    await before.close()
    after = await Storage.open(url, keys=KeyRing.generate(), clock_now=clock.now)
    found = await loaded(after)
    assert (found.token, found.unreadable, found.generation) == ("", True, 1)
    assert await swapped(after, replace(found, token="new"))
    assert (await loaded(after)).token == "new"
    await after.close()


class Office:
    """A platform that gives out tokens, slowly while `gate` is shut."""

    def __init__(self) -> None:
        self.asked = 0
        self.gate = asyncio.Event()

    async def __call__(self, *, force: bool) -> Grant:
        self.asked += 1
        await self.gate.wait()
        return Grant(access_token=f"t{self.asked}", expires_in_s=7200)


def process(storage: Storage, office: Office, clock: TurnedClock) -> Tokens:
    """The tokens of one account as one process has them."""
    vault = KeptTokens(storage=storage, channel="oa", account="main")
    return Tokens(name="oa:main", fetch=office, clock=clock, can_force=True, vault=vault)


async def had(tokens: Tokens) -> str:
    """Its token, asked for again while another process is slow to fetch it, as a sender does."""
    for _ in range(20):
        try:
            return await tokens.current()
        except TryLater:
            continue
    raise AssertionError("no token for a minute")


async def test_two_processes_on_one_database_fetch_one_token(url: str, keys: KeyRing, clock: TurnedClock) -> None:
    ours = await Storage.open(url, keys=keys, clock_now=clock.now)
    theirs = await Storage.open(url, keys=keys, clock_now=clock.now)
    office = Office()
    first = asyncio.create_task(had(process(ours, office, clock)))
    while not office.asked:
        await asyncio.wait([first], timeout=0.01)
    second = asyncio.create_task(had(process(theirs, office, clock)))
    await theirs.write(Priority.REST, lambda tx: None)
    office.gate.set()
    assert await asyncio.gather(first, second) == ["t1", "t1"]
    assert office.asked == 1
    for storage in (ours, theirs):
        await storage.close()


async def test_the_next_start_uses_the_kept_token_even_after_a_death_in_the_middle_of_fetching(
    url: str, keys: KeyRing, clock: TurnedClock
) -> None:
    """On SQLite a lease dies with its process at the next start; on PostgreSQL it runs out."""
    opened = await Storage.open(url, keys=keys, clock_now=clock.now)
    office = Office()
    office.gate.set()
    assert await process(opened, office, clock).current() == "t1"
    assert await leased(opened, "a process that was killed")
    await opened.write(Priority.SETTLE, lambda tx: tx.begin_epoch())
    await opened.close()
    again = await Storage.open(url, keys=keys, clock_now=clock.now)
    assert await process(again, office, clock).current() == "t1"
    assert office.asked == 1
    assert await leased(again, "the new one") is url.startswith("sqlite")
    await again.close()
