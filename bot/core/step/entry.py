"""Beginning a journey: who may enter, and how a run starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.core.events import Json
from bot.core.expressions.tree import Expression, Template
from bot.core.expressions.values import EvaluationFault
from bot.core.ids import ConversationId, EnrolmentId, bounded_key, enrolment_id
from bot.core.journey import Journey
from bot.core.making import quickly_made
from bot.core.step.copies import Run
from bot.core.step.draft import Draft, past_key
from bot.core.step.limits import check_size
from bot.core.step.scope import guard_holds_safely, plain, scope_of

ACTIVE_MAX = 30
"""Enrolments of one customer that may go on at once; another entry is refused with the reason."""
STUCK_MAX = 10
"""Stuck enrolments of one customer that are kept for the operators; beyond, the oldest ends for a new entry."""
BEGUN_MAX = 30
"""Enrolments that begin in one step: journeys that start each other without end stop here, with the reason."""


@quickly_made
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
    try:
        key = bounded_key(draft.program.text(journey.key, scope_of(draft, None)).strip()) if journey.key else ""
    except EvaluationFault as fault:
        draft.trace("entry_refused", into=journey.journey, reason=fault.code, cause=opening.cause)
        return None
    refusal = _refusal(draft, journey, key)
    if refusal:
        draft.trace("entry_refused", into=journey.journey, reason=refusal, cause=opening.cause)
        return None
    if journey.audience is not None and not guard_holds_safely(draft, None, journey.audience):
        draft.trace("entry_refused", into=journey.journey, reason="audience", cause=opening.cause)
        return None
    _clear_away_stuck(draft, journey, key)
    return begin_run(draft, opening, key)


def _refusal(draft: Draft, journey: Journey, key: str) -> str:
    """Why it may not begin now, or empty."""
    if sum(run.status == "active" for run in draft.runs.values()) >= ACTIVE_MAX:
        return "too_many_active"
    if len(draft.begun) >= BEGUN_MAX:
        return "too_many_entries"
    same = _same(draft, journey, key)
    if any(run.status == "active" for run in same):
        return "already_active"
    past = draft.past.get(past_key(journey.journey, key))
    allow = journey.reentry.allow
    if isinstance(allow, timedelta):
        return "too_soon" if past is not None and draft.now - past.ended_at < allow else ""
    return "only_once" if allow == "never" and (past is not None or same) else ""


def _same(draft: Draft, journey: Journey, key: str) -> list[Run]:
    return [run for run in draft.runs.values() if run.journey == journey.journey and run.key == key and not run.parent]


def _clear_away_stuck(draft: Draft, journey: Journey, key: str) -> None:
    """A stuck run holds nothing any more and must not keep the customer out for ever: the new one replaces it."""
    stuck = [run for run in draft.runs.values() if run.status == "stuck"]
    same = _same(draft, journey, key)
    for run in {run.enrolment_id: run for run in (*same, *stuck[: max(0, len(stuck) - STUCK_MAX)])}.values():
        draft.trace("ended", run, end="stuck")
        del draft.runs[run.enrolment_id]


def begin_run(draft: Draft, opening: Opening, key: str) -> Run:
    """A new run, about to enter its first state."""
    journey, parent = opening.journey, opening.parent
    run = Run(
        enrolment_id=_identity(draft, opening, key),
        journey=journey.journey,
        key=key,
        release=draft.program.library.release,
        state="",
        visit=0,
        entered_at=draft.now,
        state_entered_at=draft.now,
        conversation_id=opening.conversation_id or _latest_conversation(draft, journey.channel),
        parent=parent.enrolment_id if parent else None,
        status="active",
        previous="",
        values=_values(journey, opening.arguments),
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
    draft.runs[run.enrolment_id] = run
    draft.begun.append(run.enrolment_id)
    if opening.interrupt:
        draft.interrupting.add(run.enrolment_id)
    if journey.goal is not None and journey.goal.when is not None:
        run.goal_held_at_entry = goal_holds(draft, run, journey.goal.when)
    draft.trace("entered", run, cause=opening.cause)
    draft.go(run, journey.initial)
    return run


def _identity(draft: Draft, opening: Opening, key: str) -> EnrolmentId:
    """Equal whenever the same event is stepped again; a second run in the same step gets another one."""
    parent = opening.parent
    place = f"{parent.enrolment_id}|{parent.visit}" if parent else key
    name = f"begin|{opening.journey.journey}|{place}"
    ordinal = draft.ordinals.get(name, 0)
    draft.ordinals[name] = ordinal + 1
    if ordinal:
        place = f"{place}|{ordinal}"
    return enrolment_id(draft.base.customer_id, opening.journey.journey, place, draft.event_id)


def _values(journey: Journey, arguments: Mapping[str, Json]) -> dict[str, Json]:
    values = {name: var.default for name, var in journey.vars.items()}
    values.update({name: value for name, value in arguments.items() if name in journey.vars})
    return values


def _latest_conversation(draft: Draft, channel: str) -> ConversationId | None:
    latest = draft.latest_talk(channel)
    return latest.conversation_id if latest else None


def arguments_of(draft: Draft, run: Run, arguments: tuple[tuple[str, Template], ...]) -> dict[str, Json]:
    """The values of `with:`, rendered for `run`. EvaluationFault: one cannot be, or they are too much for `vars`."""
    scope = scope_of(draft, run)
    found = {name: plain(draft.program.text(template, scope)) for name, template in arguments}
    check_size(found)
    return found


def goal_holds(draft: Draft, run: Run, condition: Expression) -> bool:
    """Whether a goal is reached. One that cannot be evaluated is not, and the journal says so."""
    try:
        return draft.program.guard(condition, scope_of(draft, run))
    except EvaluationFault as fault:
        draft.trace("error", run, error=fault.code, guard=condition.source)
        return False
