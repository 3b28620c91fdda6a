"""Why somebody may not enter a journey, with the values it was decided by. Source: journey-language.md 2.2, 3.8."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.core.customer import Past
from bot.core.events import Json
from bot.core.expressions.values import EvaluationFault
from bot.core.journey import Journey
from bot.core.step.draft import Draft, past_key
from bot.core.step.scope import guard_holds, read_values, scope_of

ACTIVE_MAX = 30
"""Enrolments of one customer that may go on at once; another entry is refused with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """`reason` is a word of ours; `values` are plain JSON, texts of the customer masked."""

    reason: str
    values: Mapping[str, Json] = field(default_factory=dict)


def by_room(draft: Draft) -> Refusal | None:
    """She is in too many journeys already."""
    if len(draft.runs) < ACTIVE_MAX:
        return None
    active = sum(run.status == "active" for run in draft.runs.values())
    if active < ACTIVE_MAX:
        return None
    return Refusal(reason="too_many_active", values={"active": active, "max": ACTIVE_MAX})


def by_past(draft: Draft, journey: Journey, key: str, *, is_known: bool) -> Refusal | None:
    """She was in it before, and `reentry: allow` says not again, or not yet. `is_known`: a run of it still stands."""
    past = draft.past.get(past_key(journey.journey, key))
    allow = journey.reentry.allow
    if isinstance(allow, timedelta):
        return _too_soon(draft, past, allow)
    if allow == "never" and (past is not None or is_known):
        return Refusal(reason="only_once", values=_ended(past))
    if allow == "goal_missed" and past is not None and past.goal_reached:
        return Refusal(reason="goal_reached", values=_ended(past))
    return None


def _too_soon(draft: Draft, past: Past | None, allow: timedelta) -> Refusal | None:
    if past is None or draft.now - past.ended_at >= allow:
        return None
    again_at = past.ended_at + allow
    return Refusal(reason="too_soon", values={**_ended(past), "again_at": again_at.isoformat()})


def _ended(past: Past | None) -> dict[str, Json]:
    return {"ended_at": past.ended_at.isoformat(), "end": past.end} if past is not None else {}


def by_audience(draft: Draft, journey: Journey) -> Refusal | None:
    """She is not one of those whom the journey is for."""
    if journey.audience is None:
        return None
    try:
        if guard_holds(draft, None, journey.audience):
            return None
    except EvaluationFault as fault:
        draft.trace("error", error=fault.code, guard=journey.audience.source)
    values = read_values(draft, None, journey.audience, scope_of(draft, None))
    return Refusal(reason="audience", values={"guard": journey.audience.source, **values})
