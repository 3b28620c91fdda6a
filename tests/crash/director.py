"""Runs many stories at once: starts each product, brings it up again after its death, and waits for the ends."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import TypeAlias

from bot.storage import migrate
from tests.crash import platforms
from tests.crash.mines import Mine
from tests.crash.platforms import Ended, News, Opened, Order, Risen, Taken
from tests.crash.products import JOURNEYS, Place, free_ports, start_mined, start_shipped

AT_ONCE_MAX = 6
"""Stories that run at the same time; with more, products would wait for the processor instead of for each other."""
QUIET_S = 300.0
"""Nothing at all happens for so long: the stories are given up."""

Product: TypeAlias = ForkServerProcess | subprocess.Popen[bytes]


@dataclass(frozen=True, kw_only=True)
class Killing:
    """When a crowd has got `taken` messages, its product gets this signal and is started again once it has ended."""

    taken: int
    by: signal.Signals


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One story. `mine` kills its product from within, `killings` from outside, in their order. `as_command`: the
    product that comes after the mine is a new interpreter and not a fork."""

    name: str
    story: str
    mine: Mine | None = None
    killings: Sequence[Killing] = ()
    crowd: int = 1
    as_command: bool = False


@dataclass(kw_only=True)
class Outcome:
    """What became of a story. `deaths`: exit codes of its products, the last one's too."""

    place: Place
    log: Path
    stuck_at: str = "never ended"
    deaths: list[int | None] = field(default_factory=list)
    states_at_death: list[dict[str, int]] = field(default_factory=list)


@dataclass(kw_only=True)
class _Running:
    plan: Plan
    outcome: Outcome
    base_url: str = ""
    product: Product | None = None
    killings: list[Killing] = field(default_factory=list)


class Director:
    """Has the processes of one set of stories. `look`: called with the place of a product right after each death."""

    def __init__(self, directory: Path, *, look: Callable[[Path], dict[str, int]]) -> None:
        self._directory = directory
        self._look = look
        self._context: ForkServerContext = get_context("forkserver")
        self._context.set_forkserver_preload(["pytest", "bot.app.composition", "bot.cli.commands", "bot.sandbox.world"])
        self._ports: Iterator[int] = free_ports()
        self._journeys = _with_wide_windows(directory / "journeys")
        self._blank = directory / "blank.db"
        migrate(f"sqlite:///{self._blank}")
        self._running: dict[str, _Running] = {}

    def play(self, plans: Sequence[Plan]) -> dict[str, Outcome]:
        """All stories to their ends, by name."""
        ours, theirs = self._context.Pipe()
        people = self._context.Process(target=platforms.serve, args=(theirs,), daemon=True)
        people.start()
        theirs.close()
        waiting = list(plans)
        outcomes: dict[str, Outcome] = {}
        try:
            while waiting or self._running:
                while waiting and len(self._running) < AT_ONCE_MAX:
                    plan = waiting.pop(0)
                    outcomes[plan.name] = self._begin(plan, ours)
                if not self._advance(ours):
                    break
        finally:
            self._end_all()
            ours.close()
            people.join()
        return outcomes

    def _begin(self, plan: Plan, orders: Connection) -> Outcome:
        place = Place(
            directory=self._directory / plan.name,
            port=next(self._ports),
            platforms=platforms.settings(),
            journeys=self._journeys,
        )
        place.directory.mkdir()
        shutil.copy(self._blank, place.database)
        outcome = Outcome(place=place, log=place.directory / "platforms.jsonl")
        self._running[plan.name] = _Running(plan=plan, outcome=outcome, killings=list(plan.killings))
        order = Order(
            site=plan.name,
            callback=f"http://127.0.0.1:{place.port}",
            log=outcome.log,
            story=plan.story,
            dies=plan.mine is not None,
            crowd=plan.crowd,
        )
        orders.send(order)
        return outcome

    def _advance(self, people: Connection) -> bool:
        """Wait for the next thing to happen and react. False: nothing happens any more."""
        deaths = {one.product.sentinel: one for one in self._running.values() if isinstance(one.product, _FORK)}
        ready = connection.wait([people, *deaths], timeout=QUIET_S)
        for one in ready:
            if one is people:
                self._hear(people.recv())
            elif isinstance(one, int) and deaths[one].plan.name in self._running:
                self._bring_up(deaths[one])
                people.send(Risen(site=deaths[one].plan.name))
        return bool(ready)

    def _hear(self, news: News) -> None:
        running = self._running.get(news.site)
        if running is None:
            return
        match news:
            case Opened(base_url=base_url):
                running.base_url = base_url
                mine, place = running.plan.mine, running.outcome.place
                running.product = (
                    start_shipped(self._context, place, base_url)
                    if mine is None
                    else start_mined(self._context, place, base_url, mine)
                )
            case Taken(count=count):
                self._kill_at(running, count)
            case Ended(stuck_at=stuck_at):
                running.outcome.stuck_at = stuck_at
                del self._running[news.site]
                self._stop(running)

    def _kill_at(self, running: _Running, count: int) -> None:
        if running.killings and count >= running.killings[0].taken and isinstance(running.product, _FORK):
            killing = running.killings.pop(0)
            assert running.product.pid is not None
            _send_signal(running.product.pid, killing.by)

    def _bring_up(self, running: _Running) -> None:
        """The product has died: note how, and start the shipped one on the same database."""
        product = running.product
        assert isinstance(product, _FORK)
        product.join()
        running.outcome.deaths.append(product.exitcode)
        running.outcome.states_at_death.append(self._look(running.outcome.place.database))
        product.close()
        place = running.outcome.place
        if running.plan.as_command:
            running.product = _command(place, running.base_url)
        else:
            running.product = start_shipped(self._context, place, running.base_url)

    def _stop(self, running: _Running) -> None:
        product = running.product
        if product is None:
            return
        product.terminate()
        if isinstance(product, _FORK):
            product.join()
            running.outcome.deaths.append(product.exitcode)
            product.close()
        else:
            running.outcome.deaths.append(product.wait())
        running.outcome.states_at_death.append(self._look(running.outcome.place.database))

    def _end_all(self) -> None:
        for running in self._running.values():
            self._stop(running)
        self._running.clear()


_FORK = ForkServerProcess


def _with_wide_windows(directory: Path) -> Path:
    """The shipped journeys, where a message allows twenty answers.

    A story takes two seconds. Within one second nobody can tell whether an answer of ours left before her next
    message or after it, so that the ledger counts it twice, and five would not do.
    """
    shutil.copytree(JOURNEYS, directory)
    rules = directory / "_global.yaml"
    text = rules.read_text(encoding="utf-8")
    narrow, wide = "message: {max: 5,", "message: {max: 20,"
    assert narrow in text
    rules.write_text(text.replace(narrow, wide), encoding="utf-8")
    return directory


def _send_signal(pid: int, by: signal.Signals) -> None:
    os.kill(pid, by)


def _command(place: Place, base_url: str) -> "subprocess.Popen[bytes]":
    with (place.directory / "product.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "bot", *place.arguments], env=place.environment(base_url), stdout=log, stderr=log
        )
