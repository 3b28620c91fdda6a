"""Lets people write, kills the product as planned, brings it up again, and waits until everything is at rest."""

import json
import os
import secrets
import signal
import socket
import sqlite3
import sys
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from random import Random
from typing import Any  # Any: JSON

from bot.storage import migrate
from tests.crash.products import Place, free_ports
from tests.survival import outside, pace, people, product
from tests.survival.cutting import Cut, cut
from tests.survival.faults import RESTFUL
from tests.survival.mines import AT_START, Mine
from tests.survival.people import Allow, Begin, News, Opened, Spoil, Written
from tests.survival.plan import Blow, Options, plan
from tests.survival.product import Life

PACE_EVERY_S = 0.2
"""So often people are told how much waits at the product."""
TURNED_AWAY_MAX = 1.5
"""A product that takes so many times less in than people write is not waited for any longer."""
MINE_PATIENCE_S = 30.0
"""A mine that nobody has passed for so long after it was armed is given up for a kill from outside."""
RISE_S = 120.0
STALLED_S = 240.0
"""Nobody has written anything for so long: the run is broken off."""
CRASHES_MAX = 3
FEED = 20
"""While a blow waits for something to hit, people may write so much more."""
AHEAD = 2
"""So many blows ahead people may write before they wait for the product to be hit."""
STRIKES_S = 2.0
MISSES_MAX = 3
"""A blow that hit nothing is done again so often."""
TELL_EVERY_S = 10.0
WHOLE_BYTES_MAX = 200_000_000
"""A file that is larger is read whole only after every so many cuts, and at the end; what is damaged stays damaged."""
WHOLE_EVERY = 10


class Broken(Exception):
    """The product does not come up again by itself, or nothing moves any more."""


class Director:
    """One run in one directory: `platforms.jsonl`, `deaths.jsonl`, the database and its log."""

    def __init__(self, directory: Path, options: Options) -> None:
        self._options = options
        self._random = Random(options.seed + 1)
        self._run = secrets.token_hex(4)
        self._context: ForkServerContext = get_context("forkserver")
        self._context.set_forkserver_preload(product.PRELOADED)
        self._ports = free_ports()
        self._place = Place(directory=directory, port=next(self._ports), platforms=people.settings(self._run))
        self._written = Written(events=0)
        self._base_url = ""
        self._deaths = (directory / "deaths.jsonl").open("a", encoding="utf-8")
        self._allowed = 0
        self._spoiled = 0
        self._cuts = 0
        self._told_at = 0.0
        self._paced_at = 0.0
        self._power_log = directory / "power"
        self._died_at = datetime.now(UTC)

    @property
    def database(self) -> Path:
        """The product's, for the checker."""
        return self._place.database

    def play(self) -> str:
        """The whole run. What broke it off; empty: it came to its end."""
        migrate(f"sqlite:///{self._place.database}")
        orders, theirs = self._context.Pipe()
        crowd = self._context.Process(target=people.serve, args=(theirs,), daemon=True)
        crowd.start()
        theirs.close()
        self._process: ForkServerProcess | None = None
        try:
            self._begin(orders)
            self._all_blows(orders)
            self._to_the_end(orders)
        except Broken as broken:
            return str(broken)
        finally:
            self._end()
            orders.close()
            crowd.join(timeout=30)
            self._deaths.close()
            self._ports.close()
        return ""

    def _begin(self, orders: Connection) -> None:
        options = self._options
        orders.send(
            Begin(
                run=self._run,
                callback=f"http://127.0.0.1:{self._place.port}",
                directory=self._place.directory,
                # They go on until they are told: whatever the machine's speed, every blow has somebody to hit.
                events=sys.maxsize,
                at_once=options.at_once,
                open_max=options.open_max,
                seed=options.seed,
            )
        )
        while not self._base_url:
            self._hear(orders, timeout=60)

    def _all_blows(self, orders: Connection) -> None:
        self._ends_at = time.monotonic() + self._options.minutes * 60 if self._options.minutes else None
        blows = plan(self._options)
        for number, blow in enumerate(blows):
            if self._process is None:
                self._rise(blow)
            # So far and no farther: to what comes after the next blow, so that there is always something to hit.
            ahead = blows[number + AHEAD].at_events if number + AHEAD < len(blows) else sys.maxsize
            self._allow(ahead, orders)
            if self._written.done or self._is_over():
                break
            self._one(blow, orders)
        self._allow(sys.maxsize, orders)
        if self._process is None:
            self._rise(None)

    def _one(self, blow: Blow, orders: Connection, *, again_max: int = MISSES_MAX) -> None:
        process = self._process
        assert process is not None
        if blow.point not in AT_START:
            self._until_written(blow.at_events, orders, process)
        if blow.fault:
            self._spoil(blow.fault, orders)
        if blow.kind == "stop":
            self._hold(process, orders)
            return
        if blow.point is None:
            self._until_in_flight(orders)
        _signal(process, signal.SIGUSR1 if blow.point else signal.SIGKILL)
        if not self._dies(process, orders):
            blow = Blow(kind="cut" if blow.kind == "cut" else "kill", at_events=blow.at_events)
            _signal(process, signal.SIGKILL)
        is_hit = self._bury(process, blow)
        if not is_hit and again_max and not self._written.done:
            # It has to be done as often as was asked for: it comes once more, at the next good moment.
            again = replace(blow, at_events=self._written.events)
            self._rise(again)
            self._one(again, orders, again_max=again_max - 1)

    def _spoil(self, fault: str, orders: Connection) -> None:
        self._spoiled += 1
        orders.send(Spoil(fault=fault, running=self._spoiled))
        # An account rests once a few messages were struck; dying before that would show nothing.
        ends_at = time.monotonic() + (STRIKES_S if fault in RESTFUL else 0.0)
        while time.monotonic() < ends_at and not self._written.done:
            self._allow(self._written.events + FEED, orders)
            self._hear(orders, timeout=0.1)

    def _until_written(self, events: int, orders: Connection, process: ForkServerProcess) -> None:
        while self._written.events < events and not self._written.done and not self._is_over():
            if not process.is_alive():
                return
            self._hear(orders, timeout=1.0, also=process.sentinel)

    def _dies(self, process: ForkServerProcess, orders: Connection) -> bool:
        """Wait for the end of the process, and let people write meanwhile. False: it goes on living."""
        ends_at = time.monotonic() + MINE_PATIENCE_S
        while time.monotonic() < ends_at and not connection.wait([process.sentinel], timeout=0.2):
            self._allow(self._written.events + FEED, orders)
            self._hear(orders, timeout=0.0)
        return not process.is_alive()

    def _allow(self, events: int, orders: Connection) -> None:
        """Let people write up to so many events, never fewer than before."""
        if events > self._allowed:
            self._allowed = events
            orders.send(Allow(events=events))

    def _until_in_flight(self, orders: Connection) -> None:
        """Wait for a moment at which a death hits something, not for ever."""
        ends_at = time.monotonic() + MINE_PATIENCE_S
        while not self._written.done and time.monotonic() < ends_at:
            seen = outside.at_death(self.database)
            if seen["sending"] or seen["unconsumed"]:
                return
            self._allow(self._written.events + FEED, orders)
            self._hear(orders, timeout=0.01)

    def _is_over(self) -> bool:
        return self._ends_at is not None and time.monotonic() > self._ends_at

    def _is_all_written(self) -> bool:
        written, events = self._written, self._options.events
        return not self._options.minutes and (written.taken >= events or written.events >= events * TURNED_AWAY_MAX)

    def _hold(self, process: ForkServerProcess, orders: Connection) -> None:
        """Stop the process for longer than its leases live, then let it go on."""
        began = datetime.now(UTC)
        _signal(process, signal.SIGSTOP)
        until = time.monotonic() + self._options.stop_s
        while time.monotonic() < until:
            self._hear(orders, timeout=1.0)
        seen = outside.at_death(self.database)
        _signal(process, signal.SIGCONT)
        self._note(kind="stop", died_at=began, seen=seen, name="stop")
        self._note_risen()

    def _bury(self, process: ForkServerProcess, blow: Blow) -> bool:
        """Note the death, cut the power if that was the blow, and say whether it hit anything."""
        process.join()
        died_at, code = datetime.now(UTC), process.exitcode
        process.close()
        self._process = None
        done: Cut | None = None
        if blow.kind == "cut":
            done = cut(self.database, self._power_log, self._random)
        seen = outside.at_death(self.database)
        if done is not None and not seen["broken"]:
            self._cuts += 1
            if self.database.stat().st_size < WHOLE_BYTES_MAX or self._cuts % WHOLE_EVERY == 0:
                seen["broken"] = outside.damage(self.database)
        kind = blow.kind if code == -signal.SIGKILL else "crash"
        self._note(kind=kind, died_at=died_at, seen=seen, name=blow.name, done=done, code=code)
        if seen["broken"]:
            raise Broken(f"the database does not open after a {blow.kind}: {seen['broken']}")
        return bool(seen["sending"] or seen["waiting"] or seen["unconsumed"])

    def _rise(self, blow: Blow | None) -> None:
        """Start the product for the life that `blow` will end; None: nothing will."""
        for _ in range(CRASHES_MAX):
            power_log = self._power_log if blow is not None and blow.kind == "cut" else None
            life = Life(mine=blow.mine() if blow else Mine(), defect=self._options.defect, power_log=power_log)
            process = product.start(self._context, self._place, self._base_url, life)
            if self._listens(process):
                self._process = process
                self._note_risen()
                return
            code = process.exitcode
            if code == -signal.SIGKILL and blow is not None:
                self._process = process
                return  # its mine went off before anybody could reach it
            self._note(kind="crash", died_at=datetime.now(UTC), seen=outside.at_death(self.database), name="start")
        raise Broken("the product does not start again; see product.log")

    def _listens(self, process: ForkServerProcess) -> bool:
        ends_at = time.monotonic() + RISE_S
        while process.is_alive() and time.monotonic() < ends_at:
            with socket.socket() as probe:
                probe.settimeout(1.0)
                if probe.connect_ex(("127.0.0.1", self._place.port)) == 0:
                    return True
            connection.wait([process.sentinel], timeout=0.05)
        return False

    def _to_the_end(self, orders: Connection) -> None:
        is_enough = False
        while not self._written.done:
            assert self._process is not None
            if not self._process.is_alive():
                raise Broken(f"the product ended by itself ({self._process.exitcode}); see product.log")
            if not is_enough and (self._is_over() or self._is_all_written()):
                orders.send(people.Enough())
                is_enough = True
            self._hear(orders, timeout=STALLED_S)
        began, quiet_since = time.monotonic(), None
        while time.monotonic() - began < self._options.calm_max_s:
            try:
                left = outside.restless(self.database)
            except sqlite3.OperationalError:
                left = {"locked": 1}
            if not left:
                quiet_since = quiet_since or time.monotonic()
                if time.monotonic() - quiet_since > 1.0:
                    return
            else:
                quiet_since = None
            if time.monotonic() - began > self._options.calm_s and "due" not in left and "soon" not in left:
                return
            pace.passes_here(0.2)

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        self._process.join(timeout=60)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()

    def _hear(self, orders: Connection, *, timeout: float, also: int | None = None) -> None:
        """Take one piece of news, or let `timeout` pass."""
        ready = connection.wait([orders] if also is None else [orders, also], timeout=timeout)
        if not ready and timeout >= STALLED_S:
            raise Broken("nobody has moved for a long time")
        while orders.poll():
            news: News = orders.recv()
            match news:
                case Opened(base_url=base_url):
                    self._base_url = base_url
                case Written():
                    self._written = news
        self._keep_pace(orders)
        self._tell()

    def _keep_pace(self, orders: Connection) -> None:
        """Tell people how much waits, so that they wait with it."""
        if self._process is None or time.monotonic() - self._paced_at < PACE_EVERY_S:
            return
        waiting = outside.behind(self.database)
        if waiting is not None:
            orders.send(people.Open(messages=waiting))
        self._paced_at = time.monotonic()

    def _tell(self) -> None:
        if time.monotonic() - self._told_at > TELL_EVERY_S:
            self._told_at = time.monotonic()
            sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {self._written.events} events\n")

    def _note(
        self,
        *,
        kind: str,
        died_at: datetime,
        seen: dict[str, Any],
        name: str,
        done: Cut | None = None,
        code: int | None = None,
    ) -> None:
        line = {"kind": kind, "name": name, "at": died_at.isoformat(), "code": code, **seen}
        line["cut"] = asdict(done) if done else None
        self._write(line)

    def _note_risen(self) -> None:
        self._write({"kind": "risen", "at": datetime.now(UTC).isoformat()})

    def _write(self, line: dict[str, Any]) -> None:
        self._deaths.write(json.dumps(line) + "\n")
        self._deaths.flush()


def _signal(process: ForkServerProcess, by: signal.Signals) -> None:
    if process.pid is not None and process.is_alive():
        os.kill(process.pid, by)
