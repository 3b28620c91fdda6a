"""Welcomes that come too late: the platform lets us speak for a minute after a follow, and a webhook may take longer.

Rule J411.
"""

from collections.abc import Iterator
from datetime import timedelta

from bot.authoring.checks.graph import instant, known
from bot.authoring.drafts import Drafts
from bot.authoring.read_journey import JourneyDraft
from bot.core.actions import Send
from bot.core.customer import BucketKind
from bot.core.entries import EventEntry
from bot.core.journey import Journey
from bot.core.rules import GlobalRules
from bot.core.states import Ask, State, Webhook

SHORT = timedelta(minutes=2)
"""A window that is open for longer outlasts the usual webhook; one that is shorter does not outlast a second try."""
_OPENS: dict[str, BucketKind] = {"oa.follow": "follow", "oa.scan": "scan", "oa.click": "menu_click"}


def check(drafts: Drafts) -> None:
    """Report first messages that wait for a webhook while their window closes."""
    for draft in drafts.journeys.values() if drafts.rules else ():
        assert drafts.rules is not None, "looked at above"
        window = _shortest(draft.journey, drafts.rules.rules)
        if window is not None and known(draft):
            _late(draft, window)


def _shortest(journey: Journey, rules: GlobalRules) -> timedelta | None:
    """The shortest window that an entry of the journey opens; None: none of them is short."""
    allowed = rules.windows.get(journey.channel, {})
    kinds = [_OPENS[one.event] for one in journey.enter if isinstance(one, EventEntry) and one.event in _OPENS]
    found = [allowed[kind].duration for kind in kinds if kind in allowed]
    return min((one for one in found if one < SHORT), default=None)


def _late(draft: JourneyDraft, window: timedelta) -> None:
    for state, webhook in _first_words(draft.journey):
        spent = f"{webhook.target}.{webhook.operation}"
        message = f"“{state.name}” 的话要在 {window.total_seconds():g} 秒内发出，前面却要等 webhook {spent} 的答复"
        help = "先 send 再 webhook，或给这条写 outside"
        draft.page.say("J411", draft.places[state.name].key, message, help=help)


def _first_words(journey: Journey) -> Iterator[tuple[State, Webhook]]:
    """The states that say the first thing after a webhook for which the customer waits, without a way out."""
    waiting: list[tuple[str, Webhook | None]] = [(journey.initial, None)]
    seen: set[tuple[str, bool]] = set()
    while waiting:
        name, webhook = waiting.pop()
        group = journey.groups.get(name)
        state = journey.states.get(group.initial if group else name)
        if state is None or (state.name, webhook is not None) in seen:
            continue
        seen.add((state.name, webhook is not None))
        said = _says(state)
        if said is not None:
            if webhook is not None and said is False:
                yield state, webhook
            continue
        asked = state.doing if isinstance(state.doing, Webhook) else None
        ways = (state.otherwise, state.then, asked.fail) if asked else instant(state)
        waiting += [(way, asked or webhook) for way in ways if way]


def _says(state: State) -> bool | None:
    """None: the state says nothing. Whether the first thing that it says may go another way (`outside`)."""
    first = next((one for one in state.do if isinstance(one, Send)), None)
    if first is not None:
        return bool(first.outside)
    return bool(state.doing.outside) if isinstance(state.doing, Ask) else None
