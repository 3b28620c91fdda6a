"""What a seed draws: who takes part, what goes wrong and how often. Every seed has its own subset of the faults."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Label: TypeAlias = Literal["C1", "C2", "C3", "C4", "C5", "commit"]
"""Labelled points of death (journey-language.md 3.5); `commit`: committed, and nobody was told."""
LABELS: tuple[Label, ...] = ("C1", "C2", "C3", "C4", "C5", "commit")

CALLBACK_FAULTS = ("duplicate", "delayed", "ack_lost", "not_delivered", "forged")
CALL_FAULTS = (
    "unreachable",
    "error_before",
    "error_after",
    "reply_lost",
    "malformed",
    "slow",
    "busy_code",
    "quota_code",
    "rate_code",
    "token_killed",
    "token_dead",
)
DISK_FAULTS = ("disk_busy", "commit_fails")
RATES = (0.02, 0.05, 0.1, 0.25)
Plot: TypeAlias = Literal["", "regret", "handover", "rush"]
"""What buyers do on purpose, where chance alone would seldom bring it about (see plots.py)."""
PLOTS: tuple[Plot, ...] = ("", "", "regret", "handover", "rush")
PLOT_BATCH_MAX = 3
"""Events of a batch where a plot is asked for: a rush is a backlog then."""
CALL_CODES = {"busy_code": -1, "quota_code": 45009, "rate_code": 45011}


BATCH_MAX = 300
"""Events that a batch may take, where the seed does not draw a smaller number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarm:
    """One draw. `rates`: of the faults that this seed has; the others never happen.

    `fuses`: how many callbacks each life of the product lasts, the last one without end. `mines`: labelled deaths,
    with the number of times that the point is passed before. `batch_max`: events of one batch at most.
    """

    customers: int
    acts: int
    library: Literal["shipped", "random"]
    rates: Mapping[str, float] = field(default_factory=dict)
    fuses: tuple[int, ...] = ()
    mines: tuple[tuple[Label, int], ...] = ()
    jumps: tuple[tuple[float, float], ...] = ()
    slowness: float = 0.0
    disk_slow_s: float = 0.0
    hurry: float = 1.0
    plot: Plot = ""
    batch_max: int = BATCH_MAX

    def rate(self, fault: str) -> float:
        """How often this happens, from 0 to 1."""
        return self.rates.get(fault, 0.0)

    def told(self) -> str:
        """The draw in one line."""
        faults = " ".join(f"{name}={rate}" for name, rate in sorted(self.rates.items()))
        deaths = [f"{label}@{after}" for label, after in self.mines] + [f"fuse@{fuse}" for fuse in self.fuses]
        return (
            f"{self.customers} customers, {self.acts} acts each, {self.library} journeys; faults: {faults or 'none'};"
            f" deaths: {' '.join(deaths) or 'none'}; clock jumps: {len(self.jumps)}; slow: {self.slowness > 0};"
            f" plot: {self.plot or 'none'}; batches of {self.batch_max}"
        )


def draw(dice: random.Random) -> Swarm:
    """The swarm of one seed."""
    calm = dice.random() < 0.05
    names = (*CALLBACK_FAULTS, *CALL_FAULTS, *DISK_FAULTS)
    share = dice.choice((0.15, 0.35, 0.6))
    rates = {} if calm else {name: dice.choice(RATES) for name in names if dice.random() < share}
    deaths = 0 if calm or dice.random() < 0.35 else dice.choice((1, 1, 2, 3))
    by_label = dice.randint(0, deaths)
    return Swarm(
        customers=dice.choice((1, 2, 2, 3, 3, 3, 4, 8)),
        acts=dice.randint(1, 5),
        library="random" if dice.random() < 0.25 else "shipped",
        rates=rates,
        fuses=tuple(_fuse(dice) for _ in range(deaths - by_label)),
        mines=tuple((dice.choice(LABELS), dice.randint(1, 12)) for _ in range(by_label)),
        jumps=() if calm or dice.random() < 0.85 else ((dice.uniform(1, 600), dice.choice((20.0, 70.0, 3600.0))),),
        slowness=dice.choice((0.0, 0.0, 0.002, 0.03)),
        disk_slow_s=dice.choice((0.0, 0.01, 0.3)),
        hurry=dice.choice((0.05, 0.3, 1.0)),
        plot=dice.choice(PLOTS),
        batch_max=dice.choice((2, 3, 8, BATCH_MAX)),
    )


def _fuse(dice: random.Random) -> int:
    return int(2 ** dice.uniform(4, 11))
