"""Beginning a journey: who may enter, and how a run starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.core.events import Json
from bot.core.expressions.tree import Template
from bot.core.ids import ConversationId, EnrolmentId, enrolment_id
from bot.core.journey import Journey
from bot.core.step.draft import Draft, Run, past_key
from bot.core.step.scope import guard_holds_safely, plain, scope_of

ACTIVE_MAX = 30
"""Enrolments that one customer may have at once; another entry is refused with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a run is to begin. `arguments` fill the journey's `vars`; `parent` is set for a call."""

    journey: Journey
    conversation_id: ConversationId | None
    arguments: Mapping[str, Json] = field(default_factory=dict)
    parent: Run | None = None
    interrupt: bool = False
    cause: str = ""


def admit(draft: Draft, opening: Opening) -> Run | None:
    """Begin the run if `audience` and `reentry` admit it; the journal says why when they do not."""
    journey = opening.journey
    key = _key(draft, journey)
    refusal = _refusal(draft, journey, key)
    if refusal:
        draft.trace("entry_refused", into=journey.journey, reason=refusal, cause=opening.cause)
        return None
    if journey.audience is not None and not guard_holds_safely(draft, None, journey.audience):
        draft.trace("entry_refused", into=journey.journey, reason="audience", cause=opening.cause)
        return None
    return begin_run(draft, opening, key)


def _key(draft: Draft, journey: Journey) -> str:
    return draft.program.text(journey.key, scope_of(draft, None)).strip() if journey.key else ""


def _refusal(draft: Draft, journey: Journey, key: str) -> str:
    """Why `reentry` says no, or empty."""
    if len(draft.runs) >= ACTIVE_MAX:
        return "too_many_active"
    running = [run for run in draft.runs.values() if run.parent is None]
    if any(run.journey == journey.journey and run.key == key for run in running):
        return "already_active"
    past = draft.past.get(past_key(journey.journey, key))
    allow = journey.reentry.allow
    if past is None or allow == "always":
        return ""
    if isinstance(allow, timedelta):
        return "" if draft.now - past.ended_at >= allow else "too_soon"
    return "only_once"


def begin_run(draft: Draft, opening: Opening, key: str) -> Run:
    """A new run, about to enter its first state."""
    journey, parent = opening.journey, opening.parent
    place = f"{parent.enrolment_id}|{parent.visit}" if parent else key
    identity = enrolment_id(draft.base.customer_id, journey.journey, place, draft.event_id)
    values = {name: var.default for name, var in journey.vars.items()}
    values.update({name: value for name, value in opening.arguments.items() if name in journey.vars})
    run = Run(
        enrolment_id=identity,
        journey=journey.journey,
        key=key,
        release=draft.program.library.release,
        state="",
        visit=0,
        entered_at=draft.now,
        state_entered_at=draft.now,
        conversation_id=opening.conversation_id,
        parent=parent.enrolment_id if parent else None,
        status="active",
        previous="",
        values=values,
        slots=dict.fromkeys(journey.slots),
        saved={},
        counts={},
        entry=dict(draft.event.fields) if draft.event else {},
        pending=None,
        goal_reached=False,
        goal_held_at_entry=False,
        day="",
        day_count=0,
    )
    draft.runs[identity] = run
    if opening.interrupt:
        draft.interrupting.add(identity)
    if journey.goal is not None and journey.goal.when is not None:
        run.goal_held_at_entry = draft.program.guard(journey.goal.when, scope_of(draft, run))
    draft.trace("entered", run, cause=opening.cause)
    draft.go(run, journey.initial)
    return run


def arguments_of(draft: Draft, run: Run, arguments: tuple[tuple[str, Template], ...]) -> dict[str, Json]:
    """The values of `with:`, rendered for `run`."""
    scope = scope_of(draft, run)
    return {name: plain(draft.program.text(template, scope)) for name, template in arguments}


def holder_priority(draft: Draft, holder: EnrolmentId | None) -> int:
    """How important the journey on the floor is; -1 when nobody has it."""
    run = draft.runs.get(holder) if holder else None
    return draft.program.journey(run.journey).focus.priority if run else -1
