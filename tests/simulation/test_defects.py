"""Planted defects are found by the simulation, each with the seed that finds it and the invariant that breaks."""

from dataclasses import dataclass

import pytest

from tests.defects import DEFECTS
from tests.simulation.playing import Nursery


@dataclass(frozen=True, slots=True)
class Catch:
    """`says`: of the invariant that breaks. `seed`: the first that finds it. `plot`: what everybody plays meanwhile."""

    seed: int
    says: str
    plot: str = ""


CAUGHT_BY = {
    "acknowledge-before-commit": Catch(1, "was acknowledged and is not committed"),
    "cap-without-reservation": Catch(3, "messages by our ledger"),
    "dedupe-in-memory": Catch(2, "was acknowledged and is not committed"),
    "drop-on-overload": Catch(9, "was acknowledged and is not committed", "rush"),
    "human-not-asked-for": Catch(24, "has the floor"),
    "no-conversation-order": Catch(2, "of its conversation is"),
    "opt-out-read-at-plan-only": Catch(2, "after an opt-out", "regret"),
    "ready-after-restart": Catch(11, "and may be repeated 0 times"),
    "receipt-outside-the-transaction": Catch(6, "and its lane was not told"),
    "repeat-whatever-the-class": Catch(17, "was accepted 2 times", "handover"),
    "reservation-released-on-unknown": Catch(15, "messages by our ledger"),
    "same-effect-id": Catch(2, "has no row of its own"),
    "sent-without-beginning": Catch(1, "was accepted before it was begun"),
    "settled-before-the-answer": Catch(3, "and was never accepted"),
    "stale-token-loop": Catch(5, "was refused long ago, and no other was asked for"),
    "timer-before-reply": Catch(9, "had come in and happened before it was due"),
    "timer-of-dead-visit": Catch(2, "is dead"),
    "urgent-past-its-own-customer": Catch(24, "was consumed before", "rush"),
}
SEEDS_TRIED = 30
"""From that seed on: a change of the product moves what a seed does, and the next ones find it then."""
SURVIVAL_ONLY = {"lease-without-worker-check"}
"""Defects that need a process that stands still while another takes over: the survival harness stops one for real."""


def test_every_defect_has_a_seed() -> None:
    assert CAUGHT_BY.keys() == DEFECTS.keys() - SURVIVAL_ONLY


@pytest.mark.parametrize("name", sorted(CAUGHT_BY))
def test_a_planted_defect_is_caught(name: str, plays: Nursery) -> None:
    catch = CAUGHT_BY[name]
    plot = (f"--plot={catch.plot}",) if catch.plot else ()
    seeds = f"--seeds={catch.seed}..{catch.seed + SEEDS_TRIED}"
    played = plays.play(f"--defect={name}", seeds, "--first", *plot)
    assert played.code == 1, f"{seeds}: {played.told}"
    assert catch.says in played.told, f"{seeds}: {played.told}"
