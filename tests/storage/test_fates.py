"""What becomes of a message that the platform answers more than once, in every order."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.effects import SuppressSends
from bot.core.ids import EffectId
from bot.errors import Refused, TryLater, Unknown
from bot.storage import OutboxLine, Storage
from tests.storage.makers import TurnedClock, carry_out, later, lease, newcomer, send, write
from tests.storage.why_stage import Stage, brand, staged


@pytest.fixture
async def stage(storage: Storage, clock: TurnedClock, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(storage, clock, brand(tmp_path, service="at_least_once")) as ours:
        yield ours


async def row(stage: Stage, content: str) -> OutboxLine:
    customer_id = await stage.customer()
    lines = await stage.storage.read(lambda tx: tx.reading.outbox_of(customer_id))
    return next(line for line in lines if line.effect.content == content)


async def test_a_card_put_off_and_then_refused_counts_as_refused(stage: Stage) -> None:
    stage.app.answers = {"@task": [TryLater("busy", after_s=2), Refused("bad card", vendor_code=40058)]}
    await stage.act("oa.follow")
    await stage.say("选车")
    await stage.say("安娜小姐")
    await stage.turn(seconds=60)
    assert (await row(stage, "@task")).state == "refused"


async def test_a_message_put_off_and_then_unknown_still_has_its_one_repeat(stage: Stage) -> None:
    stage.oa.answers = {"welcome": [TryLater("busy", after_s=2), Unknown("no answer")]}
    await stage.act("oa.follow")
    await stage.turn(seconds=55)
    assert stage.oa.asked.count("welcome") == 3
    assert (await row(stage, "welcome")).state == "sent"


async def test_a_message_is_repeated_once_however_often_nobody_answers(stage: Stage) -> None:
    stage.oa.answers = {"welcome": [Unknown("no answer"), TryLater("busy", after_s=2), *[Unknown("no answer")] * 3]}
    await stage.act("oa.follow")
    await stage.turn(seconds=300)
    line = await row(stage, "welcome")
    assert (line.state, line.repeats) == ("unknown", 1)


async def test_a_question_put_off_does_not_leave_after_an_opt_out(stage: Stage) -> None:
    stage.oa.answers = {"ask-need": [TryLater("busy", after_s=20)]}
    await stage.act("oa.follow")
    await stage.turn(seconds=1)
    await stage.say("退订")
    await stage.turn(seconds=60)
    assert stage.oa.asked == ["welcome", "ask-need", "optout-ok"]
    assert (await row(stage, "ask-need")).reason == "opted_out"


async def test_a_repeat_is_not_sent_to_a_buyer_who_has_written_since(stage: Stage) -> None:
    stage.oa.answers = {"ask-need": [Unknown("no answer")]}
    await stage.act("oa.follow")
    await stage.turn(seconds=1)
    await stage.say("选车")
    await stage.turn(seconds=60)
    assert stage.oa.asked.count("ask-need") == 1


async def test_a_hiccup_changes_nothing_about_a_row_that_was_taken_back_meanwhile(storage: Storage) -> None:
    anna = (await newcomer(storage)).customer_id
    await carry_out(storage, anna, send("A"))
    await lease(storage)
    await carry_out(storage, anna, SuppressSends(effect_ids=(EffectId("A"),), reason="opted_out"))
    moved = await write(
        storage,
        lambda tx: tx.outbox.retry(
            EffectId("A"), worker="w1", not_before=later(5), reason="unauthorised", vendor_code=40001
        ),
    )
    assert not moved
    line = await storage.read(lambda tx: tx.outbox.of(EffectId("A")))
    assert line is not None
    assert (line.state, line.reason, line.vendor_code) == ("suppressed", "opted_out", None)


async def test_only_whoever_leased_a_row_puts_it_back(storage: Storage) -> None:
    anna = (await newcomer(storage)).customer_id
    await carry_out(storage, anna, send("A"))
    await lease(storage)
    assert not await write(storage, lambda tx: tx.outbox.retry(EffectId("A"), worker="w2", not_before=later(5)))
    assert not await write(storage, lambda tx: tx.outbox.defer(EffectId("A"), worker="w2", not_before=later(5)))
    assert await write(storage, lambda tx: tx.outbox.defer(EffectId("A"), worker="w1", not_before=later(5)))
