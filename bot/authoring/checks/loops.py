"""Circles that only time drives, and goals that are reached before they begin. Rules J105, J112."""

from bot.authoring.checks.circles import circle
from bot.authoring.checks.graph import instant, known, reached, through_groups
from bot.authoring.drafts import Drafts
from bot.authoring.nodes import place
from bot.authoring.read_journey import JourneyDraft
from bot.core.expressions.analyse import names
from bot.core.expressions.tree import Expression
from bot.core.states import Ask, Branch, State


def check(drafts: Drafts) -> None:
    """Report circles without a bound, and goals that take a customer out who has just come in."""
    for draft in drafts.journeys.values():
        if known(draft):
            _unbounded(draft)
        _reached_before(draft)


def _unbounded(draft: JourneyDraft) -> None:
    limits = draft.root.entry("limits")
    if limits and place(draft.root, "limits", "max_age") != limits.key.span:
        return
    if any(finding.rule == "J106" for finding in draft.page.findings.found.values()):
        return  # what never ends is reported as such
    states, entered = draft.journey.states, reached(draft)
    edges = through_groups(draft, {name: _by_time(state) for name, state in states.items()})
    reported: set[str] = set()
    for name in states:
        cycle = circle(name, edges)
        if not cycle or name not in entered or reported & set(cycle):
            continue
        reported |= set(cycle)
        if not any(_is_guarded(states[one]) for one in cycle if one in states):
            message = f"循环 {' → '.join(cycle)} 没有上限：客户不说话也会一直转"
            help = f"给其中一个状态加上 when: counts.{name} < 3 和 else，或在 limits 里写 max_age"
            draft.page.say("J105", draft.places[name].key, message, help=help)


def _by_time(state: State) -> tuple[str, ...]:
    """Where the customer gets without doing anything herself."""
    ways = [*instant(state), *(timer.goto for timer in state.timers)]
    if state.timeout:
        ways.append(state.timeout.goto)
    if not isinstance(state.doing, Ask):
        ways.append(state.then)
    return tuple(way for way in ways if way)


def _is_guarded(state: State) -> bool:
    """Whether something is asked there that may lead out one day."""
    return state.when is not None or isinstance(state.doing, Branch)


def _reached_before(draft: JourneyDraft) -> None:
    goal = draft.journey.goal
    if goal is None or goal.when is None or not goal.exit:
        return
    read = names(goal.when.tree)
    if not read or any(path[0] != "customer" for path in read):
        return
    asked = {path for guard in _entering(draft) for path in names(guard.tree)}
    if not read <= asked:
        source = goal.when.source
        message = f"goal 可在进入前已满足：{source} 为真的客户会立即离开（audience 没有排除）"
        draft.page.say("J112", place(draft.root, "goal", "when"), message, help=f"audience: not ({source})")


def _entering(draft: JourneyDraft) -> list[Expression]:
    journey = draft.journey
    guards = [entry.when for entry in journey.enter]
    found = [journey.audience] if journey.audience else []
    # One way in that asks nothing lets everybody in.
    return found + [guard for guard in guards if guard] if all(guards) else found
