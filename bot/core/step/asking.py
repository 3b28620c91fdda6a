"""What becomes of an answer: taken, confirmed, asked for again, or given up."""

from bot.core.events import Json
from bot.core.expressions.values import EvaluationFault
from bot.core.slots import Slot
from bot.core.states import Ask
from bot.core.step import floor, knowing, offering, repairs
from bot.core.step.answers import journalled
from bot.core.step.catching import NO_OPTIONS
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.questions import (
    NO_CHOICE,
    YES_CHOICE,
    change_pending,
    journey_of,
    may_ask,
    new_pending,
    pose,
    pose_confirm,
    slot_of,
    state_of,
)
from bot.core.step.scope import faulted
from bot.core.understood import Reading, Understanding


def enter(draft: Draft, run: Run, ask: Ask) -> None:
    """Ask for the slot, unless its answer is known, or stands in the very message that led here.

    EvaluationFault: its `check`, its `prefill` or its options cannot be worked out.
    """
    slot = journey_of(draft, run).slots[ask.slot]
    if not may_ask(draft, run, slot):
        return
    run.pending = new_pending(slot.name)
    if slot.options_from is not None:
        options = offering.work_out(draft, run, slot)
        if not options:
            draft.fail(run, NO_OPTIONS)
            return
        run.pending = change_pending(run.pending, options=options)
    if _answered_here(draft, run, slot) or _known_already(draft, run, slot):
        return
    if floor.take(draft, run):
        if floor.has_no_room(draft, run):
            floor.put_off(draft, run)
        else:
            pose(draft, run)


def _answered_here(draft: Draft, run: Run, slot: Slot) -> bool:
    """Take the answer from the message that led here, if there is a right one in it."""
    reading = _in_this_message(draft, run, slot)
    value = _meant(run, reading) if reading is not None else None
    # A check that cannot be evaluated raises here: the machine turns it into the journey's error.
    if reading is None or value is None or not knowing.passes_check(draft, run, slot, value):
        return False
    draft.consumed.append((reading.start, reading.end))
    _take_value(draft, run, slot, value)
    return True


def _known_already(draft: Draft, run: Run, slot: Slot) -> bool:
    """Take what she answered before, where that still counts, or what `prefill` comes to."""
    if slot.ttl is None and slot.prefill is None and run.enrolment_id not in draft.replanned:
        return False
    kept = knowing.remembered(draft, run, slot)
    if kept is not None and knowing.passes_check(draft, run, slot, kept):
        draft.trace("answered", run, slot=slot.name, outcome="remembered", value=journalled(slot, kept))
        _settle(draft, run, slot, kept)
        return True
    filled = knowing.prefilled(draft, run, slot)
    if filled is None or not knowing.passes_check(draft, run, slot, filled):
        return False
    draft.trace("answered", run, slot=slot.name, outcome="prefilled", value=journalled(slot, filled))
    _take_value(draft, run, slot, filled)
    return True


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
        return skip(draft, run, understanding)
    if reading is None:
        return False
    draft.consumed.append((reading.start, reading.end))
    answer(draft, run, _meant(run, reading))
    return True


def skip(draft: Draft, run: Run, understanding: Understanding) -> bool:
    """Let her pass over the question that stands open, if she says so and may. False: not so."""
    pending = run.pending
    if pending is None or pending.phase == "queued" or pending.proposal is not None or not understanding.skip:
        return False
    slot = slot_of(draft, run)
    if not slot.optional:
        return False
    draft.trace("answered", run, slot=slot.name, outcome="skipped")
    _settle(draft, run, slot, None)
    return True


def _meant(run: Run, reading: Reading) -> Json:
    """What was read as an answer to the open question. None: it is not among those that were offered."""
    if run.pending is None or not run.pending.options:
        return reading.value
    option = offering.chosen(run.pending, reading.value)
    return option.value if option is not None else None


def _hear_confirmation(draft: Draft, run: Run, understanding: Understanding, reading: Reading | None) -> bool:
    """Another value beats a yes or a no, but where any words are a value: there 对 and 不对 mean what they say."""
    pending = run.pending
    assert pending is not None, "only a pending question is confirmed"
    takes_any_words = slot_of(draft, run).type == "text"
    if takes_any_words and (understanding.yes or understanding.no or understanding.change):
        reading = None
    value = _meant(run, reading) if reading is not None else None
    if reading is not None and value != pending.proposal:
        draft.consumed.append((reading.start, reading.end))
        answer(draft, run, value)
    elif understanding.yes or reading is not None:
        confirm(draft, run)
    elif understanding.no or (understanding.change and not knowing.corrects(draft, run, understanding)):
        decline(draft, run)
    else:
        return False
    return True


def confirm(draft: Draft, run: Run) -> None:
    """She says that the proposed value is right."""
    slot, pending = slot_of(draft, run), run.pending
    assert pending is not None, "only a pending question is confirmed"
    draft.trace("answered", run, slot=slot.name, outcome="confirmed")
    _settle(draft, run, slot, pending.proposal)


def decline(draft: Draft, run: Run) -> None:
    """She says that the proposed value is wrong: ask anew."""
    assert run.pending is not None, "only a pending question is declined"
    draft.trace("answered", run, slot=run.pending.slot, outcome="declined")
    run.pending = change_pending(run.pending, proposal=None)
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
    lines = offering.texts(slot_of(draft, run), pending)
    line = text if text in lines else next((one for number, one in enumerate(lines) if str(number) == choice), None)
    if line is None or (text and text != line):
        return False
    option = offering.chosen(pending, line)
    answer(draft, run, option.value if option is not None else line)
    return True


def answer(draft: Draft, run: Run, value: Json) -> None:
    """A value was given: take it if its check allows, else it is a wrong answer. None: one that was not offered."""
    slot = slot_of(draft, run)
    if value is None:
        wrong(draft, run, "not_offered")
        return
    try:
        is_right = knowing.passes_check(draft, run, slot, value)
    except EvaluationFault as fault:
        faulted(draft, run, fault)
        return
    if is_right:
        _take_value(draft, run, slot, value)
    else:
        wrong(draft, run, "check")


def _take_value(draft: Draft, run: Run, slot: Slot, value: Json) -> None:
    if not slot.confirm:
        draft.trace("answered", run, slot=slot.name, outcome="taken", value=journalled(slot, value))
        _settle(draft, run, slot, value)
        return
    draft.trace("answered", run, slot=slot.name, outcome="proposed")
    assert run.pending is not None, "a value is proposed to an open question"
    run.pending = change_pending(run.pending, proposal=value)
    if floor.take(draft, run):
        pose_confirm(draft, run)


def _settle(draft: Draft, run: Run, slot: Slot, value: Json) -> None:
    """The question is answered: keep the value, and go on."""
    knowing.keep(draft, run, slot, value)
    run.pending = None
    draft.go(run, state_of(draft, run).then)


def wrong(draft: Draft, run: Run, why: str) -> None:
    """The message is no answer: ask again, or give up after `retry.max` times.

    Without the floor (a tap finds its question even then) it is asked again when the floor comes back.
    """
    if not _once_more(draft, run, why) or not floor.take(draft, run):
        return
    slot, pending = slot_of(draft, run), run.pending
    assert pending is not None, "only an open question is asked again"
    say = _said_again(slot, why)
    if pending.proposal is not None:
        pose_confirm(draft, run, variant="again")
    elif say or "again" in draft.program.content(slot.ask).variants or not _explains(draft, run):
        pose(draft, run, variant="again", content=say)


def _said_again(slot: Slot, why: str) -> str:
    """The words of the slot's own for this wrong answer; empty: it has none.

    Any words answer a `text` slot. Where it has a check, `retry.say` explains that: it would be the wrong reason for
    what was no answer at all, such as a bare phone number where a name was asked for.
    """
    explains_check = slot.type == "text" and slot.check is not None
    return "" if explains_check and why != "check" else slot.retry_say


def _explains(draft: Draft, run: Run) -> bool:
    """Let the repair journey say that she was not understood; the question is repeated behind it."""
    talk = draft.talk_of(run)
    return talk is not None and talk.holder == run.enrolment_id and repairs.call(draft, talk, "unclear")


def unreadable(draft: Draft, run: Run, kind: str) -> None:
    """She sent a picture, a voice and the like to a question that wants words: one wrong answer, and said so."""
    if not _once_more(draft, run, "not_understood"):
        return
    talk = draft.talk_of(run)
    if talk is None or talk.holder != run.enrolment_id or not repairs.call(draft, talk, "media", {"kind": kind}):
        pose(draft, run, variant="again")


def _once_more(draft: Draft, run: Run, why: str) -> bool:
    """Count a wrong answer. False: it was one too many, and the question is given up."""
    pending = run.pending
    assert pending is not None, "only an open question can be answered wrongly"
    slot = slot_of(draft, run)
    failures = pending.failures + 1
    run.pending = change_pending(pending, failures=failures)
    draft.trace("unparsed", run, slot=slot.name, why=why, failures=failures, allowed=slot.retry_max)
    if failures > slot.retry_max:
        draft.go(run, state_of(draft, run).give_up)
        return False
    return True
