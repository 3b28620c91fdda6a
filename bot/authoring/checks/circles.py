"""Ways through a graph: back to where they began, or too far."""

from collections import deque
from collections.abc import Mapping

Edges = Mapping[str, tuple[str, ...]]


def circle(start: str, edges: Edges) -> tuple[str, ...]:
    """The shortest way from `start` back to itself, with `start` at both ends; empty when there is none."""
    before: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        current = waiting.popleft()
        for target in edges.get(current, ()):
            if target == start:
                return (*_way(start, current, before), start)
            if target not in before:
                before[target] = current
                waiting.append(target)
    return ()


def _way(start: str, end: str, before: Mapping[str, str]) -> tuple[str, ...]:
    way = [end]
    while way[-1] != start:
        way.append(before[way[-1]])
    return tuple(reversed(way))


def way_of_length(start: str, edges: Edges, length: int) -> tuple[str, ...]:
    """A way of `length` edges from `start`, empty when every way is shorter. For graphs without circles."""
    ways: dict[str, tuple[str, ...]] = {start: (start,)}
    for _ in range(length):
        ways = {target: (*way, target) for end, way in ways.items() for target in edges.get(end, ())}
    return next(iter(ways.values()), ())
