"""How often a journey may begin in a day without any act of the customer's.

The limits of an enrolment (`machine`) bound journeys that go round in themselves. Journeys that end and begin anew, by
an event of their own, over a message that an exit keeps back, a refusal or an errand, are another enrolment every time,
and one step after the other without end: here they stop. What she does herself is not counted, so that she may always
come in; nor is what she asked for and had to wait for, whatever lets it in. Source: journey-language.md 3.2 (the
breaker that speaks), 3.10.
"""

from bot.core.journey import Journey
from bot.core.step import tasks
from bot.core.step.draft import Draft
from bot.core.step.refusals import Refusal

UNASKED_A_DAY_MAX = 50
"""Times a day that one journey may begin for a customer by no act of hers; beyond, it is refused with the reason, and
the operators get a task, once a day and journey."""
TOO_OFTEN = "too_many_entries_today"


def by_day(draft: Draft, journey: Journey, *, by_customer: bool) -> Refusal | None:
    """Why it may not begin today any more, None: it may. `by_customer`: an act of hers leads in."""
    if by_customer or _begun_today(draft, journey) < UNASKED_A_DAY_MAX:
        return None
    _speak_once(draft, journey)
    return Refusal(reason=TOO_OFTEN, values={"max": UNASKED_A_DAY_MAX})


def count(draft: Draft, journey: Journey, *, by_customer: bool) -> None:
    """It begins now: one more of today, unless she led it in herself."""
    if not by_customer:
        _set(draft, journey, _begun_today(draft, journey) + 1)


def _begun_today(draft: Draft, journey: Journey) -> int:
    return draft.unasked.get(journey.journey, 0) if draft.unasked_on == draft.today.isoformat() else 0


def _set(draft: Draft, journey: Journey, times: int) -> None:
    today = draft.today.isoformat()
    others = draft.unasked if draft.unasked_on == today else {}
    draft.unasked_on, draft.unasked = today, {**others, journey.journey: times}


def _speak_once(draft: Draft, journey: Journey) -> None:
    if _begun_today(draft, journey) > UNASKED_A_DAY_MAX:
        return
    _set(draft, journey, UNASKED_A_DAY_MAX + 1)
    title = f"旅程 {journey.journey} 一天内自动进入 {UNASKED_A_DAY_MAX} 次，可能在循环，今天不再自动进入"
    tasks.give(draft, None, tasks.Order(to=tasks.OPERATORS, title=title))
