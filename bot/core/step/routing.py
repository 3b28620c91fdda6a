"""Who gets what the customer wrote. First match wins. Source: journey-language.md 2.4.

The eleven steps: 1 addressed taps, 2 hard interrupts, 3 a colleague on the floor, 4 the open question that hears first,
5 corrections, 6 entries that interrupt, 7 soft interrupts, 8 the open question that hears after triggers, 9 states that
wait for a message, 10 entries, 11 nobody. The journal's `taken` says which it was, once for every message.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.core import cards
from bot.core.entries import Entry
from bot.core.events import Event
from bot.core.ids import EnrolmentId
from bot.core.step import asking, floor, handoff, interrupts, knowing, matching, people, repairs
from bot.core.step.copies import Run, Talk
from bot.core.step.draft import Draft, make_trace
from bot.core.step.entering import Door, enter, enter_by_event
from bot.core.step.matching import Match
from bot.core.step.reactions import NOTHING_SAID, react
from bot.core.step.scope import guard_holds_safely
from bot.core.step.sending import Wish, plan_global
from bot.core.understood import Understanding

BOT_WORD = "/bot"
"""Typed by the customer, brings the bot back while a colleague has the floor."""
WORDLESS = frozenset({"image", "voice", "video", "location", "link", "file"})
"""Kinds of messages without words of hers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Who took the message: at which step, as what, and the enrolment if it was one."""

    step: int
    by: str
    run: Run | None = None


def message(draft: Draft, talk: Talk, event: Event) -> None:
    """Route one message of the customer."""
    place, heard = len(draft.journal), draft.understanding or NOTHING_SAID
    taken = _to_the_bot(draft, talk, event, heard) or _to_journeys(draft, talk, event, heard)
    run = taken.run
    draft.journal.insert(
        place,
        make_trace(
            kind="taken",
            journey=run.journey if run else "",
            enrolment_id=run.enrolment_id if run else None,
            state=run.state if run else "",
            detail={"by": taken.by, "step": taken.step},
        ),
    )


def _to_the_bot(draft: Draft, talk: Talk, event: Event, heard: Understanding) -> Taken | None:
    """Steps 1 to 3. None: it goes on to the journeys."""
    found = _addressed(draft, talk, event)
    if found is not None:
        return found
    if interrupts.hard(draft, talk, heard):
        if talk.human is not None:
            people.forward(draft, talk, event)
        return Taken(step=2, by="hard_interrupt")
    if talk.human is None:
        return None
    if heard.text.strip() == BOT_WORD:
        people.send_away(draft, talk, cards.BACK_TO_BOT, path="back_to_bot")
        return Taken(step=3, by="back_to_bot")
    if draft.program.member(talk.human.staff_id) is not None:
        people.forward(draft, talk, event)
        return Taken(step=3, by="human")
    # She is no colleague any more: the message goes on.
    people.send_away(draft, talk, cards.BACK_TO_BOT, path="back_to_bot")
    return None


def _addressed(draft: Draft, talk: Talk, event: Event) -> Taken | None:
    """Step 1: a tap whose id names an enrolment and its visit."""
    menu_id = event.fields.get("menu_id")
    if not isinstance(menu_id, str) or menu_id.count(".") != 2:
        return None
    enrolment, visit, choice = menu_id.split(".")
    run = draft.runs.get(EnrolmentId(enrolment))
    words = str(event.fields.get("text") or "").strip()
    if run is not None and str(run.visit) == visit and asking.tap(draft, run, choice, words):
        return Taken(step=1, by="tap", run=run)
    if talk.human is not None:
        return None
    draft.trace("unheard", run, why="choice_expired")
    plan_global(draft, talk, Wish(content="expired-choice"))
    floor.repeat_question(draft, talk)
    return Taken(step=1, by="expired_tap", run=run)


def _to_journeys(draft: Draft, talk: Talk, event: Event, heard: Understanding) -> Taken:
    """Steps 4 to 11."""
    holder = floor.holder_of(draft, talk)
    asked = [*([holder] if holder is not None else []), *floor.open_beside(draft, talk)]
    taken = _answered(draft, asked, heard, first=True) or _corrected(draft, talk, asked, heard)
    if taken is not None:
        return taken
    found = matching.matches(interrupts.triggers(draft).on(talk.channel), heard)
    return (
        _interrupting_entry(draft, talk, found)
        or (Taken(step=7, by="interrupt") if interrupts.soft(draft, talk, heard) else None)
        or _answered(draft, asked, heard, first=False)
        or _waiting(draft, talk, event, heard)
        or _entry(draft, talk, event, found)
        or _unmatched(draft, talk, event, asked)
    )


def _answered(draft: Draft, asked: Iterable[Run], heard: Understanding, *, first: bool) -> Taken | None:
    """Steps 4 and 8: the open question, of the holder before those that ask beside it."""
    for run in asked:
        if _captures_first(draft, run) == first and asking.hear(draft, run, heard):
            return Taken(step=4 if first else 8, by="answer", run=run)
        if first and asking.skip(draft, run, heard):
            return Taken(step=4, by="answer", run=run)
    return None


def _captures_first(draft: Draft, run: Run) -> bool | None:
    """Whether the open question hears before triggers; what is to be confirmed always does. None: none is open."""
    pending = run.pending
    if pending is None:
        return None
    if pending.proposal is not None:
        return True
    return draft.program.journey(run.journey).slots[pending.slot].capture == "first"


def _corrected(draft: Draft, talk: Talk, asked: Iterable[Run], heard: Understanding) -> Taken | None:
    """Step 5: an earlier answer is taken back."""
    if not heard.change:
        return None
    for run in asked:
        found = knowing.corrects(draft, run, heard)
        if found is not None:
            repairs.correct(draft, talk, found)
            return Taken(step=5, by="correction", run=found.run)
    return None


def _interrupting_entry(draft: Draft, talk: Talk, found: list[Match]) -> Taken | None:
    """Step 6: an entry that may interrupt, by its whole keyword or a sure intent, and outranks the holder."""
    bar = floor.priority_of(draft, talk.holder)
    return _open_best(draft, talk, [one for one in found if _pushes(one, bar)], step=6)


def _entry(draft: Draft, talk: Talk, event: Event, found: list[Match]) -> Taken | None:
    """Step 10: the best entry that admits. Those that outranked the holder were tried in step 6."""
    bar = floor.priority_of(draft, talk.holder)
    taken = _open_best(draft, talk, [one for one in found if not _pushes(one, bar)], step=10)
    if taken is None and enter_by_event(draft, event, talk):
        return Taken(step=10, by="entry")
    return taken


def _pushes(match: Match, bar: int) -> bool:
    return match.interrupts and match.journey.focus.priority > bar


def _open_best(draft: Draft, talk: Talk, found: list[Match], *, step: int) -> Taken | None:
    """Enter by the first that admits; where several fit equally well, ask which she means."""
    able = [one for one in found if _admits(draft, one.entry)]
    tied = matching.tied([one for one in able if not _is_in(draft, one)])
    if tied and repairs.clarify(draft, talk, tied):
        return Taken(step=step, by="clarify")
    for one in able:
        door = Door(journey=one.journey, way=one.entry, cause=one.cause, may_push=step == 6)
        run = enter(draft, door, talk) or repairs.tell_still_queued(draft, talk, one.journey.journey)
        if run is not None:
            return Taken(step=step, by="entry", run=run)
    return None


def _is_in(draft: Draft, match: Match) -> bool:
    """Whether she is in that journey already, so that it is hardly what she asks for."""
    name = match.journey.journey
    return any(run.journey == name and run.status == "active" and run.parent is None for run in draft.runs.values())


def _admits(draft: Draft, way: Entry) -> bool:
    return way.when is None or guard_holds_safely(draft, None, way.when)


def _waiting(draft: Draft, talk: Talk, event: Event, heard: Understanding) -> Taken | None:
    """Step 9: `events: message` of the holder, then of others by priority, entry time and id."""
    found = next((run for run in _listeners(draft, talk) if react(draft, run, event, heard)), None)
    return Taken(step=9, by="waiting", run=found) if found is not None else None


def _listeners(draft: Draft, talk: Talk | None) -> list[Run]:
    """Who may react, in order: the holder, then by priority, entry time and id; a called journey before its caller."""
    runs = [run for run in draft.runs.values() if run.status == "active" and run.state]
    if talk is not None:
        runs = [run for run in runs if run.conversation_id == talk.conversation_id]
    if len(runs) <= 1:
        return runs
    holder = floor.holder_of(draft, talk) if talk else None
    top = draft.root_of(holder) if holder else None

    def rank(run: Run) -> tuple[bool, int, datetime, EnrolmentId, int]:
        root = draft.root_of(run)
        priority = draft.program.journey(root.journey).focus.priority
        return (root is not top, -priority, root.entered_at, root.enrolment_id, -draft.depth_of(run))

    return sorted(runs, key=rank)


def tell_waiting(
    draft: Draft, event: Event, talk: Talk | None, heard: Understanding = NOTHING_SAID
) -> set[EnrolmentId]:
    """Every enrolment whose state waits for the event reacts, of a call only the innermost. Who did, by their roots."""
    reacted: set[EnrolmentId] = set()
    for run in _listeners(draft, talk):
        root = draft.root_of(run).enrolment_id
        is_its_own = run.enrolment_id == event.sender
        if root not in reacted and not is_its_own and react(draft, run, event, heard):
            reacted.add(root)
    return reacted


def _unmatched(draft: Draft, talk: Talk, event: Event, asked: list[Run]) -> Taken:
    """Step 11: one more wrong answer, or an honest word that nothing was understood.

    Neither when this step has said something already: another release has begun its question afresh.
    """
    holder = asked[0] if asked else None
    if draft.sent_now.get(talk.conversation_id):
        draft.trace("unheard", holder, why="asked_afresh")
        return Taken(step=11, by="asked_afresh", run=holder)
    open_ = next((run for run in asked if run.pending is not None and run.pending.phase != "queued"), None)
    if open_ is not None:
        return _wrong_answer(draft, open_, event)
    waiting = any(
        handoff.is_waiting(draft, run) for run in draft.runs.values() if run.conversation_id == talk.conversation_id
    )
    draft.trace("unheard", holder, why="waiting_for_human" if waiting else "no_match")
    if waiting:
        people.forward_to_offered(draft, talk, event)
        return Taken(step=11, by="waiting_for_human", run=holder)
    if not repairs.call(draft, talk, "fallback", {"kind": _kind(event)}):
        plan_global(draft, talk, Wish(content="fallback"))
    return Taken(step=11, by="fallback")


def _wrong_answer(draft: Draft, run: Run, event: Event) -> Taken:
    kind = _kind(event)
    if kind in WORDLESS:
        asking.unreadable(draft, run, kind)
        return Taken(step=11, by="media", run=run)
    asking.wrong(draft, run, "not_understood")
    return Taken(step=11, by="wrong_answer", run=run)


def _kind(event: Event) -> str:
    return str(event.fields.get("kind") or "")
