"""What `zhitu talk --json` prints: one flat object a line, the same keys in every one."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.customer import Customer, Enrolment
from bot.core.effects import Trace
from bot.core.events import Json
from bot.core.ids import ConversationId
from bot.core.messages import Card, Image, Markdown, Menu, TemplateMessage, Text
from bot.runtime.why import sentence
from bot.sandbox.watching import Sight, Standing, standing
from bot.storage import JournalLine, OutboxLine

Report = dict[str, Json]

EFFECT_KINDS = frozenset(
    {"tag", "score", "points", "set", "lead", "task", "consent", "goal", "opt_out", "handoff", "note"}
    | {"errand", "result", "coupon", "stage"}
)
"""Decisions that are effects and no messages."""


def report(kind: str, at: datetime, **given: Json) -> Report:
    """One object. `kind`: sent, card, state, effect, why, help or error; keys that do not apply are null."""
    blank: Report = dict.fromkeys(("to", "content", "text", "journey", "state"))
    return {"kind": kind, "at": at.isoformat(), **blank, **given}


def of_message(line: OutboxLine) -> Report:
    """A message that left the house, to the buyer or to an advisor."""
    effect, message = line.effect, line.effect.message
    base: Report = {
        "to": "buyer" if effect.channel != "app" else effect.to,
        "channel": effect.channel,
        "content": effect.content,
        "journey": effect.journey or None,
        "state": effect.state or None,
        "outcome": line.state,
        "effect": effect.effect_id,
    }
    at = line.settled_at or line.planned_at
    match message:
        case Text(text=text) | Markdown(text=text):
            return report("sent", at, **{**base, "text": text})
        case Image(media_id=media_id):
            return report("sent", at, **{**base, "text": f"[图片 {media_id}]"})
        case Menu(head=head, choices=choices):
            listed: list[Json] = [{"id": choice.choice_id, "text": choice.text} for choice in choices]
            return report("sent", at, **{**base, "text": head, "choices": listed})
        case TemplateMessage(template=template, fields=fields):
            shown = "；".join(f"{name}={value}" for name, value in fields)
            return report("sent", at, **{**base, "text": f"[模板 {template}] {shown}", "template": template})
        case Card():
            return report("card", at, **{**base, **_card(message)})


def _card(card: Card) -> Report:
    rows: list[Json] = [[name, value] for name, value in card.rows]
    buttons: list[Json] = [{"key": button.key, "text": button.text} for button in card.buttons]
    return {"text": card.title or card.done, "task_id": card.task_id, "rows": rows, "buttons": buttons}


def of_journal(line: JournalLine) -> Iterator[Report]:
    """The effects that are no messages, and what was not sent, in one stepped event or timer."""
    for trace in line.entries:
        if trace.kind in EFFECT_KINDS:
            yield _effect(line, trace, trace.kind)
        elif trace.kind == "not_sent":
            yield _effect(line, trace, "not_sent")
        elif trace.kind == "error":
            yield report(
                "error",
                line.at,
                text=sentence(trace).text,
                error=str(trace.detail.get("error")),
                journey=trace.journey or None,
                state=trace.state or None,
            )


def _effect(line: JournalLine, trace: Trace, name: str) -> Report:
    return report(
        "effect",
        line.at,
        effect=name,
        content=trace.detail.get("content"),
        text=sentence(trace).text,
        journey=trace.journey or None,
        state=trace.state or None,
        detail=dict(trace.detail),
    )


def of_state(sight: Sight | None, at: datetime) -> Report:
    """Where the buyer stands now. The sandbox shows her values: she was invented."""
    if sight is None:
        return report("state", at, status="stranger", lead=None, tasks=[], journeys=[])
    customer, latest = sight.customer, standing(sight) or Standing(journey="", state="", end="")
    tasks: list[Json] = [
        {"task_id": t.task_id, "kind": t.kind, "status": t.status, "staff_id": t.staff_id, "title": t.title}
        for t in customer.tasks.values()
    ]
    lead = customer.lead
    return report(
        "state",
        at,
        journey=latest.journey or None,
        state=latest.state or None,
        status="ended" if latest.end else "active" if latest.journey else "none",
        end=latest.end or None,
        journeys=[_run(run) for run in customer.enrolments.values()],
        customer=dict(customer.attributes),
        tags=list[Json](sorted(customer.tags)),
        score=customer.score,
        points=customer.points,
        consents={name: consent.granted for name, consent in customer.consents.items()},
        opted_out=list[Json](sorted(customer.opt_outs)),
        lead={"lead_id": lead.lead_id, "stage": lead.stage, "fields": dict(lead.fields)} if lead else None,
        advisor=customer.advisor,
        tasks=tasks,
        floor=_floor(customer),
    )


def _run(run: Enrolment) -> Json:
    return {
        "journey": run.journey,
        "state": run.state,
        "visit": run.visit,
        "status": run.status,
        "question": run.pending.slot if run.pending else None,
        "slots": dict(run.slots),
    }


def _floor(customer: Customer) -> Json:
    found: dict[ConversationId, Json] = {}
    for key, conversation in customer.conversations.items():
        if conversation.human is not None:
            found[key] = f"advisor:{conversation.human.staff_id}"
        elif conversation.floor:
            run = customer.enrolments.get(conversation.floor[-1])
            found[key] = f"journey:{run.journey}" if run else None
    return {str(key): value for key, value in found.items()}
