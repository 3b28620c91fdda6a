"""The shape of a journey: everything is reached, everything leads on, nothing spins. J101, J102, J104, J106, J204."""

from collections.abc import Iterable, Mapping

from bot.authoring.drafts import Drafts, state_names, state_node
from bot.authoring.nodes import Table, place
from bot.authoring.read_journey import JourneyDraft
from bot.core.journey import Ask, Branch, CallJourney, End, Handoff, State, Wait

_SETTLED = ("then", "branch", "end")
_SETTLED_LATER = ("split", "book", "webhook", "group")
"""Steps that are refused with J090 anyway; what leads on from them is not known."""

Edges = Mapping[str, tuple[str, ...]]


def check(drafts: Drafts) -> None:
    """Report what is wrong with the graph of each journey."""
    for draft in drafts.journeys.values():
        edges = _edges(draft)
        _reached(draft, edges)
        if not _dead_ends(draft):
            _traps(draft, edges)
        _spinning(draft)
        _unasked(draft)


def _edges(draft: JourneyDraft) -> Edges:
    """Which states each state names, in the order of the file; under "" what the journey's errors name."""
    found: dict[str, list[str]] = {}
    for reference in draft.page.references:
        if reference.kind == "state":
            found.setdefault(reference.state, []).append(reference.name)
    return {state: tuple(names) for state, names in found.items()}


def _closure(starts: Iterable[str], edges: Edges) -> set[str]:
    waiting, seen = list(starts), set[str]()
    while waiting:
        state = waiting.pop()
        if state not in seen:
            seen.add(state)
            waiting.extend(edges.get(state, ()))
    return seen


def _reached(draft: JourneyDraft, edges: Edges) -> None:
    names = state_names(draft)
    reached = _closure((*names[:1], *edges.get("", ())), edges)
    for name in names:
        if name not in reached:
            message = f"状态 “{name}” 无法到达（从第一个状态出发，没有任何 goto/then 走到它）"
            draft.page.say("J101", place(draft.root, "states", name), message, help="让某个状态跳到它，或删掉它")


def _dead_ends(draft: JourneyDraft) -> bool:
    found = False
    for name in state_names(draft):
        node = state_node(draft, name)
        keys = {entry.key.text for entry in node.entries} if isinstance(node, Table) else {"then"}
        if not keys & {*_SETTLED, *_SETTLED_LATER}:
            message = f"状态 “{name}” 没有出口：缺 then、branch 或 end"
            draft.page.say("J102", place(draft.root, "states", name), message, help="then: 下一个状态，或 end: 结局")
            found = True
    return found


def _traps(draft: JourneyDraft, edges: Edges) -> None:
    names = state_names(draft)
    if any(target not in names for targets in edges.values() for target in targets):
        return
    ends = [name for name in names if _ends(draft, name)]
    backwards: dict[str, tuple[str, ...]] = {}
    for state, targets in edges.items():
        for target in targets:
            backwards[target] = (*backwards.get(target, ()), state)
    escaping = _closure(ends, backwards)
    trapped = [name for name in names if name not in escaping]
    if trapped:
        message = f"从 “{trapped[0]}” 出发永远到不了任何 end（陷阱）：{'、'.join(trapped[:8])}"
        draft.page.say("J106", place(draft.root, "states", trapped[0]), message, help="给其中一个状态一条通向 end 的路")


def _ends(draft: JourneyDraft, name: str) -> bool:
    node = state_node(draft, name)
    return not isinstance(node, Table) or any(node.entry(key) for key in ("end", *_SETTLED_LATER))


def instant(state: State) -> tuple[str, ...]:
    """The states that are entered in the same moment as `state`, without waiting for anything."""
    ways = [state.otherwise] if state.otherwise else []
    match state.doing:
        case None:
            ways.append(state.then)
        case Branch(arms=arms):
            ways.extend(arm.goto for arm in arms)
        case Ask() | Wait() | Handoff() | CallJourney() | End():
            pass
    return tuple(way for way in ways if way)


def _spinning(draft: JourneyDraft) -> None:
    edges = {name: instant(state) for name, state in draft.journey.states.items()}
    reported: set[str] = set()
    for name in draft.journey.states:
        cycle = _loop(name, edges)
        if cycle and not reported & set(cycle):
            reported |= set(cycle)
            message = f"死循环且不等待：{' → '.join(cycle)}（循环中没有 ask/wait/handoff）"
            draft.page.say("J104", place(draft.root, "states", name), message, help="在循环里加一步 wait 或 ask")


def _loop(start: str, edges: Edges) -> tuple[str, ...]:
    """The shortest way from `start` back to itself, empty when there is none."""
    paths: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    while paths:
        path = paths.pop(0)
        for target in edges.get(path[-1], ()):
            if target == start:
                return (*path, target)
            if target not in seen:
                seen.add(target)
                paths.append((*path, target))
    return ()


def _unasked(draft: JourneyDraft) -> None:
    asked = {reference.name for reference in draft.page.references if reference.kind == "slot"}
    for name in draft.journey.slots:
        if name not in asked:
            message = f"槽 “{name}” 声明了但从未询问"
            draft.page.say("J204", place(draft.root, "slots", name), message, help=f"加一个状态 ask: {name}，或删掉它")
