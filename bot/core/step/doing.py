"""Carrying out `do:`, one action after the other."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from bot.core import actions as say
from bot.core.customer import Consent, Lead
from bot.core.effects import RecordConsent, SaveLead, SendMessage
from bot.core.events import Json
from bot.core.expressions.tree import Expression, Template
from bot.core.expressions.values import EvaluationFault, Scope
from bot.core.step import calls, emitting, entry, errands, saying, tasks, words
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.fitting import check_option
from bot.core.step.limits import check_room
from bot.core.step.scope import MASK, faulted, is_written_in_files, personal, plain, scope_of
from bot.core.step.sending import make_wish, plan
from bot.core.step.withholding import suppress

LEAD_STAGE_NEW = "new"
NO_LEAD = "stage.no_lead"


def perform(draft: Draft, run: Run, actions: tuple[say.Action, ...], extra: Mapping[str, object] | None = None) -> bool:
    """Do `actions` in order. False: one raised an error, and the rest was skipped."""
    try:
        for action in actions:
            # Whoever begins its own journey anew has ended with it.
            if not _do(draft, run, action, extra or {}) or run.enrolment_id not in draft.runs:
                return False
    except EvaluationFault as fault:
        faulted(draft, run, fault)
        return False
    return True


def _do(draft: Draft, run: Run, action: say.Action, extra: Mapping[str, object]) -> bool:
    match action:
        case say.Send():
            return _send(draft, run, action, extra)
        case say.Tag():
            words.change_tag(draft, run, action, extra)
        case say.Score():
            words.change_score(draft, run, action, extra)
        case say.AddPoints():
            return errands.add_points(draft, run, action, extra=extra)
        case say.SetValues():
            set_values(draft, run, action.values, scope_of(draft, run, extra))
        case say.OpenLead():
            open_lead(draft, run, action)
        case say.ChangeConsent():
            change_consent(draft, run, action, source=run.journey)
        case say.CreateTask():
            create_task(draft, run, action, extra)
        case say.StartJourney():
            _start(draft, run, action)
        case say.Note(text=text):
            take_note(draft, run, text, extra)
        case say.OptOut(scope=scope):
            opt_out(draft, scope)
        case say.CancelJourney():
            calls.cancel(draft, run, action)
        case say.Emit():
            return emitting.emit(draft, run, action, extra)
        case say.GrantCoupon():
            errands.grant_coupon(draft, run, action, extra=extra)
        case say.CancelBooking():
            return errands.cancel_booking(draft, run, action)
        case say.SetStage():
            return set_stage(draft, run, action, extra)
        case _:
            assert_never(action)
    return True


def _send(draft: Draft, run: Run, action: say.Send, extra: Mapping[str, object]) -> bool:
    key = saying.key_of(draft, run, action, extra)
    if saying.is_said(draft, run, action, key):
        return True
    wish = make_wish(
        content=action.content,
        variant=saying.variant_of(draft, run, action, extra),
        send_class=action.send_class,
        outside=action.outside,
        window=action.window,
        expire=action.expire,
        expires_at=_of_use_until(draft, run, action),
        extra=extra,
    )
    found = plan(draft, run, wish)
    if found.not_before is not None:
        draft.put_off[run.enrolment_id] = max(found.not_before, draft.put_off.get(run.enrolment_id, found.not_before))
    if found.fate in ("planned", "replaced"):
        saying.remember(draft, run, key)
    if found.fate == "replaced":
        tasks.fallback_task(draft, run, found.task_title)
    return found.fate != "failed"


def _of_use_until(draft: Draft, run: Run, action: say.Send) -> datetime | None:
    """A reminder that a timer sends is of use until its state ends, unless it says otherwise (3.11)."""
    is_own_word = action.expire is None and action.send_class == "reminder"
    return draft.reminding.get(run.enrolment_id) if is_own_word else None


def set_values(draft: Draft, run: Run, values: tuple[tuple[str, Expression], ...], scope: Scope) -> None:
    """Give variables and attributes new values, in order; all read the values from before.

    EvaluationFault: one cannot be worked out or is no option, or all together are more than an enrolment may carry.
    """
    found = [(target, plain(draft.program.value(expression, scope))) for target, expression in values]
    for target, value in found:
        check_option(draft, run, target, value)
    kept = {target.removeprefix("vars."): value for target, value in found if not target.startswith("customer.")}
    check_room(run, kept)
    for target, value in found:
        root, _, name = target.partition(".")
        if root == "customer":
            draft.attributes[name] = value
        elif name:
            run.values[name] = value
        else:  # what a booking or a call brought back is kept under its own name
            run.saved[root] = value
            draft.scopes.pop(run.enrolment_id, None)
        draft.trace("set", run, name=target, value=MASK if personal(draft, run, target) else value)


# What follows may be done for no journey too: by an interrupt of `_global.yaml`.


def open_lead(draft: Draft, run: Run | None, action: say.OpenLead, extra: Mapping[str, object] | None = None) -> None:
    """Open her lead, or add to the one that is open. EvaluationFault: a field cannot be worked out."""
    scope = scope_of(draft, run, extra)
    given: dict[str, Json] = {name: plain(draft.program.value(value, scope)) for name, value in action.fields}
    known = draft.lead
    fields = {**(known.fields if known else {}), **{name: value for name, value in given.items() if value is not None}}
    draft.lead = Lead(
        lead_id=known.lead_id if known else _new_lead_id(draft, run),
        stage=known.stage if known else LEAD_STAGE_NEW,
        opened_at=known.opened_at if known else draft.now,
        fields=fields,
    )
    save_lead(draft)
    draft.trace("lead", run, lead_id=draft.lead.lead_id, stage=draft.lead.stage, opened=known is None)
    if known is None:
        opened: dict[str, Json] = {"lead_id": draft.lead.lead_id, "stage": draft.lead.stage}
        emitting.tell(draft, "lead.opened", {**opened, "journey": run.journey if run else ""})


def _new_lead_id(draft: Draft, run: Run | None) -> str:
    return draft.new_effect_id(run.enrolment_id if run else None, f"{run.state if run else ''}/lead")


def set_stage(draft: Draft, run: Run | None, action: say.SetStage, extra: Mapping[str, object] | None = None) -> bool:
    """Move her open lead to another stage. False: she has none, which is the error `stage.no_lead`.

    EvaluationFault: the stage cannot be worked out.
    """
    if draft.lead is None:
        if run is not None:
            draft.fail(run, NO_LEAD)
        return False
    before, stage = draft.lead.stage, words.stage_of(draft, run, action, extra)
    if before != stage:
        draft.lead = replace(draft.lead, stage=stage)
        save_lead(draft)
        changed: dict[str, Json] = {"lead_id": draft.lead.lead_id, "stage": stage, "before": before}
        emitting.tell(draft, "stage.changed", changed)
    draft.trace("stage", run, stage=stage, before=before)
    return True


def save_lead(draft: Draft) -> None:
    """Write the customer's open lead, as it stands now, into the table of leads."""
    lead = draft.lead
    if lead is None:
        return
    member = draft.program.member(draft.advisor) if draft.advisor else None
    draft.effects.append(
        SaveLead(
            lead_id=lead.lead_id,
            stage=lead.stage,
            fields=lead.fields,
            opened_at=lead.opened_at,
            advisor=draft.advisor,
            dealer=member.dealer if member else "",
            source=draft.source,
        )
    )


def change_consent(draft: Draft, run: Run | None, action: say.ChangeConsent, *, source: str) -> None:
    """Keep what she agreed to, or took back. `source`: which journey, or which interrupt, heard it.

    EvaluationFault: the purpose cannot be worked out.
    """
    purpose = words.word(draft, run, action.purpose)
    shown = draft.program.content(action.text) if action.text else None
    consent = Consent(
        granted=action.granted,
        at=draft.now,
        source=source,
        text=action.text,
        text_hash=shown.hash if shown else "",
    )
    draft.consents[purpose] = consent
    draft.effects.append(
        RecordConsent(
            purpose=purpose,
            granted=consent.granted,
            at=consent.at,
            source=consent.source,
            text=consent.text,
            text_hash=consent.text_hash,
        )
    )
    told = purpose if is_written_in_files(draft, purpose) else action.purpose.source
    draft.trace("consent", run, purpose=told, granted=action.granted)


def create_task(
    draft: Draft, run: Run | None, action: say.CreateTask, extra: Mapping[str, object] | None = None
) -> None:
    """Give somebody the task. EvaluationFault: its title or its deadline cannot be worked out."""
    scope = scope_of(draft, run, extra)
    due_at = draft.now + action.due if action.due else None
    if action.due_at is not None:
        due_at = draft.program.moment(action.due_at, scope)
    title = draft.program.text(action.title, scope).strip()
    tasks.give(draft, run, tasks.Order(to=action.to, title=title, due_at=due_at, overdue_to=action.overdue_to))


def _start(draft: Draft, run: Run, action: say.StartJourney) -> None:
    entry.admit(
        draft,
        entry.Opening(
            journey=draft.program.journey(action.journey),
            conversation_id=run.conversation_id,
            arguments=entry.arguments_of(draft, run, action.arguments),
            cause=f"start:{run.journey}",
        ),
    )


def take_note(draft: Draft, run: Run | None, text: Template, extra: Mapping[str, object] | None = None) -> None:
    """Keep a note for the advisor. EvaluationFault: it cannot be worked out."""
    draft.notes.append(draft.program.text(text, scope_of(draft, run, extra)).strip())
    draft.trace("note", run, source=text.source)


def opt_out(draft: Draft, scope: str) -> None:
    """She does not want `scope` (`all`, or a class of sends) any more; what waits to leave is held back.

    But for answers of this very step, which classes with `reply_only` may still give.
    """
    draft.opt_outs[scope] = draft.now
    draft.trace("opt_out", scope=scope)
    answers = {effect.effect_id for effect in draft.effects if isinstance(effect, SendMessage) and effect.reply}
    rules = draft.program.rules.class_rules
    blocked = [
        unsent.effect_id
        for talk in draft.talks.values()
        for unsent in talk.unsent
        if scope in ("all", unsent.send_class)
        and rules[unsent.send_class].opt_out != "ignore"
        and not (unsent.effect_id in answers and rules[unsent.send_class].opt_out == "reply_only")
    ]
    suppress(draft, blocked, "opted_out")
