"""The product's inbox and steps on a database of their own, without server and senders: a process for `step`.

`python -m tests.bench.stepping DIRECTORY BUYERS`, with the configuration in the environment. It says `ready`,
works when it reads a line, says `done`, and tells its figures after another.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bot import config, understanding
from bot.app.accounts import callbacks_of
from bot.app.composition import MachineClock, tune_interpreter
from bot.app.programs import load_program
from bot.config import key_texts
from bot.core.arrival import Facts, Step
from bot.core.customer import Customer
from bot.core.events import Event
from bot.core.ids import CustomerId
from bot.core.program import Program
from bot.core.step import step
from bot.runtime.live import Live
from bot.runtime.metrics import Metrics
from bot.runtime.ports import Callbacks, Query
from bot.runtime.steps import Steps
from bot.storage import KeyRing, Priority, Storage, Transaction
from tests.bench import outside, workload
from tests.bench.lines import say
from tests.bench.stage import ROOT

TOGETHER = 100
"""Callbacks that arrive at once."""
ALONE_BUYERS = 500
ALONE_TIMES = 10_000


def decoded(callbacks: Callbacks, buyers: int, *, gap: int) -> list[tuple[workload.Act, Event]]:
    """The events of these buyers as the codec reads them from sealed requests."""
    now, found = int(time.time()), []
    for number, act in enumerate(workload.acts(range(1, buyers + 1), gap=gap)):
        head, body = workload.request(workload.message(act, at=now), at=now, nonce=str(number)).split(b"\r\n\r\n", 1)
        pairs = [pair.split("=", 1) for pair in head.split(b" ", 2)[1].decode().split("?")[1].split("&")]
        query = Query(**{key: value for key, value in pairs if key != "openid"})
        (event,) = callbacks.decode(query, body, datetime.now(UTC))
        found.append((act, event))
    return found


async def work(directory: Path, buyers: int) -> None:
    """Take all events in, step them, tell."""
    settings = config.load(ROOT / "config.toml", os.environ)
    program = load_program(ROOT / "journeys", ROOT / "content", settings)
    clock = MachineClock()
    events = [event for _, event in decoded(callbacks_of(settings)["oa", "main"], buyers, gap=TOGETHER)]
    keys = KeyRing.from_texts(list(key_texts(settings.storage).texts))
    storage = await Storage.open(settings.storage.url, keys=keys, clock_now=clock.now)
    steps = Steps(storage, live=Live(program=program), clock=clock, metrics=Metrics(), stepped=lambda _: None)
    tune_interpreter()
    say("ready")
    sys.stdin.readline()
    began = time.perf_counter()
    for start in range(0, len(events), TOGETHER):
        together = events[start : start + TOGETHER]
        await storage.write(Priority.INGEST, partial(_take, together, clock.now()))
    taken = time.perf_counter()
    while await steps.batch():
        pass
    ended = time.perf_counter()
    strain = storage.strain()
    await storage.close()
    say("done")
    sys.stdin.readline()
    us = 1e6 / len(events)
    alone = parts(program, decoded(callbacks_of(settings)["oa", "main"], min(ALONE_BUYERS, buyers), gap=TOGETHER))
    counted = outside.count(directory / "zhitu.db")
    ingest_us, batch_us = (taken - began) * us, (ended - taken) * us
    told = alone | {
        "events": len(events),
        "journal": counted.journal,
        "ingest_us": ingest_us,
        "batch_us": batch_us,
        "write_us": ingest_us + batch_us - alone["step_us"] - alone["understand_us"],
        "groups": outside.groups(directory / "zhitu.db", "consumed_at"),
        "strain": asdict(strain),
    }
    say(json.dumps(told))


def _take(events: Sequence[Event], at: datetime, tx: Transaction) -> None:
    """What the door has the writer do for callbacks that came together."""
    tx.lanes.ingest(events, received_at=at)


def parts(program: Program, acts: Sequence[tuple[workload.Act, Event]]) -> dict[str, float]:
    """Microseconds of processor time: understanding and stepping one event, a guard, a rendering."""
    customers: dict[int, Customer] = {}
    read_s = step_s = 0.0
    now = datetime.now(UTC)
    for act, event in acts:
        customer = customers.get(act.buyer) or Customer(customer_id=CustomerId(act.buyer), version=0)
        began = time.thread_time()
        item = understanding.arrived(event, customer, program)
        heard = time.thread_time()
        found = step(program, customer, item, now, Facts())
        step_s += time.thread_time() - heard
        read_s += heard - began
        assert isinstance(found, Step)
        customers[act.buyer] = found.customer
    return {"step_us": step_s / len(acts) * 1e6, "understand_us": read_s / len(acts) * 1e6, **_formulas(program)}


def _formulas(program: Program) -> dict[str, float]:
    """The reminder's condition, and the longest text that the workload's journeys say."""
    guard = program.library.journeys["oa-welcome"].states["nudge"].when
    text = program.library.contents["ask-consent"].variants["normal"]
    assert guard is not None
    told = {"window": {"open": True}, "counts": {"nudge": 0}}
    named = {"customer": {"nick": "王女士"}, "vars": {"purpose": "电话联系"}}
    return {
        "guard_us": _timed(lambda: program.guard(guard, told)),
        "render_us": _timed(lambda: program.text(text, named)),
    }


def _timed(job: Callable[[], object]) -> float:
    """Microseconds of processor time for one call."""
    job()
    began = time.thread_time()
    for _ in range(ALONE_TIMES):
        job()
    return (time.thread_time() - began) / ALONE_TIMES * 1e6


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2])))
