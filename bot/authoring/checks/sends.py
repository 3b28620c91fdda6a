"""Who caused a message decides its class: what only a timer leads to must say it. Rule J608."""

from bot.authoring.checks.graph import instant, known, reached
from bot.authoring.drafts import Drafts
from bot.authoring.read_journey import JourneyDraft
from bot.core.events import CONVERSATIONAL
from bot.core.journey import Ask, CallJourney, EventEntry, Handoff, State


def check(drafts: Drafts) -> None:
    """Report sends without a class in states that no act of the customer leads to."""
    begun = _begun_elsewhere(drafts)
    for name, draft in drafts.journeys.items():
        if not known(draft):
            continue
        caused, entered = _caused(draft, begun=name in begun), reached(draft)
        for use in draft.page.contents:
            timed = use.state in entered and use.state not in caused
            if use.how in ("ask", "send") and timed and not use.classed:
                what = "ask" if use.how == "ask" else "send"
                message = f"{what} 不在客户来信引起的步骤里，必须写明 class"
                draft.page.say("J608", use.span, message, help=_help(what, use.slot or use.content))


def _help(what: str, name: str) -> str:
    key = "slot" if what == "ask" else "content"
    return f"{what}: {{{key}: {name}, class: reminder}}"


def _begun_elsewhere(drafts: Drafts) -> frozenset[str]:
    """Journeys that others, or a global interrupt, begin: perhaps right after a customer's act."""
    found = {reference.name for page in drafts.pages() for reference in page.references if reference.kind == "journey"}
    return frozenset(found)


def _caused(draft: JourneyDraft, *, begun: bool) -> frozenset[str]:
    """The states that may be entered in a step that the customer caused."""
    journey = draft.journey
    conversational = any(not isinstance(entry, EventEntry) or entry.event in CONVERSATIONAL for entry in journey.enter)
    # An error may be raised in a step of any cause; a journey nobody begins is reported elsewhere, if at all.
    waiting = [rule.goto for rule in journey.errors]
    if journey.states and (conversational or begun or not journey.enter):
        waiting.append(journey.initial)
    for state in journey.states.values():
        waiting.extend(_by_customer(state))
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen and name in journey.states:
            seen.add(name)
            waiting.extend(_at_once(journey.states[name]))
    return frozenset(seen)


def _at_once(state: State) -> tuple[str, ...]:
    """Where the step that enters `state` may go on to: a handoff finds nobody, a call returns at once."""
    match state.doing:
        case Handoff(fallback=fallback):
            return (*instant(state), fallback)
        case CallJourney():
            return (*instant(state), state.then)
        case _:
            return instant(state)


def _by_customer(state: State) -> list[str]:
    """Where a customer's own act leads from `state`."""
    ways = [on.goto for on in state.events if on.event in CONVERSATIONAL]
    if isinstance(state.doing, Ask | CallJourney):
        # The answer, the last wrong answer, or whatever she said to the journey that was called.
        ways.extend((state.then, state.give_up))
    return ways
