"""Putting an event of our own before this customer's journeys; `hearing` delivers it in the same step."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.actions import Emit
from bot.core.arrival import Told
from bot.core.audiences import Audiences, audiences_of
from bot.core.entries import EventEntry
from bot.core.events import Event, Json
from bot.core.ids import EnrolmentId, EventId
from bot.core.library import Library
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.scope import plain, scope_of

LOOP = "loop"
EMITTED_MAX = 20
"""Events of our own in one step; who would emit more is in a loop."""


def emit(draft: Draft, run: Run | None, action: Emit, extra: Mapping[str, object] | None = None) -> bool:
    """Emit what a journey, or an interrupt, wants heard.

    False: this step has emitted too much, which is the error `loop`. EvaluationFault: a field cannot be worked out.
    """
    scope = scope_of(draft, run, extra)
    fields = {name: plain(draft.program.value(value, scope)) for name, value in action.fields}
    if tell(draft, action.event, fields):
        draft.trace("emit", run, event=action.event)
        return True
    if run is not None:
        draft.fail(run, LOOP)
    return False


@dataclass(frozen=True, slots=True)
class HeardTypes:
    """The types of events that some journey listens for."""

    types: frozenset[str]


def heard_types(library: Library) -> HeardTypes:
    """What `library` listens for, anywhere."""
    found: set[str] = set()
    for journey in library.journeys.values():
        found.update(reaction.event for state in journey.states.values() for reaction in state.events)
        found.update(reaction.event for group in journey.groups.values() for reaction in group.events)
        found.update(way.event for way in journey.enter if isinstance(way, EventEntry))
        found.update(one.event for one in journey.exits)
        if journey.goal is not None:
            found.add(journey.goal.event)
    return HeardTypes(frozenset(found))


def tell(draft: Draft, kind: str, fields: Mapping[str, Json], *, but: EnrolmentId | None = None) -> bool:
    """Have this customer's journeys hear that something happened, if any journey listens for it at all.

    `but`: the run that made it happen does not hear it.
    False: too much was told in this step, this is not told.
    """
    if kind in draft.program.kept(Audiences, audiences_of).events and len(draft.told) < EMITTED_MAX:
        draft.told.append(Told(event=kind, fields=fields))
    if kind not in draft.program.kept(HeardTypes, heard_types).types:
        return True
    ordinal = draft.ordinals.get("emitted", 0)
    if ordinal >= EMITTED_MAX:
        return False
    draft.ordinals["emitted"] = ordinal + 1
    source = draft.external
    draft.emitted.append(
        Event(
            event_id=EventId(f"{draft.event_id}|{ordinal}"),
            type=kind,
            channel=source.channel if source else "",
            account=source.account if source else "",
            sender=but or "",
            occurred_at=draft.now,
            fields=fields,
            urgent=source.urgent if source else False,
        )
    )
    return True
