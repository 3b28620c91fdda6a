"""The product is stopped, and killed, while two hundred buyers talk to it; nothing of it may be seen by them."""

import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.crash import judging
from tests.crash.director import Director, Killing, Outcome, Plan

BUYERS = 200
SENT_TO_EACH = 3
IN_FLIGHT_MAX = 32
KILLED, STOPPED = "killed", "stopped"
AT = (100, 300, 480)
"""Messages that the crowd has got by then; it gets 600."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome]:
    """The same crowd twice: with products that are killed, and with products that are asked to stop."""
    director = Director(tmp_path_factory.mktemp("load"), look=judging.states)
    by = {KILLED: signal.SIGKILL, STOPPED: signal.SIGTERM}
    return director.play(
        [
            Plan(
                name=name,
                story="crowd",
                crowd=BUYERS,
                killings=[Killing(taken=count, by=kind) for count in AT],
            )
            for name, kind in by.items()
        ]
    )


def got(outcome: Outcome) -> Counter[int]:
    """How often → how many messages came so often. Every buyer gets the same texts, so the pair is the message."""
    return Counter(Counter(judging.taken(outcome.log)).values())


def inbox(database: Path, condition: str) -> int:
    """How many callbacks of buyers are stored, for which this holds."""
    ((count,),) = judging.rows(database, f"SELECT count(*) FROM inbox WHERE actor <> '' AND {condition}")
    return int(count)


@pytest.mark.parametrize("name", [KILLED, STOPPED])
def test_every_acknowledged_callback_was_stored_and_stepped_once(outcomes: Mapping[str, Outcome], name: str) -> None:
    outcome = outcomes[name]
    assert outcome.stuck_at == ""
    database = outcome.place.database
    assert judging.acknowledged(outcome.log) == inbox(database, "consumed_at IS NOT NULL") == 2 * BUYERS
    assert inbox(database, "consumed_at IS NULL") == 0


def test_a_product_that_is_asked_to_stop_finishes_what_it_began_and_repeats_nothing(
    outcomes: Mapping[str, Outcome],
) -> None:
    outcome = outcomes[STOPPED]
    # A fast machine may be done before the last signal: at least one stop has to hit.
    assert 2 <= len(outcome.deaths) <= len(AT) + 1
    assert set(outcome.deaths) == {0}
    assert [states for states in outcome.states_at_death if {"leased", "sending", "unknown"} & states.keys()] == []
    assert got(outcome) == {1: BUYERS * SENT_TO_EACH}


def test_a_product_that_is_killed_excuses_whatever_is_missing_and_repeats_only_what_was_under_way(
    outcomes: Mapping[str, Outcome],
) -> None:
    outcome = outcomes[KILLED]
    kills = len(outcome.deaths) - 1
    assert 1 <= kills <= len(AT)
    assert outcome.deaths == [-signal.SIGKILL] * kills + [0]
    counts = got(outcome)
    database = outcome.place.database
    # A buyer who wrote while her last message hung in the air gets the next one instead of a repeat (delivery.md 3.5).
    given_up_rows = "SELECT count(*) FROM outbox WHERE state IN ('unknown', 'suppressed')"
    ((given_up,),) = judging.rows(database, given_up_rows)
    assert BUYERS * SENT_TO_EACH - given_up <= counts[1] + counts[2] <= BUYERS * SENT_TO_EACH
    under_way = [states.get("sending", 0) for states in outcome.states_at_death[:-1]]
    assert counts[2] <= sum(under_way) <= IN_FLIGHT_MAX * len(AT)
    # Whatever was under way at a death was begun once more, or will be, or was given up with the reason in its row:
    # nothing is silent. The crowd goes home when everybody has everything, and some repeats still wait then.
    ((begun_again,),) = judging.rows(database, "SELECT sum(attempts - 1) FROM outbox WHERE attempts > 0")
    ((to_repeat,),) = judging.rows(database, "SELECT count(*) FROM outbox WHERE state = 'ready' AND repeats > 0")
    assert begun_again <= sum(under_way) <= begun_again + to_repeat + given_up
