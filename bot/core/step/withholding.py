"""Holding back messages that are planned and have not left."""

from bot.core.effects import SendMessage, SuppressSends
from bot.core.ids import EffectId
from bot.core.step.copies import Run
from bot.core.step.draft import Draft

LEFT_STATE = "left_state"


def suppress(draft: Draft, effect_ids: list[EffectId], reason: str) -> None:
    """Hold back messages that have not left yet."""
    if not effect_ids:
        return
    gone = set(effect_ids)
    for talk in draft.talks.values():
        talk.unsent = [unsent for unsent in talk.unsent if unsent.effect_id not in gone]
    draft.effects.append(SuppressSends(effect_ids=tuple(effect_ids), reason=reason))


def hold_back(draft: Draft, run: Run) -> None:
    """Reminders and marketing that this visit planned in an earlier step and that have not left shall not leave."""
    waiting = [
        unsent.effect_id
        for talk in draft.talks.values()
        for unsent in talk.unsent
        if unsent.send_class in ("reminder", "marketing")
        and unsent.enrolment_id == run.enrolment_id
        and unsent.visit == run.visit
    ]
    if waiting:
        planned_now = {effect.effect_id for effect in draft.effects if isinstance(effect, SendMessage)}
        suppress(draft, [effect for effect in waiting if effect not in planned_now], LEFT_STATE)
