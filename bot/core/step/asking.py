"""What becomes of an answer: taken, confirmed, asked for again, or given up."""

from dataclasses import replace

from bot.core.expressions.values import EvaluationFault
from bot.core.journey import Ask, Slot
from bot.core.step import floor
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.questions import (
    NO_CHOICE,
    YES_CHOICE,
    journey_of,
    new_pending,
    pose,
    pose_confirm,
    slot_of,
    state_of,
)
from bot.core.step.scope import faulted, guard_holds, plain, scope_of
from bot.core.understood import Reading, SlotValue, Understanding


def enter(draft: Draft, run: Run, ask: Ask) -> None:
    """Ask for the slot, unless the very message that led here already answers it."""
    slot = journey_of(draft, run).slots[ask.slot]
    if slot.consent and not _granted(draft, slot.consent):
        draft.trace("not_sent", run, content=slot.ask, reason="no_consent", purpose=slot.consent)
        draft.fail(run, "consent.missing")
        return
    run.pending = new_pending(slot.name)
    reading = _in_this_message(draft, run, slot)
    # A check that cannot be evaluated raises here: the machine turns it into the journey's error.
    if reading is not None and _passes_check(draft, run, slot, reading.value):
        draft.consumed.append((reading.start, reading.end))
        _take_value(draft, run, slot, reading.value)
    elif floor.take(draft, run):
        pose(draft, run)


def _granted(draft: Draft, purpose: str) -> bool:
    consent = draft.consents.get(purpose)
    return consent is not None and consent.granted


def _in_this_message(draft: Draft, run: Run, slot: Slot) -> Reading | None:
    """A value that the message holds and nothing has used yet. Free text never counts: it may mean anything."""
    understanding = draft.understanding
    if understanding is None or slot.type == "text" or draft.conversation_id != run.conversation_id:
        return None
    reading = understanding.readings.get(f"{run.journey}.{slot.name}")
    if reading is None:
        return None
    used = any(reading.start < end and start < reading.end for start, end in draft.consumed)
    return None if used else reading


def hear(draft: Draft, run: Run, understanding: Understanding) -> bool:
    """Let the open question of `run` have the message. False: it is no answer.

    A paused question hears as well: whoever interrupted it is gone, or it would not be asked.
    """
    pending = run.pending
    if pending is None or pending.phase == "queued":
        return False
    slot = slot_of(draft, run)
    reading = understanding.readings.get(f"{run.journey}.{slot.name}")
    if pending.proposal is not None:
        return _hear_confirmation(draft, run, understanding, reading)
    if understanding.skip and slot.optional:
        draft.trace("answered", run, slot=slot.name, outcome="skipped")
        _accept(draft, run, slot, None)
        return True
    if reading is None:
        return False
    draft.consumed.append((reading.start, reading.end))
    answer(draft, run, reading.value)
    return True


def _hear_confirmation(draft: Draft, run: Run, understanding: Understanding, reading: Reading | None) -> bool:
    """Another value beats a yes or a no, but where any words are a value: there 对 and 不对 mean what they say."""
    pending = run.pending
    assert pending is not None, "only a pending question is confirmed"
    takes_any_words = slot_of(draft, run).type == "text"
    if takes_any_words and (understanding.yes or understanding.no or understanding.change):
        reading = None
    if reading is not None and reading.value != pending.proposal:
        draft.consumed.append((reading.start, reading.end))
        answer(draft, run, reading.value)
    elif understanding.yes or reading is not None:
        confirm(draft, run)
    elif understanding.no or understanding.change:
        decline(draft, run)
    else:
        return False
    return True


def confirm(draft: Draft, run: Run) -> None:
    """She says that the proposed value is right."""
    slot, pending = slot_of(draft, run), run.pending
    assert pending is not None, "only a pending question is confirmed"
    draft.trace("answered", run, slot=slot.name, outcome="confirmed")
    _accept(draft, run, slot, pending.proposal)


def decline(draft: Draft, run: Run) -> None:
    """She says that the proposed value is wrong: ask anew."""
    assert run.pending is not None, "only a pending question is declined"
    draft.trace("answered", run, slot=run.pending.slot, outcome="declined")
    run.pending = replace(run.pending, proposal=None)
    if floor.take(draft, run):
        pose(draft, run, variant="again")


def tap(draft: Draft, run: Run, choice: str, text: str) -> bool:
    """A tap on the line `choice` of the question's menu, which reads `text`. False: it is not of this question.

    The words count as well as the number: options may have moved since the menu was sent.
    """
    pending = run.pending
    if pending is None or pending.phase == "queued":
        return False
    if choice == YES_CHOICE and pending.proposal is not None:
        confirm(draft, run)
        return True
    if choice == NO_CHOICE and pending.proposal is not None:
        decline(draft, run)
        return True
    options = list(slot_of(draft, run).options)
    value = text if text in options else next((o for number, o in enumerate(options) if str(number) == choice), None)
    if value is None or (text and text != value):
        return False
    answer(draft, run, value)
    return True


def answer(draft: Draft, run: Run, value: SlotValue) -> None:
    """A value was given: take it if its check allows, else it is a wrong answer."""
    slot = slot_of(draft, run)
    try:
        is_right = _passes_check(draft, run, slot, value)
    except EvaluationFault as fault:
        faulted(draft, run, fault)
        return
    if is_right:
        _take_value(draft, run, slot, value)
    else:
        wrong(draft, run, "check")


def _passes_check(draft: Draft, run: Run, slot: Slot, value: SlotValue) -> bool:
    """Whether the value may be taken. EvaluationFault: the check is no condition after all."""
    return slot.check is None or guard_holds(draft, run, slot.check, scope_of(draft, run, {"value": value}))


def _take_value(draft: Draft, run: Run, slot: Slot, value: SlotValue) -> None:
    if not slot.confirm:
        draft.trace("answered", run, slot=slot.name, outcome="taken", value=_shown(slot, value))
        _accept(draft, run, slot, value)
        return
    draft.trace("answered", run, slot=slot.name, outcome="proposed")
    assert run.pending is not None, "a value is proposed to an open question"
    run.pending = replace(run.pending, proposal=value)
    if floor.take(draft, run):
        pose_confirm(draft, run)


def _shown(slot: Slot, value: SlotValue) -> SlotValue:
    return "•••" if slot.pii or slot.type == "text" else value


def _accept(draft: Draft, run: Run, slot: Slot, value: SlotValue | None) -> None:
    run.slots[slot.name] = value
    run.pending = None
    if slot.save and value is not None:
        name = slot.save.removeprefix("customer.")
        draft.attributes[name] = value
        draft.trace("set", run, name=slot.save, value=plain(_shown(slot, value)))
    draft.go(run, state_of(draft, run).then)


def wrong(draft: Draft, run: Run, why: str) -> None:
    """The message is no answer: ask again, or give up after `retry.max` times.

    Without the floor (a tap finds its question even then) it is asked again when the floor comes back.
    """
    pending = run.pending
    assert pending is not None, "only an open question can be answered wrongly"
    slot = slot_of(draft, run)
    failures = pending.failures + 1
    run.pending = replace(pending, failures=failures)
    draft.trace("unparsed", run, slot=slot.name, why=why, failures=failures, allowed=slot.retry_max)
    if failures > slot.retry_max:
        draft.go(run, state_of(draft, run).give_up)
    elif not floor.take(draft, run):
        return
    elif pending.proposal is not None:
        pose_confirm(draft, run, variant="again")
    else:
        pose(draft, run, variant="again", content=slot.retry_say)
