"""Who caused a message decides its class: what only a timer leads to must say it. Rules J602, J608."""

from bot.authoring.checks.graph import instant, known, reached, through_groups
from bot.authoring.drafts import Drafts
from bot.authoring.read_journey import JourneyDraft
from bot.core.entries import EventEntry, IntentEntry, KeywordEntry
from bot.core.events import CONVERSATIONAL
from bot.core.states import Ask, Book, CallJourney, Handoff, On, State, Webhook


def check(drafts: Drafts) -> None:
    """Report sends without a class in states that no act of the customer leads to, and marketing in disguise."""
    begun = _begun_elsewhere(drafts)
    marketing = _said_as(drafts, "marketing")
    for name, draft in drafts.journeys.items():
        _disguised(draft, marketing)
        if not known(draft):
            continue
        caused, entered = _caused(draft, begun=name in begun), reached(draft)
        for use in draft.page.contents:
            timed = use.state in entered and use.state not in caused
            if use.how in ("ask", "send") and timed and not use.classed:
                what = "ask" if use.how == "ask" else "send"
                message = f"{what} 不在客户来信引起的步骤里，必须写明 class"
                draft.page.say("J608", use.span, message, help=_help(what, use.slot or use.content))


def _said_as(drafts: Drafts, send_class: str) -> frozenset[str]:
    uses = (use for draft in drafts.journeys.values() for use in draft.page.contents)
    return frozenset(use.content for use in uses if use.send_class == send_class and use.content)


def _disguised(draft: JourneyDraft, marketing: frozenset[str]) -> None:
    """A content that is marketing in one place cannot be unstoppable in another."""
    for use in draft.page.contents:
        if use.send_class == "transactional" and use.content in marketing:
            message = f"营销类发送未受退订约束：class: transactional 用于 “{use.content}”，它在别处是 marketing"
            draft.page.say("J602", use.span, message, help="class: marketing，或把两处的话分成两条内容")


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
    spoken = any(
        isinstance(entry, KeywordEntry | IntentEntry)
        or (isinstance(entry, EventEntry) and entry.event in CONVERSATIONAL)
        for entry in journey.enter
    )
    # An error may be raised, and a goal or an exit come true, in a step of any cause; a journey nobody begins is
    # reported elsewhere, if at all.
    waiting = [rule.goto for rule in journey.errors] + [one.goto for one in journey.exits]
    waiting += [journey.goal.exit] if journey.goal else []
    if journey.states and (spoken or begun or not journey.enter):
        waiting.append(journey.initial)
    edges = through_groups(draft, {name: _at_once(state) for name, state in journey.states.items()})
    first = {name: group.initial for name, group in journey.groups.items()}
    for state in journey.states.values():
        waiting.extend(_by_customer(draft, state))
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        name = first.get(name, name)
        if name not in seen and name in journey.states:
            seen.add(name)
            waiting.extend(edges[name])
    return frozenset(seen)


def _at_once(state: State) -> tuple[str, ...]:
    """Where the step that enters `state` may go on to: a handoff finds nobody, a call returns at once.

    What a booking or a webhook answers belongs to the act that asked for it.
    """
    match state.doing:
        case Handoff(fallback=fallback):
            return (*instant(state), fallback)
        case CallJourney():
            return (*instant(state), state.then)
        case Book(full=full, fail=fail):
            return (*instant(state), state.then, full, fail)
        case Webhook(fail=fail):
            return (*instant(state), state.then, fail)
        case _:
            return (*instant(state), *((state.fail,) if state.fail else ()))


def _by_customer(draft: JourneyDraft, state: State) -> list[str]:
    """Where a customer's own act leads from `state`."""
    group = draft.journey.groups.get(state.group)
    heard: tuple[On, ...] = (*state.events, *(group.events if group else ()))
    ways = [state.name if on.reenter else on.goto for on in heard if on.event in CONVERSATIONAL]
    if group:
        ways.extend(one.goto for one in group.exits)
    if isinstance(state.doing, Ask | CallJourney):
        # The answer, the last wrong answer, or whatever she said to the journey that was called.
        ways.extend((state.then, state.give_up))
    return ways
