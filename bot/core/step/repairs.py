"""Repair journeys: what the engine says when a conversation stumbles, in words that marketers may change.

A repair is a journey like any other (`_repair/NAME.yaml`). The engine calls it where the holder of the floor stands,
with what it knows in its `vars`; the label it ends with says what becomes of the question that was open:

`cancelled`: its journey ends. `corrected`: the answer is replaced. `give_up`: the question is given up. `more_time`: it
gets its whole time once more, once, and is not repeated. `stay`: it stays open and is not repeated. `chosen`: the
journey of the returned `choice` begins. Any other: it is repeated. Source: journey-language.md 2.11.
"""

from collections.abc import Mapping
from dataclasses import replace

from bot.core.customer import Repair
from bot.core.events import Json
from bot.core.expressions.values import EvaluationFault
from bot.core.step import correcting, entry, floor
from bot.core.step.answers import read_back
from bot.core.step.copies import Run, Talk
from bot.core.step.draft import Draft
from bot.core.step.knowing import Correction, line_of
from bot.core.step.leaving import CANCELLED, close
from bot.core.step.matching import Match
from bot.core.step.questions import journey_of, state_of
from bot.core.step.scope import faulted
from bot.core.step.sending import Wish, plan_global

CHOICES_MAX = 5
"""Journeys of which a customer may choose when her words fit several; the others are left out."""
MORE_TIME = "more_time"


def call(
    draft: Draft, talk: Talk, name: str, told: Mapping[str, Json] | None = None, repair: Repair | None = None
) -> bool:
    """Begin the repair journey `name` in the place of whoever holds the floor, whose question is paused.

    False: it is on already, or the library has none of this name.
    """
    journey, holder = draft.program.library.journeys.get(name), floor.holder_of(draft, talk)
    if journey is None or _is_on(draft, holder, name):
        return False
    about = _about(draft, holder)
    # What called the repair is no answer to what it asks.
    draft.consumed.append((0, len(draft.understanding.text) if draft.understanding else 0))
    floor.pause_holder(draft, talk)
    opening = entry.Opening(
        journey=journey,
        conversation_id=talk.conversation_id,
        arguments={**about, **(told or {})},
        parent=holder,
        interrupt=True,
        cause=f"repair:{name}",
    )
    run = entry.begin_run(draft, opening, key="")
    run.repair = replace(repair or Repair(), of=holder.enrolment_id if holder else None)
    return True


def _is_on(draft: Draft, holder: Run | None, name: str) -> bool:
    """Whether this repair is what she is being asked about already."""
    if holder is not None:
        return any(run.journey == name for run in line_of(draft, holder))
    return any(run.journey == name and run.parent is None for run in draft.runs.values())


def _about(draft: Draft, holder: Run | None) -> dict[str, Json]:
    """What a repair may want to know of the conversation: only what it declares in `vars` is handed over."""
    line = [run for run in line_of(draft, holder) if run.repair is None] if holder is not None else []
    if not line:
        return {"filled": 0}
    asked, outermost = line[0], line[-1]
    found: dict[str, Json] = {
        "journey": outermost.journey,
        "title": journey_of(draft, outermost).name,
        "filled": sum(value is not None for run in line for value in run.slots.values()),
    }
    if asked.pending is not None:
        slot = journey_of(draft, asked).slots.get(asked.pending.slot)
        found |= {"slot": asked.pending.slot, "failures": asked.pending.failures, "extended": asked.pending.extended}
        found |= {"allowed": slot.retry_max if slot is not None else 0}
    return found


def correct(draft: Draft, talk: Talk, found: Correction) -> None:
    """Step 5: an earlier answer is taken back. It gives way when the repair journey ends with `corrected`."""
    run, slot, value = found.run, found.slot, found.reading.value
    try:
        is_right = correcting.is_right(draft, found)
    except EvaluationFault as fault:
        faulted(draft, run, fault)
        return
    draft.trace("corrected", run, slot=slot.name, outcome="right" if is_right else "check")
    repair = Repair(owner=run.enrolment_id, slot=slot.name, value=value) if is_right else Repair()
    told: dict[str, Json] = {
        "old": read_back(slot, run.slots.get(slot.name), draft.zone),
        "new": read_back(slot, value, draft.zone),
        "valid": is_right,
    }
    if not call(draft, talk, "correct", told, repair):
        correcting.apply(draft, repair)
        floor.repeat_question(draft, talk)


def clarify(draft: Draft, talk: Talk, tied: tuple[Match, ...]) -> bool:
    """Ask which of several journeys she means. False: she is being asked already, or nothing can ask her."""
    offered = tied[:CHOICES_MAX]
    names: list[Json] = [match.journey.name for match in offered]
    if len(set(map(str, names))) < len(names):
        return False
    choices = tuple(f"{match.journey.journey}|{match.journey.enter.index(match.entry)}" for match in offered)
    return call(draft, talk, "clarify", {"choices": names}, Repair(choices=choices))


def tell_queued(draft: Draft) -> None:
    """What she has just asked for waits for the floor, and nothing answers her: say that it comes, then go on."""
    talk = draft.talks.get(draft.conversation_id) if draft.conversation_id else None
    if talk is None or not talk.queue or talk.human is not None or draft.sent_now.get(talk.conversation_id):
        return
    waiting = next((run for run in map(draft.runs.get, talk.queue) if run and _queued_now(draft, run)), None)
    if waiting is not None:
        _say_queued(draft, talk, waiting)


def tell_still_queued(draft: Draft, talk: Talk, journey: str) -> Run | None:
    """The run of `journey` that waits for the floor here, None: none does. She asked for it again, and hears so."""
    found = [run for run in map(draft.runs.get, talk.queue) if run and draft.root_of(run).journey == journey]
    if not found:
        return None
    _say_queued(draft, talk, found[0])
    return found[0]


def _say_queued(draft: Draft, talk: Talk, run: Run) -> None:
    if not call(draft, talk, "queued", {"wanted": journey_of(draft, draft.root_of(run)).name}):
        floor.repeat_question(draft, talk)


def _queued_now(draft: Draft, run: Run) -> bool:
    """Whether its question has come to wait in this step."""
    before = draft.base.enrolments.get(run.enrolment_id)
    return before is None or before.visit != run.visit or before.pending is None or before.pending.phase != "queued"


def ended(draft: Draft, run: Run, end: str, returned: Mapping[str, Json]) -> None:
    """A repair journey is over: do what its label says; otherwise the question is repeated when everything rests."""
    repair, talk = run.repair, draft.talk_of(run)
    assert repair is not None, "only a repair journey comes here"
    close(draft, run, end)
    of = draft.runs.get(repair.of) if repair.of else None
    match end:
        case "corrected":
            correcting.apply(draft, repair)
        case "chosen" if talk is not None:
            _begin_chosen(draft, talk, repair, returned.get("choice"))
        case "cancelled" if of is not None:
            close(draft, draft.root_of(of), CANCELLED)
        case "give_up" if of is not None and of.pending is not None:
            draft.go(of, state_of(draft, of).give_up)
        case "stay" | "more_time" if of is not None and talk is not None:
            if talk.human is None and talk.holder == of.enrolment_id:
                floor.go_on(draft, of, more=end == MORE_TIME)


def _begin_chosen(draft: Draft, talk: Talk, repair: Repair, choice: Json) -> None:
    for place in repair.choices:
        name, _, number = place.partition("|")
        journey = draft.program.library.journeys.get(name)
        if journey is None or journey.name != choice or int(number) >= len(journey.enter):
            continue
        opening = entry.Opening(
            journey=journey,
            conversation_id=talk.conversation_id,
            given=journey.enter[int(number)].arguments,
            interrupt=journey.focus.priority > floor.priority_of(draft, talk.holder),
            cause="repair:clarify",
        )
        if entry.admit(draft, opening) is None:
            plan_global(draft, talk, Wish(content="fallback"))
        return
