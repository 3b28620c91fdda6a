"""The shortest ways through a journey to a state."""

from collections import deque
from collections.abc import Iterator
from typing import TypeAlias

from bot.core.journey import Journey
from bot.sandbox.trials.ways import ANYWHERE, Way, ways_of

PATHS_MAX = 10
"""Ways that are told."""
LOOKED_AT_MAX = 20_000
"""Beginnings of ways that are looked at; a journey that branches further is told in part."""

Steps: TypeAlias = tuple[Way, ...]


def shortest(journey: Journey, target: str, *, most: int = PATHS_MAX) -> Iterator[Steps]:
    """At most `most` ways from the beginning of `journey` to `target`, the shortest first; no state twice in one."""
    ways: dict[str, list[Way]] = {}
    for way in ways_of(journey):
        if way.state != ANYWHERE:
            ways.setdefault(way.state, []).append(way)
    waiting: deque[tuple[str, Steps]] = deque([(journey.initial, ())])
    found = looked_at = 0
    while waiting and found < most and looked_at < LOOKED_AT_MAX:
        looked_at += 1
        state, steps = waiting.popleft()
        if state == target:
            found += 1
            yield steps
            continue
        seen = {journey.initial, *(way.goto for way in steps)}
        waiting.extend((way.goto, (*steps, way)) for way in ways.get(state, []) if way.goto not in seen)


def as_line(journey: Journey, steps: Steps) -> str:
    """`hello → need —timeout→ nudge`: the state, and how it is left where that is not by `then`.

    A state in a group is told with it: `问答/need`.
    """
    told = _label(journey, journey.initial)
    for way in steps:
        how = way.name.removeprefix(f"{way.state}.")
        goto = _label(journey, way.goto)
        told += f" → {goto}" if how in ("then", "closed") else f" —{how}→ {goto}"
    return told


def _label(journey: Journey, name: str) -> str:
    group = journey.states[name].group
    return f"{group}/{name}" if group else name
