"""Who takes care of an error, looked for from the inside out. Source: journey-language.md 3.10, 3.11."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.actions import Action
from bot.core.rules import OnError
from bot.core.states import Ask, Book, State, Webhook
from bot.core.step.copies import Run
from bot.core.step.draft import Draft

ONLY_WHERE_NAMED = frozenset({"send.blocked", "task.overdue"})
"""Errors that are nobody's fault: a rule takes them only by their name or family, and without one nothing happens."""
NO_OPTIONS = "slot.no_options"
"""An ask had nothing to offer: it has a way out of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """What is done about an error. `goto` empty: the run ends. `for_all`: by a rule of everybody's."""

    do: tuple[Action, ...] = ()
    goto: str = ""
    for_all: bool = False


def catcher(draft: Draft, run: Run, error: str) -> Catch | None:
    """What the state says about the error, else its group, else the journey; None: nothing."""
    journey = draft.program.journey(run.journey)
    state = journey.states.get(run.state)
    if state is not None and error not in ONLY_WHERE_NAMED:
        goto = _way_out(state, error)
        if not goto and state.group:
            goto = journey.groups[state.group].fail
        if goto:
            return Catch(goto=goto)
    return _as_catch(rule_for(journey.errors, error))


def everybodys(draft: Draft, error: str) -> Catch | None:
    """What `_global.yaml` says about the error, None: nothing."""
    rule = rule_for(draft.program.rules.errors, error)
    return Catch(do=rule.do, for_all=True) if rule is not None else None


def _as_catch(rule: OnError | None) -> Catch | None:
    return Catch(do=rule.do, goto=rule.goto) if rule is not None else None


def _way_out(state: State, error: str) -> str:
    """Where the state itself goes with `error`, empty: it does not say."""
    match state.doing:
        case Book(full=full) if error == "book.full" and full:
            return full
        case Book(fail=fail) | Webhook(fail=fail) if fail:
            return fail
        case Ask() if error == NO_OPTIONS:
            return state.fail or state.give_up
    return state.fail


def rule_for(rules: Sequence[OnError], error: str) -> OnError | None:
    """The rule that names the error most closely: itself, its family, everything; ties by the order of the file."""
    families = [rule for rule in rules if rule.error != "*" and _belongs(error, rule.error.removesuffix(".*"))]
    if families:
        return max(families, key=lambda rule: len(rule.error.removesuffix(".*")))
    if error in ONLY_WHERE_NAMED:
        return None
    return next((rule for rule in rules if rule.error == "*"), None)


def _belongs(error: str, family: str) -> bool:
    return error == family or error.startswith(f"{family}.")
