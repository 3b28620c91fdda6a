"""Who may speak when several journeys want to. Rules J504, J505."""

from bot.authoring.drafts import Drafts
from bot.authoring.nodes import Listing, Table, place
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.source import Span
from bot.core.states import Ask, State, Wait

MESSAGE = "message"


def check(drafts: Drafts) -> None:
    """Report interruptions that cannot interrupt, and waits for words that another journey may hear first."""
    for draft in drafts.journeys.values():
        _too_weak(drafts, draft)
    _rivals(drafts)


def _too_weak(drafts: Drafts, draft: JourneyDraft) -> None:
    """`interrupt: true` in a journey that ranks below every other that asks something in its channel."""
    mine, channel = draft.journey.focus.priority, draft.journey.channel
    others = [
        one.journey.focus.priority
        for name, one in drafts.journeys.items()
        if name != draft.journey.journey and one.journey.channel == channel and _asks(one) and not one.shipped
    ]
    if not others or mine >= min(others):
        return
    for span in _interrupting(draft):
        message = f"interrupt: true 但优先级 {mine} 低于所有会提问的旅程，实际不会打断"
        draft.page.say("J504", span, message, help=f"focus: {{priority: {min(others) + 10}}}，或去掉 interrupt")


def _asks(draft: JourneyDraft) -> bool:
    return any(isinstance(state.doing, Ask) for state in draft.journey.states.values())


def _interrupting(draft: JourneyDraft) -> list[Span]:
    enter = draft.root.entry("enter")
    nodes = enter.value.nodes if enter and isinstance(enter.value, Listing) else ()
    return [place(node, "interrupt") for node in nodes if isinstance(node, Table) and node.entry("interrupt")]


def _rivals(drafts: Drafts) -> None:
    """Two journeys of one priority and channel that both wait for any message: who entered first hears it."""
    first: dict[tuple[str, int], JourneyDraft] = {}
    for draft in drafts.journeys.values():
        state = next((one for one in draft.journey.states.values() if _hears_anything(one)), None)
        if state is None:
            continue
        key = (draft.journey.channel, draft.journey.focus.priority)
        other = first.setdefault(key, draft)
        if other is not draft:
            name = other.journey.journey
            message = f"等待 message 的状态可能听不到客户：{state.name} 期间，同优先级的 {name} 会先收到"
            help = "给两段旅程不同的 focus.priority，或用 keyword、intent 限定"
            draft.page.say("J505", draft.places[state.name].key, message, help=help)


def _hears_anything(state: State) -> bool:
    if not isinstance(state.doing, Wait):
        return False
    return any(on.event == MESSAGE and not (on.keywords or on.intents or on.when) for on in state.events)
