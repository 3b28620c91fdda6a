"""`zhitu retry` beside a running server: a second storage on its database, as a second process has one."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from bot.app.composition import Seams
from bot.core.effects import SendMessage
from bot.core.expressions.tree import Template
from bot.core.expressions.values import Scope
from bot.core.program import Program
from bot.errors import Unknown
from bot.runtime import retry
from bot.runtime.ports import Accepted, Sender
from bot.storage import KeyRing, Priority, Storage, Transaction

from .product_rig import BUYER, OTHER, Product, product

T = TypeVar("T")
POISON = "砒霜"


class Poisoned(Program):
    """A program that fails whenever it is about to say the poison."""

    __slots__ = ()

    def text(self, template: Template, scope: Scope, *, escape: Callable[[str], str] | None = None) -> str:
        said = Program.text(self, template, scope, escape=escape)
        if POISON in said:
            raise KeyError(said)
        return said


def as_kind(program: Program, kind: type[Program]) -> Program:
    return kind(*(getattr(program, field.name) for field in fields(program)))


@asynccontextmanager
async def operator(ours: Product, keys: KeyRing) -> AsyncIterator[Storage]:
    """The operator's own connection to the database that the product serves."""
    storage = await Storage.open(f"sqlite:///{ours.database}", keys=keys, clock_now=ours.clock.now)
    yield storage
    await storage.close()


async def decide(ours: Product, keys: KeyRing, job: Callable[[Transaction], T]) -> T:
    """Let the operator do something, and the server look around as it does every 30 seconds."""
    async with operator(ours, keys) as storage:
        done = await storage.write(Priority.REST, job)
    ours.running.engine.wake()
    await ours.world.settle()
    return done


async def test_a_lane_goes_on_in_order_once_its_bug_is_mended_and_then_its_messages_leave(tmp_path: Path) -> None:
    keys = KeyRing.generate()
    async with product(tmp_path, keys=keys, change=lambda program: as_kind(program, Poisoned)) as ours:
        await ours.does("follow")
        await ours.does("follow", openid=OTHER)
        await ours.says("看车", POISON, "13800138000")
        before = ours.texts()
        ((lane,),) = ours.rows("SELECT lane FROM parked")
        assert ours.count("inbox", f"lane = {lane} AND consumed_at IS NULL") == 2
        seqs = [seq for (seq,) in ours.rows(f"SELECT seq FROM inbox WHERE lane = {lane} AND consumed_at IS NULL")]
        ours.running.live.program = as_kind(ours.running.live.program, Program)
        await decide(ours, keys, lambda tx: retry.release(tx, retry.find_lane(tx, BUYER)))
        assert ours.count("parked") == 0
        assert ours.count("inbox", "consumed_at IS NULL") == 0
        after = ours.texts()[len(before) :]
        assert after and POISON in after[0]
        ids = [event_id for (event_id,) in ours.rows(f"SELECT event_id FROM inbox WHERE seq IN ({seqs[0]}, {seqs[1]})")]
        stepped = ours.rows(f"SELECT event_id FROM journal WHERE customer_id = {lane} AND kind = 'event' ORDER BY seq")
        assert [event_id for (event_id,) in stepped if event_id in ids] == ids
        ((decision,),) = ours.rows(f"SELECT count(*) FROM journal WHERE customer_id = {lane} AND kind = 'operator'")
        assert decision == 1


class Silent:
    """A sending half of which the first message to a buyer gets no answer, and was not taken."""

    def __init__(self, within: Sender) -> None:
        self.channel, self.account, self.in_flight_max = within.channel, within.account, within.in_flight_max
        self.trouble = within.trouble
        self._within = within
        self._silences = 2 if within.channel == "oa" else 0

    async def prepare(self) -> None:
        await self._within.prepare()

    async def send(self, effect: SendMessage) -> Accepted:
        if self._silences:
            self._silences -= 1
            raise Unknown("no answer")
        return await self._within.send(effect)


async def test_a_message_of_unknown_fate_leaves_once_more_when_somebody_says_so_even_after_she_wrote(
    tmp_path: Path,
) -> None:
    keys = KeyRing.generate()
    async with product(tmp_path, keys=keys, seams=Seams(around=Silent)) as ours:
        await ours.does("follow")
        await ours.world.turn(timedelta(seconds=6))
        await ours.says("看车")
        before = ours.texts()
        unknown = ours.rows("SELECT effect_id FROM outbox WHERE state = 'unknown' ORDER BY seq")
        assert unknown
        ((effect_id,), *_) = unknown
        status, told = await ours.ready()
        assert (status, told["unknown"], told["parked"], told["gaps"]) == (200, len(unknown), 0, [])
        await decide(ours, keys, lambda tx: retry.send_again(tx, retry.find_send(tx, effect_id)))
        assert ours.rows(f"SELECT state, repeats > 0 FROM outbox WHERE effect_id = '{effect_id}'") == [("sent", 1)]
        assert len(ours.texts()) == len(before) + 1


async def test_a_message_to_one_who_opted_out_does_not_leave_whoever_says_so(tmp_path: Path) -> None:
    keys = KeyRing.generate()
    async with product(tmp_path, keys=keys, seams=Seams(around=Silent)) as ours:
        await ours.does("follow")
        await ours.world.turn(timedelta(seconds=6))
        await ours.says("看车", "退订")
        before = ours.texts()
        ((effect_id,), *_) = ours.rows("SELECT effect_id FROM outbox WHERE state = 'unknown' ORDER BY seq")
        await decide(ours, keys, lambda tx: retry.send_again(tx, retry.find_send(tx, effect_id)))
        ((state, reason),) = ours.rows(f"SELECT state, reason FROM outbox WHERE effect_id = '{effect_id}'")
        assert (state, reason) == ("unknown", "opted_out")
        assert ours.texts() == before


async def test_the_metrics_tell_what_waits_and_what_was_decided(tmp_path: Path) -> None:
    async with product(tmp_path) as ours:
        await ours.does("follow")
        await ours.says("看车")
        url = f"http://127.0.0.1:{ours.running.admin_port}/metrics"
        async with ours.http.get(url) as response:
            page = await response.text()
        metrics = ours.running.metrics
        assert response.status == 200
        assert metrics.value("zhitu_account_state", channel="oa", account="main", state="working") == 1
        assert metrics.value("zhitu_policy_verdicts_total", asked_at="plan", verdict="allow", reason="") > 0
        assert metrics.value("zhitu_policy_verdicts_total", asked_at="dispatch", verdict="allow", reason="") > 0
        assert metrics.value("zhitu_writer_jobs") > 0
        assert metrics.value("zhitu_outbox_rows", state="ready") == ours.count("outbox", "state = 'ready'")
        assert BUYER not in page
