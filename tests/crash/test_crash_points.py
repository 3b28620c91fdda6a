"""The product dies at every labelled point of its first journey, comes up again, and the story goes on.

Judged by the platforms' log alone: nothing is lost, and nothing comes twice beyond what its class allows
(journey-language.md 3.5, delivery.md 3.4 and 3.5).
"""

import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.crash import judging
from tests.crash.director import Director, Outcome, Plan
from tests.crash.mines import Mine, Point
from tests.crash.platforms import BUYER

STEPS = ("follow", "need", "nick", "agree", "phone", "yes", "accept", "words-heard", "words-carried", "last-words")
"""The batches that step something, in the order of the story."""
TO_BUYER = ("welcome", "ask-need", "ask-nick", "ask-consent", "ask-phone", "confirm", "thanks-lead", "@advisor")
TO_ADVISOR = ("card", "@now_with", "card-update", "@forward")
"""After them the story has one message more, which comes when the death is over: another forward."""
RECOGNISED = ("card", "card-update")
"""Messages that the platform tells from their repetition, by our id or by a code that is good for once."""
AS_COMMAND = {"C1-nick", "C2-yes", "C4-thanks-lead"}
"""Stories that go on with a new interpreter, as an operator would start it."""

WHOLE = "until_the_end"
UNKNOWN = """
    SELECT effect_id, reason, EXISTS (
        SELECT 1 FROM inbox i WHERE i.lane = o.customer_id AND i.type = 'message'
        AND i.consumed_at BETWEEN o.started_at AND o.settled_at)
    FROM outbox o WHERE state = 'unknown'
"""
"""What nobody knows of, why, and whether she was heard after it was begun and before it was given up."""

AT_STEPS = [(point, step) for point in ("C1", "C2") for step in STEPS]
AT_SENDS = [(point, send) for point in ("C3", "C4", "C5") for send in (*TO_BUYER, *TO_ADVISOR)]


def plan_of(point: Point, where: str) -> Plan:
    name = f"{point}-{where.removeprefix('@')}"
    if where in STEPS:
        mine = Mine(point=point, step=STEPS.index(where) + 1)
    else:
        mine = Mine(point=point, send=where)
    return Plan(name=name, story=WHOLE, mine=mine, as_command=name in AS_COMMAND)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome]:
    """Every story once without a death, and once for each place to die at."""
    director = Director(tmp_path_factory.mktemp("crash"), look=judging.states)
    plans = [plan_of(point, where) for point, where in (*AT_STEPS, *AT_SENDS)]
    return director.play([Plan(name=WHOLE, story=WHOLE), *plans])


def crashed(outcomes: Mapping[str, Outcome], point: Point, where: str) -> tuple[Outcome, list[judging.Message]]:
    """A story whose product died there once, went on, and ended well; with what the platforms took in it."""
    outcome = outcomes[plan_of(point, where).name]
    assert outcome.stuck_at == ""
    assert outcome.deaths == [-signal.SIGKILL, 0]
    return outcome, judging.taken(outcome.log)


def undisturbed(outcomes: Mapping[str, Outcome]) -> dict[str, list[str]]:
    """What everybody gets when nothing dies."""
    return judging.by_receiver(judging.taken(outcomes[WHOLE].log))


def unrest(database: Path, *, unrepeated_max: int = 0) -> list[str]:
    """What is not as it should be when all is over: an event not stepped, a parked lane, a message not sent.

    `unrepeated_max`: so many may stay unknown, because she wrote before the repeat could leave, or even before the
    death, so that none was planned (delivery.md 3.5).
    """
    waiting = judging.rows(database, "SELECT count(*) FROM inbox WHERE consumed_at IS NULL")
    parked = judging.rows(database, "SELECT count(*) FROM parked")
    unknown = judging.rows(database, UNKNOWN)
    unexplained = [row for row in unknown if row[1] != "repeat_not_wanted" and not row[2]]
    states = judging.states(database)
    found = {
        f"waiting {waiting}, parked {parked}": waiting == parked == [(0,)],
        f"unknown {unknown}": len(unknown) <= unrepeated_max and not unexplained,
        f"states {states}": states.get("sent", 0) + len(unknown) == len(TO_BUYER) + len(TO_ADVISOR) + 1,
    }
    return [what for what, right in found.items() if not right]


def test_a_story_without_a_death_says_everything_once(outcomes: Mapping[str, Outcome]) -> None:
    outcome = outcomes[WHOLE]
    assert (outcome.stuck_at, outcome.deaths) == ("", [0])
    messages = judging.by_receiver(judging.taken(outcome.log))
    assert {to: len(words) for to, words in messages.items()} == {
        BUYER: len(TO_BUYER),
        next(to for to in messages if to != BUYER): len(TO_ADVISOR) + 1,
    }
    assert judging.refused(outcome.log) == []
    assert unrest(outcome.place.database) == []


@pytest.mark.parametrize(("point", "step"), AT_STEPS)
def test_a_death_before_a_message_is_begun_changes_nothing(
    outcomes: Mapping[str, Outcome], point: Point, step: str
) -> None:
    outcome, messages = crashed(outcomes, point, step)
    assert judging.by_receiver(judging.without_repeats(messages)) == undisturbed(outcomes)
    # People answer at once, so that the last message may not be settled yet when its answer is stepped.
    under_way = outcome.states_at_death[0].get("sending", 0)
    repeated = sum(judging.repeats(messages).values())
    assert repeated + len(judging.refused(outcome.log)) <= under_way <= 2  # one for each person
    assert unrest(outcome.place.database, unrepeated_max=under_way - repeated) == []


@pytest.mark.parametrize(("point", "send"), AT_SENDS)
def test_a_death_while_a_message_leaves_loses_nothing_and_repeats_at_most_that_one(
    outcomes: Mapping[str, Outcome], point: Point, send: str
) -> None:
    outcome, messages = crashed(outcomes, point, send)
    expected = undisturbed(outcomes)
    assert judging.by_receiver(judging.without_repeats(messages)) == expected
    to_buyer = send in TO_BUYER
    (the_one,) = (
        judging.Message(to=to, words=words[(TO_BUYER if to_buyer else TO_ADVISOR).index(send)])
        for to, words in expected.items()
        if (to == BUYER) == to_buyer
    )
    may_repeat = point != "C3" and send not in RECOGNISED
    assert judging.repeats(messages) in ({}, {the_one: 1} if may_repeat else {})
    assert unrest(outcome.place.database, unrepeated_max=1 if may_repeat else 0) == []
