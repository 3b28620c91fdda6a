"""The actions of an interrupt (`interrupts` of `_global.yaml`): no journey stands behind them.

One that cannot be done is told in the journal, and the others are done: what she wanted, to leave above all, must not
hang on a note. Source: journey-language.md 2.3, 2.5.
"""

from bot.core import actions as say
from bot.core.expressions.values import EvaluationFault
from bot.core.rules import Interrupt
from bot.core.step import calls, doing, emitting, entry
from bot.core.step.copies import Talk
from bot.core.step.draft import Draft
from bot.core.step.fitting import check_option
from bot.core.step.scope import MASK, faulted, personal, plain, scope_of
from bot.core.step.sending import Wish, plan_global


def perform(draft: Draft, talk: Talk, interrupt: Interrupt) -> None:
    """Do what the interrupt says, in order."""
    for action in interrupt.do:
        try:
            _do(draft, talk, interrupt, action)
        except EvaluationFault as fault:
            faulted(draft, None, fault, place=interrupt.interrupt)


def _do(draft: Draft, talk: Talk, interrupt: Interrupt, action: say.Action) -> None:
    cause = f"interrupt:{interrupt.interrupt}"
    match action:
        case say.OptOut(scope=scope):
            doing.opt_out(draft, scope)
        case say.Send(content=content, send_class=kind, window=window, expire=expire):
            plan_global(draft, talk, Wish(content=content, send_class=kind, window=window, expire=expire))
        case say.Tag(tag=tag, remove=remove):
            (draft.tags.discard if remove else draft.tags.add)(tag)
            draft.trace("tag", tag=tag, removed=remove)
        case say.Score(add=add):
            draft.score += add
            draft.trace("score", add=add, score=draft.score)
        case say.SetValues():
            _set_attributes(draft, action)
        case say.OpenLead():
            doing.open_lead(draft, None, action)
        case say.ChangeConsent():
            doing.change_consent(draft, None, action, source=cause)
        case say.CreateTask():
            doing.create_task(draft, None, action)
        case say.StartJourney():
            _start(draft, talk, action, cause)
        case say.Note(text=text):
            doing.take_note(draft, None, text)
        case say.CancelJourney():
            calls.cancel(draft, None, action)
        case say.Emit():
            emitting.emit(draft, None, action)
        case say.SetStage():
            doing.set_stage(draft, None, action)
        case _:
            raise ValueError(f"`{type(action).__name__}` cannot stand in an interrupt")


def _set_attributes(draft: Draft, action: say.SetValues) -> None:
    """Give attributes of hers new values; all read those from before."""
    scope = scope_of(draft, None)
    found = [(target, plain(draft.program.value(expression, scope))) for target, expression in action.values]
    for target, value in found:
        check_option(draft, None, target, value)
    for target, value in found:
        draft.attributes[target.removeprefix("customer.")] = value
        draft.trace("set", name=target, value=MASK if personal(draft, None, target) else value)


def _start(draft: Draft, talk: Talk, action: say.StartJourney, cause: str) -> None:
    opening = entry.Opening(
        journey=draft.program.journey(action.journey),
        conversation_id=talk.conversation_id,
        given=action.arguments,
        cause=cause,
    )
    entry.admit(draft, opening)
