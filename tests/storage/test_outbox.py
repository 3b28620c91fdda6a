"""The states of a send, and who may move it from one to the next."""

from datetime import timedelta

import pytest

from bot.core.ids import EffectId
from bot.storage import OutboxLine, Outcome, Room, Storage, Verdict
from tests.storage.makers import (
    NOON,
    OA,
    TurnedClock,
    begin,
    carry_out,
    later,
    lease,
    names,
    newcomer,
    send,
    settle,
    write,
)


async def planned(storage: Storage, *names: str, to: str = "oAnna", **more: object) -> None:
    """Plan messages for one conversation, each by a step of its own."""
    customer = await newcomer(storage, to)
    for name in names:
        await carry_out(storage, customer.customer_id, send(name, to=to, **more))


async def row(storage: Storage, name: str) -> OutboxLine:
    found = await storage.read(lambda t: t.outbox.of(EffectId(name)))
    assert found is not None
    return found


async def state(storage: Storage, name: str) -> str:
    return (await row(storage, name)).state


async def test_the_whole_way_of_a_message(storage: Storage, clock: TurnedClock) -> None:
    await planned(storage, "A")
    (leased,) = await lease(storage)
    assert (leased.effect, leased.attempts) == (send("A"), 0)
    assert await begin(storage, "A", now=2, epoch=7) == {"A"}
    clock.at = later(3)
    assert await settle(storage, "A", "sent", provider_id="m1", response_code="r1")
    line = await row(storage, "A")
    assert (line.state, line.provider_id, line.response_code, line.attempts) == ("sent", "m1", "r1", 1)
    assert (line.started_at, line.epoch, line.settled_at) == (later(2), 7, later(3))
    assert await storage.read(lambda t: t.outbox.states()) == {"sent": 1}


async def test_a_row_is_leased_once(storage: Storage) -> None:
    await planned(storage, "A")
    assert names(await lease(storage)) == ["A"]
    assert names(await lease(storage, worker="w2")) == []


async def test_one_message_of_a_conversation_is_under_way_at_a_time(storage: Storage) -> None:
    await planned(storage, "A1", "A2")
    await planned(storage, "B1", to="oBert")
    assert names(await lease(storage)) == ["A1", "B1"]
    await begin(storage, "A1")
    assert names(await lease(storage)) == []
    await settle(storage, "A1", "sent")
    assert names(await lease(storage)) == ["A2"]


async def test_a_deferred_message_does_not_keep_later_ones_back(storage: Storage) -> None:
    await planned(storage, "tomorrow", not_before=later(1000))
    await planned(storage, "now")
    assert names(await lease(storage)) == ["now"]


async def test_a_deferred_message_waits_for_a_later_one_that_is_under_way(storage: Storage) -> None:
    await planned(storage, "deferred", not_before=later(10))
    await planned(storage, "now")
    await lease(storage)
    assert names(await lease(storage, now=20)) == []
    await begin(storage, "now", now=20)
    await settle(storage, "now", "sent")
    assert names(await lease(storage, now=20)) == ["deferred"]


async def test_a_message_that_waits_for_another_try_keeps_later_ones_back(storage: Storage) -> None:
    await planned(storage, "A1", expires_at=later(500))
    await planned(storage, "A2")
    await lease(storage)
    await begin(storage, "A1")
    await write(storage, lambda t: t.outbox.retry(EffectId("A1"), worker="w1", not_before=later(100)))
    assert names(await lease(storage, now=50)) == []
    (again,) = await lease(storage, now=100)
    assert (again.effect.effect_id, again.attempts) == ("A1", 1)


async def test_a_message_that_waits_for_another_try_holds_the_rest_only_until_it_expires(storage: Storage) -> None:
    await planned(storage, "A1", expires_at=later(50))
    await planned(storage, "A2")
    await lease(storage)
    await begin(storage, "A1")
    await write(storage, lambda t: t.outbox.retry(EffectId("A1"), worker="w1", not_before=later(100)))
    assert names(await lease(storage, now=51)) == ["A2"]


async def test_a_message_deferred_by_the_policy_lets_later_ones_pass(storage: Storage) -> None:
    await planned(storage, "A1", "A2")
    await lease(storage)
    await write(storage, lambda t: t.outbox.defer(EffectId("A1"), worker="w1", not_before=later(100)))
    assert names(await lease(storage)) == ["A2"]
    assert (await row(storage, "A1")).attempts == 0


async def test_urgent_messages_go_first(storage: Storage) -> None:
    await planned(storage, "B1", to="oBert")
    await planned(storage, "A1", urgent=True)
    assert names(await lease(storage, limit=1)) == ["A1"]
    assert names(await lease(storage)) == ["B1"]


async def test_what_an_urgent_message_has_to_wait_for_becomes_urgent_too(storage: Storage) -> None:
    await planned(storage, "B1", to="oBert")
    await planned(storage, "A1")
    await planned(storage, "A2", urgent=True)
    assert names(await lease(storage, limit=1)) == ["A1"]


async def test_one_conversation_full_of_urgent_messages_does_not_hide_another(storage: Storage) -> None:
    await planned(storage, *(f"A{n}" for n in range(12)), urgent=True)
    await planned(storage, "B1", to="oBert", urgent=True)
    assert names(await lease(storage, limit=2)) == ["A0", "B1"]


async def test_each_account_gets_what_it_may_have_under_way(storage: Storage) -> None:
    for name in ("A", "B", "C"):
        await planned(storage, name, to=f"o{name}")
    assert names(await lease(storage, limit=2)) == ["A", "B"]
    assert names(await lease(storage, limit=0)) == []
    other = {("oa", "second"): Room(slots=5)}
    rows = await write(storage, lambda t: t.outbox.lease(NOON, worker="w", hold=timedelta(seconds=9), limits=other))
    assert rows == ()


async def test_a_message_past_its_end_is_not_leased_but_expired(storage: Storage) -> None:
    await planned(storage, "A", expires_at=later(10))
    assert await write(storage, lambda t: t.outbox.expire(later(9))) == ()
    assert names(await lease(storage, now=10)) == []
    (line,) = await write(storage, lambda t: t.outbox.expire(later(10)))
    assert (line.effect.effect_id, line.state, line.reason) == ("A", "expired", "expired")
    assert await write(storage, lambda t: t.outbox.expire(later(10))) == ()


async def test_only_what_is_still_leased_by_this_worker_may_begin(storage: Storage, clock: TurnedClock) -> None:
    for name in ("mine", "suppressed", "late", "expiring"):
        until = later(30) if name == "expiring" else None
        await planned(storage, name, to=f"o-{name}", expires_at=until)
    await lease(storage)
    await settle(storage, "suppressed", "suppressed", reason="opt_out")
    assert await begin(storage, "mine", "suppressed", "unheard of", now=1) == {"mine"}
    assert await begin(storage, "late", now=1, worker="w2") == set()
    clock.ticked_s = 60
    assert await begin(storage, "late", now=1) == set()
    clock.ticked_s = 0
    assert await begin(storage, "expiring", now=30) == set()
    assert await begin(storage, "mine", now=1) == set()


@pytest.mark.parametrize(
    ("verdict", "later_verdict", "end"),
    [
        ("sent", "delivered", "delivered"),
        ("sent", "refused", "refused"),
        ("unknown", "sent", "sent"),
        ("unknown", "refused", "refused"),
        ("sent", "unknown", "sent"),
        ("refused", "sent", "refused"),
        ("sent", "suppressed", "sent"),
        ("delivered", "sent", "delivered"),
        ("sent", "expired", "sent"),
    ],
)
async def test_a_later_receipt_corrects_only_what_it_may(
    storage: Storage, verdict: Verdict, later_verdict: Verdict, end: str
) -> None:
    await planned(storage, "A")
    await lease(storage)
    await begin(storage, "A")
    assert await settle(storage, "A", verdict)
    assert await settle(storage, "A", later_verdict) == (end == later_verdict)
    assert await state(storage, "A") == end


@pytest.mark.parametrize("verdict", ["sent", "delivered", "unknown"])
async def test_what_never_began_cannot_have_been_sent(storage: Storage, verdict: Verdict) -> None:
    await planned(storage, "A")
    assert not await settle(storage, "A", verdict)
    assert await state(storage, "A") == "ready"


async def test_many_sends_are_settled_in_one_go_with_what_each_platform_said(storage: Storage) -> None:
    await planned(storage, "A")
    await planned(storage, "B", to="oBert")
    await lease(storage)
    await begin(storage, "A", "B")
    outcomes = [
        Outcome(effect_id=EffectId("A"), verdict="sent", provider_id="m1"),
        Outcome(effect_id=EffectId("B"), verdict="refused", reason="window", vendor_code=45015),
        Outcome(effect_id=EffectId("nobody"), verdict="sent"),
    ]
    assert await write(storage, lambda t: t.outbox.settle(outcomes)) == {"A", "B"}
    refused = await row(storage, "B")
    assert (refused.state, refused.reason, refused.vendor_code) == ("refused", "window", 45015)
    assert (await row(storage, "A")).provider_id == "m1"


async def test_two_outcomes_of_one_send_in_one_call_are_taken_in_order(storage: Storage) -> None:
    await planned(storage, "A")
    await lease(storage)
    await begin(storage, "A")
    outcomes = [
        Outcome(effect_id=EffectId("A"), verdict="sent", provider_id="m1"),
        Outcome(effect_id=EffectId("A"), verdict="delivered"),
    ]
    assert await write(storage, lambda t: t.outbox.settle(outcomes)) == {"A"}
    line = await row(storage, "A")
    assert (line.state, line.provider_id) == ("delivered", "m1")


async def test_a_send_is_found_by_the_platforms_id(storage: Storage) -> None:
    await planned(storage, "A")
    await lease(storage)
    await begin(storage, "A")
    await settle(storage, "A", "sent", provider_id="m1")
    found = await storage.read(lambda t: t.outbox.of_provider("m1", channel="oa", account="main"))
    assert found is not None
    assert found.effect.effect_id == "A"
    assert await storage.read(lambda t: t.outbox.of_provider("m1", channel="oa", account="second")) is None
    assert await storage.read(lambda t: t.outbox.of_provider("", channel="oa", account="main")) is None


async def test_a_lease_that_is_over_is_ready_again_and_an_unanswered_send_is_unknown(
    storage: Storage, clock: TurnedClock
) -> None:
    await planned(storage, "A")
    await planned(storage, "B", to="oBert")
    await lease(storage)
    await begin(storage, "B")
    clock.at, clock.ticked_s = later(10_000), 59
    assert await write(storage, lambda t: t.outbox.reclaim()) == ()
    clock.ticked_s = 60
    (line,) = await write(storage, lambda t: t.outbox.reclaim())
    assert (line.effect.effect_id, line.state) == ("B", "unknown")
    assert await state(storage, "A") == "ready"
    assert await begin(storage, "A", now=60) == set()


async def test_after_a_start_what_an_earlier_one_was_sending_is_unknown_and_leases_are_undone(
    storage: Storage,
) -> None:
    for name in ("A", "B", "C"):
        await planned(storage, name, to=f"o{name}")
    await lease(storage)
    first, second = [await write(storage, lambda t: t.begin_epoch()) for _ in range(2)]
    assert second == first + 1
    await begin(storage, "B", epoch=first)
    await begin(storage, "C", epoch=second)
    lines = await write(storage, lambda t: t.outbox.recover(second))
    assert [line.effect.effect_id for line in lines] == ["B"]
    assert [await state(storage, name) for name in ("A", "B", "C")] == ["ready", "unknown", "sending"]


async def test_an_unknown_send_can_be_repeated_and_nothing_else(storage: Storage) -> None:
    await planned(storage, "A")
    await lease(storage)
    await begin(storage, "A")
    assert not await write(storage, lambda t: t.outbox.repeat(EffectId("A"), not_before=NOON))
    await settle(storage, "A", "unknown")
    assert await write(storage, lambda t: t.outbox.repeat(EffectId("A"), not_before=later(5)))
    (leased,) = await lease(storage, now=5)
    assert leased.attempts == 1


async def test_what_was_suppressed_while_it_was_being_sent_is_not_touched(storage: Storage) -> None:
    await planned(storage, "A")
    await lease(storage)
    await begin(storage, "A")
    assert not await settle(storage, "A", "suppressed")
    assert await state(storage, "A") == "sending"


async def test_a_send_nobody_planned_is_not_found(storage: Storage) -> None:
    assert await storage.read(lambda t: t.outbox.of(EffectId("nobody"))) is None


async def test_leases_are_for_the_accounts_asked_for(storage: Storage) -> None:
    await planned(storage, "A")
    room = {OA: Room(slots=1)}
    rows = await write(storage, lambda t: t.outbox.lease(NOON, worker="w", hold=timedelta(seconds=9), limits=room))
    assert names(rows) == ["A"]
