"""What was planned for a customer whose lane stands still waits with her (delivery.md 2.5)."""

from dataclasses import replace

from bot.storage import Storage
from tests.storage.makers import begin, carry_out, later, lease, names, newcomer, send, write


async def test_it_does_not_leave_before_her_lane_goes_on(storage: Storage) -> None:
    anna, bert = await newcomer(storage), await newcomer(storage, "oBert")
    await carry_out(storage, anna.customer_id, send("A"))
    await carry_out(storage, bert.customer_id, send("B", to="oBert"))
    await write(storage, lambda tx: tx.lanes.park(anna.customer_id, seq=None, reason="bug"))
    assert names(await lease(storage)) == ["B"]
    await write(storage, lambda tx: tx.lanes.unpark(anna.customer_id))
    assert names(await lease(storage)) == ["A"]


async def test_it_does_not_begin_when_her_lane_was_parked_after_the_lease(storage: Storage) -> None:
    anna = await newcomer(storage)
    await carry_out(storage, anna.customer_id, send("A"))
    await lease(storage)
    await write(storage, lambda tx: tx.lanes.park(anna.customer_id, seq=None, reason="bug"))
    assert await begin(storage, "A") == set()


async def test_it_expires_meanwhile_all_the_same(storage: Storage) -> None:
    anna = await newcomer(storage)
    await carry_out(storage, anna.customer_id, send("A", expires_at=later(60)))
    await write(storage, lambda tx: tx.lanes.park(anna.customer_id, seq=None, reason="bug"))
    assert [line.effect.effect_id for line in await write(storage, lambda tx: tx.outbox.expire(later(61)))] == ["A"]


async def test_a_card_about_her_reaches_our_own_people(storage: Storage) -> None:
    anna = await newcomer(storage)
    await carry_out(storage, anna.customer_id, replace(send("CARD"), send_class="staff"))
    await write(storage, lambda tx: tx.lanes.park(anna.customer_id, seq=None, reason="bug"))
    assert names(await lease(storage)) == ["CARD"]
    assert await begin(storage, "CARD") == {"CARD"}


async def test_nothing_is_left_to_do_while_only_parked_messages_wait(storage: Storage) -> None:
    anna = await newcomer(storage)
    await carry_out(storage, anna.customer_id, send("A"))
    await write(storage, lambda tx: tx.lanes.park(anna.customer_id, seq=None, reason="bug"))
    assert await storage.read(lambda tx: tx.quiet.quiescent(later(1)))
