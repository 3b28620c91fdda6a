"""Who gets what the customer wrote. First match wins. Source: journey-language.md 2.4."""

from dataclasses import dataclass

from bot.core.events import Event
from bot.core.ids import EnrolmentId
from bot.core.journey import Journey, KeywordEntry, On
from bot.core.library import Interrupt
from bot.core.step import asking, doing, entry, floor, handoff, people
from bot.core.step.draft import Draft, Run, Talk
from bot.core.step.machine import close
from bot.core.step.questions import state_of
from bot.core.step.scope import guard_holds_safely, scope_of
from bot.core.step.sending import Wish, plan_global
from bot.core.understood import Understanding

BOT_WORD = "/bot"
"""Typed by the customer, brings the bot back while a colleague has the floor."""
POLITE_PREFIXES = ("请", "我要", "帮我")
NOTHING_SAID = Understanding(text="", normal="")


def message(draft: Draft, talk: Talk, event: Event) -> None:
    """Route one message of the customer."""
    heard = draft.understanding or NOTHING_SAID
    if _addressed(draft, talk, event):
        return
    if _interrupt(draft, talk, heard, hard=True):
        return
    if talk.human is not None:
        _to_human(draft, talk, event, heard)
        return
    holder = draft.runs.get(talk.holder) if talk.holder else None
    if holder is not None and _captures(draft, holder, "first") and asking.hear(draft, holder, heard):
        return
    if _keyword_entries(draft, talk, heard, interrupting=True):
        return
    if _interrupt(draft, talk, heard, hard=False):
        return
    if holder is not None and _captures(draft, holder, "after_triggers") and asking.hear(draft, holder, heard):
        return
    if _waiting_runs(draft, talk, event, heard):
        return
    if _keyword_entries(draft, talk, heard, interrupting=False) or _event_entries(draft, talk, event):
        return
    _unmatched(draft, talk, holder)


def _addressed(draft: Draft, talk: Talk, event: Event) -> bool:
    """Step 1: a tap whose id names an enrolment and its visit."""
    menu_id = event.fields.get("menu_id")
    if not isinstance(menu_id, str) or menu_id.count(".") != 2:
        return False
    enrolment, visit, choice = menu_id.split(".")
    run = draft.runs.get(EnrolmentId(enrolment))
    if run is not None and str(run.visit) == visit and asking.tap(draft, run, choice):
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
    if heard.normal in interrupt.keywords:
        return True
    if interrupt.effect != "end_all":
        return False
    bare = next((heard.normal.removeprefix(p) for p in POLITE_PREFIXES if heard.normal.startswith(p)), "")
    return bare in interrupt.keywords


def _carry_out(draft: Draft, talk: Talk, interrupt: Interrupt) -> None:
    draft.trace("interrupt", interrupt=interrupt.interrupt, effect=interrupt.effect)
    holder = draft.runs.get(talk.holder) if talk.holder else None
    if interrupt.effect == "end_all":
        for other in draft.talks:
            floor.clear(draft, other)
        for run in [run for run in draft.runs.values() if run.parent is None]:
            close(draft, run, interrupt.interrupt)
    elif interrupt.effect == "end_focus" and holder is not None:
        close(draft, _root(draft, holder), interrupt.interrupt)
    elif interrupt.effect == "pause":
        floor.pause_holder(draft, talk)
    _act(draft, talk, interrupt)
    if interrupt.effect == "answer":
        floor.repeat_question(draft, talk)


def _root(draft: Draft, run: Run) -> Run:
    while run.parent is not None and run.parent in draft.runs:
        run = draft.runs[run.parent]
    return run


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
    if entry.admit(draft, opening) is None:
        floor.wake_next(draft, talk)


def _to_human(draft: Draft, talk: Talk, event: Event, heard: Understanding) -> None:
    """Step 3: a colleague has the floor."""
    if heard.text.strip() == BOT_WORD:
        people.release_human(draft, talk)
    else:
        people.forward(draft, talk, event)


def _captures(draft: Draft, holder: Run, capture: str) -> bool:
    """Steps 4 and 8: whether the open question hears the message now."""
    pending = holder.pending
    if pending is None:
        return False
    if pending.phase == "confirming":
        return capture == "first"
    return draft.program.journey(holder.journey).slots[pending.slot].capture == capture


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    quality: int
    journey: Journey
    entry: KeywordEntry


def _keyword_entries(draft: Draft, talk: Talk, heard: Understanding, *, interrupting: bool) -> bool:
    """Steps 6 and 10: the best keyword entry that admits; interrupting ones must outrank the holder."""
    if not heard.normal:
        return False
    bar = entry.holder_priority(draft, talk.holder)
    matches = [
        match
        for match in _matches(draft, talk.channel, heard.normal)
        if match.entry.interrupt == interrupting and (not interrupting or match.journey.focus.priority > bar)
    ]
    matches.sort(key=lambda match: (-match.quality, -match.journey.focus.priority))
    return any(_open(draft, talk, match) for match in matches)


def _matches(draft: Draft, channel: str, normal: str) -> list[_Match]:
    found = []
    for journey in draft.program.library.journeys.values():
        if journey.channel != channel:
            continue
        for way in journey.enter:
            if isinstance(way, KeywordEntry):
                quality = max((_quality(way.match, keyword, normal) for keyword in way.keywords), default=0)
                if quality:
                    found.append(_Match(quality=quality, journey=journey, entry=way))
    return found


def _quality(match: str, keyword: str, normal: str) -> int:
    """3 exact, 2 prefix, 1 contained, 0 no match."""
    if keyword == normal:
        return 3
    if match == "prefix" and normal.startswith(keyword):
        return 2
    return 1 if match == "contains" and keyword in normal else 0


def _open(draft: Draft, talk: Talk, match: _Match) -> bool:
    if match.entry.when is not None and not guard_holds_safely(draft, None, match.entry.when):
        return False
    opening = entry.Opening(
        journey=match.journey,
        conversation_id=talk.conversation_id,
        interrupt=match.entry.interrupt,
        cause="keyword",
    )
    return entry.admit(draft, opening) is not None


def _waiting_runs(draft: Draft, talk: Talk, event: Event, heard: Understanding) -> bool:
    """Step 9: `events: message` of the holder, then of others by priority, entry time and id."""
    runs = [
        run for run in draft.runs.values() if run.status == "active" and run.conversation_id == talk.conversation_id
    ]
    runs.sort(key=lambda run: (run.enrolment_id != talk.holder, *_rank(draft, run)))
    return any(react(draft, run, event, heard) for run in runs)


def _rank(draft: Draft, run: Run) -> tuple[object, ...]:
    return (-draft.program.journey(run.journey).focus.priority, run.entered_at, run.enrolment_id)


def react(draft: Draft, run: Run, event: Event, heard: Understanding) -> bool:
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
    scope = scope_of(draft, run)
    doing.set_values(draft, run, reaction.set, scope)
    if doing.perform(draft, run, reaction.do) and reaction.goto:
        draft.go(run, reaction.goto)


def _event_entries(draft: Draft, talk: Talk, event: Event) -> bool:
    return enter_by_event(draft, event, talk)


def enter_by_event(draft: Draft, event: Event, talk: Talk | None) -> bool:
    """Entries by the event itself: of a conversational one the first that admits, of any other all."""
    by_customer = draft.by_customer
    entered = False
    for journey in sorted(draft.program.library.journeys.values(), key=lambda found: -found.focus.priority):
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
        opening = entry.Opening(
            journey=journey,
            conversation_id=talk.conversation_id if talk else None,
            interrupt=way.interrupt,
            cause=event.type,
        )
        return entry.admit(draft, opening) is not None
    return False


def _unmatched(draft: Draft, talk: Talk, holder: Run | None) -> None:
    """Step 11: one more wrong answer, or an honest word that nothing was understood."""
    if holder is not None and holder.pending is not None and holder.pending.phase in asking.HEARD_PHASES:
        asking.wrong(draft, holder, "not_understood")
        return
    waiting = any(
        handoff.is_waiting(draft, run) for run in draft.runs.values() if run.conversation_id == talk.conversation_id
    )
    draft.trace("unheard", holder, why="waiting_for_human" if waiting else "no_match")
    if not waiting:
        plan_global(draft, talk, Wish(content="fallback"))
