"""`event`: a whole event, from the callback's first byte to the commit of its step, in one process on SQLite FULL.

The messages that steps plan stay in the outbox, because the platform gives no token out: sending is what `dispatch`
measures, and it is not part of this floor.
"""

import array
import shutil
import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic, time
from typing import Any

from tests.bench import machine, outside, processes, report, workload
from tests.bench.load.posting import Order
from tests.bench.outside import Counted
from tests.bench.processes import Child
from tests.bench.report import Report, spread
from tests.bench.settings import Settings

STEP_ALONE_S = 8e-6
"""What the goal allows for a step itself."""
RAW_BATCH = 100
COLD_S = 10.0
DRAIN_S = 600.0
QUIET_S = 30.0
OPEN_LOOP_AT = 0.7
EVENTS_A_SECOND_MAX = 6_000
"""What requests are prepared for."""
REQUESTS_MIN = 8
"""For each connection, however slow the rate."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One run of the product: its figures, and whether its rows are the ones that are owed."""

    run: dict[str, Any]
    differences: list[str]


def measure(settings: Settings) -> Report:
    """All rounds, floor and product in turn; then one run at a steady rate for the latency."""
    found = Report(name="event", unit="events/s", goal=">= 0.55")
    found.settings = settings.told()
    found.machine = machine.facts(settings.directory)
    pilot = product_run(settings.shorter(), "pilot", rate=0.0)
    donor = settings.directory / "pilot" / "zhitu.db"
    floors, raws, events = [], [], []
    for number in range(settings.rounds):
        floors.append(_ingest_floor(settings, f"floor-{number}"))
        raws.append(raw(settings, donor, f"raw-{number}"))
        outcome = product_run(settings, f"round-{number}", rate=0.0)
        for difference in outcome.differences:
            found.void(f"round {number}: {difference}")
        events.append(outcome.run)
    latency = product_run(settings, "latency", rate=OPEN_LOOP_AT * spread([run["per_s"] for run in events])["median"])
    for difference in (*pilot.differences, *latency.differences):
        found.void(difference)
    _conclude(found, floors=floors, raws=raws, events=[*events, latency.run])
    return found


def _conclude(found: Report, *, floors: list[dict[str, Any]], raws: list[dict[str, Any]], events: list[Any]) -> None:
    *rounds, latency = events
    ingest_s = 1 / spread([run["per_s"] for run in floors])["median"]
    raw_s = spread([run["s_per_event"] for run in raws])["median"]
    base = 1 / (ingest_s + raw_s + STEP_ALONE_S)
    measured = spread([run["per_s"] for run in rounds])
    found.floor = {
        "ingest (aiohttp, expat, AES), events/s": spread([run["per_s"] for run in floors]),
        "raw write of the same rows, us/event": raw_s * 1e6,
        "step allowed, us": STEP_ALONE_S * 1e6,
        "raw rows an event": raws[0]["rows"] / raws[0]["events"],
    }
    found.base = {"1/(ingest + raw + step), events/s": base}
    found.measured = {"events/s": measured, "first 10 s": spread([run["cold_per_s"] for run in rounds])}
    found.measured |= {key: rounds[-1][key] for key in ("groups", "strain", "server_cpu", "memory_mib", "backlog")}
    found.measured["latency to the acknowledgement at 70 %"] = latency["latency_ms"]
    found.ratio = measured["median"] / base
    found.runs = [*floors, *raws, *rounds, latency]
    found.settings["pragmas"] = rounds[-1]["pragmas"]
    for run in (*floors, *rounds, latency):
        found.judge_load(run)
    if rounds[-1]["buyers"] < report.BUYERS_MIN:
        found.void(f"only {rounds[-1]['buyers']} buyers")
    found.judge_settings()


def place(settings: Settings, name: str) -> Path:
    directory = settings.directory / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def _order(settings: Settings, directory: Path, *, port: int, rate: float = 0.0) -> Order:
    seconds = settings.warm_up_s + settings.seconds
    events = int(seconds * (rate * 2 or EVENTS_A_SECOND_MAX)) + settings.connections * REQUESTS_MIN
    return Order(
        port=port,
        seconds=seconds,
        connections=settings.connections,
        buyers=(1, events),
        requests_max=events,
        rate=rate,
        acked=str(directory / "acked.f64"),
    )


def _ingest_floor(settings: Settings, name: str) -> dict[str, Any]:
    """The server that verifies and decrypts and keeps nothing, under the same load."""
    directory = place(settings, name)
    port, _ = processes.free_ports()
    with (
        processes.alive(processes.start_floor("ingest", directory, port=port)) as server,
        processes.alive(processes.start_posting(directory, _order(settings, directory, port=port))) as client,
    ):
        load, cpu = machine.load([server.pid]), machine.cpu_of(server.pid)
        client.say("go")
        result = client.told()
        foreign = machine.load([server.pid]).foreign_since(load)
        return _client_figures(settings, directory, result) | {
            "what": name,
            "server_cpu": (machine.cpu_of(server.pid) - cpu) / (result["ended"] - result["began"]),
            "foreign_cpu": max(0.0, foreign - result["cpu_s"] / capacity(result)),
        }


def capacity(result: dict[str, Any]) -> float:
    return float(result["ended"] - result["began"]) * len(machine.cores())


def _client_figures(settings: Settings, directory: Path, result: dict[str, Any]) -> dict[str, Any]:
    """Acknowledgements a second in the measured time, in the cold time, and the latencies."""
    intended, acked = _moments(directory / "acked.f64", result["prepared"])
    began, until = result["began"], result["began"] + settings.warm_up_s + settings.seconds
    warm = [at for at in acked if began + settings.warm_up_s <= at < until]
    cold = sum(1 for at in acked if 0 < at < began + COLD_S)
    waits = sorted(
        at - due for due, at in zip(intended, acked, strict=True) if began + settings.warm_up_s <= at < until
    )
    return {
        "acknowledged_per_s": len(warm) / settings.seconds,
        "per_s": len(warm) / settings.seconds,
        "cold_per_s": cold / min(COLD_S, settings.warm_up_s + settings.seconds),
        "latency_ms": {f"p{p}": waits[len(waits) * p // 100] * 1000 for p in (50, 95, 99)} if waits else {},
        "client_cpu": result["cpu_s"] / (result["ended"] - result["began"]),
        "statuses": result["statuses"],
        "ran_dry": result["ran_dry"],
    }


def _moments(file: Path, count: int) -> tuple[Sequence[float], Sequence[float]]:
    both = array.array("d")
    with file.open("rb") as stream:
        both.fromfile(stream, 2 * count)
    return both[:count], both[count:]


def raw(settings: Settings, donor: Path, name: str) -> dict[str, Any]:
    """The rows of the pilot run, written by bare sqlite3."""
    directory = place(settings, name)
    child = processes.start(
        "tests.bench.floors.raw_rows", donor, directory / "raw.db", RAW_BATCH,
        core=machine.SERVER_CORE, log=directory / "raw.log",
    )  # fmt: skip
    with processes.alive(child):
        told = child.told()
    return told | {"what": name, "s_per_event": told["seconds"] / told["events"]}


def product_run(settings: Settings, name: str, *, rate: float) -> Outcome:
    """The product under load, killed right after the last answer, started again, and counted from outside."""
    directory = place(settings, name)
    port, sink_port = processes.free_ports()
    with processes.alive(processes.start_sink(directory, port=sink_port, is_shut=not settings.sends)) as sink:
        with (
            processes.alive(processes.start_product(directory, port=port, sink=sink_port)) as server,
            processes.alive(
                processes.start_posting(directory, _order(settings, directory, port=port, rate=rate))
            ) as client,
        ):
            run = _loaded(settings, directory, children=(server, client, sink))
        with processes.alive(processes.start_product(directory, port=port, sink=sink_port)) as server:
            drain(directory / "zhitu.db")
            server.end()
    acked = _moments(directory / "acked.f64", run["result"]["prepared"])[1]
    owed = owed_by(acked, connections=settings.connections, buyers=(1, run["result"]["prepared"]))
    counted = outside.count(directory / "zhitu.db")
    run |= {"what": name, "counted": asdict(counted), "owed": owed, "buyers": owed["customers"]}
    run["groups"] = {
        "step": outside.groups(directory / "zhitu.db", "consumed_at"),
        "ingest": outside.groups(directory / "zhitu.db", "received_at"),
    }
    return Outcome(run=run, differences=[*differences(counted, owed), *_faults(run["result"])])


def _loaded(settings: Settings, directory: Path, *, children: tuple[Child, Child, Child]) -> dict[str, Any]:
    server, client, sink = children
    database = directory / "zhitu.db"
    load, cpu = machine.load([server.pid, sink.pid]), machine.cpu_of(server.pid)
    client.say("go")
    began = monotonic()
    looks = [_look(client, database, began + after) for after in (settings.warm_up_s, settings.cut_s())]
    told = told_about_itself(server, directory)
    result = client.told()
    used, memory = machine.cpu_of(server.pid) - cpu, machine.memory_mib(server.pid)
    foreign = machine.load([server.pid, sink.pid]).foreign_since(load)
    server.kill()
    figures = _client_figures(settings, directory, result)
    (first_at, first), (last_at, last) = looks
    stepped = (last - first) / (last_at - first_at)
    return figures | {
        "per_s": min(stepped, figures["acknowledged_per_s"]),
        "stepped_per_s": stepped,
        "server_cpu": used / (result["ended"] - result["began"]),
        "foreign_cpu": max(0.0, foreign - result["cpu_s"] / capacity(result)),
        "memory_mib": memory,
        **told,
        "backlog": outside.waiting(database),
        "result": result,
    }


def _look(client: Child, database: Path, at: float) -> tuple[float, int]:
    """How many events were stepped at this moment, and when that was."""
    client.wait_until(at)
    found = outside.consumed_so_far(database)
    return monotonic(), found


def told_about_itself(server: Child, directory: Path) -> dict[str, Any]:
    """What the product's writer did so far, and the settings of its connection: asked for by a signal."""
    file = directory / "strain.json"
    server.process.send_signal(signal.SIGUSR1)
    processes.until(file.exists)
    return processes.read_json(file)


def wall_s() -> int:
    """Seconds since 1970."""
    return int(time())


def drain(database: Path, *, within_s: float = DRAIN_S) -> None:
    """Wait until the product that was started again has stepped everything."""
    until = monotonic() + within_s
    while outside.waiting(database):
        if monotonic() > until:
            return
        processes.pause(0.2)


def owed_by(acked: Sequence[float], *, connections: int, buyers: tuple[int, int]) -> dict[str, int]:
    """The rows that these acknowledgements oblige to: every buyer's acknowledged events, by the journey's numbers."""
    reached: dict[int, int] = {}
    for place, act in enumerate(workload.acts(range(buyers[0], buyers[0] + buyers[1]), gap=connections)):
        if place >= len(acked):
            break
        if acked[place]:
            reached[act.buyer] = reached.get(act.buyer, 0) + 1
    rows = [workload.script_of(buyer).owed[count] for buyer, count in reached.items()]
    events = sum(reached.values())
    return {
        "taken": events,
        "distinct": events,
        "consumed": events,
        "journal": events,
        "outbox": sum(row.outbox for row in rows),
        "timers": sum(row.timers for row in rows),
        "customers": len(reached),
        "quarantined": 0,
        "parked": 0,
        "others": 0,
    }


def differences(counted: Counted, owed: dict[str, int]) -> list[str]:
    """Where the database is not what it must be. Any of them voids the run."""
    found = asdict(counted)
    return [f"{name}: {found[name]} rows instead of {rows}" for name, rows in owed.items() if found[name] != rows]


def _faults(result: dict[str, Any]) -> list[str]:
    found = []
    if result["refused"] or result["broken"]:
        found.append(f"{result['refused']} requests refused, {result['broken']} broken off: {result['statuses']}")
    if result["ran_dry"]:
        found.append("the client ran out of prepared requests")
    return found
