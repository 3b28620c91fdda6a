"""A limit that a platform enforces silently counts what leaves, and stops nothing else."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.effects import SendMessage
from bot.core.ids import ConversationId, EffectId
from bot.core.messages import TemplateMessage
from bot.core.program import Program
from bot.errors import TryLater
from bot.runtime.rates import MEMBER_MINUTE, TEMPLATES_DAY
from bot.storage import Rate, Storage
from bot.storage.moments import micros
from tests.storage.engine_rig import HELLO, Platform, engine_of, follow, running
from tests.storage.makers import NOON, TurnedClock, carry_out, customer_of, later, newcomer, send, write
from tests.storage.why_stage import brand

MEMBER = ("app:main:zhangmin:minute", MEMBER_MINUTE)
TEMPLATES = ("oa:main:templates", TEMPLATES_DAY)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return brand(tmp_path)


def card(name: str) -> SendMessage:
    conversation = ConversationId("app:main:zhangmin")
    return replace(
        send(name, to="zhangmin"), channel="app", conversation_id=conversation, send_class="staff", urgent=True
    )


def template(name: str, *, to: str = "oAnna") -> SendMessage:
    return replace(send(name, to=to), message=TemplateMessage(template="x", fields=()), content="template")


async def use_up(storage: Storage, limit: tuple[str, Rate]) -> None:
    scope, rate = limit
    row = (scope, rate.start_of(NOON), rate.limit)
    await write(
        storage,
        lambda tx: tx._connection.exec_driver_sql(f"INSERT INTO rates VALUES ('{row[0]}', {row[1]}, {row[2]})"),
    )


async def test_a_message_that_its_account_was_not_ready_for_takes_no_place(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    tries = 3

    def no_token() -> None:
        nonlocal tries
        tries -= 1
        if tries >= 0:
            raise TryLater("no token now", after_s=5)

    platform = Platform("app")
    platform.preparing = no_token
    anna = (await newcomer(storage)).customer_id
    await carry_out(storage, anna, card("A"))
    engine = engine_of(storage, clock, program, sender=platform)
    await engine.outbox.recover()
    for _ in range(4):
        assert await storage.read(lambda tx: tx.rates.used(MEMBER, clock.now())) == 0
        assert await engine.outbox.tick() == 1
        await engine.outbox.drain(within_s=60)
        clock.at += timedelta(seconds=6)
    assert platform.asked == ["hello"]
    assert await storage.read(lambda tx: tx.rates.used(MEMBER, clock.now())) == 1


async def test_a_tick_that_only_puts_messages_off_tells_that_there_may_be_more(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    anna = (await newcomer(storage)).customer_id
    await carry_out(storage, anna, card("A"))
    await use_up(storage, MEMBER)
    engine = engine_of(storage, clock, program, sender=Platform("app"))
    await engine.outbox.recover()
    assert await engine.outbox.tick() == 1
    await engine.outbox.drain(within_s=60)
    assert await engine.outbox.tick() == 0
    line = await storage.read(lambda tx: tx.outbox.of(EffectId("A")))
    assert line is not None
    assert (line.state, line.reason, line.attempts, line.not_before) == ("ready", "rate", 0, later(70))


async def test_a_template_that_waits_for_midnight_does_not_silence_its_conversation(
    storage: Storage, clock: TurnedClock, program: Program
) -> None:
    platform = Platform()
    async with running(storage, clock, program, sender=platform) as engine:
        await engine.lanes.accept([follow()])
        await engine.quiesce()
        assert platform.asked == HELLO
        await use_up(storage, TEMPLATES)
        anna = await customer_of(storage)
        await carry_out(storage, anna, template("T"))
        engine.wake()
        await engine.quiesce()
        await carry_out(storage, anna, replace(send("R"), content="reply"))
        engine.wake()
        await engine.quiesce()
        assert platform.asked == [*HELLO, "reply"]
        line = await storage.read(lambda tx: tx.outbox.of(EffectId("T")))
        assert line is not None
        assert (line.state, line.reason) == ("ready", "rate")
        clock.at = line.not_before
        engine.wake()
        await engine.quiesce()
        assert platform.asked[len(HELLO) :][:2] == ["reply", "template"]


def test_the_platforms_day_of_these_tests_has_not_ended() -> None:
    assert TEMPLATES_DAY.ends_to_count(TEMPLATES_DAY.start_of(NOON)) > micros(later(3600))
