"""Events that came just before a state began to wait for them: heard as if they came now (`since`).

Only types that some state looks back for are remembered, and only for as long. Nobody hears an event twice.
"""

from datetime import timedelta

from bot.core.customer import Recent
from bot.core.events import Event
from bot.core.step import reactions
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.questions import journey_of, state_of
from bot.core.step.reactions import Told, meant
from bot.core.step.scope import event_record

RECENT_MAX = 20
"""Events remembered of one customer; beyond, the oldest are forgotten."""


def catch_up(draft: Draft, run: Run) -> bool:
    """Let the state that `run` just began to wait in hear what it looks back for, the oldest first.

    True: it left the state, and there is nothing more to wait for.
    """
    if not draft.recent:
        return False
    look_back = draft.program.outline(journey_of(draft, run), state_of(draft, run)).look_back
    for past in draft.recent if look_back else ():
        age = draft.now - past.at
        if (
            past.event_id not in run.heard
            and age <= look_back.get(past.type, timedelta(-1))
            and _hear(draft, run, past)
        ):
            return True
    return False


def _hear(draft: Draft, run: Run, past: Recent) -> bool:
    extra = {"event": event_record(draft, past.type, channel=past.channel, fields=past.fields)}
    told = Told(normal=past.normal, intents=frozenset(past.intents), extra=extra)
    for reaction in draft.program.outline(journey_of(draft, run), state_of(draft, run)).events:
        if reaction.event != past.type or reaction.since is None or draft.now - past.at > reaction.since:
            continue
        if reactions.fits(draft, run, reaction, told):
            run.heard = (*run.heard, past.event_id)
            return reactions.act(draft, run, reaction, extra=extra)
    return False


def remember(draft: Draft, event: Event) -> None:
    """Keep `event` for states that look back for its type. Whoever heard it, or began with it, has had it."""
    if event.type not in draft.program.looked_back:
        return
    said = draft.understanding if event is draft.external else None
    kept = Recent(
        event_id=event.event_id,
        type=event.type,
        channel=event.channel,
        at=min(event.occurred_at, draft.now),
        fields=event.fields,
        normal=said.normal if said else "",
        intents=tuple(sorted(meant(said))) if said else (),
    )
    draft.recent = (*[one for one in draft.recent if one.event_id != event.event_id], kept)
    for run in draft.runs.values():
        if _has_had(draft, run, event):
            run.heard = (*run.heard, event.event_id)


def _has_had(draft: Draft, run: Run, event: Event) -> bool:
    """A message that moved the run on was an answer in it, whoever took it."""
    if (run.enrolment_id, event.event_id) in draft.reacted or run.enrolment_id in draft.begun:
        return True
    return event.type == "message" and draft.root_of(run).enrolment_id in draft.stepped


def forget(draft: Draft) -> None:
    """Drop what no state looks back to any more."""
    if not draft.recent:
        return
    kinds = draft.program.looked_back
    kept = [one for one in draft.recent if draft.now - one.at <= kinds.get(one.type, timedelta(-1))]
    if len(kept) == len(draft.recent) <= RECENT_MAX:
        return
    draft.recent = tuple(sorted(kept, key=lambda one: one.at)[-RECENT_MAX:])
    known = {one.event_id for one in draft.recent}
    for run in draft.runs.values():
        if run.heard:
            run.heard = tuple(name for name in run.heard if name in known)
