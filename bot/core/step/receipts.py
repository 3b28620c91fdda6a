"""What became of messages that left: refusals lead to the next fallback, and then to the journey's errors."""

from collections.abc import Mapping
from datetime import datetime

from bot.core import departure
from bot.core.effects import Fallback, SendClass, SendMessage
from bot.core.events import Event, Json
from bot.core.ids import ConversationId, EffectId, EnrolmentId
from bot.core.messages import TemplateMessage
from bot.core.step import global_actions, people, reach, reactions, tasks
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
    if event.type == "send.expired":
        if run is not None:
            reactions.react(draft, run, event)
    elif reason in GONE_REASONS and not _came_back(talk, event):
        reach.lost(draft, talk, event)
    elif not is_advisors and reason not in SILENT_REASONS:
        _stand_in(draft, run, talk, event)


def _came_back(talk: Talk, event: Event) -> bool:
    """Whether she has acted since the attempt that found her gone."""
    heard_at = _moment(event, "heard_at")
    return talk.last_inbound_at is not None and heard_at is not None and talk.last_inbound_at > heard_at


def _stand_in(draft: Draft, run: Run | None, talk: Talk, event: Event) -> None:
    """Plan the next fallback, under the rules of the message that it stands in for; else raise the error."""
    reason = str(event.fields.get("reason") or "")
    send_class = _CLASSES.get(str(event.fields.get("send_class") or ""))
    content = str(event.fields.get("content") or "")
    if run is None and send_class in ("reminder", "marketing") and not _still_rests(draft, event):
        draft.trace("not_sent", content=content, reason="left_state")
        return
    cause = str(event.fields.get("cause") or "")
    wish = Wish(content=content, send_class=send_class, expires_at=_moment(event, "expires_at"), cause=cause)
    found = offer_fallbacks(draft, run, talk, wish, fallbacks_of(event))
    if found.fate == "replaced":
        tasks.fallback_task(draft, run, found.task_title)
    elif found.fate == "failed":
        error = "send.window_closed" if reason in WINDOW_REASONS else f"send.rejected.{reason}"
        if run is not None:
            draft.fail(run, error)
        elif cause:
            global_actions.raised(draft, global_actions.later(draft, cause, talk), error)


def _still_rests(draft: Draft, event: Event) -> bool:
    """Whether the enrolment is still where the step that planned the message left it."""
    planned_at, owner = _moment(event, "planned_at"), event.fields.get("enrolment_id")
    if planned_at is None or not isinstance(owner, str):
        return False
    return departure.visit_lives(draft.base, EnrolmentId(owner), planned_at)


def _moment(event: Event, name: str) -> datetime | None:
    written = event.fields.get(name)
    return datetime.fromisoformat(written) if isinstance(written, str) else None


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
            case "sms":
                found.append(Fallback(way="sms"))
            case "group_send":
                found.append(Fallback(way="group_send"))
            case _:
                found.append(Fallback(way="drop"))
    return tuple(found)


def receipt_fields(
    effect: SendMessage,
    *,
    reason: str,
    planned_at: datetime,
    vendor_code: int | None = None,
    heard_at: datetime | None = None,
) -> dict[str, Json]:
    """What a receipt tells of `effect`. `heard_at`: her latest act that was known when the attempt began."""
    return {
        "effect_id": effect.effect_id,
        "reason": reason,
        "vendor_code": vendor_code,
        "content": effect.content,
        "send_class": effect.send_class,
        "conversation_id": effect.conversation_id,
        "enrolment_id": effect.enrolment_id,
        "visit": effect.visit,
        "fallbacks": fallback_fields(effect.fallbacks),
        "planned_at": planned_at.isoformat(),
        "expires_at": effect.expires_at.isoformat() if effect.expires_at else None,
        "heard_at": heard_at.isoformat() if heard_at else None,
        **({"cause": effect.cause} if effect.cause else {}),
    }


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
