"""Twenty new seeds a day, and every seed that ever failed. A failure tells the command that plays it again."""

import pytest

from tests.simulation.playing import Nursery, failed_seeds, play_anew, seeds_of_today


def test_every_invariant_holds_for_the_seeds_of_today(plays: Nursery) -> None:
    first, last = seeds_of_today()
    played = plays.play(f"--seeds={first}..{last}")
    assert played.code == 0, f"seeds {first}..{last}:\n{played.told}"


@pytest.mark.parametrize("seed", failed_seeds())
def test_a_seed_that_once_failed_holds_now(seed: int, plays: Nursery) -> None:
    played = plays.play(f"--seed={seed}")
    assert played.code == 0, played.told


def test_the_same_seed_gives_the_same_log_to_the_letter(plays: Nursery) -> None:
    first, second = play_anew("--seeds=11..13", "--digest"), plays.play("--seeds=11..13", "--digest")
    digests = [line for line in first.told.splitlines() if line.startswith("seed ")]
    assert len(digests) >= 3
    assert digests == [line for line in second.told.splitlines() if line.startswith("seed ")]
