"""Files that are changed while the product runs: taken over when they are clean, and only then.

The folders are looked at once a second rather than watched: that works on every file system, and costs one `stat` a
file. A change counts once it has stood still from one look to the next, so that half a save is never read.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import structlog

from bot.authoring.shelf import FILES_MAX, walk
from bot.core.program import Program
from bot.errors import AuthoringError, ConfigError
from bot.runtime.bugs import kind_of, place_of, trace_of
from bot.runtime.live import Live

LOOK_EVERY_S = 1.0

Outcome: TypeAlias = Literal["same", "changing", "taken", "refused"]
Stamp: TypeAlias = Mapping[str, tuple[int, int, int]]
"""Of each file the time of its last change, its size and its number on the disk."""

log = structlog.get_logger(__name__)


def _nobody() -> None:
    """Nobody waits for a new program."""


def _unheard(_outcome: Outcome) -> None:
    """Nobody waits to be told."""


class Reloading:
    """Keeps `live` at what stands in `folders`, as long as that has no errors.

    `load`: reads the folders anew. AuthoringError or ConfigError from it leaves the old program in force. `refused` is
    then what was wrong, as a marketer reads it; empty: what runs is what stands in the files. `taken` is told of a new
    program.
    """

    def __init__(
        self, live: Live, folders: Sequence[Path], load: Callable[[], Program], *, taken: Callable[[], None] = _nobody
    ) -> None:
        self._live = live
        self._folders = tuple(folders)
        self._load = load
        self._taken = taken
        self._known = stamp_of(self._folders)
        self._seen = self._known
        self._unseen = self._complaint = ""
        self._bug = ""

    @property
    def refused(self) -> str:
        """Why the files could not be looked at just now, or else what is wrong with them as they were read last."""
        return self._unseen or self._complaint

    @property
    def failed(self) -> bool:
        """Whether the last look met a bug or a disk that fails, which was logged."""
        return self._bug != ""

    def begin(self, stop: asyncio.Event, *, told: Callable[[Outcome], None] = _unheard) -> asyncio.Task[None]:
        """Look from now on, beside everything else, until `stop` is set; see `run`."""
        return asyncio.create_task(self.run(stop, told=told))

    async def run(self, stop: asyncio.Event, *, told: Callable[[Outcome], None] = _unheard) -> None:
        """Look until `stop` is set. `told`, which must not fail: of a new program, and when `refused` says another."""
        while not stop.is_set():
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await stop.wait()
            except TimeoutError:
                before = self.refused
                outcome = await self.look()
                if outcome == "taken" or self.refused != before:
                    told(outcome)

    async def look(self, *, settled: bool = False) -> Outcome:
        """Take over what has changed since it was last read. `settled`: nobody is writing, so a change counts at once.

        Reading and checking happen beside the loop; what is in hand there goes on with the old program. A bug, or a
        disk that fails, is told once and refuses the change; the next save is looked at like any other. What could not
        be looked at at all is no change: it counts until it can be.
        """
        known = self._known
        try:
            outcome = await self._look(settled=settled)
        except Exception as bug:  # noqa: BLE001 - the top of this loop: one change must not end all later ones
            self._tell(bug)
            if self._known is known:
                self._unseen = f"看不到旅程文件，仍用原来的旅程；能看到了会自己继续（{self._bug}）\n"
            else:
                self._complaint = f"读取旅程文件时程序出错，仍用原来的旅程；改好再存一次会重新读取（{self._bug}）\n"
            return "refused"
        self._bug = ""
        return outcome

    def _tell(self, bug: Exception) -> None:
        """Say it, but not every second again while nothing changes."""
        if self._bug != kind_of(bug):
            self._bug = kind_of(bug)
            log.error("reloading_failed", why=self._bug, place=place_of(bug), trace=trace_of(bug))

    async def _look(self, *, settled: bool) -> Outcome:
        stamp = await asyncio.to_thread(stamp_of, self._folders)
        self._unseen = ""
        moved = stamp != self._seen
        self._seen = stamp
        if stamp == self._known:
            return "same"
        if moved and not settled:
            return "changing"
        self._known = stamp
        try:
            program = await asyncio.to_thread(self._load)
        except (AuthoringError, ConfigError) as error:
            self._complaint = error.what
            return "refused"
        self._complaint = ""
        self._live.program = program
        self._taken()
        return "taken"


def stamp_of(folders: Sequence[Path]) -> Stamp:
    """How the files below `folders` stand now; of at most FILES_MAX a folder, more are not read either."""
    found: dict[str, tuple[int, int, int]] = {}
    for folder in folders:
        for _, path in zip(range(FILES_MAX + 1), walk(folder), strict=False):
            try:
                status = path.stat()
            except OSError:
                continue  # it went away while we looked: that is a change, seen at the next look
            found[path.as_posix()] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found
