"""What an operator gives up among rows that do not open, and how it is told."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from bot.cli.deciding import _spoilt_words
from bot.core import departure
from bot.core.effects import SendMessage
from bot.core.ids import CustomerId
from bot.core.program import Program
from bot.errors import BotError, ConfigError, Spoilt
from bot.runtime import retry, retry_spoilt
from bot.runtime.why import Wall
from bot.runtime.why.reasons import unopened
from bot.storage import KeyRing, Storage, Transaction
from tests.storage.engine_rig import Platform, running
from tests.storage.makers import TurnedClock, carry_out, newcomer, send, write
from tests.storage.spoiling import DAMAGES, QUIET, Damage, mend, run, spoil, survey, told
from tests.storage.test_spoilt_sends import two
from tests.unit.step.worlds import world

WORDS: dict[Damage, str] = {"cut": "数据不完整", "key": "密钥版本 9 加密", "form": "不是这个版本的程序认得的内容"}


@pytest.fixture(scope="module")
def quiet() -> Program:
    return world(QUIET)


async def _planned(storage: Storage, customer_id: CustomerId, effect: SendMessage) -> None:
    """A message that waits to be sent to her and counts among what she is to get."""

    def job(tx: Transaction) -> None:
        before = tx.customers.load([customer_id])[customer_id]
        talk = before.conversations[effect.conversation_id]
        waiting = replace(talk, unsent=(*talk.unsent, departure.unsent_of(effect)))
        after = replace(before, conversations={**before.conversations, effect.conversation_id: waiting})
        tx.customers.save([(before, after)])

    await write(storage, job)
    await carry_out(storage, customer_id, effect)


async def _unsent(storage: Storage, customer_id: CustomerId) -> list[str]:
    customer = await storage.read(lambda tx: tx.customers.load([customer_id])[customer_id])
    return [one.effect_id for talk in customer.conversations.values() for one in talk.unsent]


async def _left(storage: Storage, name: str) -> None:
    """`zhitu retry leave`."""

    def job(tx: Transaction) -> None:
        if retry_spoilt.leave(tx, name) is None:
            retry.leave(tx, retry.find_send(tx, name))

    await write(storage, job)


async def _withheld(storage: Storage, clock: TurnedClock, program: Program) -> tuple[CustomerId, bytes]:
    """A message that rests because it did not open; what it held."""
    anna, _ = await two(storage, clock, program)
    await _planned(storage, anna, send("BAD"))
    sealed = await spoil(storage, "outbox", "BAD", damage="key")
    async with running(storage, clock, program, sender=Platform()) as engine:
        await run(engine)
    assert await _unsent(storage, anna) == ["BAD"]
    return anna, sealed


@pytest.mark.parametrize("is_mended", [False, True])
async def test_a_message_that_is_given_up_charges_her_no_more(
    storage: Storage, clock: TurnedClock, quiet: Program, is_mended: bool
) -> None:
    """Before: one that opened again when it was given up stayed among what waits for her."""
    anna, sealed = await _withheld(storage, clock, quiet)
    if is_mended:
        await mend(storage, "outbox", "BAD", sealed)
    await _left(storage, "BAD")
    assert await _unsent(storage, anna) == []


@pytest.mark.parametrize("is_mended", [False, True])
async def test_it_is_not_given_up_while_her_own_row_does_not_open(
    storage: Storage, clock: TurnedClock, quiet: Program, is_mended: bool
) -> None:
    anna, sealed = await _withheld(storage, clock, quiet)
    if is_mended:
        await mend(storage, "outbox", "BAD", sealed)
    hers = await spoil(storage, "customers", anna)
    with pytest.raises(BotError, match="自己的记录打不开"):
        await _left(storage, "BAD")
    await mend(storage, "customers", anna, hers)
    assert await _unsent(storage, anna) == ["BAD"]
    await _left(storage, "BAD")
    assert await _unsent(storage, anna) == []


async def test_a_row_of_the_quarantine_that_does_not_open_can_be_given_up(storage: Storage) -> None:
    """Before: the cure that was named for it answered that there is no such message."""
    await write(storage, lambda tx: tx.lanes.quarantine(channel="oa", account="main", body=b"<xml>", why="no XML"))
    (row,) = (await survey(storage)).quarantine
    assert await write(storage, lambda tx: retry_spoilt.leave(tx, row.quarantine_id[:12])) is None
    await spoil(storage, "quarantine", row.quarantine_id)
    found = await write(storage, lambda tx: retry_spoilt.leave(tx, row.quarantine_id[:12]))
    assert found is not None
    assert found.name == row.quarantine_id
    assert (await survey(storage)).is_empty


async def test_a_list_is_cut_short_by_what_was_read_not_by_what_opens(storage: Storage) -> None:
    anna = (await newcomer(storage)).customer_id
    await carry_out(storage, anna, *[send(f"S{n}") for n in range(retry.LISTED_MAX + 1)])
    await write(storage, lambda tx: tx._connection.execute(text("UPDATE outbox SET state='unknown', reason='no'")))
    await spoil(storage, "outbox", "S0")
    found = await survey(storage)
    assert (len(found.sends), len(found.spoilt), found.cut) == (retry.LISTED_MAX - 1, 1, True)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_why_a_row_does_not_open_is_told_in_the_words_of_the_sentence(
    storage: Storage, clock: TurnedClock, quiet: Program, damage: Damage
) -> None:
    anna, _ = await two(storage, clock, quiet)
    await carry_out(storage, anna, send("BAD"))
    await spoil(storage, "outbox", "BAD", damage=damage)
    async with running(storage, clock, quiet, sender=Platform()) as engine:
        await run(engine)
    story = await told(storage, anna)
    assert story.count(WORDS[damage]) >= 2  # the row and the lane that stands still
    (row,) = (await survey(storage)).spoilt
    assert WORDS[damage] in _spoilt_words(row, Wall())
    with pytest.raises(BotError) as refused:
        await storage.read(lambda tx: retry.find_send(tx, "BAD"))
    assert WORDS[damage] in refused.value.hint
    for english in ("sealed", "configured", "stored bytes"):
        assert english not in story + refused.value.hint


async def test_only_what_is_withheld_is_said_to_be_put_aside(storage: Storage) -> None:
    anna = (await newcomer(storage)).customer_id
    await carry_out(storage, anna, send("BAD"))
    await write(storage, lambda tx: tx._connection.execute(text("UPDATE outbox SET state='unknown', reason='no'")))
    await spoil(storage, "outbox", "BAD")
    story = await told(storage, anna)
    assert ("先放在一边" in story, "不知道是否送达" in story) == (False, True)


async def test_lines_of_the_journal_that_do_not_open_are_left_out_wherever_it_is_read_from(storage: Storage) -> None:
    anna = (await newcomer(storage)).customer_id
    await write(storage, lambda tx: tx.lanes.park(anna, seq=None, reason="x"))
    await write(storage, lambda tx: retry.release(tx, retry.find_lane(tx, "oAnna")))
    assert len(await storage.read(lambda tx: tx.reading.journal_after(anna, 0, limit=9))) == 1
    await write(storage, lambda tx: tx._connection.execute(text("UPDATE journal SET entries = '{'")))
    assert await storage.read(lambda tx: tx.reading.journal_after(anna, 0, limit=9)) == ()


async def test_a_start_without_the_key_of_the_newest_customer_is_refused(
    storage: Storage, clock: TurnedClock, quiet: Program
) -> None:
    _, bert = await two(storage, clock, quiet)
    await storage.read(lambda tx: tx.customers.require_keys())
    await spoil(storage, "customers", bert)
    await storage.read(lambda tx: tx.customers.require_keys())  # damaged: hers alone
    await write(
        storage, lambda tx: tx._connection.execute(text("UPDATE customers SET sealed = :x"), {"x": bytes((9,)) * 99})
    )
    with pytest.raises(ConfigError, match=r"密钥版本 9 写的，配置里没有这个版本[\s\S]*\[storage\] keys"):
        await storage.read(lambda tx: tx.customers.require_keys())


async def test_a_start_with_another_key_of_the_same_version_is_refused(
    storage: Storage, clock: TurnedClock, quiet: Program, url: str
) -> None:
    await two(storage, clock, quiet)
    wrong = await Storage.open(url, keys=KeyRing.generate(), clock_now=clock.now, ticks=clock.ticks)
    try:
        with pytest.raises(ConfigError, match="密钥版本 1 打不开这个数据库"):
            await wrong.read(lambda tx: tx.customers.require_keys())
    finally:
        await wrong.close()


def test_what_a_row_asks_for_is_told_by_its_kind() -> None:
    assert "密钥版本 4 解不开它" in unopened(Spoilt("no", kind="damaged", key_version=4))
    assert "版本的程序" in unopened(Spoilt("no", kind="form"))
