"""Starting and ending the processes of a benchmark, each on a core of its own."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from tests.bench import workload
from tests.bench.load.posting import Order
from tests.bench.machine import CLIENT_CORE, SERVER_CORE

ROOT = Path(__file__).parents[2]
PATIENCE_S = 600.0
STORAGE_KEY = "1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


class Broken(RuntimeError):
    """A process of the benchmark did not do what it should."""


@dataclass(kw_only=True)
class Child:
    """One process that talks by lines. `log`: where its standard error goes."""

    process: "subprocess.Popen[str]"
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def line(self, patience_s: float = PATIENCE_S) -> str:
        """The next line that it says. Broken: it ended, or said nothing for so long."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], patience_s)[0]:
            raise Broken(f"{self.process.args} was silent for {patience_s} s")
        said = self.process.stdout.readline()
        if not said:
            raise Broken(f"{self.process.args} ended: {self.log.read_text(errors='replace')[-2000:]}")
        return said.strip()

    def told(self) -> dict[str, Any]:
        """Its next line, which is JSON."""
        found: dict[str, Any] = json.loads(self.line())
        return found

    def wait_until(self, at: float) -> None:
        """Wait until this monotonic moment, or until it says something."""
        select.select([self.process.stdout], [], [], max(0.0, at - monotonic()))

    def say(self, text: str) -> None:
        """Write a line to it."""
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self.end(signal.SIGKILL)

    def end(self, by: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(by)
        self.process.wait(timeout=PATIENCE_S)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


def start(module: str, *arguments: object, core: int, log: Path, environment: Mapping[str, str] | None = None) -> Child:
    """Run a module of the bench in a process of its own, on one core where there are two."""
    cores = os.sched_getaffinity(0)
    command = [sys.executable, "-m", module, *(str(argument) for argument in arguments)]

    def settle() -> None:
        if core in cores:
            os.sched_setaffinity(0, {core})

    with log.open("ab") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=errors, text=True, preexec_fn=settle,
        )  # fmt: skip
    return Child(process=process, log=log)


def pause(seconds: float) -> None:
    """Let time pass."""
    select.select([], [], [], seconds)


def read_json(file: Path) -> dict[str, Any]:
    """The object in a file."""
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


@contextlib.contextmanager
def alive(child: Child) -> Iterator[Child]:
    """The process, killed at the latest when the context ends."""
    try:
        yield child
    finally:
        child.kill()


def free_ports() -> tuple[int, int]:
    """Two ports, and a third after them, that nobody listens on, below those given to outgoing connections."""
    for port in range(20_000 + os.getpid() % 5_000, 32_000, 3):
        if all(_is_free(port + more) for more in range(3)):
            return port, port + 1
    raise Broken("no port is free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def until(holds: Callable[[], bool], *, within_s: float = PATIENCE_S) -> None:
    """Wait until this holds. Broken: it did not in that time."""
    latest = monotonic() + within_s
    while not holds():
        if monotonic() > latest:
            raise Broken(f"{holds} never held")
        pause(0.05)


def environment(directory: Path, *, port: int, sink: int) -> dict[str, str]:
    """What an operator would set before `zhitu run`."""
    oa = {"APP_ID": workload.APP_ID, "SECRET": "s", "TOKEN": workload.TOKEN, "AES_KEY": workload.AES_KEY}
    app = {"CORP_ID": "wwbench", "AGENT_ID": "1000002", "SECRET": "s", "TOKEN": "t", "AES_KEY": workload.AES_KEY}
    return {
        **{f"OA_{name}": value for name, value in oa.items()},
        **{f"WECOM_{name}": value for name, value in app.items()},
        "ZHITU_CHANNELS__OA__MAIN__API_BASE": f"http://127.0.0.1:{sink}",
        "ZHITU_CHANNELS__WECOM__MAIN__API_BASE": f"http://127.0.0.1:{sink}",
        "ZHITU_SERVER__PORT": str(port),
        "ZHITU_SERVER__ADMIN_PORT": "0",
        "ZHITU_STORAGE__URL": f"sqlite:///{directory / 'zhitu.db'}",
        "ZHITU_STORAGE__KEYS": STORAGE_KEY,
    }


def start_product(directory: Path, *, port: int, sink: int) -> Child:
    """The product on the database of `directory`; returns when it serves."""
    child = start(
        "tests.bench.stage", directory, core=SERVER_CORE, log=directory / "product.log",
        environment=environment(directory, port=port, sink=sink),
    )  # fmt: skip
    child.line()
    return child


def start_sink(directory: Path, *, port: int, latency_s: float = 0.0, is_shut: bool = False) -> Child:
    """The platform's interface; returns when it listens."""
    arguments: Sequence[object] = (port, latency_s, directory / "sink.log", *(["shut"] if is_shut else []))
    child = start("tests.bench.load.sink", *arguments, core=CLIENT_CORE, log=directory / "sink.err")
    child.line()
    return child


def start_floor(kind: str, directory: Path, *, port: int) -> Child:
    """One of the two servers that keep nothing; returns when it listens."""
    child = start("tests.bench.floors.servers", kind, port, core=SERVER_CORE, log=directory / "floor.log")
    child.line()
    return child


def start_posting(directory: Path, order: Order) -> Child:
    """The load client; returns when its requests are prepared. It begins at the next line it reads."""
    file = directory / "order.json"
    file.write_text(json.dumps(asdict(order)), encoding="utf-8")
    child = start("tests.bench.load.posting", file, core=CLIENT_CORE, log=directory / "posting.log")
    child.line()
    return child
