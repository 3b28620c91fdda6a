"""What a waiting state does about an event: its own reactions first, then those of its group, in the order of the file.

Source: journey-language.md 2.3 and 3.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.events import Event
from bot.core.expressions.values import EvaluationFault
from bot.core.states import On
from bot.core.step import doing
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.questions import journey_of, state_of
from bot.core.step.scope import faulted, guard_holds_safely, scope_of
from bot.core.understood import Understanding

INTENT_MIN = 80
"""Hundredths: from this score on a message means what a reaction waits for."""
NOTHING_SAID = Understanding(text="", normal="")
NO_INTENTS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an event says besides its type: words of a message, normalised, and what they mean.

    `extra`: what guards read beyond the scope of the step, as in `scope_of`.
    """

    normal: str = ""
    intents: frozenset[str] = NO_INTENTS
    extra: Mapping[str, object] | None = None


def meant(heard: Understanding) -> frozenset[str]:
    """The intents that a message surely enough has."""
    return frozenset(i for i, score in heard.intents.items() if score >= INTENT_MIN) if heard.intents else NO_INTENTS


def react(draft: Draft, run: Run, event: Event, heard: Understanding = NOTHING_SAID) -> bool:
    """Let the state in which `run` waits react to the event. False: it has nothing for it."""
    for reaction in draft.program.outline(journey_of(draft, run), state_of(draft, run)).events:
        if reaction.event != event.type:
            continue
        if fits(draft, run, reaction, Told(normal=heard.normal, intents=meant(heard))):
            draft.reacted.add((run.enrolment_id, event.event_id))
            act(draft, run, reaction)
            return True
    return False


def fits(draft: Draft, run: Run, reaction: On, told: Told) -> bool:
    """Whether an event of its type is one that the reaction waits for."""
    if reaction.keywords and told.normal not in reaction.keywords:
        return False
    if reaction.intents and told.intents.isdisjoint(reaction.intents):
        return False
    return reaction.when is None or guard_holds_safely(draft, run, reaction.when, scope_of(draft, run, told.extra))


def act(draft: Draft, run: Run, reaction: On, *, extra: Mapping[str, object] | None = None) -> bool:
    """Set and do what the reaction says. True: the run leaves the state, by `goto`, by `reenter` or by an error."""
    target = reaction.goto or (run.state if reaction.reenter else "")
    draft.trace("heard", run, event=reaction.event, goto=target or None)
    try:
        doing.set_values(draft, run, reaction.set, scope_of(draft, run, extra))
    except EvaluationFault as fault:
        faulted(draft, run, fault)
        return True
    if not doing.perform(draft, run, reaction.do, extra):
        return True
    if target:
        draft.go(run, target)
    return bool(target)
