"""The names that guards and contents read: made when they are first read, and as good as made all at once."""

from collections.abc import Iterator, Mapping

import pytest

from bot.core.arrival import Facts, TimerDue
from bot.core.customer import Timer
from bot.core.step import draft as drafts
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.scope import scope_of
from tests.unit.step.play import MORNING, Play
from tests.unit.step.worlds import shipped

EVERYBODYS = {"customer", "now", "today", "event", "zone", "__host__"}
OWN = {"slots", "vars", "counts", "window", "state", "error", "journey", "entry"}


@pytest.fixture
def draft() -> Iterator[Draft]:
    play = Play(program=shipped())
    play.follow()
    alarm = Timer(owner="_test", visit=0, timer_id="", due_at=MORNING, set_at=MORNING)
    found = drafts.begin(play.program, play.customer, TimerDue(timer=alarm), MORNING, Facts())
    yield found
    found.scopes.clear()


@pytest.fixture
def run(draft: Draft) -> Run:
    (found,) = draft.runs.values()
    found.saved["booking"] = {"id": "b1"}
    return found


def test_a_scope_holds_the_names_of_everybody_those_of_the_run_and_what_calls_brought_back(
    draft: Draft, run: Run
) -> None:
    scope = scope_of(draft, run)
    assert set(scope) == EVERYBODYS | OWN | {"booking"} and len(scope) == len(set(scope))
    assert {name for name in (*scope, "nobody") if name in scope} == set(scope)
    assert {**scope}["booking"] == scope["booking"] == {"id": "b1"}


def test_without_a_run_there_are_only_the_names_of_everybody(draft: Draft) -> None:
    scope = scope_of(draft, None)
    assert set(scope) == EVERYBODYS
    assert scope.get("slots") is None and "booking" not in scope


def test_a_name_that_nobody_has_reads_as_null_and_is_no_name(draft: Draft, run: Run) -> None:
    scope = scope_of(draft, run)
    assert scope.get("nobody") is None
    with pytest.raises(KeyError):
        scope["nobody"]


def test_a_record_is_made_once_and_shows_what_changes_later(draft: Draft, run: Run) -> None:
    scope = scope_of(draft, run)
    assert scope["customer"] is scope["customer"] and scope is scope_of(draft, run)
    customer = scope["customer"]
    draft.attributes["nick"] = "王女士"
    assert isinstance(customer, Mapping) and customer.get("nick") == "王女士"


def test_what_is_given_beside_stands_before_every_other_name_and_only_there(draft: Draft, run: Run) -> None:
    beside = scope_of(draft, run, {"value": 3, "event": {"type": "earlier"}})
    assert beside["value"] == 3 and beside["event"] == {"type": "earlier"}
    assert "value" in set(beside) and "value" not in scope_of(draft, run)
    assert scope_of(draft, run)["event"] == {}
