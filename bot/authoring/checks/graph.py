"""The shape of a journey: everything is reached, everything leads on, nothing spins. J101, J102, J104, J106, J204."""

from collections.abc import Iterable

from bot.authoring.checks.circles import Edges, circle
from bot.authoring.drafts import Drafts, slot_names, state_names, state_node
from bot.authoring.nodes import Node, Scalar, Table, place
from bot.authoring.read_doing import FOREVER
from bot.authoring.read_journey import JourneyDraft
from bot.core.states import Ask, Book, Branch, CallJourney, End, Handoff, Split, State, Wait, Webhook

_SETTLED = frozenset({"then", "branch", "split", "end", "use"})
"""Keys with which it is settled where a state leads."""
_KEYS_LOST = frozenset({"J002", "J006", "J010"})
"""Findings with which a key of a state may have got lost."""
_WAYS_LOST = frozenset(
    {"J002", "J003", "J004", "J006", "J008", "J010", "J014", "J015", "J016", "J017", "J019", "J090"}
    | {"J103", "J111", "J113"}
)
"""Findings with which a `goto` may have got lost."""


def check(drafts: Drafts) -> None:
    """Report what is wrong with the graph of each journey."""
    for draft in drafts.journeys.values():
        found = {finding.rule for finding in draft.page.findings.found.values()}
        ended = not found & _KEYS_LOST and _dead_ends(draft)
        if not ended and known(draft):
            _unreached(draft)
            _traps(draft)
        _spinning(draft)
        _unasked(draft)


def known(draft: JourneyDraft) -> bool:
    """Whether every way through the journey could be read; if not, what it leads to is anybody's guess."""
    found = {finding.rule for finding in draft.page.findings.found.values()}
    return not found & _WAYS_LOST


def reached(draft: JourneyDraft) -> set[str]:
    """The states and groups that can be entered at all."""
    edges = edges_of(draft)
    return closure((*state_names(draft)[:1], *edges.get("", ())), edges)


def edges_of(draft: JourneyDraft) -> Edges:
    """Which states each state names, in the order of the file; under "" what the journey itself names.

    A group leads to its first state, and each of its states wherever the group's own events and exits lead.
    """
    found: dict[str, list[str]] = {}
    for reference in draft.page.references:
        if reference.kind == "state":
            found.setdefault(reference.state, []).append(reference.name)
    for state in draft.journey.states.values():
        found.setdefault(state.name, []).extend(found.get(state.group, ()) if state.group else ())
    edges = {state: tuple(names) for state, names in found.items()}
    return {**edges, **{name: (group.initial,) for name, group in draft.journey.groups.items()}}


def closure(starts: Iterable[str], edges: Edges) -> set[str]:
    """`starts`, and all that they lead to."""
    waiting, seen = list(starts), set[str]()
    while waiting:
        state = waiting.pop()
        if state not in seen:
            seen.add(state)
            waiting.extend(edges.get(state, ()))
    return seen


def _unreached(draft: JourneyDraft) -> None:
    entered = reached(draft)
    for name in state_names(draft):
        if name not in entered:
            message = f"状态 “{name}” 无法到达（从第一个状态出发，没有任何 goto/then 走到它）"
            draft.page.say("J101", draft.places[name].key, message, help="让某个状态跳到它，或删掉它")


def _dead_ends(draft: JourneyDraft) -> bool:
    found = False
    for name in state_names(draft):
        node = state_node(draft, name)
        if isinstance(node, Table) and not _is_settled(node):
            message = f"状态 “{name}” 没有出口：缺 then、branch 或 end"
            draft.page.say("J102", draft.places[name].key, message, help="then: 下一个状态，或 end: 结局")
            found = True
    return found


def _is_settled(node: Table) -> bool:
    if any(entry.key.text in _SETTLED for entry in node.entries):
        return True
    wait = node.entry("wait")
    return wait is not None and _is_endless(wait.value)


def _is_endless(node: Node) -> bool:
    if isinstance(node, Scalar):
        return node.text == FOREVER
    return isinstance(node, Table) and node.entry(FOREVER) is not None


def _traps(draft: JourneyDraft) -> None:
    names, edges = state_names(draft), edges_of(draft)
    ends = [name for name in names if _ends(draft, name)]
    backwards: dict[str, tuple[str, ...]] = {}
    for state, targets in edges.items():
        for target in targets:
            backwards[target] = (*backwards.get(target, ()), state)
    escaping = closure(ends, backwards)
    entered = reached(draft)
    trapped = [name for name in names if name in entered and name not in escaping]
    if trapped:
        message = f"从 “{trapped[0]}” 出发永远到不了任何 end（陷阱）：{'、'.join(trapped[:8])}"
        draft.page.say("J106", draft.places[trapped[0]].key, message, help="给其中一个状态一条通向 end 的路")


def _ends(draft: JourneyDraft, name: str) -> bool:
    node = state_node(draft, name)
    return not isinstance(node, Table) or any(node.entry(key) for key in ("end", "use"))


def instant(state: State) -> tuple[str, ...]:
    """The states that are entered in the same moment as `state`, without waiting for anything."""
    ways: tuple[str, ...]
    match state.doing:
        case None:
            ways = (state.otherwise, state.then)
        case Branch(arms=arms):
            ways = (state.otherwise, *(arm.goto for arm in arms))
        case Split(arms=split_arms):
            ways = (state.otherwise, *(arm.goto for arm in split_arms))
        case Ask() | Wait() | Handoff() | CallJourney() | Book() | Webhook() | End():
            ways = (state.otherwise,)
    return tuple(way for way in ways if way)


def through_groups(draft: JourneyDraft, edges: Edges) -> Edges:
    """`edges`, with what leads to a group leading to its first state."""
    first = {name: group.initial for name, group in draft.journey.groups.items()}
    return {state: tuple(first.get(way, way) for way in ways) for state, ways in edges.items()}


def _spinning(draft: JourneyDraft) -> None:
    edges = through_groups(draft, {name: instant(state) for name, state in draft.journey.states.items()})
    reported: set[str] = set()
    for name in draft.journey.states:
        cycle = circle(name, edges)
        if cycle and not reported & set(cycle):
            reported |= set(cycle)
            message = f"死循环且不等待：{' → '.join(cycle)}（循环中没有 ask/wait/handoff）"
            draft.page.say("J104", draft.places[name].key, message, help="在循环里加一步 wait 或 ask")


def _unasked(draft: JourneyDraft) -> None:
    asked = {reference.name for reference in draft.page.references if reference.kind == "slot"}
    if asked - set(slot_names(draft)):
        return  # one of them is misspelt, and reported
    for name, slot in draft.journey.slots.items():
        if name not in asked and slot.prefill is None:
            message = f"槽 “{name}” 声明了但从未询问"
            draft.page.say("J204", place(draft.root, "slots", name), message, help=f"加一个状态 ask: {name}，或删掉它")
