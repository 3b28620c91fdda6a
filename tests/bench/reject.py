"""`reject`: what the request of a stranger costs, against a server that only answers.

Processor time of the server process for each request, its kernel time included. Beside it: what is kept of such
requests, and what happens to bodies that are too long or too slow.
"""

import socket
from pathlib import Path
from time import monotonic
from typing import Any

from tests.bench import event, machine, outside, processes, workload
from tests.bench.load.flood import KINDS
from tests.bench.load.posting import Order
from tests.bench.processes import Child
from tests.bench.report import Report, spread
from tests.bench.settings import Settings

BODY_BYTES_MAX = 256 * 1024
BODY_DEADLINE_S = 5.0
SLACK_S = 5.0
"""A deadline may be kept that much late on a loaded machine."""
REQUESTS_MAX = 20_000_000


def measure(settings: Settings) -> Report:
    """The no-op server and every kind of bad request in turn; the worst kind is the figure."""
    found = Report(name="reject", unit="CPU of a refused request / CPU of a no-op", goal="<= 1.5")
    found.settings = settings.told() | {"body_bytes": 1024}
    found.machine = machine.facts(settings.directory)
    slices = settings.split(len(KINDS) + 1)
    directory = event.place(settings, "product")
    floor_directory = event.place(settings, "floor")
    port, sink_port = processes.free_ports()
    floor_port = sink_port + 1
    runs: dict[str, list[dict[str, Any]]] = {"noop": [], **{kind: [] for kind in KINDS}}
    with (
        processes.alive(processes.start_sink(directory, port=sink_port, is_shut=True)),
        processes.alive(processes.start_product(directory, port=port, sink=sink_port)) as server,
        processes.alive(processes.start_floor("noop", floor_directory, port=floor_port)) as floor,
    ):
        for _ in range(settings.rounds):
            runs["noop"].append(_flood(slices, floor_directory, server=floor, kind="noop", port=floor_port))
            for kind in KINDS:
                runs[kind].append(_flood(slices, directory, server=server, kind=kind, port=port))
        bodies = _bodies(port)
        server.kill()
    _conclude(found, runs, bodies)
    for name, rows in _kept(directory / "zhitu.db").items():
        if rows:
            found.void(f"{rows} rows in {name} for requests without a signature")
    return found


def _flood(settings: Settings, directory: Path, *, server: Child, kind: str, port: int) -> dict[str, Any]:
    order = Order(
        port=port, seconds=settings.warm_up_s + settings.seconds, connections=settings.connections,
        kind="noop" if kind == "noop" else kind, requests_max=REQUESTS_MAX, acked="",
    )  # fmt: skip
    with processes.alive(processes.start_posting(directory, order)) as client:
        load = machine.load([server.pid])
        client.say("go")
        cpu = machine.cpu_of(server.pid)
        result = client.told()
        used = machine.cpu_of(server.pid) - cpu
        foreign = machine.load([server.pid]).foreign_since(load)
    seconds = result["ended"] - result["began"]
    return {
        "what": kind,
        "us_each": used / max(1, result["answered"]) * 1e6,
        "per_s": result["answered"] / seconds,
        "client_cpu": result["cpu_s"] / seconds,
        "foreign_cpu": max(0.0, foreign - result["cpu_s"] / event.capacity(result)),
        "statuses": result["statuses"],
        "broken": result["broken"],
    }


def _conclude(found: Report, runs: dict[str, list[dict[str, Any]]], bodies: dict[str, Any]) -> None:
    noop = spread([run["us_each"] for run in runs["noop"]])
    each = {kind: spread([run["us_each"] for run in runs[kind]]) for kind in KINDS}
    found.floor = {"no-op, us": noop}
    found.base = {"no-op, requests/s": spread([run["per_s"] for run in runs["noop"]])}
    found.measured = {f"{kind}, us": each[kind] for kind in KINDS} | bodies
    found.ratio = max(spent["median"] for spent in each.values()) / noop["median"]
    found.measured["ratios"] = {kind: each[kind]["median"] / noop["median"] for kind in KINDS}
    found.runs = [run for kind in runs.values() for run in kind]
    for run in found.runs:
        found.judge_load(run)
        if run["what"] != "noop" and set(run["statuses"]) - {"403", "404"}:
            found.void(f"{run['what']} was answered {run['statuses']}")
    if not bodies["too long is refused unread"]:
        found.void("a body over 256 KiB was not refused unread")
    if not BODY_DEADLINE_S <= bodies["slow body cut after, s"] <= BODY_DEADLINE_S + SLACK_S:
        found.void(f"a slow body was cut after {bodies['slow body cut after, s']:.1f} s")
    found.judge_settings()


def _bodies(port: int) -> dict[str, Any]:
    """A body that says it is too long is answered before it is sent; one that trickles is cut at its deadline."""
    whole = workload.request(b"<xml/>", at=event.wall_s(), nonce="1")
    head = whole[: whole.index(b"Content-Length")].decode()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
        peer.sendall(f"{head}Content-Length: {BODY_BYTES_MAX + 1}\r\n\r\n".encode())
        refused = peer.recv(64)
    began = monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
        peer.sendall(f"{head}Content-Length: 1024\r\n\r\n<xml>".encode())
        cut = peer.recv(64)
    return {
        "too long is refused unread": refused.startswith(b"HTTP/1.1 413"),
        "slow body cut after, s": monotonic() - began,
        "slow body answered": cut[9:12].decode(),
    }


def _kept(database: Path) -> dict[str, int]:
    with outside.reading(database) as connection:
        tables = ("inbox", "quarantine", "customers", "identities", "outbox", "journal")
        return {name: outside.one(connection, f"SELECT count(*) FROM {name}") for name in tables}
