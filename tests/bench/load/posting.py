"""Posts prepared requests over connections that stay open, with as little work of its own as Python allows.

A process of its own: `python -m tests.bench.load.posting ORDER.json`. It says `ready` when every request is prepared,
begins when it reads a line, and ends with one JSON line. Closed loop: every connection sends its next request when
the last was answered. Open loop: requests have a moment of their own, whatever the server does, and wait for a free
connection if they must.
"""

import array
import json
import resource
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.bench import workload
from tests.bench.lines import say

ANSWER_BYTES_MAX = 65_536
QUIET_S = 30.0
"""So long without any answer: the run is given up."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to post. `kind`: `script` (sealed acts), or the name of a prepared body in `flood.py`.

    `buyers`: the first number and how many. `rate`: requests a second, 0 for the closed loop. `acked`: the file for
    the moment of every answer, in the order of the requests (0: none came).
    """

    port: int
    seconds: float
    connections: int
    kind: str = "script"
    only: str = ""
    buyers: tuple[int, int] = (1, 1000)
    requests_max: int = 1_000_000
    rate: float = 0.0
    acked: str = ""


@dataclass(kw_only=True)
class Line:
    """One connection. `at`: the request under way."""

    peer: socket.socket
    at: int = -1
    got: bytearray = field(default_factory=bytearray)


@dataclass(kw_only=True)
class Result:
    """What became of a run. Moments are monotonic seconds, the same for all processes of a machine."""

    prepared: int
    sent: int = 0
    answered: int = 0
    refused: int = 0
    broken: int = 0
    began: float = 0.0
    ended: float = 0.0
    cpu_s: float = 0.0
    ran_dry: bool = False
    statuses: dict[str, int] = field(default_factory=dict)


class Posting:
    """The loop over all connections."""

    def __init__(self, order: Order, requests: Sequence[bytes], queues: Sequence[Sequence[int]]) -> None:
        self.order = order
        self.requests = requests
        self.intended = array.array("d", bytes(8 * len(requests)))
        self.acked = array.array("d", bytes(8 * len(requests)))
        self.result = Result(prepared=len(requests))
        self._queues = [deque(queue) for queue in queues]
        self._poll = select.epoll()
        self._lines: dict[int, tuple[Line, deque[int]]] = {}
        self._idle: deque[tuple[Line, deque[int]]] = deque()
        self._flying = 0

    def run(self) -> None:
        """Post until the time is over, then wait for the answers that are still under way."""
        for queue in self._queues:
            self._connect(queue)
        before, self.result.began = _cpu(), time.monotonic()
        until = self.result.began + self.order.seconds
        if self.order.rate:
            self._open_loop(until)
        else:
            self._closed_loop(until)
        self.result.ended = time.monotonic()
        self.result.cpu_s = _cpu() - before

    def _closed_loop(self, until: float) -> None:
        for line, queue in list(self._lines.values()):
            self._next(line, queue)
        while self._flying and self._answers(QUIET_S):
            now = time.monotonic()
            while self._idle:
                line, queue = self._idle.popleft()
                if now < until:
                    self._next(line, queue)

    def _open_loop(self, until: float) -> None:
        self._idle.extend(self._lines.values())
        began, due = self.result.began, 0
        while (now := time.monotonic()) < until or self._flying:
            while now < until and self._idle and began + due / self.order.rate <= now:
                line, queue = self._idle.popleft()
                if queue:
                    self._next(line, queue, intended=began + due / self.order.rate)
                    due += 1
            if now < until and not self._idle and not self._flying:
                self.result.ran_dry = True
                return
            wait = max(0.0, began + due / self.order.rate - now) if now < until and self._idle else QUIET_S
            if not self._answers(wait) and wait == QUIET_S:
                return

    def _connect(self, queue: "deque[int]") -> None:
        peer = socket.create_connection(("127.0.0.1", self.order.port), timeout=QUIET_S)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines[peer.fileno()] = (Line(peer=peer), queue)
        self._poll.register(peer.fileno(), select.EPOLLIN)

    def _next(self, line: Line, queue: "deque[int]", *, intended: float | None = None) -> None:
        if not queue:
            self.result.ran_dry = True
            return
        line.at = queue.popleft()
        self.intended[line.at] = time.monotonic() if intended is None else intended
        line.peer.sendall(self.requests[line.at])
        self._flying += 1
        self.result.sent += 1

    def _answers(self, wait_s: float) -> bool:
        """Read what has come; False: nothing did."""
        ready = self._poll.poll(wait_s)
        for fd, _ in ready:
            line, queue = self._lines[fd]
            try:
                came = line.peer.recv(ANSWER_BYTES_MAX)
            except ConnectionError:
                came = b""
            if came:
                line.got += came
            whole = _whole(line.got)
            if whole:
                self._answered(line)
                if b"onnection: close" in line.got:
                    came = b""
                line.got.clear()
                self._idle.append((line, queue))
            if not came:
                self._replace(line, queue, answered=whole)
        return bool(ready)

    def _answered(self, line: Line) -> None:
        status = line.got[9:12].decode()
        self.result.statuses[status] = self.result.statuses.get(status, 0) + 1
        self._flying -= 1
        self.result.answered += 1
        if status == "200":
            self.acked[line.at] = time.monotonic()
        else:
            self.result.refused += 1

    def _replace(self, line: Line, queue: "deque[int]", *, answered: bool) -> None:
        """The server closed the connection: open another."""
        if not answered and line.at >= 0:
            self._flying -= 1
            self.result.broken += 1
        self._poll.unregister(line.peer.fileno())
        del self._lines[line.peer.fileno()]
        line.peer.close()
        if answered:
            self._idle.pop()
            self._connect(queue)
            fresh = list(self._lines.values())[-1]
            self._idle.append(fresh)


def _whole(got: bytearray) -> bool:
    """Whether a whole answer is there. All servers that are measured announce the length of their answers."""
    head = got.find(b"\r\n\r\n")
    if head < 0:
        return False
    mark = got.find(b"Content-Length: ", 0, head)
    length = int(got[mark + 16 : got.find(b"\r\n", mark)]) if mark >= 0 else 0
    return len(got) >= head + 4 + length


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def prepare(order: Order) -> tuple[list[bytes], list[list[int]]]:
    """All requests, and which of them each connection sends, in order: one buyer stays on one connection."""
    if order.kind != "script":
        from tests.bench.load.flood import bodies

        return bodies(order.kind), [[0] * (order.requests_max // order.connections)] * order.connections
    only = workload.ENTERS if order.only == workload.ENTERS.name else None
    first, count = order.buyers
    now = int(time.time())
    requests: list[bytes] = []
    queues: list[list[int]] = [[] for _ in range(order.connections)]
    for act in workload.acts(range(first, first + count), gap=order.connections, only=only):
        queues[act.buyer % order.connections].append(len(requests))
        plain = workload.message(act, at=now, only=only)
        requests.append(workload.request(plain, at=now, nonce=str(len(requests))))
        if len(requests) == order.requests_max:
            break
    return requests, queues


def main(order_file: str) -> None:
    """Prepare, wait for the word, post, tell."""
    order = Order(**json.loads(Path(order_file).read_text(encoding="utf-8")))
    requests, queues = prepare(order)
    posting = Posting(order, requests, queues)
    say("ready")
    sys.stdin.readline()
    posting.run()
    if order.acked:
        with Path(order.acked).open("wb") as file:
            posting.intended.tofile(file)
            posting.acked.tofile(file)
    say(json.dumps(asdict(posting.result)))


if __name__ == "__main__":
    main(sys.argv[1])
