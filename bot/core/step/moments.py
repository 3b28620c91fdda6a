"""When the times that journeys write come, for one customer: spans end, phrases and expressions name a moment.

Source: journey-language.md 2.3, "Time in files"; 3.11, "Time".
"""

from datetime import UTC, datetime, timedelta

from bot.core.calendar import next_showing
from bot.core.rules import WeeklyHours
from bot.core.step.copies import Run
from bot.core.step.dealers import own_dealer_of
from bot.core.step.draft import Draft
from bot.core.step.scope import scope_of
from bot.core.times import Span, Until, WallClock
from bot.core.working import BRAND_HOURS, WORKING_MAX, working_until

WAIT_MAX = WORKING_MAX
"""The longest wait of anything, 5 years: what would come later comes then."""


def ends_at(draft: Draft, span: Span, begins: datetime) -> datetime:
    """When `span` is over that begins at `begins`."""
    if isinstance(span, timedelta):
        return begins + min(span, WAIT_MAX)
    rules, zone = draft.program.rules, draft.program.zone
    return working_until(span, begins, hours=_hours_of(draft), zone=zone, holidays=rules.holidays)


def _hours_of(draft: Draft) -> WeeklyHours:
    """The working time of the customer's dealer, else the brand's, which is the first of all working hours."""
    rules, dealer = draft.program.rules, draft.program.library.dealers.get(own_dealer_of(draft))
    named = rules.working_hours.get(dealer.hours) if dealer is not None else None
    return named or next(iter(rules.working_hours.values()), BRAND_HOURS)


def moment_of(draft: Draft, run: Run, until: Until) -> datetime:
    """The moment that `until` names now, which may be over. EvaluationFault: the expression comes to no time."""
    if isinstance(until, WallClock):
        return next_showing(until, draft.now, draft.zone)
    found = draft.program.moment(until, scope_of(draft, run))
    # Compared before it is turned: near the ends of the calendar no other zone has a word for it.
    if abs(found - draft.now) >= WAIT_MAX:
        return draft.now + WAIT_MAX if found > draft.now else draft.now - WAIT_MAX
    return found.astimezone(UTC)


def begins_at(draft: Draft, run: Run) -> datetime:
    """When what is to be waited for begins: now, or when all that was said and put off in this step has left."""
    return max(draft.put_off.get(run.enrolment_id, draft.now), draft.now)
