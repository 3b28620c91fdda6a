"""Everything that would make two runs of one seed differ: randomness, the machine's time, the order of sets."""

import gc
import os
import random
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace

from bot.runtime import stepping, steps
from tests.simulation.loop import VirtualLoop

HASH_SEED = "0"


def insist_on_hash_seed() -> None:
    """Start this command again with a fixed hash seed, if it has none: sets of texts keep one order then."""
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        os.environ["PYTHONHASHSEED"] = HASH_SEED
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])


@contextmanager
def determined(dice: random.Random, loop: VirtualLoop, *, slowness: float, batch_max: int) -> Iterator[None]:
    """Inside, chance is `dice` and the machine's time is the loop's.

    `slowness`: seconds that pass between two looks at the stopwatch of a batch, for batches that run out of time.
    `batch_max`: events of one batch at most, so that a few make a backlog.
    """
    stopwatch = _Stopwatch(loop, slowness)
    replaced: dict[tuple[ModuleType, str], object] = {
        (os, "urandom"): dice.randbytes,
        (secrets, "token_bytes"): lambda count=32: dice.randbytes(count),
        (secrets, "token_hex"): lambda count=32: dice.randbytes(count).hex(),
        (secrets, "token_urlsafe"): lambda count=32: dice.randbytes(count).hex(),
        (secrets, "randbelow"): dice.randrange,
        (stepping, "time"): stopwatch.as_module(),
        # Collecting garbage takes a quarter of a second, and lives begin by the thousand here.
        (gc, "collect"): lambda generation=2: 0,
        (steps, "EVENTS_MAX"): batch_max,
        (steps, "EVENTS_MIN"): min(batch_max, steps.EVENTS_MIN),
        (time, "monotonic"): loop.time,
        (time, "monotonic_ns"): lambda: int(loop.time() * 1e9),
    }
    before = {(owner, name): getattr(owner, name) for owner, name in replaced}
    for (owner, name), stand_in in replaced.items():
        setattr(owner, name, stand_in)
    try:
        yield
    finally:
        for (owner, name), original in before.items():
            setattr(owner, name, original)


class _Stopwatch:
    def __init__(self, loop: VirtualLoop, slowness: float) -> None:
        self._loop = loop
        self._slowness = slowness
        self._looked = 0

    def seconds(self) -> float:
        self._looked += 1
        return self._loop.time() + self._looked * self._slowness

    def as_module(self) -> SimpleNamespace:
        return SimpleNamespace(
            perf_counter=self.seconds,
            thread_time=self._loop.time,
            perf_counter_ns=lambda: int(self.seconds() * 1e9),
            monotonic=self.seconds,
        )
