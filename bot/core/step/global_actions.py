"""What `_global.yaml` does without an enrolment: the actions of interrupts, and of rules for errors of no journey.

One that cannot be done is an error for the rules of everybody, or told in the journal, and the others are done: what
she wanted, to leave above all, must not hang on a note. Source: journey-language.md 2.3, 2.5, 3.10.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.core import actions as say
from bot.core.errands import SHORT
from bot.core.expressions.values import EvaluationFault
from bot.core.ids import ConversationId
from bot.core.rules import Interrupt
from bot.core.step import calls, doing, emitting, entry, errands, knowing, saying, tasks, words
from bot.core.step.catching import everybodys
from bot.core.step.copies import Run, Talk
from bot.core.step.draft import Draft
from bot.core.step.fitting import check_option
from bot.core.step.limits import check_size
from bot.core.step.scope import MASK, personal, plain, scope_of
from bot.core.step.sending import Wish, plan_global

_ERROR = "error:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What acts. `name`: `interrupt:complaint`, or `error:` and the error that a rule deals with.

    `talk`: where it speaks, None: she cannot be reached. `near`: the enrolment that she was talking with, or that the
    error came from, and those that called it, `all_`: every one of hers, as they stood before any was ended. `extra`:
    what may be read besides.
    """

    name: str
    talk: Talk | None
    near: tuple[Run, ...] = ()
    all_: tuple[Run, ...]
    extra: Mapping[str, object] = field(default_factory=dict)


def of_interrupt(draft: Draft, talk: Talk, interrupt: Interrupt, holder: Run | None) -> Cause:
    """The cause that `interrupt` is. To be asked for before it ends anything."""
    near = tuple(knowing.line_of(draft, holder)) if holder is not None else ()
    return Cause(name=f"interrupt:{interrupt.interrupt}", talk=talk, near=near, all_=tuple(draft.runs.values()))


def of_error(draft: Draft, run: Run, error: str) -> Cause:
    """The cause that an error of `run` is, which a rule of everybody's deals with."""
    return Cause(
        name=f"{_ERROR}{error}",
        talk=draft.talk_of(run) or draft.latest_talk(),
        near=tuple(knowing.line_of(draft, run)),
        all_=tuple(draft.runs.values()),
        extra={"error": {"code": error}, "journey": {"id": run.journey}},
    )


def later(draft: Draft, name: str, talk: Talk | None) -> Cause:
    """The cause of this name once more, when an event tells what became of something that it wanted."""
    return Cause(name=name, talk=talk, all_=tuple(draft.runs.values()))


def perform(draft: Draft, cause: Cause, actions: tuple[say.Action, ...]) -> None:
    """Do the actions, in order."""
    for action in actions:
        try:
            error = _do(draft, cause, action)
        except EvaluationFault as fault:
            error = fault.code
        if error:
            raised(draft, cause, error)


def raised(draft: Draft, cause: Cause, error: str) -> bool:
    """Let a rule of everybody's take care of an error that no journey has. False: none does, and it is journalled only.

    What such a rule does raises no further one, or there would be no end.
    """
    found = None if cause.name.startswith(_ERROR) else everybodys(draft, error)
    outcome = "handled" if found is not None else "journalled"
    draft.trace("error", error=error, cause=cause.name, outcome=outcome)
    if found is None:
        return False
    handling = replace(cause, name=f"{_ERROR}{error}", extra={"error": {"code": error}})
    perform(draft, handling, found.do)
    return True


def _do(draft: Draft, cause: Cause, action: say.Action) -> str:
    """Do one. The error, empty: it is done. EvaluationFault: something that it reads cannot be worked out."""
    match action:
        case say.Send():
            return _send(draft, cause, action)
        case say.AddPoints():
            booked = errands.add_points(draft, None, action, cause=cause.name, extra=cause.extra)
            return "" if booked else SHORT
        case say.CancelBooking():
            return errands.cancel_hers(draft, action, near=cause.near, all_=cause.all_, cause=cause.name)
        case say.SetStage():
            return "" if doing.set_stage(draft, None, action, cause.extra) else doing.NO_LEAD
        case say.Emit():
            return "" if emitting.emit(draft, None, action, cause.extra) else emitting.LOOP
        case _:
            _do_surely(draft, cause, action)
            return ""


def _do_surely(draft: Draft, cause: Cause, action: say.Action) -> None:
    """Those that nothing but what they read can stop."""
    match action:
        case say.OptOut(scope=scope):
            doing.opt_out(draft, scope)
        case say.Tag():
            words.change_tag(draft, None, action, cause.extra)
        case say.Score():
            words.change_score(draft, None, action, cause.extra)
        case say.SetValues():
            _set_attributes(draft, cause, action)
        case say.OpenLead():
            doing.open_lead(draft, None, action, cause.extra)
        case say.ChangeConsent():
            doing.change_consent(draft, None, action, source=cause.name)
        case say.CreateTask():
            doing.create_task(draft, None, action, cause.extra)
        case say.GrantCoupon():
            errands.grant_coupon(draft, None, action, cause=cause.name, extra=cause.extra)
        case say.StartJourney():
            _start(draft, cause, action)
        case say.Note(text=text):
            doing.take_note(draft, None, text, cause.extra)
        case say.CancelJourney():
            calls.cancel(draft, None, action)
        case _:
            raise ValueError(f"`{type(action).__name__}` cannot stand in `_global.yaml`")


def _send(draft: Draft, cause: Cause, action: say.Send) -> str:
    if cause.talk is None:
        draft.trace("not_sent", content=action.content, reason="send.no_identity")
        return "send.no_identity"
    key = saying.key_of(draft, None, action, cause.extra)
    if saying.is_said(draft, None, action, key):
        return ""
    wish = Wish(
        content=action.content,
        variant=saying.variant_of(draft, None, action, cause.extra),
        send_class=action.send_class,
        outside=action.outside,
        window=action.window,
        expire=action.expire,
        extra=cause.extra,
        cause=cause.name,
    )
    found = plan_global(draft, cause.talk, wish)
    if found.fate in ("planned", "replaced"):
        saying.remember(draft, None, key)
    if found.fate == "replaced":
        tasks.fallback_task(draft, None, found.task_title)
    return found.error


def _set_attributes(draft: Draft, cause: Cause, action: say.SetValues) -> None:
    """Give attributes of hers new values; all read those from before."""
    scope = scope_of(draft, None, cause.extra)
    found = [(target, plain(draft.program.value(expression, scope))) for target, expression in action.values]
    for target, value in found:
        check_option(draft, None, target, value)
    for target, value in found:
        draft.attributes[target.removeprefix("customer.")] = value
        draft.trace("set", name=target, value=MASK if personal(draft, None, target) else value)


def _start(draft: Draft, cause: Cause, action: say.StartJourney) -> None:
    journey, scope = draft.program.journey(action.journey), scope_of(draft, None, cause.extra)
    given = {name: plain(draft.program.argument(template, scope)) for name, template in action.arguments}
    check_size(given)
    opening = entry.Opening(journey=journey, conversation_id=_where(cause), arguments=given, cause=cause.name)
    entry.admit(draft, opening)


def _where(cause: Cause) -> ConversationId | None:
    return cause.talk.conversation_id if cause.talk is not None else None
