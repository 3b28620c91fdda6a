"""The floor of a conversation: which enrolment, or which colleague, answers the customer now.

Source: journey-language.md 2.4 and 3.11. A called journey stands in the place of whoever called it. During a
step the floor only changes hands; who has it when everything rests is asked for by `settle`.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Literal

from bot.core.customer import Pending
from bot.core.effects import SendMessage
from bot.core.ids import ConversationId, EnrolmentId
from bot.core.step.copies import Run, Talk
from bot.core.step.draft import Draft
from bot.core.step.questions import journey_of, pose, pose_confirm, state_of
from bot.core.step.sending import may_say_more

STACK_MAX = 3
"""Enrolments on the floor of a conversation; a fourth that would push waits in the queue."""
FLOOR_OWNER = "_floor"
ASKS_LATER = "ask"
"""The timer of a question that had no room any more in the step in which its turn came."""
LATER = timedelta(seconds=5)
"""How much later it is put: soon enough to belong to the same talk."""


def take(draft: Draft, run: Run) -> bool:
    """Take the floor for a question. False: somebody else has it, and the question waits its turn.

    The queue needs no limit of its own: an enrolment stands in it once, and `entry.ACTIVE_MAX` limits those.
    """
    talk = draft.talk_of(run)
    if talk is None or (is_shared(draft, run) and talk.human is None) or take_if_free(draft, run):
        return True
    if run.enrolment_id not in talk.floor and run.enrolment_id not in talk.queue:
        talk.queue.append(run.enrolment_id)
        draft.trace("floor", run, outcome="queued", holder=talk.holder, behind=_spoken_for(draft, talk))
    return False


def _spoken_for(draft: Draft, talk: Talk) -> str:
    """The journey on the floor, empty while a colleague has it."""
    holder = holder_of(draft, talk)
    return draft.root_of(holder).journey if holder is not None else ""


def take_if_free(draft: Draft, run: Run) -> bool:
    """Take the floor when nobody has it, or when `run` may interrupt. One that shares it never stands on it."""
    talk = draft.talk_of(run)
    if talk is None or is_shared(draft, run):
        return False
    place = _place(draft, run, talk)
    if place is not None:
        talk.floor[place] = run.enrolment_id
    free = talk.human is None and (not talk.floor or talk.holder == run.enrolment_id)
    if free or (talk.human is None and _may_push(draft, run, talk)):
        _stand_on_top(draft, run, talk)
        return True
    return False


def _place(draft: Draft, run: Run, talk: Talk) -> int | None:
    """Where `run`, or the nearest that called it, stands on the floor."""
    above: Run | None = run
    while above is not None:
        if above.enrolment_id in talk.floor:
            return talk.floor.index(above.enrolment_id)
        above = draft.runs.get(above.parent) if above.parent else None
    return None


def _may_push(draft: Draft, run: Run, talk: Talk) -> bool:
    return run.enrolment_id in draft.interrupting and len(talk.floor) < STACK_MAX and run.enrolment_id not in talk.floor


def _stand_on_top(draft: Draft, run: Run, talk: Talk) -> None:
    if talk.holder == run.enrolment_id:
        return
    pause_holder(draft, talk)
    if run.enrolment_id in talk.queue:
        talk.queue.remove(run.enrolment_id)
    talk.floor.append(run.enrolment_id)


def pause_holder(draft: Draft, talk: Talk) -> None:
    """Stop the clock of the open question; it will be repeated when the floor comes back."""
    holder = holder_of(draft, talk)
    if holder is None or holder.pending is None or holder.pending.phase in ("queued", "paused"):
        return
    timer = next((t for t in draft.timers if t.owner == holder.enrolment_id and t.timer_id == "timeout"), None)
    left = (timer.due_at - draft.now).total_seconds() if timer else None
    whole = (timer.due_at - timer.set_at).total_seconds() if timer else None
    draft.drop_timer(holder.enrolment_id, "timeout")
    holder.pending = replace(holder.pending, phase="paused", since=draft.now, left_s=left, whole_s=whole)
    draft.trace("floor", holder, outcome="paused")


def give_back(draft: Draft, child: Run, parent: Run) -> None:
    """A called journey ended: its place on the floor is its caller's again."""
    talk = draft.talk_of(child)
    if talk is not None and child.enrolment_id in talk.floor:
        talk.floor[talk.floor.index(child.enrolment_id)] = parent.enrolment_id


def release(draft: Draft, run: Run) -> None:
    """`run` asks nothing any more: its place, or that of whoever called it, is free."""
    talk = draft.talk_of(run)
    place = _place(draft, run, talk) if talk else None
    if talk is not None and place is not None:
        del talk.floor[place]


def unqueue(draft: Draft, run: Run) -> None:
    """The question of `run` that waited for the floor is no longer wanted."""
    talk = draft.talk_of(run)
    if talk is not None and run.enrolment_id in talk.queue:
        talk.queue.remove(run.enrolment_id)


def settle(draft: Draft) -> None:
    """Let the question be heard whose turn it is, in every conversation, now that nothing moves."""
    for talk in draft.talks.values():
        if talk.human is None:
            if talk.queue:
                _let_next_up(draft, talk)
            holder = draft.runs.get(talk.floor[-1]) if talk.floor else None
            if holder is not None and holder.pending is not None and holder.pending.phase in ("queued", "paused"):
                _resume(draft, holder, holder.pending)


def _let_next_up(draft: Draft, talk: Talk) -> None:
    """Who shares the floor asks at once; an empty floor goes to whoever has waited longest."""
    for sharing in [draft.runs[one] for one in talk.queue if one in draft.runs]:
        if sharing.pending is not None and is_shared(draft, sharing):
            if not may_say_more(draft, talk):
                put_off(draft, sharing)
                continue
            talk.queue.remove(sharing.enrolment_id)
            draft.drop_timer(sharing.enrolment_id, ASKS_LATER)
            pose(draft, sharing)
    for one in tuple(talk.queue):
        if talk.floor:
            return
        run = draft.runs.get(one)
        if run is not None and run.pending is not None and is_shared(draft, run):
            continue  # It was put off just now, and stands beside the floor when its turn comes.
        talk.queue.remove(one)
        if run is not None and run.pending is not None:
            talk.floor.append(one)


def holder_of(draft: Draft, talk: Talk) -> Run | None:
    """The enrolment that answers the customer now, None: nobody does."""
    return draft.runs.get(talk.holder) if talk.holder else None


def _resume(draft: Draft, run: Run, pending: Pending) -> None:
    """Ask again, or for the first time if the question never was; after `resume_within` it timed out instead."""
    patience = journey_of(draft, run).focus.resume_within
    timeout = state_of(draft, run).timeout
    paused = pending.phase == "paused"
    if paused and patience and timeout and pending.since and draft.now - pending.since > patience:
        draft.trace("floor", run, outcome="too_late_to_resume")
        run.pending = replace(pending, phase="asked")
        draft.go(run, timeout.goto)
        return
    talk = draft.talk_of(run)
    if talk is not None and not may_say_more(draft, talk):
        if paused:
            draft.trace("not_sent", run, content=pending.slot, reason="send.burst")
            go_on(draft, run)
        else:
            put_off(draft, run)
        return
    draft.trace("floor", run, outcome="resumed")
    draft.drop_timer(run.enrolment_id, ASKS_LATER)
    if pending.proposal is not None:
        pose_confirm(draft, run)
    else:
        pose(draft, run, variant="resume" if paused else "normal")


def has_no_room(draft: Draft, run: Run) -> bool:
    """Whether others have said as much as a step may say where `run` wants to ask; what it said itself is its fault."""
    talk = draft.talk_of(run)
    if talk is None or may_say_more(draft, talk):
        return False
    said = [one for one in draft.effects if isinstance(one, SendMessage) and one.conversation_id == run.conversation_id]
    return all(one.enrolment_id != run.enrolment_id for one in said)


def put_off(draft: Draft, run: Run) -> None:
    """Let the question of `run` wait a little: this step has said enough, and `settle` puts it in the next one."""
    if any(timer.timer_id == ASKS_LATER and timer.owner == run.enrolment_id for timer in draft.timers):
        return
    talk = draft.talk_of(run)
    if talk is not None and is_shared(draft, run) and run.enrolment_id not in talk.queue:
        talk.queue.append(run.enrolment_id)
    draft.set_timer(run.enrolment_id, ASKS_LATER, draft.now + LATER, visit=run.visit)
    draft.trace("floor", run, outcome="put_off")


def go_on(draft: Draft, run: Run, *, more: bool = False) -> None:
    """Leave the paused question open as it was, unrepeated: its clock goes on where it stopped.

    `more`: it gets its whole time once more, once.
    """
    pending = run.pending
    if pending is None or pending.phase != "paused":
        return
    phase: Literal["asked", "confirming"] = "asked" if pending.proposal is None else "confirming"
    extra = pending.whole_s or 0.0 if more and not pending.extended else 0.0
    left = pending.left_s
    extended = pending.extended or more
    run.pending = replace(pending, phase=phase, since=draft.now, left_s=None, whole_s=None, extended=extended)
    if left is not None:
        due_at = draft.now + timedelta(seconds=max(0.0, left) + extra)
        draft.set_timer(run.enrolment_id, "timeout", due_at, visit=run.visit)


def repeat_question(draft: Draft, talk: Talk) -> None:
    """Show the holder's open question once more; one that waits for its turn is left to `settle`."""
    holder = holder_of(draft, talk)
    if holder is None or holder.pending is None or talk.human is not None:
        return
    if holder.pending.phase in ("confirming", "asked") and not may_say_more(draft, talk):
        draft.trace("not_sent", holder, content=holder.pending.slot, reason="send.burst")
        return
    match holder.pending.phase:
        case "confirming":
            pose_confirm(draft, holder)
        case "asked":
            pose(draft, holder, variant="resume")
        case "queued" | "paused":
            return


def is_shared(draft: Draft, run: Run) -> bool:
    """Whether its journey asks beside whoever has the floor (`focus.floor: shared`)."""
    return draft.program.shares_floor and journey_of(draft, draft.root_of(run)).focus.floor == "shared"


def rejoin(draft: Draft, run: Run) -> None:
    """Its journey shares the floor no longer: what it asks beside others takes the floor, or waits for it."""
    talk, pending = draft.talk_of(run), run.pending
    if talk is None or pending is None or pending.phase in ("queued", "paused") or is_shared(draft, run):
        return
    if run.enrolment_id in talk.floor or take_if_free(draft, run):
        return
    draft.drop_timer(run.enrolment_id, "timeout")
    run.pending = replace(pending, phase="queued", since=None)
    talk.queue.append(run.enrolment_id)


def open_beside(draft: Draft, talk: Talk) -> list[Run]:
    """Who has a question open without standing on the floor, the latest first."""
    found = [
        run
        for run in draft.runs.values()
        if run.conversation_id == talk.conversation_id
        and run.pending is not None
        and run.pending.phase in ("asked", "confirming")
        and run.enrolment_id != talk.holder
    ]
    return sorted(found, key=lambda run: run.state_entered_at, reverse=True) if len(found) > 1 else found


def clear(draft: Draft, conversation_id: ConversationId) -> None:
    """Nobody holds or awaits the floor of this conversation any more."""
    talk = draft.talks[conversation_id]
    talk.floor.clear()
    talk.queue.clear()


def priority_of(draft: Draft, enrolment: EnrolmentId | None) -> int:
    """How important the journey on the floor is, that is whoever called it first; -1 when nobody has it."""
    run = draft.runs.get(enrolment) if enrolment else None
    return journey_of(draft, draft.root_of(run)).focus.priority if run else -1
