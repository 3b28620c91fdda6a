"""Who gets what the customer wrote. First match wins. Source: journey-language.md 2.4."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from bot.core import cards
from bot.core.events import Event
from bot.core.expressions.values import EvaluationFault
from bot.core.ids import EnrolmentId
from bot.core.journey import Journey, KeywordEntry, On
from bot.core.library import Interrupt
from bot.core.step import asking, doing, entry, floor, handoff, people
from bot.core.step.copies import Run, Talk
from bot.core.step.draft import Draft
from bot.core.step.machine import close
from bot.core.step.questions import state_of
from bot.core.step.scope import faulted, guard_holds_safely, scope_of
from bot.core.step.sending import Wish, plan_global
from bot.core.understood import Understanding

BOT_WORD = "/bot"
"""Typed by the customer, brings the bot back while a colleague has the floor."""
NOTHING_SAID = Understanding(text="", normal="")


def message(draft: Draft, talk: Talk, event: Event) -> None:
    """Route one message of the customer."""
    heard = draft.understanding or NOTHING_SAID
    if _addressed(draft, talk, event):
        return
    if _interrupt(draft, talk, heard, hard=True):
        if talk.human is not None:
            people.forward(draft, talk, event)
        return
    if talk.human is None or _without_colleague(draft, talk, event, heard):
        _to_journeys(draft, talk, event, heard)


def _without_colleague(draft: Draft, talk: Talk, event: Event, heard: Understanding) -> bool:
    """Step 3: a colleague has the floor. True: she is no colleague any more, and the message goes on."""
    if heard.text.strip() == BOT_WORD:
        people.send_away(draft, talk, cards.BACK_TO_BOT, path="back_to_bot")
        return False
    if talk.human is not None and draft.program.member(talk.human.staff_id) is not None:
        people.forward(draft, talk, event)
        return False
    people.send_away(draft, talk, cards.BACK_TO_BOT, path="back_to_bot")
    return True


def _to_journeys(draft: Draft, talk: Talk, event: Event, heard: Understanding) -> None:
    """Steps 4 to 11."""
    holder = floor.holder_of(draft, talk)
    if holder is not None and _captures(draft, holder, "first") and asking.hear(draft, holder, heard):
        return
    matches = _matches(draft, talk.channel, heard.normal)
    found = (
        _interrupting_entry(draft, talk, matches)
        or _interrupt(draft, talk, heard, hard=False)
        or (holder is not None and _captures(draft, holder, "after_triggers") and asking.hear(draft, holder, heard))
        or _waiting_runs(draft, talk, event, heard)
        or _entry(draft, talk, matches)
        or enter_by_event(draft, event, talk)
    )
    if not found:
        _unmatched(draft, talk, event, holder)


def _addressed(draft: Draft, talk: Talk, event: Event) -> bool:
    """Step 1: a tap whose id names an enrolment and its visit."""
    menu_id = event.fields.get("menu_id")
    if not isinstance(menu_id, str) or menu_id.count(".") != 2:
        return False
    enrolment, visit, choice = menu_id.split(".")
    run = draft.runs.get(EnrolmentId(enrolment))
    words = str(event.fields.get("text") or "").strip()
    if run is not None and str(run.visit) == visit and asking.tap(draft, run, choice, words):
        return True
    if talk.human is not None:
        return False
    draft.trace("unheard", run, why="choice_expired")
    plan_global(draft, talk, Wish(content="expired-choice"))
    floor.repeat_question(draft, talk)
    return True


def _interrupt(draft: Draft, talk: Talk, heard: Understanding, *, hard: bool) -> bool:
    """Steps 2 and 7: what is heard before, or beside, every question."""
    for interrupt in draft.program.rules.interrupts:
        if interrupt.hard == hard and _says(interrupt, heard):
            _carry_out(draft, talk, interrupt)
            return True
    return False


def _says(interrupt: Interrupt, heard: Understanding) -> bool:
    """Whoever wants to leave is heard however politely she says it; anything else only as the whole text."""
    said = (heard.normal, *heard.bare) if interrupt.effect == "end_all" else (heard.normal,)
    return any(form in interrupt.keywords for form in said)


def _carry_out(draft: Draft, talk: Talk, interrupt: Interrupt) -> None:
    draft.trace("interrupt", interrupt=interrupt.interrupt, effect=interrupt.effect)
    holder = floor.holder_of(draft, talk)
    match interrupt.effect:
        case "end_all":
            for other in draft.talks:
                floor.clear(draft, other)
            for run in [run for run in draft.runs.values() if run.parent is None]:
                close(draft, run, interrupt.interrupt)
        case "end_focus":
            if holder is not None:
                close(draft, draft.root_of(holder), interrupt.interrupt)
        case "pause":
            floor.pause_holder(draft, talk)
        case "answer":
            # What was asked stands and is repeated below the answer.
            _act(draft, talk, interrupt)
            floor.repeat_question(draft, talk)
            return
        case _:
            assert_never(interrupt.effect)
    _act(draft, talk, interrupt)


def _act(draft: Draft, talk: Talk, interrupt: Interrupt) -> None:
    doing.perform_global(draft, talk, interrupt.do)
    if not interrupt.call:
        return
    opening = entry.Opening(
        journey=draft.program.journey(interrupt.call),
        conversation_id=talk.conversation_id,
        interrupt=True,
        cause=f"interrupt:{interrupt.interrupt}",
    )
    entry.admit(draft, opening)


def _captures(draft: Draft, holder: Run, capture: str) -> bool:
    """Steps 4 and 8: whether the open question hears the message now."""
    pending = holder.pending
    if pending is None:
        return False
    if pending.proposal is not None:
        return capture == "first"
    return draft.program.journey(holder.journey).slots[pending.slot].capture == capture


EXACT, PREFIX, CONTAINED = 3, 2, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    quality: int
    journey: Journey
    entry: KeywordEntry

    @property
    def interrupts(self) -> bool:
        return self.entry.interrupt and self.quality == EXACT


def _interrupting_entry(draft: Draft, talk: Talk, matches: list[_Match]) -> bool:
    """Step 6: an entry that may interrupt, by its exact keyword, of a journey that outranks the holder's."""
    bar = floor.priority_of(draft, talk.holder)
    found = [match for match in matches if match.interrupts and match.journey.focus.priority > bar]
    return any(_open(draft, talk, match, interrupt=True) for match in found)


def _entry(draft: Draft, talk: Talk, matches: list[_Match]) -> bool:
    """Step 10: the best keyword entry that admits. Those that outranked the holder were tried in step 6."""
    bar = floor.priority_of(draft, talk.holder)
    found = [match for match in matches if not (match.interrupts and match.journey.focus.priority > bar)]
    return any(_open(draft, talk, match, interrupt=False) for match in found)


def _matches(draft: Draft, channel: str, normal: str) -> list[_Match]:
    """The keyword entries that the text matches: by quality, then priority, then the order of the files."""
    if not normal:
        return []
    found = []
    for journey, way in draft.program.keyword_entries(channel):
        quality = _quality(way, normal)
        if quality:
            found.append(_Match(quality=quality, journey=journey, entry=way))
    return sorted(found, key=lambda match: -match.quality)


def _quality(way: KeywordEntry, normal: str) -> int:
    """How well the text matches, 0 not at all."""
    if normal in way.keywords:
        return EXACT
    if way.match == "prefix" and normal.startswith(way.keywords):
        return PREFIX
    return CONTAINED if way.match == "contains" and any(keyword in normal for keyword in way.keywords) else 0


def _open(draft: Draft, talk: Talk, match: _Match, *, interrupt: bool) -> bool:
    if match.entry.when is not None and not guard_holds_safely(draft, None, match.entry.when):
        return False
    opening = entry.Opening(
        journey=match.journey,
        conversation_id=talk.conversation_id,
        interrupt=interrupt,
        cause="keyword",
    )
    return entry.admit(draft, opening) is not None


def _waiting_runs(draft: Draft, talk: Talk, event: Event, heard: Understanding) -> bool:
    """Step 9: `events: message` of the holder, then of others by priority, entry time and id."""
    return any(react(draft, run, event, heard) for run in _listeners(draft, talk))


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
        if root not in reacted and react(draft, run, event, heard):
            reacted.add(root)
    return reacted


def react(draft: Draft, run: Run, event: Event, heard: Understanding = NOTHING_SAID) -> bool:
    """Let the state in which `run` waits react to the event. False: it has nothing for it."""
    for reaction in state_of(draft, run).events:
        if _fits(draft, run, reaction, event, heard):
            _do_reaction(draft, run, reaction)
            return True
    return False


def _fits(draft: Draft, run: Run, reaction: On, event: Event, heard: Understanding) -> bool:
    if reaction.event != event.type or (reaction.keywords and heard.normal not in reaction.keywords):
        return False
    return reaction.when is None or guard_holds_safely(draft, run, reaction.when)


def _do_reaction(draft: Draft, run: Run, reaction: On) -> None:
    draft.trace("heard", run, event=reaction.event, goto=reaction.goto or None)
    try:
        doing.set_values(draft, run, reaction.set, scope_of(draft, run))
    except EvaluationFault as fault:
        faulted(draft, run, fault)
        return
    if doing.perform(draft, run, reaction.do) and reaction.goto:
        draft.go(run, reaction.goto)


def enter_by_event(draft: Draft, event: Event, talk: Talk | None) -> bool:
    """Entries by the event itself: of a conversational one the first that admits, of any other all."""
    by_customer = draft.by_customer
    entered = False
    for journey in draft.program.ranked():
        if by_customer and journey.channel != event.channel:
            continue
        entered = _enter_if_wanted(draft, journey, event, talk) or entered
        if entered and by_customer:
            return True
    return entered


def _enter_if_wanted(draft: Draft, journey: Journey, event: Event, talk: Talk | None) -> bool:
    for way in journey.enter:
        if isinstance(way, KeywordEntry) or way.event != event.type:
            continue
        if way.when is not None and not guard_holds_safely(draft, None, way.when):
            continue
        bar = floor.priority_of(draft, talk.holder) if talk else -1
        opening = entry.Opening(
            journey=journey,
            conversation_id=talk.conversation_id if talk else None,
            interrupt=way.interrupt and journey.focus.priority > bar,
            cause=event.type,
        )
        return entry.admit(draft, opening) is not None
    return False


def _unmatched(draft: Draft, talk: Talk, event: Event, holder: Run | None) -> None:
    """Step 11: one more wrong answer, or an honest word that nothing was understood.

    Neither when this step has said something already: another release has begun its question afresh.
    """
    if draft.sent_now.get(talk.conversation_id):
        draft.trace("unheard", holder, why="asked_afresh")
        return
    if holder is not None and holder.pending is not None and holder.pending.phase != "queued":
        asking.wrong(draft, holder, "not_understood")
        return
    waiting = any(
        handoff.is_waiting(draft, run) for run in draft.runs.values() if run.conversation_id == talk.conversation_id
    )
    draft.trace("unheard", holder, why="waiting_for_human" if waiting else "no_match")
    if waiting:
        people.forward_to_offered(draft, talk, event)
    else:
        plan_global(draft, talk, Wish(content="fallback"))
