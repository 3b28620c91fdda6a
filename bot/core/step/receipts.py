"""What became of messages that left: refusals lead to the next fallback, and then to the journey's errors."""

from collections.abc import Mapping

from bot.core.effects import Fallback, SendClass
from bot.core.events import Event, Json
from bot.core.ids import ConversationId, EffectId, EnrolmentId
from bot.core.messages import TemplateMessage
from bot.core.step import people, reach, tasks
from bot.core.step.copies import Run, Talk
from bot.core.step.draft import Draft
from bot.core.step.sending import WINDOW_REASONS, Wish, offer_fallbacks

GONE_REASONS = frozenset({"gone", "unreachable"})
"""She cannot be reached there at all: nothing can stand in for the message."""
SILENT_REASONS = frozenset({"human_has_floor", "expired"})
"""Nothing may stand in for the message, and that is no error: a colleague is talking, or it is too late for it."""
_CLASSES: Mapping[str, SendClass] = {
    "transactional": "transactional",
    "service": "service",
    "reminder": "reminder",
    "marketing": "marketing",
}


def received(draft: Draft, event: Event) -> None:
    """A message was refused, expired, or its fate is unknown."""
    fields = event.fields
    effect_id = EffectId(str(fields.get("effect_id") or ""))
    reason = str(fields.get("reason") or "")
    _forget_unsent(draft, effect_id)
    run = _planned_by(draft, event)
    draft.trace(event.type, run, effect=effect_id, content=fields.get("content"), reason=reason)
    if event.type == "send.unknown":
        return
    talk = draft.talks.get(ConversationId(str(fields.get("conversation_id") or "")))
    if talk is None:
        people.card_not_delivered(draft, event)
        if event.type == "send.refused":
            people.colleague_lost(draft, event)
        return
    is_advisors = people.not_delivered(draft, event)
    if reason in GONE_REASONS:
        reach.lost(draft, talk, event)
    elif not is_advisors and reason not in SILENT_REASONS:
        _stand_in(draft, run, talk, event)


def _stand_in(draft: Draft, run: Run | None, talk: Talk, event: Event) -> None:
    """Plan the next fallback, under the rules of the message that it stands in for; else raise the error."""
    reason = str(event.fields.get("reason") or "")
    send_class = _CLASSES.get(str(event.fields.get("send_class") or ""))
    wish = Wish(content=str(event.fields.get("content") or ""), send_class=send_class)
    found = offer_fallbacks(draft, run, talk, wish, fallbacks_of(event))
    if found.fate == "replaced":
        tasks.fallback_task(draft, run, found.task_title)
    elif found.fate == "failed" and run is not None:
        draft.fail(run, "send.window_closed" if reason in WINDOW_REASONS else f"send.rejected.{reason}")


def _forget_unsent(draft: Draft, effect_id: EffectId) -> None:
    for talk in draft.talks.values():
        talk.unsent = [unsent for unsent in talk.unsent if unsent.effect_id != effect_id]


def _planned_by(draft: Draft, event: Event) -> Run | None:
    """The enrolment that planned it, as long as it is still in that visit (journey-language.md 3.11)."""
    run = draft.runs.get(EnrolmentId(str(event.fields.get("enrolment_id") or "")))
    return run if run is not None and run.visit == event.fields.get("visit") else None


def fallbacks_of(event: Event) -> tuple[Fallback, ...]:
    """The fallbacks that the refused message still had, as `fallback_fields` wrote them."""
    listed = event.fields.get("fallbacks")
    found: list[Fallback] = []
    for one in listed if isinstance(listed, list) else []:
        if not isinstance(one, dict):
            continue
        match one.get("way"):
            case "template":
                pairs = one.get("fields")
                fields = (
                    tuple((str(p[0]), str(p[1])) for p in pairs if isinstance(p, list))
                    if isinstance(pairs, list)
                    else ()
                )
                message = TemplateMessage(template=str(one.get("template")), fields=fields)
                found.append(Fallback(way="template", message=message))
            case "task":
                found.append(Fallback(way="task", title=str(one.get("title") or "")))
            case _:
                found.append(Fallback(way="drop"))
    return tuple(found)


def fallback_fields(fallbacks: tuple[Fallback, ...]) -> list[Json]:
    """`fallbacks` as an event carries them."""
    written: list[Json] = []
    for fallback in fallbacks:
        if isinstance(fallback.message, TemplateMessage):
            pairs: list[Json] = [[name, value] for name, value in fallback.message.fields]
            written.append({"way": "template", "template": fallback.message.template, "fields": pairs})
        else:
            written.append({"way": fallback.way, "title": fallback.title})
    return written
