"""Events of our own: what one journey emits, this customer's journeys hear in the same step.

Source: journey-language.md 3.2 (internal events before the external one), 3.11.
"""

from bot.core.events import Event
from bot.core.step import exits, groups, lookback, machine, routing
from bot.core.step.draft import Draft
from bot.core.step.entering import enter_by_event


def come_to_rest(draft: Draft) -> None:
    """Make all moves, and let everybody hear what was emitted on the way, until nothing moves and nothing is unheard.

    It ends because a step may emit only so much (`emitting.EMITTED_MAX`).
    """
    while True:
        machine.come_to_rest(draft)
        if not draft.emitted:
            break
        _deliver(draft, draft.emitted.popleft())
    if draft.event is not draft.external:
        _turn_to(draft, draft.external)


def _deliver(draft: Draft, event: Event) -> None:
    """From here on `event` is what guards and contents read, until the next one."""
    _turn_to(draft, event)
    draft.trace("internal", event=event.type)
    exits.look(draft)
    groups.leave_by_exits(draft)
    if draft.moves:  # whoever leaves hears it where the way out has led
        machine.come_to_rest(draft)
    routing.tell_waiting(draft, event, None)
    enter_by_event(draft, event, None)
    lookback.remember(draft, event)


def _turn_to(draft: Draft, event: Event | None) -> None:
    draft.event = event
    draft.scopes.clear()
