"""Every consent that is needed is asked for somewhere. Rule J213."""

from collections.abc import Iterator

from bot.authoring.drafts import Drafts
from bot.authoring.suggest import meant
from bot.core.actions import Action, ChangeConsent, StartJourney
from bot.core.expressions.tree import Name, Output, Template
from bot.core.journey import Journey
from bot.core.states import CallJourney


def check(drafts: Drafts) -> None:
    """Report purposes that no journey ever asks the customer for."""
    known = granted(drafts)
    if known is None:
        return
    for draft in drafts.journeys.values():
        for reference in draft.page.references:
            if reference.kind == "purpose" and reference.name not in known:
                message = f"授权用途 “{reference.name}” 没有任何旅程会征得{meant(reference.name, sorted(known))}"
                help = "在提问之前 call 一个征求授权的旅程，例如 call: {journey: consent-phone, with: {purpose: …}}"
                draft.page.say("J213", reference.span, message, help=help)


def granted(drafts: Drafts) -> frozenset[str] | None:
    """The purposes that some journey can grant; None when that cannot be told from the files."""
    found: set[str] = set()
    for draft in drafts.journeys.values():
        for action in actions(draft.journey):
            if isinstance(action, ChangeConsent) and action.granted:
                purposes = _purposes(drafts, draft.journey, action.purpose)
                if purposes is None:
                    return None
                found |= purposes
    return frozenset(found)


def _purposes(drafts: Drafts, journey: Journey, template: Template) -> set[str] | None:
    """What `template` may come to: itself, or whatever callers hand over for the variable it names."""
    written = fixed(template)
    if written is not None:
        return {written}
    match template.parts:
        case (Output(tree=Name(path=("vars", variable))),):
            handed = [fixed(value) for value in _handed(drafts, journey.journey, variable)]
            default = journey.vars[variable].default if variable in journey.vars else None
            texts = [text for text in handed if text is not None]
            if len(texts) < len(handed):
                return None
            return {*texts, *([default] if isinstance(default, str) else [])}
        case _:
            return None


def fixed(template: Template) -> str | None:
    """The text of a template in which no value stands, else None."""
    if all(isinstance(part, str) for part in template.parts):
        return "".join(part for part in template.parts if isinstance(part, str)).strip()
    return None


def _handed(drafts: Drafts, journey: str, variable: str) -> Iterator[Template]:
    for draft in drafts.journeys.values():
        begun: list[StartJourney | CallJourney] = [
            one for one in actions(draft.journey) if isinstance(one, StartJourney)
        ]
        called = [state.doing for state in draft.journey.states.values() if isinstance(state.doing, CallJourney)]
        for begin in (*begun, *called):
            if begin.journey == journey:
                yield from (value for name, value in begin.arguments if name == variable)


def actions(journey: Journey) -> Iterator[Action]:
    """Every action of `journey`, wherever it stands."""
    for state in journey.states.values():
        yield from state.do
        for on in state.events:
            yield from on.do
        for timer in state.timers:
            yield from timer.do
    for group in journey.groups.values():
        for on in group.events:
            yield from on.do
    for rule in journey.errors:
        yield from rule.do
