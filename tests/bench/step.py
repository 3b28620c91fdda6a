"""`step`: writing the steps of a full inbox, in batches as the product makes them, against the raw write of the rows.

No server and no network: a process takes events into a new database and then steps them all, with nobody else at the
writer. Beside it: what a step, a guard and a rendering cost alone.
"""

from typing import Any

from tests.bench import event, machine, processes
from tests.bench.report import Report, spread
from tests.bench.settings import Settings

BUYERS_A_SECOND = 400


def measure(settings: Settings) -> Report:
    """Product and floor in turn; the floor writes the rows of the round before it."""
    found = Report(name="step", unit="write of a step / raw write of its rows", goal="<= 1.7; step <= 10 us")
    buyers = int(settings.seconds * BUYERS_A_SECOND)
    found.settings = settings.told() | {"buyers": buyers}
    found.machine = machine.facts(settings.directory)
    runs, raws = [], []
    for number in range(settings.rounds):
        runs.append(_round(settings, f"round-{number}", buyers=buyers))
        donor = settings.directory / f"round-{number}" / "zhitu.db"
        raws.append(event.raw(settings, donor, f"raw-{number}"))
    for run in runs:
        found.judge_load(run)
        if run["journal"] != run["events"]:
            found.void(f"{run['what']}: {run['journal']} journal rows for {run['events']} events")
    raw_us = spread([run["s_per_event"] * 1e6 for run in raws])
    whole = spread([run["write_us"] for run in runs])
    found.floor = {"raw write of the same rows, us/event": raw_us}
    found.base = {"raw write, events/s": 1e6 / raw_us["median"]}
    found.measured = {"ingest and step, without core.step, us/event": whole}
    for key in ("ingest_us", "batch_us", "step_us", "understand_us", "guard_us", "render_us", "groups"):
        found.measured[key] = runs[-1][key]
    found.ratio = whole["median"] / raw_us["median"]
    found.runs = [*runs, *raws]
    found.judge_settings()
    return found


def _round(settings: Settings, name: str, *, buyers: int) -> dict[str, Any]:
    directory = event.place(settings, name)
    child = processes.start(
        "tests.bench.stepping", directory, buyers, core=machine.SERVER_CORE, log=directory / "stepping.log",
        environment=processes.environment(directory, port=1, sink=1),
    )  # fmt: skip
    with processes.alive(child):
        child.line()
        load = machine.load([child.pid])
        child.say("go")
        child.line()
        foreign = machine.load([child.pid]).foreign_since(load)
        child.say("tell")
        told = child.told()
    return told | {"what": name, "foreign_cpu": foreign}
