"""Taking back an answer: the old value gives way to the new one, and what depended on it is looked at again.

Source: journey-language.md 2.4 step 5, 2.11 `_repair/correct`.
"""

from collections.abc import Iterator

from bot.core.customer import Repair
from bot.core.events import Json
from bot.core.expressions.tree import Expression
from bot.core.expressions.values import EvaluationFault
from bot.core.slots import Slot
from bot.core.states import Ask, Branch, State
from bot.core.step import knowing, offering
from bot.core.step.answers import journalled
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.knowing import Correction
from bot.core.step.questions import journey_of
from bot.core.step.scope import scope_of


def is_right(draft: Draft, found: Correction) -> bool:
    """Whether the new value may take the place of the old. EvaluationFault: that cannot be worked out."""
    run, slot, value = found.run, found.slot, found.reading.value
    if slot.options_from is not None and not _is_offered(draft, run, slot, value):
        return False
    return knowing.passes_check(draft, run, slot, value)


def _is_offered(draft: Draft, run: Run, slot: Slot, value: Json) -> bool:
    return any(value in (one.text, one.value) for one in offering.work_out(draft, run, slot))


def apply(draft: Draft, repair: Repair) -> None:
    """Put the new value in its place, and go back to the earliest state that would have gone on differently."""
    run = draft.runs.get(repair.owner) if repair.owner else None
    slot = journey_of(draft, run).slots.get(repair.slot) if run is not None else None
    if run is None or slot is None:
        return
    ways = dict(_ways(draft, run, slot.name))
    knowing.keep(draft, run, slot, repair.value)
    gone = _forget_dependants(draft, run, slot.name)
    target = _earliest(draft, run, ways, gone)
    shown, forgotten = journalled(slot, repair.value), list[Json](sorted(gone))
    draft.trace(
        "corrected", run, slot=slot.name, outcome="applied", value=shown, forgotten=forgotten, goto=target or None
    )
    if target:
        draft.replanned.add(run.enrolment_id)
        draft.go(run, target)


def _been(draft: Draft, run: Run) -> Iterator[State]:
    """The states that `run` has left, in the order in which it first left them."""
    states = journey_of(draft, run).states
    yield from (states[name] for name in run.counts if name in states)


def _ways(draft: Draft, run: Run, name: str) -> Iterator[tuple[str, str]]:
    """The branches that looked at the answer, each with where it leads now."""
    for state in _been(draft, run):
        if isinstance(state.doing, Branch) and any(_reads(draft, run, arm.when, name) for arm in state.doing.arms):
            way = _way(draft, run, state.doing)
            if way:
                yield state.name, way


def _way(draft: Draft, run: Run, branch: Branch) -> str:
    """Where the branch leads, empty when that cannot be worked out: then it leads on as it did."""
    scope = scope_of(draft, run)
    try:
        return next(arm.goto for arm in branch.arms if arm.when is None or draft.program.guard(arm.when, scope))
    except EvaluationFault:
        return ""


def _reads(draft: Draft, run: Run, expression: Expression | None, name: str) -> bool:
    return expression is not None and f"slots.{name}" in draft.program.reads(expression, scope_of(draft, run))


def _forget_dependants(draft: Draft, run: Run, name: str) -> set[str]:
    """Forget the answers that do not hold beside the new one. Their names."""
    gone: set[str] = set()
    for slot in journey_of(draft, run).slots.values():
        value = run.slots.get(slot.name)
        depends = _reads(draft, run, slot.check, name) or _reads(draft, run, slot.options_from, name)
        if slot.name != name and value is not None and depends and not _holds(draft, run, slot, value):
            knowing.forget(run, slot)
            gone.add(slot.name)
    return gone


def _holds(draft: Draft, run: Run, slot: Slot, value: Json) -> bool:
    try:
        offered = slot.options_from is None or _is_offered(draft, run, slot, value)
        return offered and knowing.passes_check(draft, run, slot, value)
    except EvaluationFault:
        return False


def _earliest(draft: Draft, run: Run, ways: dict[str, str], gone: set[str]) -> str:
    """The state to go to: the new way of the first branch that leads elsewhere, or the first question that is open
    again. Empty: everything stands as it did."""
    for state in _been(draft, run):
        if state.name in ways and isinstance(state.doing, Branch):
            way = _way(draft, run, state.doing)
            if way and way != ways[state.name]:
                return way
        if isinstance(state.doing, Ask) and state.doing.slot in gone:
            return state.name
    return ""
