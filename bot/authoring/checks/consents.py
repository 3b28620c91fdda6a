"""No question for personal data without a consent on every way to it. Rule J601."""

from collections import deque
from collections.abc import Iterator

from bot.authoring.checks.graph import known
from bot.authoring.checks.purposes import fixed, granted
from bot.authoring.drafts import Drafts
from bot.authoring.nodes import place
from bot.core.actions import ChangeConsent
from bot.core.expressions.tree import Both, Call, Constant, Expression, Name, Node
from bot.core.journey import Journey
from bot.core.states import Ask, Book, Branch, CallJourney, Handoff, On, Split, State, Webhook

_GRANTED = "granted"
"""The field by which a journey that asks for consent says that it was given."""


def check(drafts: Drafts) -> None:
    """Report questions that may be reached although the consent they need was not given."""
    givable = granted(drafts)
    for draft in drafts.journeys.values():
        if not known(draft):
            continue
        for name, state in draft.journey.states.items():
            slot = draft.journey.slots.get(state.doing.slot) if isinstance(state.doing, Ask) else None
            # What nobody ever asks for is reported as such (J213).
            if slot is None or not slot.consent or (givable is not None and slot.consent not in givable):
                continue
            way = _way_without(draft.journey, name, slot.consent)
            if way:
                message = f"收集 {slot.name} 前没有授权：路径 {' → '.join(way)} 未经过 consent “{slot.consent}”"
                help = f"先 call 征求授权的旅程，再用 branch 判断；或 when: has_consent('{slot.consent}')"
                draft.page.say("J601", place(draft.places[name].value, "ask"), message, help=help)


def _way_without(journey: Journey, wanted: str, purpose: str) -> tuple[str, ...]:
    """The shortest way to `wanted` on which nothing shows that `purpose` is granted; empty when there is none."""
    if journey.audience is not None and _shows(journey, journey.audience, purpose):
        return ()
    starts = [journey.initial, *(rule.goto for rule in journey.errors), *(one.goto for one in journey.exits)]
    starts += [journey.goal.exit] if journey.goal else []
    waiting = deque(dict.fromkeys(_first(journey, start) for start in starts if start))
    before = dict.fromkeys(waiting, "")
    while waiting:
        name = waiting.popleft()
        state = journey.states.get(name)
        if state is None:
            continue
        if name == wanted and not _guarded(journey, state, purpose):
            return _trail(name, before)
        for target in dict.fromkeys(_first(journey, one) for one in _open_ways(journey, state, purpose)):
            if target and target not in before:
                before[target] = name
                waiting.append(target)
    return ()


def _first(journey: Journey, name: str) -> str:
    group = journey.groups.get(name)
    return group.initial if group else name


def _trail(name: str, before: dict[str, str]) -> tuple[str, ...]:
    trail = [name]
    while before[trail[-1]]:
        trail.append(before[trail[-1]])
    return tuple(reversed(trail))


def _guarded(journey: Journey, state: State, purpose: str) -> bool:
    return state.when is not None and _shows(journey, state.when, purpose)


def _open_ways(journey: Journey, state: State, purpose: str) -> Iterator[str]:
    """Where `state` leads without the consent being shown or given on the way."""
    yield state.otherwise
    if _guarded(journey, state, purpose):
        return
    for on in _heard(journey, state):
        if not (on.when and _shows(journey, on.when, purpose)):
            yield on.goto
    yield from (timer.goto for timer in state.timers)
    yield from ((state.timeout.goto,) if state.timeout else ())
    yield from (state.give_up, state.fail)
    if any(_gives(action, purpose) for action in state.do):
        return
    match state.doing:
        case Branch(arms=arms):
            yield from (arm.goto for arm in arms if not (arm.when and _shows(journey, arm.when, purpose)))
        case Split(arms=split_arms):
            yield from (arm.goto for arm in split_arms)
        case Handoff(fallback=fallback):
            yield from (state.then, fallback)
        case Book(full=full, fail=fail):
            yield from (state.then, full, fail)
        case Webhook(fail=fail):
            yield from (state.then, fail)
        case _:
            yield state.then


def _heard(journey: Journey, state: State) -> Iterator[On]:
    yield from state.events
    group = journey.groups.get(state.group)
    yield from group.events if group else ()


def _gives(action: object, purpose: str) -> bool:
    return isinstance(action, ChangeConsent) and action.granted and fixed(action.purpose) == purpose


def _shows(journey: Journey, guard: Expression, purpose: str) -> bool:
    """Whether `guard` can only hold when `purpose` is granted."""
    return _proves(journey, guard.tree, purpose)


def _proves(journey: Journey, node: Node, purpose: str) -> bool:
    match node:
        case Both(op="and", operands=operands):
            return any(_proves(journey, one, purpose) for one in operands)
        case Both(operands=operands):
            return all(_proves(journey, one, purpose) for one in operands)
        case Call(name="has_consent", arguments=(Constant(value=value),)):
            return value == purpose
        case Name(path=(save, field)):
            return field == _GRANTED and save in _asked_for(journey, purpose)
        case _:
            return False


def _asked_for(journey: Journey, purpose: str) -> frozenset[str]:
    """The names under which calls that were handed this very purpose keep what they bring back."""
    found = [state.doing for state in journey.states.values() if isinstance(state.doing, CallJourney)]
    return frozenset(call.save for call in found if any(fixed(value) == purpose for _, value in call.arguments))
