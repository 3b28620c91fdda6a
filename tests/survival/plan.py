"""What will be done to the product, and when: kills at every labelled point, at random moments, cuts, stops, faults."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeAlias

from tests.survival.faults import DEAD_TOKENS, GENTLE, RESTFUL
from tests.survival.mines import POINTS, Mine, Point

Kind: TypeAlias = Literal["mine", "kill", "cut", "stop"]

EACH_POINT_MIN = 5
"""Deaths at each labelled point, where there are kills enough."""
RARE: frozenset[Point] = frozenset({"token", "receipts", "tidy"})
"""Points that few events pass: their mines go off the first time."""
NTH_MAX = 20
CUT_POINTS: tuple[Point | None, ...] = ("C1", "C2", "C3", "C5", "ingest", None, None)
"""Where the power goes; None: wherever it happens to be."""

FAULT_EVERY = 3
"""So many blows from one fault to the next."""
RESTS_EVERY = 60
"""So many blows for each time that an account is made to rest, each way in turn."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """One run. `minutes` 0: until the product has taken `events` in. `stop_s`: how long SIGSTOP lasts, 0: never.

    `open_max`: people pause while so many callbacks and messages are open (tests/survival/gate.py).

    `calm_s`: so long after everything was said nothing may be open any more; with timers on the way it is waited
    longer, at most `calm_max_s`.
    """

    events: int = 20_000
    kills: int = 100
    cuts: int = 50
    seed: int = 1
    minutes: float = 0.0
    at_once: int = 500
    open_max: int = 400
    stop_s: float = 0.0
    faults: bool = True
    defect: str = ""
    calm_s: float = 60.0
    calm_max_s: float = 300.0


@dataclass(frozen=True, kw_only=True)
class Blow:
    """One thing done to the product once `at_events` were written. `fault`: what the platforms do shortly before."""

    kind: Kind
    at_events: int
    point: Point | None = None
    nth: int = 1
    fault: str = ""

    def mine(self) -> Mine:
        """The mine that the life before this blow carries."""
        return Mine(point=self.point, nth=self.nth)

    @property
    def name(self) -> str:
        """How the report calls it."""
        return f"{self.kind} {self.point}" if self.point else self.kind


def plan(options: Options) -> list[Blow]:
    """All blows of a run in their order, spread evenly over its events."""
    random = Random(options.seed)
    drawn: list[tuple[Kind, Point | None]] = [*_kills(options.kills), *_cuts(options.cuts, random)]
    random.shuffle(drawn)
    if options.stop_s > 0:
        drawn.insert(len(drawn) // 2, ("stop", None))
    faults = _faults(drawn, random) if options.faults else [""] * len(drawn)
    step = options.events / (len(drawn) + 1)
    return [
        Blow(
            kind=kind,
            point=point,
            at_events=int(step * (number + 1 + (random.random() - 0.5) * 0.8)),
            nth=1 if point in RARE else random.randint(1, NTH_MAX),
            # Nobody fetches a token unless the old one dies.
            fault=DEAD_TOKENS if point == "token" else faults[number],
        )
        for number, (kind, point) in enumerate(drawn)
    ]


def _kills(count: int) -> Iterator[tuple[Kind, Point | None]]:
    """Each point equally often, at most half of all; the rest come from outside at any moment."""
    each = max(1, min(EACH_POINT_MIN, count // len(POINTS)))
    at_points = [("mine", point) for point in POINTS for _ in range(each)][:count]
    for _, point in at_points:
        yield "mine", point
    for _ in range(count - len(at_points)):
        yield "kill", None


def _cuts(count: int, random: Random) -> Iterator[tuple[Kind, Point | None]]:
    for _ in range(count):
        yield "cut", random.choice(CUT_POINTS)


def _faults(drawn: Sequence[tuple[Kind, Point | None]], random: Random) -> list[str]:
    """A fault before every third blow, each kind in turn. Accounts are made to rest before deaths from outside: those
    strike at any moment, and whoever rises does not know that an account rests."""
    gentle = _in_turn(list(GENTLE), random)
    found = [next(gentle) if number % FAULT_EVERY == 0 else "" for number in range(len(drawn))]
    outside = [number for number, (kind, _) in enumerate(drawn) if kind == "kill"]
    restful = _in_turn(list(RESTFUL), random)
    for number in random.sample(outside, min(len(outside), len(RESTFUL) * (1 + len(drawn) // RESTS_EVERY) // 2)):
        found[number] = next(restful)
    return found


def _in_turn(names: list[str], random: Random) -> Iterator[str]:
    while True:
        random.shuffle(names)
        yield from names
