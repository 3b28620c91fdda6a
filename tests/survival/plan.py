"""What will be done to the product, and when: kills at every labelled point, at random moments, cuts, stops, faults."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeAlias

from tests.survival.mines import POINTS, Mine, Point
from tests.survival.people import FAULTS

Kind: TypeAlias = Literal["mine", "kill", "cut", "stop"]

EACH_POINT_MIN = 5
"""Deaths at each labelled point, where there are kills enough."""
RARE: frozenset[Point] = frozenset({"token", "receipts", "tidy"})
"""Points that few events pass: their mines go off the first time."""
NTH_MAX = 20
CUT_POINTS: tuple[Point | None, ...] = ("C1", "C2", "C3", "C5", "ingest", None, None)
"""Where the power goes; None: wherever it happens to be."""


QUOTA_EVENTS_MIN = 200_000
"""A platform that says 45009 is left alone for a quarter of an hour: only runs that are longer by far hear it."""
QUOTA_PART = 5
"""It says so after this part of a run."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """One run. `minutes` 0: until `events` were written. `stop_s`: how long SIGSTOP lasts, 0: never.

    `calm_s`: so long after everything was said nothing may be open any more; with timers on the way it is waited
    longer, at most `calm_max_s`.
    """

    events: int = 20_000
    kills: int = 100
    cuts: int = 50
    seed: int = 1
    minutes: float = 0.0
    at_once: int = 500
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
    faults = _faults(random) if options.faults else iter(lambda: "", None)
    quota_at = len(drawn) // QUOTA_PART if options.events >= QUOTA_EVENTS_MIN else -1
    step = options.events / (len(drawn) + 1)
    return [
        Blow(
            kind=kind,
            point=point,
            at_events=int(step * (number + 1 + (random.random() - 0.5) * 0.8)),
            nth=1 if point in RARE else random.randint(1, NTH_MAX),
            fault="45009" if number == quota_at else "dead tokens" if point == "token" else next(faults),
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


def _faults(random: Random) -> Iterator[str]:
    """A fault before every third blow, each kind in turn."""
    names = [name for name in FAULTS if name != "45009"]
    while True:
        random.shuffle(names)
        for name in names:
            yield name
            yield ""
            yield ""
