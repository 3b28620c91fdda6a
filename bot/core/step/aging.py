"""The longest that a run may take (`limits.max_age`): then it ends. Source: journey-language.md 3.11."""

from datetime import datetime

from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.leaving import close

MAX_AGE = "max_age"
EXPIRED = "expired"


def over(draft: Draft, run: Run) -> None:
    """The timer of its age has come: end `run`, with what it called, unless it may grow older since a release."""
    if _ends_at(draft, run) <= draft.now:
        close(draft, run, EXPIRED)


def watch(draft: Draft) -> None:
    """See to it that the run which is the first to be too old ends then: by a timer, unless another comes before.

    The step of that one asks again, so that hardly any run ever carries a timer for its age. Called journeys end with
    whoever called them; one that is stuck waits for the operators.
    """
    first, ends_at = None, None
    for run in draft.runs.values():
        if run.parent is None and run.status == "active":
            end = _ends_at(draft, run)
            if ends_at is None or end < ends_at:
                first, ends_at = run, end
    if first is None or ends_at is None or [1 for timer in draft.timers if timer.due_at <= ends_at]:
        return
    draft.set_timer(first.enrolment_id, MAX_AGE, ends_at, visit=first.visit)


def _ends_at(draft: Draft, run: Run) -> datetime:
    return run.entered_at + draft.program.library.journeys[run.journey].limits.max_age
