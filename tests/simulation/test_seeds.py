"""Twenty new seeds a day, and every seed that ever failed. A failure tells the command that plays it again."""

import pytest

from tests.simulation.playing import failed_seeds, play, seeds_of_today


def test_every_invariant_holds_for_the_seeds_of_today() -> None:
    first, last = seeds_of_today()
    played = play(f"--seeds={first}..{last}", "--jobs=2")
    assert played.returncode == 0, f"seeds {first}..{last}:\n{played.stdout}{played.stderr}"


@pytest.mark.parametrize("seed", failed_seeds())
def test_a_seed_that_once_failed_holds_now(seed: int) -> None:
    played = play(f"--seed={seed}")
    assert played.returncode == 0, played.stdout + played.stderr


def test_the_same_seed_gives_the_same_log_to_the_letter() -> None:
    first, second = play("--seeds=11..13", "--digest"), play("--seeds=11..13", "--digest")
    digests = [line for line in first.stdout.splitlines() if line.startswith("seed ")]
    assert len(digests) >= 3
    assert digests == [line for line in second.stdout.splitlines() if line.startswith("seed ")]
