"""What the customer has told already: kept, remembered, filled in, corrected."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.events import Json
from bot.core.slots import Slot
from bot.core.step import offering
from bot.core.step.answers import fitting, journalled, typed
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.scope import guard_holds, plain, scope_of
from bot.core.understood import Reading, Understanding

ATTRIBUTE = "customer."


def keep(draft: Draft, run: Run, slot: Slot, value: Json) -> None:
    """Write the answer down, with the moment, and into the customer's attribute if the slot says so."""
    run.slots[slot.name] = value
    run.answered_at.pop(slot.name, None)
    if value is None:
        return
    run.answered_at[slot.name] = draft.now
    if slot.save:
        name = slot.save.removeprefix(ATTRIBUTE)
        draft.attributes[name] = value
        if slot.ttl is not None:
            draft.told_at[name] = draft.now
        draft.trace("set", run, name=slot.save, value=journalled(slot, value))


def passes_check(draft: Draft, run: Run, slot: Slot, value: Json) -> bool:
    """Whether the value may be taken. EvaluationFault: the check is no condition after all."""
    if slot.check is None:
        return True
    return guard_holds(draft, run, slot.check, scope_of(draft, run, {"value": typed(slot, value)}))


def forget(run: Run, slot: Slot) -> None:
    """The answer does not hold any more."""
    run.slots[slot.name] = None
    run.answered_at.pop(slot.name, None)


def remembered(draft: Draft, run: Run, slot: Slot) -> Json:
    """An answer that makes the question needless: younger than `ttl`, or kept while a correction leads past it.

    None: none. Of another run only what was saved as an attribute of the customer.
    """
    value = run.slots.get(slot.name)
    if value is not None and run.enrolment_id in draft.replanned:
        return value
    if slot.ttl is None:
        return None
    answered_at = run.answered_at.get(slot.name)
    if value is not None and answered_at is not None and draft.now - answered_at <= slot.ttl:
        return _still_offered(run, value)
    name = slot.save.removeprefix(ATTRIBUTE)
    told_at = draft.told_at.get(name) if name else None
    if told_at is not None and draft.now - told_at <= slot.ttl:
        return _still_offered(run, fitting(slot, draft.attributes.get(name), draft.program.library.catalogue))
    return None


def prefilled(draft: Draft, run: Run, slot: Slot) -> Json:
    """What `prefill` comes to, if that is an answer. EvaluationFault: it cannot be worked out."""
    if slot.prefill is None:
        return None
    value = plain(draft.program.value(slot.prefill, scope_of(draft, run)))
    return _still_offered(run, fitting(slot, value, draft.program.library.catalogue))


def _still_offered(run: Run, value: Json) -> Json:
    """`value` unless the question offers only others."""
    if value is None or run.pending is None or not run.pending.options:
        return value
    option = offering.chosen(run.pending, value)
    return option.value if option is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """`slot` of `run`, answered before, is to become what was read."""

    run: Run
    slot: Slot
    reading: Reading


def corrects(draft: Draft, holder: Run, heard: Understanding) -> Correction | None:
    """Which earlier answer of the holder, or of whoever called it, the text corrects: the latest that it can be."""
    if not heard.change:
        return None
    asked = holder.pending.slot if holder.pending is not None else ""
    for run in line_of(draft, holder):
        journey = draft.program.library.journeys.get(run.journey)
        for name in _latest_first(run):
            slot = journey.slots.get(name) if journey is not None else None
            reading = heard.readings.get(f"{run.journey}.{name}")
            if slot is not None and reading is not None and (run is not holder or name != asked):
                return Correction(run=run, slot=slot, reading=reading)
    return None


def _latest_first(run: Run) -> list[str]:
    """The slots that have an answer; those of which nobody knows when it was given are taken for the oldest."""
    dated = list(reversed(run.answered_at))
    return [*dated, *(name for name, value in run.slots.items() if value is not None and name not in run.answered_at)]


def line_of(draft: Draft, run: Run) -> Iterator[Run]:
    """`run`, who called it, and so on, the outermost last."""
    yield run
    while run.parent is not None and run.parent in draft.runs:
        run = draft.runs[run.parent]
        yield run
