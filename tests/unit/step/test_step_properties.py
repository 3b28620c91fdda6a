"""Whatever journeys say and whatever happens, a step keeps its promises (journey-language.md section 3).

`Play` checks after every step that it is deterministic and that the customer is in order (`invariants.py`).
"""

import os
from collections import Counter

from hypothesis import HealthCheck, given, settings

from bot.core.effects import Trace
from bot.core.program import Program
from bot.core.step.machine import MICROSTEPS_MAX
from bot.core.step.sending import BURST_MAX
from tests.unit.step.play import Play
from tests.unit.step.random_journeys import Act, stories

EXAMPLES = int(os.environ.get("ZHITU_STEP_EXAMPLES", "40"))
"""Few in the everyday run; thousands when somebody works on the core."""
UNHURRIED = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def is_move(trace: Trace) -> bool:
    """Whether the enrolment entered a state; one whose state waits for something else in another release does not."""
    return trace.kind == "moved" and "why" not in trace.detail


@UNHURRIED
@given(stories())
def test_no_journey_and_no_course_of_events_breaks_a_step(story: tuple[Program, list[Act]]) -> None:
    program, happenings = story
    play = Play(program=program)
    play.follow()
    for happening in happenings:
        before = len(play.steps)
        happening(play)
        for step in play.steps[before:]:
            moves = Counter(trace.enrolment_id for trace in step.journal if is_move(trace))
            assert max(moves.values(), default=0) <= MICROSTEPS_MAX
            said = Counter(e.conversation_id for e in play.sends_of(step) if e.send_class != "staff")
            assert max(said.values(), default=0) <= BURST_MAX
            ids = [effect.effect_id for effect in play.sends_of(step)]
            assert len(ids) == len(set(ids))
    everything = [send.effect_id for step in play.steps for send in play.sends_of(step)]
    assert len(everything) == len(set(everything)), "an effect id names one effect for ever"
