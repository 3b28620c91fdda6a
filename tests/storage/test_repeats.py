"""What becomes of the one repeat of a message whose fate is unknown (delivery.md 3.4, 3.5, 3.7)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.ids import EffectId
from bot.core.library import Library
from bot.core.messages import TemplateMessage
from bot.core.program import compile_library
from bot.core.rules import GlobalRules
from bot.errors import ChannelError, Refused, TryLater, Unknown, Unreachable
from bot.runtime import dispatch, settling
from bot.storage import OutboxLine, Storage, Transaction
from tests.storage.makers import TurnedClock, begin, carry_out, later, lease, newcomer, send, write
from tests.storage.why_stage import Stage, brand, staged


@pytest.fixture
async def stage(storage: Storage, clock: TurnedClock, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(storage, clock, brand(tmp_path, service="at_least_once")) as ours:
        yield ours


async def row(stage: Stage, content: str) -> OutboxLine:
    customer_id = await stage.customer()
    lines = await stage.storage.read(lambda tx: tx.reading.outbox_of(customer_id))
    return next(line for line in lines if line.effect.content == content)


async def told(stage: Stage) -> list[str]:
    """The receipts that her lane got."""
    customer_id = await stage.customer()
    lines = await stage.storage.read(lambda tx: tx.reading.inbox_of(customer_id))
    return [f"{line.event.type} {line.event.fields['reason']}" for line in lines if line.event.type.startswith("send.")]


async def unanswered(stage: Stage, *more: ChannelError) -> None:
    """She follows, and nobody answers for the welcome; its repeat waits."""
    stage.oa.answers = {"welcome": [Unknown("no answer"), *more]}
    await stage.act("oa.follow")


async def test_an_opt_out_takes_the_repeat_back_and_leaves_the_fate_unknown(stage: Stage) -> None:
    await unanswered(stage)
    await stage.turn(seconds=1)
    await stage.say("退订")
    await stage.turn(minutes=5)
    assert stage.oa.asked.count("welcome") == 1
    line = await row(stage, "welcome")
    assert (line.state, line.reason) == ("unknown", "opted_out")


async def test_a_repeat_that_is_not_wanted_any_more_stays_unknown_and_her_lane_is_told_once(stage: Stage) -> None:
    await unanswered(stage)
    await stage.turn(seconds=1)
    await stage.say("选车")
    await stage.turn(minutes=5)
    line = await row(stage, "welcome")
    assert (line.state, line.reason) == ("unknown", "repeat_not_wanted")
    assert await told(stage) == ["send.unknown repeat_not_wanted"]


async def test_a_repeat_that_is_put_off_until_it_is_too_late_stays_unknown(stage: Stage) -> None:
    await unanswered(stage, TryLater("busy", after_s=8 * 3600))
    await stage.turn(hours=7)
    line = await row(stage, "welcome")
    assert (line.state, line.reason) == ("unknown", "expired")
    assert "send.unknown expired" in await told(stage)


async def test_an_unknown_message_keeps_its_place_in_the_window_and_its_repeat_takes_another(stage: Stage) -> None:
    stage.oa.answers = {"welcome": [Unknown("no answer")], "ask-need": [TryLater("busy", after_s=30)]}
    await stage.act("oa.follow")
    await stage.turn(seconds=10)
    customer_id = await stage.customer()
    customer = await stage.storage.read(lambda tx: tx.customers.load([customer_id])[customer_id])
    ((talk),) = customer.conversations.values()
    assert [bucket.used for bucket in talk.buckets] == [2]
    assert [unsent.effect_id for unsent in talk.unsent] == [(await row(stage, "ask-need")).effect.effect_id]


@pytest.mark.parametrize(
    ("error", "left"),
    [
        (Refused("no", vendor_code=45008), [2]),
        (Unreachable("no", reason="count", vendor_code=45047), [0]),
        (Unreachable("no", reason="window", vendor_code=45015), []),
    ],
)
async def test_the_platform_corrects_what_we_think_is_left(stage: Stage, error: ChannelError, left: list[int]) -> None:
    stage.oa.answers = {"ask-need": [error]}
    await stage.act("oa.follow")
    customer_id = await stage.customer()
    customer = await stage.storage.read(lambda tx: tx.customers.load([customer_id])[customer_id])
    ((talk),) = customer.conversations.values()
    assert [bucket.max - bucket.used for bucket in talk.buckets] == left


async def test_what_can_never_leave_holds_its_conversation_until_it_expires_and_no_longer(stage: Stage) -> None:
    stage.oa.answers = {"welcome": [TryLater("quota", after_s=3000, vendor_code=45009)] * 50}
    await stage.say("报价")
    await stage.turn(hours=5)
    assert set(stage.oa.asked) == {"welcome"}
    await stage.say("你好")
    await stage.turn(hours=1, minutes=1)
    assert (await row(stage, "welcome")).state == "expired"
    assert "send.expired expired" in await told(stage)
    await stage.turn(hours=1)
    assert set(stage.oa.asked) > {"welcome"}


async def test_a_receipt_and_the_state_it_tells_of_are_one_transaction(stage: Stage) -> None:
    stage.oa.answers = {"thanks": [Refused("bad", vendor_code=45008)]}
    await stage.act("oa.follow")
    await stage.say("选车")
    await stage.say("安娜小姐")
    line = await row(stage, "thanks")
    customer_id = await stage.customer()
    events = await stage.storage.read(lambda tx: tx.reading.inbox_of(customer_id))
    ((receipt),) = [event for event in events if event.event.type == "send.refused"]
    assert line.state == "refused"
    assert line.settled_at is not None and abs(receipt.received_at - line.settled_at) < timedelta(seconds=1)
    assert receipt.event.fields["effect_id"] == line.effect.effect_id


async def test_a_template_may_be_repeated_only_while_the_platform_knows_our_key(storage: Storage) -> None:
    customer = await newcomer(storage)
    template = replace(send("A"), message=TemplateMessage(template="通知", fields=()))
    await carry_out(storage, customer.customer_id, template)
    await lease(storage, now=3600)
    await begin(storage, "A", now=3600)
    rules = GlobalRules(
        timezone="UTC", quiet=None, human_hold=HOLD, working_hours={}, caps=(), class_rules={}, windows={}
    )
    library = Library(release="", journeys={}, contents={}, rules=rules, attributes={}, members=(), dealers={})
    at = dispatch.Circumstances(program=compile_library(library), now=later(3610), worker="w1", epoch=1)

    def unknown(tx: Transaction) -> dispatch.Standing:
        line = tx.outbox.of(EffectId("A"))
        assert line is not None
        return settling.settle_unknown(tx, settling.attempt_of(line), at, repeat_at=later(3615))

    assert (await write(storage, unknown)).state == "ready"
    line = await storage.read(lambda tx: tx.outbox.of(EffectId("A")))
    assert line is not None and line.expires_at == later(3600) + settling.TEMPLATE_KEY_LIVES
    (too_late,) = await write(storage, lambda tx: tx.outbox.expire(later(4200)))
    assert too_late.state == "unknown"


HOLD = timedelta(minutes=30)
