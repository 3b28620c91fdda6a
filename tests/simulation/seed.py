"""One simulation, from its seed to its verdict."""

import asyncio
import contextlib
import hashlib
import logging
import random
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import structlog

from bot.app.programs import load_program
from bot.config import Config, declared
from bot.core.program import Program
from bot.sandbox.world import _Plan, _with_accounts
from bot.storage import KeyRing
from tests.simulation.carrier import Envelope, FaultyCarrier, Said
from tests.simulation.chance import determined
from tests.simulation.clocks import LoopClock
from tests.simulation.disk import the_disk
from tests.simulation.loop import Stalled, VirtualLoop
from tests.simulation.partner import Partner, bookable
from tests.simulation.platforms import BASE, platforms
from tests.simulation.product import RESTART_S, Parts, Product
from tests.simulation.storage import Trouble
from tests.simulation.stories import Cast
from tests.simulation.swarm import PLOT_BATCH_MAX, Plot, Swarm, draw
from tests.simulation.watch import Watch
from tests.simulation.wire import Line

ROOT = Path(__file__).parents[2]
SETTLING_S = 2 * 3600.0
"""Virtual time after the last act and the last fault, in which everything has to come to rest."""
LAST_LOOKS, LAST_LOOK_S = 100, 3.1
"""Something may have come due at the very end: it gets so many looks to pass."""
OPERATOR_S = 600.0
GLANCE_S = 120.0
"""How often it is looked whether everybody is done, or something is broken."""


_BUGS = frozenset({"loop_failed", "batch_failed"})
"""Lines of the product's log that nothing outside of it can cause: it goes on after them, so nothing else may show."""
_heard: list[str] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a seed. `broken`: the invariants that did not hold; `log`: all that happened, in order."""

    seed: int
    swarm: Swarm
    broken: tuple[str, ...]
    log: tuple[str, ...]
    lives: int
    events: int
    sends: int

    @property
    def digest(self) -> str:
        """The hash of the log: equal for two runs of one seed."""
        return hashlib.sha256("\n".join(self.log).encode()).hexdigest()


@cache
def settings() -> tuple[Config, _Plan]:
    """The accounts that both sides know."""
    names = _with_accounts(declared(ROOT / "config.toml", {}))
    plan = _Plan(names=names, database=Path("nowhere.db"))
    return plan.config(BASE), plan


@cache
def shipped() -> Program:
    """The journeys that come with the product."""
    return load_program(ROOT / "journeys", ROOT / "content", settings()[0])


def program_of(swarm: Swarm, dice: random.Random) -> Program:
    """The journeys of this seed."""
    if swarm.library == "shipped":
        return shipped()
    from tests.unit.step.dice import Dice
    from tests.unit.step.random_journeys import program  # takes long to import, and most seeds go without

    return bookable(program(Dice(lambda: dice.randrange(256))), dice)


def run(seed: int, *, plot: Plot | None = None) -> Verdict:
    """Simulate one seed; with `plot`, everybody plays that one, whatever the seed draws."""
    dice = random.Random(seed)
    swarm = draw(dice)
    swarm = swarm if plot is None else replace(swarm, plot=plot, batch_max=min(swarm.batch_max, PLOT_BATCH_MAX))
    loop = VirtualLoop()
    chance = random.Random(dice.random())
    with determined(chance, loop, slowness=swarm.slowness, batch_max=swarm.batch_max):
        return _Simulation(seed=seed, swarm=swarm, dice=dice, loop=loop).run()


@dataclass(slots=True, kw_only=True)
class _Simulation:
    seed: int
    swarm: Swarm
    dice: random.Random
    loop: VirtualLoop
    faults_on: bool = True

    def run(self) -> Verdict:
        disk = the_disk()
        disk.wipe()
        _heard.clear()
        loop, swarm = self.loop, self.swarm
        program = program_of(swarm, self._dice())
        truth, clock = LoopClock(loop), LoopClock(loop)
        keys = KeyRing({1: b"k" * 32})
        watch = Watch(disk=disk, keys=keys, program=program, clock=clock, loop=loop, mines=list(swarm.mines))
        trouble = Trouble(dice=self._dice(), slow_s=swarm.disk_slow_s)
        trouble.busy, trouble.failing_commit = swarm.rate("disk_busy"), swarm.rate("commit_fails")
        product: Product

        async def take(envelope: Envelope) -> Said:
            return await product.take(envelope)

        carrier = FaultyCarrier(
            loop=loop, dice=self._dice(), product=take, rate=self._rate, struck=watch.struck, answered=watch.answered
        )
        world = platforms(settings()[1].emulator(program), truth, carrier, self._dice())
        watch.platforms = world
        line = Line(loop=loop, dice=self._dice(), platforms=world, observer=watch, rate=self._rate)
        pause, cast_dice = self._dice(), self._dice()
        partner = Partner(
            loop=loop, dice=self._dice(), disk=disk, rate=self._rate, struck=watch.struck, found=watch.found
        )
        watch.partner = partner
        parts = Parts(
            loop=loop, config=settings()[0], program=program, keys=keys, clock=clock, disk=disk,
            trouble=trouble, witness=watch, line=line, note=watch.noted, partner=partner,
        )  # fmt: skip
        product = Product(parts=parts, fuses=list(swarm.fuses), rest_s=lambda: pause.choice(RESTART_S), died=watch.died)
        watch.product = product
        cast = Cast(loop=loop, dice=cast_dice, platforms=world, swarm=swarm, disk=disk, told=watch.acted)
        asyncio.set_event_loop(loop)
        loop.set_exception_handler(watch.unhandled)
        try:
            loop.run_until_complete(loop.begin(None, self._play(product, cast, watch, clock, trouble)))
        except Stalled as stalled:
            watch.found(f"stalled: {stalled}")
        finally:
            _bury(loop, product)
        for told in dict.fromkeys(_heard):
            watch.found(told)
        return Verdict(
            seed=self.seed,
            swarm=swarm,
            broken=tuple(watch.broken),
            log=tuple(watch.log),
            lives=product.lives,
            events=watch.events_count,
            sends=watch.sends_count,
        )

    async def _play(self, product: Product, cast: Cast, watch: Watch, clock: LoopClock, trouble: Trouble) -> None:
        loop = self.loop
        product.boot()
        for after, ahead in self.swarm.jumps:
            loop.later(after, _jump, clock, ahead, watch)
        await loop.pause(0.5)
        cast.begin()
        while (cast.playing or watch.platforms.emulator.busy()) and not watch.broken:
            await loop.pause(GLANCE_S)
        self.faults_on = False
        trouble.busy = trouble.failing_commit = 0.0
        product.fuses.clear()
        watch.mines.clear()
        if product.life is not None:
            product.life.fuse = None
        if not watch.broken:
            await loop.pause(SETTLING_S)
            for _ in range(LAST_LOOKS):
                if not watch.moving():
                    break
                await loop.pause(LAST_LOOK_S)
            watch.at_rest()

    def _rate(self, fault: str) -> float:
        return self.swarm.rate(fault) if self.faults_on else 0.0

    def _dice(self) -> random.Random:
        return random.Random(self.dice.random())


def _jump(clock: LoopClock, ahead: float, watch: Watch) -> None:
    watch.struck("clock", f"+{ahead:.0f}s")
    clock.ahead += timedelta(seconds=ahead)
    # The next poll finds it out; an operator looks at it and finds that the time is right.
    watch.loop.later(1.0, watch.product.ring)
    watch.loop.later(OPERATOR_S, watch.disk.confirm_clock)
    watch.loop.later(OPERATOR_S + 1.0, watch.product.ring)


def _bury(loop: VirtualLoop, product: Product) -> None:
    """Let go of everything that was killed, without running any of it."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    loop.set_exception_handler(lambda _loop, _context: None)
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # it is dead, and nobody waits for it
        coroutine = task.get_coro()
        with contextlib.suppress(RuntimeError, BaseExceptionGroup):  # it may even wait again: nobody ever hears of it
            coroutine.close()
    product.graveyard.clear()
    product.running = None
    asyncio.set_event_loop(None)
    loop._ready.clear()  # type: ignore[attr-defined]  # as every loop of asyncio has them
    loop._scheduled.clear()
    loop.close()
    sys.unraisablehook = hook


def quiet() -> None:
    """No lines of the product's log: the simulation has its own. But what only a bug says is heard."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        processors=[_listen],
        cache_logger_on_first_use=False,
    )


def _listen(_logger: object, _method: str, said: MutableMapping[str, object]) -> str:
    if said["event"] in _BUGS:
        _heard.append(f"the product says {said['event']}: {said.get('why')} at {said.get('place')}")
    raise structlog.DropEvent
