"""Whatever journeys say and whatever happens, a step keeps its promises (journey-language.md section 3).

`Play` checks after every step that it is deterministic and that the customer is in order (`invariants.py`).
"""

import os
from collections import Counter
from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings

from bot.core.arrival import Step
from bot.core.customer import Customer
from bot.core.effects import RunErrand, Trace
from bot.core.program import Program, compile_library
from bot.core.rules import BURST_MAX
from bot.core.step import step
from bot.core.step.machine import MICROSTEPS_MAX, WAY_OUT_MAX
from bot.storage.codec import customer_bytes, facts_text, read_customer, read_facts
from tests.unit.step.losses import lost
from tests.unit.step.play import Consumed, Play
from tests.unit.step.random_journeys import Story, stories

EXAMPLES = int(os.environ.get("ZHITU_STEP_EXAMPLES", "25"))
"""Few in the everyday run, and the same ones; thousands of others when somebody works on the core."""
UNHURRIED = settings(
    max_examples=EXAMPLES,
    derandomize="ZHITU_STEP_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def is_move(trace: Trace) -> bool:
    """Whether the enrolment entered a state; one whose state waits for something else in another release does not."""
    return trace.kind == "moved" and "why" not in trace.detail


@UNHURRIED
@given(stories())
def test_no_journey_and_no_course_of_events_breaks_a_step(story: Story) -> None:
    play = begun(story)
    for happening in story.happenings:
        before = len(play.steps)
        happening(play)
        for found in play.steps[before:]:
            moves = Counter(trace.enrolment_id for trace in found.journal if is_move(trace))
            assert max(moves.values(), default=0) <= MICROSTEPS_MAX + WAY_OUT_MAX
            said = Counter(e.conversation_id for e in play.sends_of(found) if e.send_class != "staff")
            assert max(said.values(), default=0) <= BURST_MAX
            ids = [effect.effect_id for effect in play.sends_of(found)]
            assert len(ids) == len(set(ids))
    everything = [send.effect_id for found in play.steps for send in play.sends_of(found)]
    everything += [one.effect_id for found in play.steps for one in found.effects if isinstance(one, RunErrand)]
    assert len(everything) == len(set(everything)), "an effect id names one effect for ever"


@UNHURRIED
@given(stories())
def test_no_event_and_no_timer_is_lost(story: Story) -> None:
    play = begun(story)
    for happening in story.happenings:
        happening(play)
    for taken, before, found in stepped(play):
        assert lost(taken, before, found) == []


@UNHURRIED
@given(stories())
def test_the_same_events_lead_to_the_same_customer_however_often_she_was_stored_in_between(story: Story) -> None:
    kept, stored = begun(story), begun(story)
    for happening in story.happenings:
        happening(kept)
        stored.customer = read_back(stored.customer)
        happening(stored)
    assert stored.customer == kept.customer
    assert [step.journal for step in stored.steps] == [step.journal for step in kept.steps]


@UNHURRIED
@given(stories())
def test_the_arrivals_of_the_journal_lead_to_the_same_customer_again(story: Story) -> None:
    play = begun(story)
    for happening in story.happenings:
        happening(play)
    anew: dict[int, Program] = {}
    customer, steps = Customer(customer_id=play.customer.customer_id, version=0), []
    for entry in play.history:
        if not isinstance(entry, Consumed):
            customer = entry(customer)
            continue
        program = anew.setdefault(id(entry.program), compile_library(entry.program.library))
        found = step(program, read_back(customer), entry.arrival, entry.now, read_facts(facts_text(entry.facts)))
        assert isinstance(found, Step), "the journal holds every read"
        customer, steps = found.customer, [*steps, found]
    assert customer == play.customer
    assert steps == play.steps


def begun(story: Story) -> Play:
    """She has just met what is told."""
    play = Play(program=story.program)
    play.follow()
    return play


def stepped(play: Play) -> Iterator[tuple[Consumed, Customer, Step]]:
    """Every arrival with the customer that it met and what came of it."""
    customer, steps = Customer(customer_id=play.customer.customer_id, version=0), iter(play.steps)
    for entry in play.history:
        if isinstance(entry, Consumed):
            found = next(steps)
            yield entry, customer, found
            customer = found.customer
        else:
            customer = entry(customer)


def read_back(customer: Customer) -> Customer:
    """As a row of the storage gives her back."""
    return read_customer(customer_bytes(customer), customer_id=customer.customer_id, version=customer.version)
