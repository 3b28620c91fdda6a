"""Beginning a journey: who may enter, when, and how a run starts. Source: journey-language.md 2.2, 3.8, 3.11."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.customer import Queued
from bot.core.entries import Arguments
from bot.core.events import Json
from bot.core.expressions.values import EvaluationFault
from bot.core.ids import ConversationId, EnrolmentId, bounded_key, enrolment_id
from bot.core.journey import Journey
from bot.core.making import changer, maker, quickly_made
from bot.core.step import splitting, unasked
from bot.core.step.copies import HOLDOUT, Run
from bot.core.step.draft import Draft, past_key
from bot.core.step.fitting import fitting
from bot.core.step.goals import condition_holds
from bot.core.step.leaving import close
from bot.core.step.limits import check_size
from bot.core.step.refusals import Refusal, by_audience, by_past, by_room
from bot.core.step.scope import plain, scope_of

BEGUN_MAX = 30
"""Enrolments that begin in one step: journeys that start each other without end stop here, with the reason."""
STUCK_MAX = 10
"""Stuck enrolments of one customer that are kept for the operators; beyond, the oldest ends for a new entry."""
QUEUED_MAX = 20
"""Entries of one customer that may wait at once; another is refused with the reason."""
ENTRY_OWNER = "_entry"
"""Owns the timers of entries that are put off; their id is that of the entry, `journey|key`."""
RESTARTED = "restarted"
"""How a run ends that is begun anew."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a run is to begin. `arguments` fill the journey's `vars`, after `given`, whose values are worked out first.

    `parent` is set for a call. `key` None: the journey's own. `entry`: the fields of the event that leads in, None:
    those of the event that is stepped. `put_off`: it begins so much later. `placed`: a test wants her in it, whatever
    the holdout says. `by_customer`: an act of hers leads in, None: if the step is one of hers.
    """

    journey: Journey
    conversation_id: ConversationId | None
    arguments: Mapping[str, Json] = field(default_factory=dict)
    given: Arguments = ()
    parent: Run | None = None
    interrupt: bool = False
    cause: str = ""
    key: str | None = None
    entry: Mapping[str, Json] | None = None
    put_off: timedelta = timedelta(0)
    placed: bool = False
    by_customer: bool | None = None


make_opening, _change_opening, _make_run = maker(Opening), changer(Opening), maker(Run)


def admit(draft: Draft, opening: Opening) -> Run | None:
    """Begin the run if `audience` and `reentry` admit it. None: not now; the journal says why."""
    try:
        opening = _worked_out(draft, opening)
    except EvaluationFault as fault:
        _refuse(draft, opening, Refusal(reason=fault.code))
        return None
    if opening.put_off:
        _put_off(draft, opening)
        return None
    return _admit(draft, opening, opening.key or "")


def _worked_out(draft: Draft, opening: Opening) -> Opening:
    """The opening with its key and its arguments. EvaluationFault: one of them cannot be worked out."""
    key, template = opening.key, opening.journey.key
    if key is None:
        key = bounded_key(draft.program.text(template, scope_of(draft, None)).strip()) if template else ""
    if not opening.given and not opening.arguments:
        return opening if opening.key == key else _change_opening(opening, key=key)
    arguments = {**arguments_of(draft, None, opening.given), **opening.arguments}
    return _change_opening(opening, key=key, arguments=fitting(opening.journey, arguments), given=())


def _admit(draft: Draft, opening: Opening, key: str) -> Run | None:
    journey = opening.journey
    running = next((run for run in _same(draft, journey, key) if run.status == "active"), None)
    if running is not None and journey.reentry.while_active == "queue":
        _queue(draft, opening)
        return None
    refusal = _refusal(draft, opening, key, running)
    if refusal is not None:
        _refuse(draft, opening, refusal)
        return None
    if running is not None:
        close(draft, running, RESTARTED)
    _clear_away_stuck(draft, journey, key)
    unasked.count(draft, journey, by_customer=_is_hers(draft, opening))
    return begin_run(draft, opening, key)


def _is_hers(draft: Draft, opening: Opening) -> bool:
    return draft.by_customer if opening.by_customer is None else opening.by_customer


def _refusal(draft: Draft, opening: Opening, key: str, running: Run | None) -> Refusal | None:
    """Why it may not begin now, None: it may."""
    journey = opening.journey
    if running is not None and journey.reentry.while_active == "ignore":
        since = running.entered_at.isoformat()
        return Refusal(reason="already_active", values={"state": running.state, "since": since})
    if len(draft.begun) >= BEGUN_MAX:
        return Refusal(reason="too_many_entries", values={"max": BEGUN_MAX})
    has_run = running is not None or bool(_same(draft, journey, key))
    return (
        (by_room(draft) if running is None else None)
        or by_past(draft, journey, key, is_known=has_run)
        or by_audience(draft, journey)
        or unasked.by_day(draft, journey, by_customer=_is_hers(draft, opening))
    )


def _refuse(draft: Draft, opening: Opening, refusal: Refusal) -> None:
    draft.trace(
        "entry_refused",
        into=opening.journey.journey,
        reason=refusal.reason,
        cause=opening.cause,
        values=dict(refusal.values),
    )


def _same(draft: Draft, journey: Journey, key: str) -> list[Run]:
    if not draft.runs:
        return []
    return [run for run in draft.runs.values() if run.journey == journey.journey and run.key == key and not run.parent]


def _clear_away_stuck(draft: Draft, journey: Journey, key: str) -> None:
    """A stuck run holds nothing any more and must not keep the customer out for ever: the new one replaces it."""
    if not draft.runs:
        return
    stuck = [run for run in draft.runs.values() if run.status == "stuck"]
    same = _same(draft, journey, key)
    for run in {run.enrolment_id: run for run in (*same, *stuck[: max(0, len(stuck) - STUCK_MAX)])}.values():
        draft.trace("ended", run, end="stuck")
        del draft.runs[run.enrolment_id]


def _queue(draft: Draft, opening: Opening) -> None:
    """Wait for the end of the run that goes on. One may wait."""
    place = past_key(opening.journey.journey, opening.key or "")
    if place in draft.queued:
        _refuse(
            draft, opening, Refusal(reason="already_queued", values={"since": draft.queued[place].since.isoformat()})
        )
    elif len(draft.queued) >= QUEUED_MAX:
        _refuse(draft, opening, Refusal(reason="too_many_queued", values={"max": QUEUED_MAX}))
    else:
        _wait_in_line(draft, opening, place, None)


def _put_off(draft: Draft, opening: Opening) -> None:
    """Begin later. The same entry put off before counts no more: it is told afresh."""
    place = past_key(opening.journey.journey, opening.key or "")
    if place not in draft.queued and len(draft.queued) >= QUEUED_MAX:
        _refuse(draft, opening, Refusal(reason="too_many_queued", values={"max": QUEUED_MAX}))
        return
    due_at = draft.now + opening.put_off
    draft.set_timer(ENTRY_OWNER, place, due_at)
    _wait_in_line(draft, opening, place, due_at)


def _wait_in_line(draft: Draft, opening: Opening, place: str, not_before: datetime | None) -> None:
    draft.queued[place] = Queued(
        journey=opening.journey.journey,
        key=opening.key or "",
        since=draft.now,
        cause=opening.cause,
        conversation_id=opening.conversation_id,
        arguments=opening.arguments,
        entry=_entry_fields(draft, opening),
        not_before=not_before,
        by_customer=_is_hers(draft, opening),
    )
    draft.trace(
        "entry_waits",
        into=opening.journey.journey,
        cause=opening.cause,
        reason="put_off" if not_before else "queued",
        until=not_before.isoformat() if not_before else None,
    )


def let_in(draft: Draft) -> None:
    """Let in who waited for the end of a run that has ended now. They are asked again whether they may enter."""
    for place, queued in list(draft.queued.items()):
        journey = draft.program.library.journeys.get(queued.journey)
        if journey is None:
            forget_queued(draft, journey=queued.journey)
        elif queued.not_before is None and not any(run.status == "active" for run in _same(draft, journey, queued.key)):
            _enter_from_queue(draft, journey, place)


def due(draft: Draft, place: str) -> None:
    """The moment has come for an entry that was put off."""
    queued = draft.queued.get(place)
    journey = draft.program.library.journeys.get(queued.journey) if queued is not None else None
    if journey is not None:
        _enter_from_queue(draft, journey, place)
    else:
        draft.queued.pop(place, None)


def _enter_from_queue(draft: Draft, journey: Journey, place: str) -> None:
    queued = draft.queued.pop(place)
    opening = Opening(
        journey=journey,
        conversation_id=queued.conversation_id,
        arguments=queued.arguments,
        cause=queued.cause,
        key=queued.key,
        entry=queued.entry,
        by_customer=queued.by_customer,
    )
    _admit(draft, opening, queued.key)


def forget_queued(draft: Draft, *, journey: str | None = None, conversation_id: ConversationId | None = None) -> None:
    """Nobody waits any more to enter: this journey, or to talk in this conversation; nothing named: at all."""
    for place, queued in list(draft.queued.items()):
        if journey in (None, queued.journey) and conversation_id in (None, queued.conversation_id):
            del draft.queued[place]
            draft.drop_timer(ENTRY_OWNER, place)
            draft.trace("entry_refused", into=queued.journey, reason="no_longer_wanted", cause=queued.cause, values={})


def begin_run(draft: Draft, opening: Opening, key: str) -> Run:
    """A new run, about to enter its first state; one that is held out enters none."""
    journey, parent = opening.journey, opening.parent
    run = _make_run(
        enrolment_id=_identity(draft, opening, key),
        journey=journey.journey,
        key=key,
        release=draft.program.library.release,
        state="",
        visit=0,
        entered_at=draft.now,
        state_entered_at=draft.now,
        conversation_id=opening.conversation_id or latest_conversation(draft, journey.channel),
        parent=parent.enrolment_id if parent else None,
        status="active",
        previous="",
        values=_values(journey, opening.arguments),
        slots=dict.fromkeys(journey.slots),
        saved={},
        counts={},
        entry=_entry_fields(draft, opening),
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
    if journey.goal is not None and journey.goal.when is not None and not journey.goal.event:
        run.goal_held_at_entry = condition_holds(draft, run, journey.goal.when)
    _begin_or_measure(draft, run, opening)
    return run


def _begin_or_measure(draft: Draft, run: Run, opening: Opening) -> None:
    journey, cause = opening.journey, opening.cause
    if journey.holdout is None or opening.placed:
        draft.trace("entered", run, cause=cause)
        draft.go(run, journey.initial)
        return
    try:
        is_held_out = splitting.is_held_out(draft, run, journey.holdout)
    except EvaluationFault as fault:
        draft.trace("entered", run, cause=cause)
        draft.fail(run, fault.code)
        return
    run.arm = HOLDOUT if is_held_out else splitting.EXPOSED
    draft.trace("entered", run, cause=cause, arm=run.arm, salt=journey.holdout.salt)
    if not is_held_out:
        draft.go(run, journey.initial)
        return
    run.conversation_id = None
    if journey.goal is not None and journey.goal.within is not None:
        draft.set_timer(run.enrolment_id, GOAL_WITHIN, draft.now + journey.goal.within)


GOAL_WITHIN = "goal_within"
"""The timer after which there is nothing more to measure of a run that is held out."""


def _entry_fields(draft: Draft, opening: Opening) -> Mapping[str, Json]:
    if opening.entry is not None:
        return opening.entry
    return dict(draft.event.fields) if draft.event else {}


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
    if arguments:
        values.update({name: value for name, value in arguments.items() if name in journey.vars})
    return values


def latest_conversation(draft: Draft, channel: str) -> ConversationId | None:
    """Where she can be reached on `channel` and wrote last, None: nowhere."""
    latest = draft.latest_talk(channel)
    return latest.conversation_id if latest else None


def arguments_of(draft: Draft, run: Run | None, arguments: Arguments) -> dict[str, Json]:
    """The values of `with:`, worked out for `run`, or for the event when None.

    EvaluationFault: one cannot be, or they are too much for `vars`.
    """
    if not arguments:
        return {}
    scope = scope_of(draft, run)
    found = {name: plain(draft.program.argument(template, scope)) for name, template in arguments}
    check_size(found)
    return found
