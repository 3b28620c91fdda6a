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
from bot.core.step.errands import WAITED_FOR
from bot.core.windows import CLOSING_MARGIN

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
    for state, webhook in _first_words(draft.journey, window - CLOSING_MARGIN):
        spent = f"{webhook.target}.{webhook.operation}"
        message = f"“{state.name}” 的话要在 {window.total_seconds():g} 秒内发出，前面却要等 webhook {spent} 的答复"
        help = "先 send 再 webhook，给 webhook 写短的 timeout，或给这条写 outside"
        draft.page.say("J411", draft.places[state.name].key, message, help=help)


def _first_words(journey: Journey, within: timedelta) -> Iterator[tuple[State, Webhook]]:
    """The states that say the first thing when webhooks may have taken the time that there was, without a way out."""
    waiting: list[tuple[str, timedelta, Webhook | None]] = [(journey.initial, timedelta(0), None)]
    longest: dict[str, timedelta] = {}
    while waiting:
        name, waited, webhook = waiting.pop()
        group = journey.groups.get(name)
        state = journey.states.get(group.initial if group else name)
        if state is None or waited <= longest.get(state.name, -WAITED_FOR):
            continue
        longest[state.name] = waited
        said = _says(state)
        if said is not None:
            if webhook is not None and waited == within and not said:
                yield state, webhook
            continue
        waiting += [(way, waited, webhook) for way in instant(state)]
        if isinstance(state.doing, Webhook):
            after = min(within, waited + _longest(state))
            waiting += [(way, after, state.doing) for way in (state.then, state.doing.fail, _given_up(state)) if way]


def _longest(state: State) -> timedelta:
    """How long the state waits for its webhook at most. What is told in working hours may be long."""
    own = state.timeout.after if state.timeout is not None else WAITED_FOR
    return own if isinstance(own, timedelta) else WAITED_FOR


def _given_up(state: State) -> str:
    return state.timeout.goto if state.timeout is not None else ""


def _says(state: State) -> bool | None:
    """None: the state says nothing. Whether the first thing that it says may go another way (`outside`)."""
    first = next((one for one in state.do if isinstance(one, Send)), None)
    if first is not None:
        return bool(first.outside)
    return bool(state.doing.outside) if isinstance(state.doing, Ask) else None
