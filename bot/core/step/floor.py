"""The floor of a conversation: which enrolment, or which colleague, answers the customer now."""

from dataclasses import replace
from datetime import timedelta

from bot.core.ids import ConversationId
from bot.core.step.draft import Draft, Run, Talk
from bot.core.step.questions import journey_of, pose, pose_confirm, state_of

STACK_MAX = 3
QUEUE_MAX = 10
"""Enrolments that may wait for the floor; one more ends the oldest wait without its question."""
FLOOR_OWNER = "_floor"


def take(draft: Draft, run: Run) -> bool:
    """Take the floor for a question. False: somebody else has it, and the question waits its turn."""
    talk = draft.talk_of(run)
    if talk is None or take_if_free(draft, run):
        return True
    if run.enrolment_id not in talk.floor and run.enrolment_id not in talk.queue:
        talk.queue.append(run.enrolment_id)
        del talk.queue[:-QUEUE_MAX]
        draft.trace("floor", run, outcome="queued", holder=talk.holder)
    return False


def take_if_free(draft: Draft, run: Run) -> bool:
    """Take the floor when nobody has it, or when `run` may interrupt; a called run stands in its caller's place."""
    talk = draft.talk_of(run)
    if talk is None:
        return False
    if run.parent is not None and run.parent in talk.floor:
        talk.floor[talk.floor.index(run.parent)] = run.enrolment_id
    free = talk.human is None and (not talk.floor or talk.holder == run.enrolment_id)
    if free or (talk.human is None and _may_push(draft, run, talk)):
        _stand_on_top(draft, run, talk)
        return True
    return False


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
    holder = draft.runs.get(talk.holder) if talk.holder else None
    if holder is None or holder.pending is None or holder.pending.phase in ("queued", "paused"):
        return
    timer = next((t for t in draft.timers if t.owner == holder.enrolment_id and t.timer_id == "timeout"), None)
    left = (timer.due_at - draft.now).total_seconds() if timer else None
    draft.drop_timer(holder.enrolment_id, "timeout")
    holder.pending = replace(holder.pending, phase="paused", since=draft.now, left_s=left)
    draft.trace("floor", holder, outcome="paused")


def give_back(draft: Draft, child: Run, parent: Run) -> None:
    """A called journey ended: its place on the floor is its caller's again."""
    talk = draft.talk_of(child)
    if talk is None:
        return
    if child.enrolment_id in talk.queue:
        talk.queue.remove(child.enrolment_id)
    if child.enrolment_id in talk.floor:
        talk.floor[talk.floor.index(child.enrolment_id)] = parent.enrolment_id


def release(draft: Draft, run: Run) -> None:
    """`run` asks nothing any more; whoever is next is heard again."""
    talk = draft.talk_of(run)
    if talk is None:
        return
    if run.enrolment_id in talk.queue:
        talk.queue.remove(run.enrolment_id)
    if run.enrolment_id not in talk.floor:
        return
    was_holder = talk.holder == run.enrolment_id
    talk.floor.remove(run.enrolment_id)
    if was_holder:
        wake_next(draft, talk)


def wake_next(draft: Draft, talk: Talk) -> None:
    """Give the floor to the enrolment below, else to the one that has waited longest."""
    if talk.human is not None:
        return
    if talk.floor:
        resume(draft, draft.runs[talk.floor[-1]])
        return
    while talk.queue:
        run = draft.runs.get(talk.queue.pop(0))
        if run is not None and run.pending is not None:
            talk.floor.append(run.enrolment_id)
            resume(draft, run)
            return


def resume(draft: Draft, run: Run) -> None:
    """Ask again, or for the first time if the question never was; after `resume_within` it timed out instead."""
    pending = run.pending
    if pending is None or pending.phase in ("asked", "confirming"):
        return
    patience = journey_of(draft, run).focus.resume_within
    timeout = state_of(draft, run).timeout
    if pending.phase == "paused" and patience and timeout and pending.since and draft.now - pending.since > patience:
        draft.trace("floor", run, outcome="too_late_to_resume")
        draft.go(run, timeout.goto)
        return
    draft.trace("floor", run, outcome="resumed")
    if pending.proposal is not None:
        pose_confirm(draft, run)
    else:
        pose(draft, run, variant="resume" if pending.phase == "paused" else "normal")
    if pending.left_s is not None:
        draft.set_timer(run.enrolment_id, "timeout", draft.now + _seconds(pending.left_s), visit=run.visit)


def repeat_question(draft: Draft, talk: Talk) -> None:
    """Show the holder's open question once more."""
    holder = draft.runs.get(talk.holder) if talk.holder else None
    if holder is None or holder.pending is None or talk.human is not None:
        return
    if holder.pending.proposal is not None:
        pose_confirm(draft, holder)
    else:
        pose(draft, holder, variant="resume")


def clear(draft: Draft, conversation_id: ConversationId) -> None:
    """Nobody holds or awaits the floor of this conversation any more."""
    talk = draft.talks[conversation_id]
    talk.floor.clear()
    talk.queue.clear()


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=max(0.0, seconds))
