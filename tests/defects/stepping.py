"""Defects of the step and of what is claimed for it."""

from datetime import datetime

from sqlalchemy import text

from bot.core import ids
from bot.core.step import draft
from bot.core.step.draft import Draft
from bot.runtime import stepping
from bot.storage import claims
from tests.defects.patches import Patch

_fire_due = stepping.Stepper._fire_due
_drop_timer = Draft.drop_timer


def _first(self: stepping.Stepper, lane: stepping._Lane, before: datetime | None, *, last: int) -> None:
    _fire_due(self, lane, None, last=last)


def _keep_timers(self: Draft, owner: str, timer_id: str | None = None) -> None:
    if timer_id is not None:
        _drop_timer(self, owner, timer_id)


def _without_ordinal(event_id: ids.EventId, owner: ids.EnrolmentId | None, path: str, ordinal: int) -> ids.EffectId:
    return ids.effect_id(event_id, owner, path.partition("/")[0] and "", 0)


_PAST_ITS_OWN = text(
    f"SELECT {claims._COLUMNS} FROM inbox i WHERE i.urgent = 1 AND {claims.OPEN_EVENT} ORDER BY i.seq LIMIT :limit"
)

DEFECTS = {
    "timer-before-reply": (
        "A timer that is due fires before a reply that was written in time.",
        [Patch(stepping.Stepper, "_fire_due", _first)],
    ),
    "timer-of-dead-visit": (
        "A state that is left keeps its timers.",
        [Patch(Draft, "drop_timer", _keep_timers)],
    ),
    "same-effect-id": (
        "Effects of one event are told apart by nothing: the second one is taken for the first.",
        [Patch(draft, "effect_id", _without_ordinal)],
    ),
    "urgent-past-its-own-customer": (
        "An urgent event overtakes earlier ones of the same customer.",
        [Patch(claims, "_URGENT", _PAST_ITS_OWN)],
    ),
}
