"""`dispatch`: sends a second through lease, policy, `sending`, HTTP to another process, and settling.

The outbox is filled beforehand by buyers who entered a journey by keyword while the platform gave no token out. Each
round begins with a copy of that database, and ends with a SIGKILL in the middle of sending; the product is then
started again, sends the rest, and what the platform took is compared with what stands in the outbox.
"""

import json
import shutil
from collections import Counter
from pathlib import Path
from time import monotonic
from typing import Any

from tests.bench import event, machine, outside, processes, workload
from tests.bench.load.posting import Order
from tests.bench.processes import Child
from tests.bench.report import Report, spread
from tests.bench.settings import Settings

IN_FLIGHT = 32
"""Requests at once: the product's limit for one account (delivery.md 3.1)."""
SLOW_S = 0.1
SENDS_A_SECOND_MAX = 1_200
"""What the outbox is filled for; a product that is faster voids the run and wants a larger number."""
SENDS_A_BUYER = 2
FILL_A_SECOND_MIN = 50
"""Buyers stepped a second at least while the outbox is filled; slower is a fault."""


def measure(settings: Settings) -> Report:
    """Floor and product in turn, then both against a platform that takes 100 ms."""
    found = Report(name="dispatch", unit="sends/s", goal=">= 0.5, and >= 0.9 at 100 ms")
    found.settings = settings.told() | {"in_flight": IN_FLIGHT}
    found.machine = machine.facts(settings.directory)
    stock = _stock(settings)
    floors, runs = [], []
    for number in range(settings.rounds):
        floors.append(_floor(settings, f"floor-{number}", latency_s=0.0))
        runs.append(_round(settings, stock, f"round-{number}", latency_s=0.0))
    slow_floor = _floor(settings, "slow-floor", latency_s=SLOW_S)
    slow = _round(settings, stock, "slow", latency_s=SLOW_S)
    for run in (*runs, slow):
        for difference in run.pop("differences"):
            found.void(f"{run['what']}: {difference}")
        found.judge_load(run)
    posts, sends = spread([run["per_s"] for run in floors]), spread([run["per_s"] for run in runs])
    found.floor = {"bare POST loop, sends/s": posts, "bare POST loop at 100 ms": slow_floor["per_s"]}
    found.base = {"in flight / latency at 100 ms, sends/s": IN_FLIGHT / SLOW_S}
    found.measured = {
        "sends/s": sends,
        "sends/s at 100 ms": slow["per_s"],
        "ratio at 100 ms": slow["per_s"] * SLOW_S / IN_FLIGHT,
        **{key: runs[-1][key] for key in ("server_cpu", "states_at_the_kill", "repeated", "strain")},
    }
    found.ratio = sends["median"] / posts["median"]
    found.runs = [*floors, *runs, slow_floor, slow]
    found.settings["pragmas"] = runs[-1]["pragmas"]
    found.judge_settings()
    return found


def _stock(settings: Settings) -> Path:
    """A database whose outbox is full of messages that may leave."""
    directory = event.place(settings, "stock")
    seconds = settings.warm_up_s + settings.seconds
    buyers = int(seconds * SENDS_A_SECOND_MAX / SENDS_A_BUYER)
    port, sink_port = processes.free_ports()
    order = Order(
        port=port, seconds=3600.0, connections=32, only=workload.ENTERS.name, buyers=(1, buyers),
        requests_max=buyers, acked=str(directory / "acked.f64"),
    )  # fmt: skip
    with (
        processes.alive(processes.start_sink(directory, port=sink_port, is_shut=True)),
        processes.alive(processes.start_product(directory, port=port, sink=sink_port)) as server,
        processes.alive(processes.start_posting(directory, order)) as client,
    ):
        client.say("go")
        client.told()
        event.drain(directory / "zhitu.db", within_s=buyers / FILL_A_SECOND_MIN)
        server.end()
    states = outside.states(directory / "zhitu.db")
    if states != {"ready": buyers * SENDS_A_BUYER}:
        raise processes.Broken(f"the outbox holds {states} instead of {buyers * SENDS_A_BUYER} ready rows")
    return directory / "zhitu.db"


def _floor(settings: Settings, name: str, *, latency_s: float) -> dict[str, Any]:
    directory = event.place(settings, name)
    _, port = processes.free_ports()
    with processes.alive(processes.start_sink(directory, port=port, latency_s=latency_s)):
        child = processes.start(
            "tests.bench.floors.post_loop", port, IN_FLIGHT, settings.seconds,
            core=machine.SERVER_CORE, log=directory / "floor.log",
        )  # fmt: skip
        with processes.alive(child):
            told = child.told()
    return told | {"what": name, "per_s": told["sends"] / settings.seconds}


def _round(settings: Settings, stock: Path, name: str, *, latency_s: float) -> dict[str, Any]:
    directory = event.place(settings, name)
    database = directory / "zhitu.db"
    shutil.copy(stock, database)
    port, sink_port = processes.free_ports()
    with processes.alive(processes.start_sink(directory, port=sink_port, latency_s=latency_s)) as sink:
        with processes.alive(processes.start_product(directory, port=port, sink=sink_port)) as server:
            run = _watched(settings, directory, server=server, sink=sink)
        at_kill = outside.states(database)
        with processes.alive(processes.start_product(directory, port=port, sink=sink_port)) as server:
            _send_the_rest(database)
            server.end()
    taken = _taken(directory / "sink.log")
    run |= {"what": name, "states_at_the_kill": at_kill, "repeated": sum(n - 1 for n in taken.values())}
    run["differences"] = differences(at_kill, outside.states(database), taken)
    if run["ran_dry"]:
        run["differences"].append("the outbox was empty before the time was over")
    return run


def _watched(settings: Settings, directory: Path, *, server: Child, sink: Child) -> dict[str, Any]:
    """Count what reaches the platform in the measured time, then SIGKILL while messages are under way."""
    log = directory / "sink.log"
    processes.until(lambda: log.stat().st_size > 0)
    began = monotonic()
    processes.pause(settings.warm_up_s)
    load, cpu = machine.load([server.pid, sink.pid]), machine.cpu_of(server.pid)
    from_s = monotonic()
    processes.pause(settings.seconds)
    until_s = monotonic()
    used, foreign = machine.cpu_of(server.pid) - cpu, machine.load([server.pid, sink.pid]).foreign_since(load)
    told = event.told_about_itself(server, directory)
    waits = outside.states(directory / "zhitu.db").get("ready", 0) > 0
    server.kill()
    at = [float(line.split(" ", 1)[0]) for line in log.read_text(encoding="utf-8").splitlines()]
    return told | {
        "per_s": sum(1 for moment in at if from_s <= moment < until_s) / (until_s - from_s),
        "cold_per_s": sum(1 for moment in at if moment < began + event.COLD_S) / event.COLD_S,
        "server_cpu": used / (until_s - from_s),
        "foreign_cpu": foreign,
        "ran_dry": not waits,
    }


def _send_the_rest(database: Path) -> None:
    """Wait until nothing is ready, leased or under way any more; a database that stands still is not waited for."""
    before, since = -1, monotonic()
    while True:
        states = outside.states(database)
        left = sum(states.get(state, 0) for state in ("ready", "leased", "sending"))
        if not left or (left == before and monotonic() - since > event.QUIET_S):
            return
        if left != before:
            before, since = left, monotonic()
        processes.pause(0.5)


def _taken(log: Path) -> Counter[str]:
    """How often each message reached the platform: to whom, and the end of what was written."""
    lines = log.read_text(encoding="utf-8").splitlines()
    return Counter(json.dumps(json.loads(line.split(" ", 1)[1])) for line in lines)


def differences(at_kill: dict[str, int], at_end: dict[str, int], taken: Counter[str]) -> list[str]:
    """Every planned message has reached the platform; more than once only those under way at the kill."""
    planned, found = sum(at_end.values()), []
    if set(at_end) - {"sent", "unknown"}:
        found.append(f"the outbox ended as {at_end}")
    lost = planned - len(taken)
    if lost > at_end.get("unknown", 0):
        found.append(f"{lost} messages never reached the platform")
    repeats = sum(count - 1 for count in taken.values())
    if repeats > min(at_kill.get("sending", 0), IN_FLIGHT):
        found.append(f"{repeats} messages came twice, {at_kill.get('sending', 0)} were under way at the kill")
    return found
