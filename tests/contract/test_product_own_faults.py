"""Bugs of our own and a database that fails: they stay where they are, everybody else is served, and it is told."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar, TypeVar

import pytest

from bot.app.composition import Seams
from bot.core.effects import SendMessage
from bot.core.expressions.tree import Template
from bot.core.expressions.values import Scope
from bot.core.program import Program
from bot.errors import StorageError
from bot.runtime.ports import Accepted, Sender
from bot.storage import KeyRing, Priority, Storage, Transaction

from .posting import fixture, oa_safe
from .product_rig import BUYER, OTHER, Product, product

T = TypeVar("T")
POISON = "砒霜"
TEXT = fixture("oa_text.xml")


class Poisoned(Program):
    """A program that fails whenever it is about to say the poison."""

    __slots__ = ()

    def text(self, template: Template, scope: Scope, *, escape: Callable[[str], str] | None = None) -> str:
        said = Program.text(self, template, scope, escape=escape)
        if POISON in said:
            raise KeyError(said)
        return said


def poisoned(program: Program) -> Program:
    return Poisoned(*(getattr(program, field.name) for field in fields(program)))


async def test_a_bug_in_one_customers_step_parks_her_lane_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with product(tmp_path, change=poisoned) as ours:
        for openid in (BUYER, OTHER):
            await ours.does("follow", openid=openid)
            await ours.says("看车", openid=openid)
        assert await ours.says(POISON) == []
        assert await ours.says("在吗") == []
        assert len(await ours.says("李女士", openid=OTHER)) == 1
        ((lane, reason),) = ours.rows("SELECT lane, reason FROM parked")
        assert reason.startswith("KeyError at ") and ".py:" in reason
        assert ours.count("inbox", f"lane = {lane} AND consumed_at IS NULL") == 2
        assert ours.count("inbox", f"lane <> {lane} AND consumed_at IS NULL") == 0
        assert ours.running.metrics.value("zhitu_lanes_parked") == 1
        assert (await ours.ready())[0] == 200
    logged = capsys.readouterr().out
    assert "lane_parked" in logged
    assert POISON not in logged


class Failing(Storage):
    """A storage that stops working when it is told to."""

    broken: ClassVar[bool] = False
    hates: ClassVar[str] = ""

    async def write(self, priority: Priority, job: Callable[[Transaction], T]) -> T:
        def run(tx: Transaction) -> T:
            if self.broken:
                raise StorageError("the disk is full")
            done = job(tx)
            if priority is Priority.INGEST and self.hates and tx.reading.find_customer(self.hates) is not None:
                raise ValueError(self.hates)
            return done

        return await super().write(priority, run)


def failing() -> type[Failing]:
    return type("FailingHere", (Failing,), {})


async def ready_again(ours: Product) -> None:
    """Ask until the product says that it is ready; it tries the database every second."""
    while (await ours.ready())[0] != 200:
        continue


async def test_while_the_database_fails_callbacks_are_turned_away_and_all_of_it_recovers(tmp_path: Path) -> None:
    storage = failing()
    async with product(tmp_path, seams=Seams(storage=storage)) as ours:
        await ours.does("follow")
        storage.broken = True
        assert (await ours.post(oa_safe(TEXT)))[0] == 503
        status, told = await ours.ready()
        assert (status, "1 callbacks turned away" in told["degraded"]["oa:main:gap"]) == (503, True)
        assert ours.count("gaps") == 0
        storage.broken = False
        await ready_again(ours)
        await ours.running.engine.quiesce()
        assert ours.rows("SELECT channel, account, reason, turned_away FROM gaps") == [("oa", "main", "storage", 1)]
        assert await ours.post(oa_safe(TEXT)) == (200, "success")
        assert len(await ours.says("看车")) == 1


async def test_after_a_failing_database_no_timer_fires_before_what_was_refused_could_be_repeated(
    tmp_path: Path,
) -> None:
    storage = failing()
    async with product(tmp_path, seams=Seams(storage=storage)) as ours:
        await ours.does("follow")
        ((due_at,),) = ours.rows("SELECT due_at FROM timers")
        storage.broken = True
        ours.clock.set(datetime.fromtimestamp(due_at / 1e6, ours.clock.now().tzinfo) - timedelta(seconds=1))
        now = str(int(ours.clock.now().timestamp()))
        assert (await ours.post(oa_safe(TEXT, timestamp=now)))[0] == 503
        storage.broken = False
        await ready_again(ours)
        await ours.world.turn(timedelta(seconds=5))
        assert ours.rows("SELECT due_at FROM timers") == [(due_at,)]
        await ours.world.turn(timedelta(seconds=11))
        assert ours.rows("SELECT due_at FROM timers") != [(due_at,)]


async def test_a_stop_while_the_database_fails_comes_to_its_end(tmp_path: Path) -> None:
    storage = failing()
    async with product(tmp_path, seams=Seams(storage=storage)) as ours:
        await ours.does("follow")
        storage.broken = True
        assert (await ours.post(oa_safe(TEXT)))[0] == 503
    assert not ours.running.engine.accepting()


async def test_an_event_that_cannot_be_written_down_is_quarantined_and_those_beside_it_are_stored(
    tmp_path: Path,
) -> None:
    storage = failing()
    async with product(tmp_path, seams=Seams(storage=storage)) as ours:
        storage.hates = BUYER
        assert await ours.does("follow") == []
        assert len(await ours.does("follow", openid=OTHER)) == 2
        kept = await ours.running.storage.read(lambda tx: tx.reading.quarantined())
        assert [BUYER.encode() in one.body for one in kept] == [True]
        assert ours.counted("accepted") == 2


class Clumsy:
    """A sending half with a bug of our own in it, once."""

    def __init__(self, within: Sender) -> None:
        self.channel, self.account, self.in_flight_max = within.channel, within.account, within.in_flight_max
        self.trouble = within.trouble
        self._within = within
        self._bugs = 1 if within.channel == "oa" else 0

    async def prepare(self) -> None:
        await self._within.prepare()

    async def send(self, effect: SendMessage) -> Accepted:
        if self._bugs:
            self._bugs -= 1
            raise KeyError(effect.to)
        return await self._within.send(effect)


async def test_a_bug_in_one_send_is_an_unknown_fate_and_the_others_leave(tmp_path: Path) -> None:
    async with product(tmp_path, seams=Seams(around=Clumsy)) as ours:
        await ours.does("follow")
        assert len(await ours.does("follow", openid=OTHER)) == 2
        await ours.world.turn(timedelta(seconds=6))
        assert len(ours.texts()) == 2
        assert ours.rows("SELECT DISTINCT state FROM outbox") == [("sent",)]


async def test_looking_for_work_when_there_is_none_opens_no_transaction_of_the_writer(tmp_path: Path) -> None:
    async with product(tmp_path) as ours:
        await ours.does("follow")
        before = ours.running.storage.strain().jobs
        for _ in range(5):
            ours.running.engine.wake()
            await ours.running.engine.quiesce()
        assert ours.running.storage.strain().jobs == before


async def test_events_are_forgotten_a_week_after_they_were_stepped(tmp_path: Path) -> None:
    async with product(tmp_path) as ours:
        await ours.does("follow")
        assert ours.count("inbox") == 1
        await ours.world.turn(timedelta(days=6))
        assert ours.count("inbox", "actor <> ''") == 1
        await ours.world.turn(timedelta(days=2))
        assert ours.count("inbox", "actor <> ''") == 0


async def test_after_a_start_no_timer_fires_before_the_platforms_could_repeat_what_was_written(tmp_path: Path) -> None:
    keys = KeyRing.generate()
    async with product(tmp_path, keys=keys) as ours:
        await ours.does("follow")
        ((due_at,),) = ours.rows("SELECT due_at FROM timers")
    moment = datetime.fromtimestamp(due_at / 1e6, ours.clock.now().tzinfo)
    async with product(tmp_path, keys=keys, at=moment + timedelta(hours=1)) as ours:
        await ours.world.settle()
        assert ours.rows("SELECT due_at FROM timers") == [(due_at,)]
        await ours.world.turn(timedelta(seconds=16))
        assert ours.rows("SELECT due_at FROM timers") != [(due_at,)]
