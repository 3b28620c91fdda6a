"""What is heard before, or beside, every question: opting out, asking for a person, frequent questions, giving up.

Source: journey-language.md 2.4 steps 2 and 7, 2.5.
"""

from collections.abc import Iterable
from typing import assert_never

from bot.core.events import Json
from bot.core.expressions.values import EvaluationFault
from bot.core.rules import Interrupt
from bot.core.step import entry, floor, global_actions, repairs
from bot.core.step.copies import Talk
from bot.core.step.draft import Draft
from bot.core.step.leaving import close
from bot.core.step.matching import matches
from bot.core.step.scope import faulted
from bot.core.step.sending import Wish, plan_global
from bot.core.triggers import REPAIRS, Heard, Triggers, triggers_of
from bot.core.understood import Understanding

OF_THE_HOLDER = frozenset({"cancel", "silence"})
"""Repairs that mean nothing while nobody asks anything: then the words go on to whoever waits for them."""


def hard(draft: Draft, talk: Talk, heard: Understanding) -> bool:
    """Step 2: what nothing may come before, not even a colleague on the floor."""
    return _first(draft, talk, triggers(draft).hard, heard)


def soft(draft: Draft, talk: Talk, heard: Understanding) -> bool:
    """Step 7: an interrupt of the rules, or the words by which a repair journey is called."""
    return _first(draft, talk, triggers(draft).soft, heard) or _repairs(draft, talk, heard)


def triggers(draft: Draft) -> Triggers:
    """All that words may set off in the library that runs."""
    return draft.program.kept(Triggers, triggers_of)


def _first(draft: Draft, talk: Talk, among: Iterable[Heard], heard: Understanding) -> bool:
    for one in among:
        if _says(one, heard):
            _carry_out(draft, talk, one.interrupt, heard)
            return True
    return False


def _says(one: Heard, heard: Understanding) -> bool:
    """Whoever wants to leave is heard however politely she says it; other keywords only as the whole text."""
    interrupt = one.interrupt
    if heard.normal in one.keywords:
        return True
    if interrupt.effect == "end_all" and not one.keywords.isdisjoint(heard.bare):
        return True
    if interrupt.intents and any(heard.intents.get(intent, 0) >= interrupt.min for intent in interrupt.intents):
        return True
    return interrupt.faq and heard.faq is not None and heard.faq[1] >= interrupt.min


def _repairs(draft: Draft, talk: Talk, heard: Understanding) -> bool:
    for match in matches(triggers(draft).repairs, heard):
        name = match.journey.journey
        if name in OF_THE_HOLDER and talk.holder is None:
            continue
        if repairs.call(draft, talk, name):
            draft.trace("interrupt", interrupt=name, effect="repair", by=match.cause)
            return True
    return False


def _carry_out(draft: Draft, talk: Talk, interrupt: Interrupt, heard: Understanding) -> None:
    faq = heard.faq[0] if interrupt.faq and heard.faq is not None and heard.normal not in interrupt.keywords else None
    said: dict[str, Json] = {"faq": faq} if faq else {}
    draft.trace("interrupt", None, interrupt=interrupt.interrupt, effect=interrupt.effect, **said)
    holder = floor.holder_of(draft, talk)
    cause = global_actions.of_interrupt(draft, talk, interrupt, holder)
    match interrupt.effect:
        case "end_all":
            entry.forget_queued(draft)
            for other in draft.talks:
                floor.clear(draft, other)
            for run in [run for run in draft.runs.values() if run.parent is None]:
                close(draft, run, interrupt.interrupt)
        case "end_focus":
            if holder is not None:
                close(draft, draft.root_of(holder), interrupt.interrupt)
        case "pause":
            floor.pause_holder(draft, talk)
        case "answer":
            _answer(draft, talk, interrupt, faq, cause)
            return
        case _:
            assert_never(interrupt.effect)
    _act(draft, interrupt, faq, cause)


def _answer(draft: Draft, talk: Talk, interrupt: Interrupt, faq: str | None, cause: global_actions.Cause) -> None:
    """What was asked stands, and is repeated below the answer: at once, or when what is called is over."""
    if interrupt.call:
        floor.pause_holder(draft, talk)
    _act(draft, interrupt, faq, cause)
    if not interrupt.call:
        floor.repeat_question(draft, talk)


def _act(draft: Draft, interrupt: Interrupt, faq: str | None, cause: global_actions.Cause) -> None:
    talk = cause.talk
    assert talk is not None, "she has just written there"
    global_actions.perform(draft, cause, interrupt.do)
    answer = triggers(draft).faqs.get(faq) if faq else None
    if answer is not None:
        plan_global(draft, talk, Wish(content=answer.content))
    if interrupt.call in REPAIRS:
        repairs.call(draft, talk, interrupt.call, _given(draft, interrupt))
    elif interrupt.call:
        opening = entry.Opening(
            journey=draft.program.journey(interrupt.call),
            conversation_id=talk.conversation_id,
            given=interrupt.arguments,
            interrupt=True,
            cause=f"interrupt:{interrupt.interrupt}",
        )
        entry.admit(draft, opening)


def _given(draft: Draft, interrupt: Interrupt) -> dict[str, Json]:
    """The values of `with:`. None of them, and a line in the journal, when one cannot be worked out."""
    try:
        return entry.arguments_of(draft, None, interrupt.arguments)
    except EvaluationFault as fault:
        faulted(draft, None, fault, place=interrupt.interrupt)
        return {}
