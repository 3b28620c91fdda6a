"""Slots that are read where they cannot have been answered: no way that leads there asks for them. Rule J205.

A slot that only some of the ways ask for is null on the others, which is allowed: conditions and texts know null.
"""

from collections.abc import Iterator, Mapping

from bot.authoring.checks.circles import Edges
from bot.authoring.checks.graph import closure, edges_of, known, reached
from bot.authoring.drafts import Drafts
from bot.authoring.page import Formula
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.source import Span
from bot.core.expressions.analyse import names, nodes
from bot.core.expressions.tree import Call, Expression, Filter, Name
from bot.core.expressions.walk import walk
from bot.core.states import Ask

_KNOWS_NULL = frozenset({"has", "default"})


def check(drafts: Drafts) -> None:
    """Report what is read although nobody can have answered it."""
    for draft in drafts.journeys.values():
        if known(draft):
            _unanswered(drafts, draft)


def _unanswered(drafts: Drafts, draft: JourneyDraft) -> None:
    answered = _answered(draft)
    entered = reached(draft)
    for state, slot, span, what in _reads(drafts, draft):
        asking = answered.get(slot)
        if asking is None or state in asking or state not in entered:
            continue
        way = " → ".join(_way(draft, state))
        message = f"{what}用到 slots.{slot}，但走到 “{state}” 的路上从未问过它（例如 {way}）"
        draft.page.say("J205", span, message, help=f"先走 ask: {slot} 再到这里，或用 has(slots.{slot}) 判断")


def _answered(draft: JourneyDraft) -> Mapping[str, frozenset[str]]:
    """For every slot that is asked for, the states in which it may have been answered."""
    edges = _all_ways(draft)
    found: dict[str, frozenset[str]] = {}
    for name, state in draft.journey.states.items():
        if isinstance(state.doing, Ask):
            before = found.get(state.doing.slot, frozenset[str]())
            found[state.doing.slot] = before | closure((name,), edges)
    # What was asked under an old name may be answered anywhere.
    renamed = frozenset(draft.journey.moved.values())
    return {slot: states for slot, states in found.items() if slot in draft.journey.slots and slot not in renamed}


def _all_ways(draft: JourneyDraft) -> Edges:
    """Every way from state to state: those of the journey itself from each, and into a group where it was left."""
    edges = edges_of(draft)
    anywhere = edges.get("", ())
    found = {name: (*ways, *anywhere) for name, ways in edges.items()}
    for name in draft.journey.states:
        found.setdefault(name, anywhere)
    for group in draft.journey.groups:
        inner = tuple(one.name for one in draft.journey.states.values() if one.group == group)
        found[group] = (*found.get(group, ()), *inner)
    return found


def _reads(drafts: Drafts, draft: JourneyDraft) -> Iterator[tuple[str, str, Span, str]]:
    """Where slots are read: the state, the slot, the place, and by what."""
    for formula in draft.page.formulas:
        for slot in _slots(formula) if formula.state and not formula.slot else ():
            yield formula.state, slot, draft.page.inside(formula.span, f"slots.{slot}"), ""
    for use in draft.page.contents:
        content = drafts.contents.get(use.content)
        if content is None or not use.state:
            continue
        for slot in sorted({slot for formula in content.page.formulas for slot in _slots(formula)}):
            if not any(_asks_null(formula, slot) for formula in content.page.formulas):
                yield use.state, slot, use.span, f"“{use.content}” "


def _slots(formula: Formula) -> list[str]:
    """The slots that a formula reads without asking whether they are there."""
    tree = formula.tree.tree if isinstance(formula.tree, Expression) else formula.tree
    read = sorted({path[1] for path in names(tree) if len(path) >= 2 and path[0] == "slots"})
    return [slot for slot in read if not _asks_null(formula, slot)]


def _asks_null(formula: Formula, slot: str) -> bool:
    """Whether it says somewhere what is to be where the slot, or what is made of it, is null."""
    tree = formula.tree.tree if isinstance(formula.tree, Expression) else formula.tree
    asking = (one for one in nodes(tree) if isinstance(one, Call | Filter) and one.name in _KNOWS_NULL)
    return any(isinstance(node, Name) and node.path[:2] == ("slots", slot) for one in asking for node in walk(one))


def _way(draft: JourneyDraft, wanted: str) -> tuple[str, ...]:
    """The shortest way to a state, from the first one or from what the journey itself leads to."""
    edges = _all_ways(draft)
    starts = (draft.journey.initial, *edges_of(draft).get("", ()))
    before = dict.fromkeys(starts, "")
    waiting = list(before)
    for state in waiting:
        if state == wanted:
            break
        for way in edges.get(state, ()):
            if way not in before:
                before[way] = state
                waiting.append(way)
    trail = [wanted]
    while before.get(trail[-1]):
        trail.append(before[trail[-1]])
    return tuple(reversed(trail))
