"""Errands in the database: every statement on both, and what is left when a process dies between two of them."""

from datetime import timedelta

from bot.core.effects import WithdrawErrands
from bot.core.errands import BookPoints, CallWebhook
from bot.core.ids import CustomerId, EffectId
from bot.storage import Storage
from tests.storage.errand_makers import begin, lease, states, webhook
from tests.storage.makers import TurnedClock, carry_out, later, newcomer, write

ANNA = CustomerId(1)


async def test_an_errand_is_kept_once_however_often_its_step_is_made(storage: Storage) -> None:
    for _ in range(2):
        await carry_out(storage, ANNA, webhook("A"))
    line = await storage.read(lambda t: t.errands.of(EffectId("A")))
    assert line is not None
    assert line.effect == webhook("A")
    assert (line.state, line.attempts, line.customer_id) == ("ready", 0, ANNA)
    assert await states(storage) == {"ready": 1}


async def test_what_a_webhook_is_told_stands_sealed_in_the_database(storage: Storage) -> None:
    await carry_out(storage, ANNA, webhook("A"))
    raw = await storage.read(lambda t: t._connection.exec_driver_sql("SELECT sealed FROM errands").scalar_one())
    assert b"13800138000" not in bytes(raw)


async def test_every_target_gets_as_many_as_it_has_room_for(storage: Storage) -> None:
    await carry_out(storage, ANNA, *(webhook(f"A{n}") for n in range(3)), webhook("B", target="erp"))
    assert await lease(storage, room=2) == ["A0", "A1", "B"]
    assert await lease(storage, room=2) == ["A2"]
    assert await states(storage) == {"leased": 4}


async def test_errands_of_our_ledgers_are_nobody_elses(storage: Storage) -> None:
    await carry_out(storage, ANNA, webhook("P", errand=BookPoints(add=5, reason="签到", balance=5)))
    assert await lease(storage) == []
    free = await write(storage, lambda t: t.errands.free("", now=later(), limit=10))
    assert [line.effect.effect_id for line in free] == ["P"]


async def test_one_that_was_begun_and_answered_is_done(storage: Storage) -> None:
    await carry_out(storage, ANNA, webhook("A"))
    await lease(storage)
    assert await begin(storage, "A")
    assert await write(storage, lambda t: t.errands.settle(EffectId("A"), "done", status=200))
    assert not await write(storage, lambda t: t.errands.settle(EffectId("A"), "failed"))
    line = await storage.read(lambda t: t.errands.of(EffectId("A")))
    assert line is not None and (line.state, line.status, line.attempts) == ("done", 200, 1)


async def test_one_that_is_to_be_tried_again_waits_until_then(storage: Storage) -> None:
    await carry_out(storage, ANNA, webhook("A"))
    await lease(storage)
    await begin(storage, "A")
    await write(
        storage,
        lambda t: t.errands.retry(EffectId("A"), worker="w1", not_before=later(4), reason="webhook.5xx", status=503),
    )
    assert await lease(storage, now=3) == []
    assert await lease(storage, now=4) == ["A"]


async def test_a_process_that_died_while_it_asked_leaves_an_errand_that_is_asked_again(storage: Storage) -> None:
    await carry_out(storage, ANNA, webhook("A"), webhook("B"))
    await lease(storage)
    await begin(storage, "A")
    assert await write(storage, lambda t: t.errands.recover()) == 2
    assert await lease(storage) == ["A", "B"]
    line = await storage.read(lambda t: t.errands.of(EffectId("A")))
    assert line is not None and (line.attempts, line.reason, line.status) == (1, "process ended", None)


async def test_a_lease_that_is_over_is_taken_back_unless_its_task_lives(storage: Storage, clock: TurnedClock) -> None:
    await carry_out(storage, ANNA, webhook("A"), webhook("B"))
    await lease(storage)
    await begin(storage, "A")
    clock.ticked_s = 61
    assert await write(storage, lambda t: t.errands.reclaim(flying={EffectId("B")})) == 1
    assert await states(storage) == {"leased": 1, "ready": 1}


async def test_a_lease_that_is_over_cannot_begin(storage: Storage, clock: TurnedClock) -> None:
    await carry_out(storage, ANNA, webhook("A"))
    await lease(storage)
    clock.ticked_s = 61
    assert not await begin(storage, "A")
    assert not await begin(storage, "A", worker="w2")


async def test_what_was_asked_in_vain_is_unknown_and_what_was_refused_has_failed(storage: Storage) -> None:
    await carry_out(storage, ANNA, webhook("never", expires=5), webhook("silent", expires=5), webhook("no", expires=5))
    await lease(storage, room=3)
    for name, status in (("silent", None), ("no", 503)):
        await begin(storage, name)
        await write(
            storage,
            lambda t, name=name, status=status: t.errands.retry(
                EffectId(name), worker="w1", not_before=later(9), reason="x", status=status
            ),
        )
    await write(storage, lambda t: t.errands.release(EffectId("never"), worker="w1"))
    assert await write(storage, lambda t: t.errands.expire(later(4))) == ()
    expired = await write(storage, lambda t: t.errands.expire(later(5)))
    assert {line.effect.effect_id: line.state for line in expired} == {
        "never": "failed",
        "silent": "unknown",
        "no": "failed",
    }


async def test_an_operator_may_have_an_unknown_one_asked_again_or_leave_it(storage: Storage) -> None:
    await carry_out(storage, ANNA, webhook("A", expires=5))
    await lease(storage)
    await begin(storage, "A")
    await write(storage, lambda t: t.errands.retry(EffectId("A"), worker="w1", not_before=later(9), reason="no_answer"))
    await write(storage, lambda t: t.errands.expire(later(5)))
    assert [line.effect.effect_id for line in await storage.read(lambda t: t.errands.undecided(10))] == ["A"]
    assert await write(storage, lambda t: t.errands.run_again(EffectId("A"), now=later(60)))
    assert await storage.read(lambda t: t.errands.undecided(10)) == ()
    assert await lease(storage, now=61) == ["A"]
    assert not await write(storage, lambda t: t.errands.leave(EffectId("A")))


async def test_what_is_left_is_asked_about_no_more(storage: Storage) -> None:
    await carry_out(storage, ANNA, webhook("A"))
    await write(storage, lambda t: t.errands.settle(EffectId("A"), "unknown", reason="no_answer"))
    assert await write(storage, lambda t: t.errands.leave(EffectId("A")))
    assert await storage.read(lambda t: t.errands.undecided(10)) == ()
    assert not await write(storage, lambda t: t.errands.leave(EffectId("A")))


async def test_a_state_that_was_left_withdraws_what_has_not_begun(storage: Storage) -> None:
    names = ("ready", "leased", "sending", "tried")
    await carry_out(storage, ANNA, *(webhook(name) for name in names))
    await lease(storage)
    await write(storage, lambda t: t.errands.release(EffectId("ready"), worker="w1"))
    for name in ("sending", "tried"):
        await begin(storage, name)
    await write(storage, lambda t: t.errands.retry(EffectId("tried"), worker="w1", not_before=later(9), reason="x"))
    gone = WithdrawErrands(effect_ids=tuple(EffectId(name) for name in names), reason="left_state")
    await carry_out(storage, ANNA, gone)
    lines = await storage.read(lambda t: t.errands.of_customer(ANNA))
    assert {line.effect.effect_id: line.state for line in lines} == {
        "ready": "withdrawn",
        "leased": "withdrawn",
        "sending": "sending",
        "tried": "unknown",
    }
    assert not await begin(storage, "leased")


async def test_a_parked_customers_errands_wait_with_her(storage: Storage) -> None:
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, webhook("A"))
    await lease(storage)
    await write(storage, lambda t: t.lanes.park(customer.customer_id, seq=None, reason="bug"))
    assert not await begin(storage, "A")
    await write(storage, lambda t: t.errands.release(EffectId("A"), worker="w1"))
    assert await lease(storage) == []
    assert not await storage.read(lambda t: t.errands.anything(later()))


async def test_errands_of_a_target_that_is_configured_no_more_are_found(storage: Storage) -> None:
    await carry_out(storage, ANNA, webhook("A"), webhook("B", target="gone"))
    stray = await write(storage, lambda t: t.errands.stray(["", "crm"], now=later(), limit=10))
    assert [line.effect.effect_id for line in stray] == ["B"]


async def test_the_alarm_knows_when_an_errand_is_due_again(storage: Storage) -> None:
    assert await storage.read(lambda t: t.quiet.quiescent(later()))
    await carry_out(storage, ANNA, webhook("A"))
    assert not await storage.read(lambda t: t.quiet.quiescent(later()))
    await lease(storage)
    assert not await storage.read(lambda t: t.quiet.quiescent(later()))
    await begin(storage, "A")
    await write(storage, lambda t: t.errands.retry(EffectId("A"), worker="w1", not_before=later(4), reason="x"))
    assert await storage.read(lambda t: t.quiet.quiescent(later()))
    assert await storage.read(lambda t: t.quiet.next_due(later())) == later(4)
    assert not await storage.read(lambda t: t.quiet.quiescent(later(4)))


async def test_old_errands_are_forgotten_and_open_ones_are_not(storage: Storage, clock: TurnedClock) -> None:
    await carry_out(storage, ANNA, webhook("old"), webhook("open", expires=9e6))
    await write(storage, lambda t: t.errands.settle(EffectId("old"), "done"))
    clock.at = later(86_400)
    found = await write(
        storage, lambda t: t.tidying.sweep("errands", after=0, before=clock.at - timedelta(hours=1), limit=10)
    )
    assert found.dropped == 1
    assert await states(storage) == {"ready": 1}


async def test_figures_count_errands_that_wait_and_that_nobody_knows_of(storage: Storage) -> None:
    await carry_out(storage, ANNA, webhook("A"), webhook("B"))
    await write(storage, lambda t: t.errands.settle(EffectId("B"), "unknown"))
    figures = await storage.read(lambda t: t.counting.figures(later()))
    assert (figures.errands_waiting, figures.errands_unknown) == (1, 1)


def test_a_webhook_is_called_by_its_target_and_operation() -> None:
    assert CallWebhook(target="crm", operation="create_lead").name == "crm.create_lead"
