"""Defects of the door: what is acknowledged is not what is kept."""

import asyncio
from collections.abc import Sequence

from bot.core.events import Event
from bot.runtime.door import Door
from tests.defects.patches import Patch

_accept = Door.accept
_seen: set[str] = set()
_running: set[asyncio.Task[None]] = set()


async def _at_once(self: Door, events: Sequence[Event]) -> None:
    task = asyncio.create_task(_accept(self, events))
    _running.add(task)
    task.add_done_callback(_forget)


def _forget(task: asyncio.Task[None]) -> None:
    _running.discard(task)
    if not task.cancelled():
        task.exception()


async def _remembering(self: Door, events: Sequence[Event]) -> None:
    fresh = [event for event in events if event.event_id not in _seen]
    _seen.update(event.event_id for event in fresh)
    if fresh:
        await _accept(self, fresh)


async def _shedding(self: Door, events: Sequence[Event]) -> None:
    if self._committing is None or self._committing.done():
        await _accept(self, events)


DEFECTS = {
    "acknowledge-before-commit": (
        "A callback is answered while its commit is still under way.",
        [Patch(Door, "accept", _at_once)],
    ),
    "dedupe-in-memory": (
        "An event seen once counts as committed, though its commit failed or is not done.",
        [Patch(Door, "accept", _remembering)],
    ),
    "drop-on-overload": (
        "A callback that comes while another is being committed is answered and dropped.",
        [Patch(Door, "accept", _shedding)],
    ),
}
