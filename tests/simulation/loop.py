"""An event loop whose time is virtual: when nothing is ready it jumps to the next timer. Nothing ever waits.

What runs in it belongs to the world or to a life of the product. A life that has ended is never resumed, as a
process that was killed: its tasks stay where they are, and no `finally` of theirs runs.
"""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from typing import Any, NoReturn, TypeVar  # Any: asyncio's own signatures

T = TypeVar("T")

STEPS_MAX = 3_000_000
"""Callbacks of one simulation; beyond, something rings without end."""


class Stalled(Exception):
    """The simulation waits for something that nobody will ever do, or never comes to rest."""


class Killed(BaseException):
    """The life of the product that is running ends here. No handler for exceptions may see it."""


class Life:
    """One process of the product: from its start until it is killed.

    `fuse`: callbacks that it runs before it is killed, None: no such end is planned. `on_death` runs once.
    """

    def __init__(self, *, fuse: int | None = None) -> None:
        self.fuse = fuse
        self.alive = True
        self.steps = 0
        self.on_death: list[Callable[[], None]] = []

    def run(self, callback: Callable[..., object], *args: object) -> None:
        """Run one callback of this life, unless it is over."""
        if not self.alive:
            return
        self.steps += 1
        if self.fuse is not None and self.steps >= self.fuse:
            self.end()
            return
        callback(*args)

    def end(self) -> None:
        """Kill it: nothing of it will ever run again."""
        if not self.alive:
            return
        self.alive = False
        for told in self.on_death:
            told()
        self.on_death.clear()


_LIFE: ContextVar[Life | None] = ContextVar("life", default=None)
WORLD = contextvars.Context()
"""The context of everything that outlives the product."""


class _Nowhere:
    """A selector without anything to select from: waiting is jumping ahead."""

    def __init__(self, jump: Callable[[float], None]) -> None:
        self._jump = jump

    def select(self, timeout: float | None) -> list[object]:
        if timeout is None:
            raise Stalled("everybody waits for somebody else")
        if timeout > 0:
            self._jump(timeout)
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs what is ready in the order in which it became so; the clock moves only between two callbacks."""

    def __init__(self) -> None:
        super().__init__()
        self._virtual = 0.0
        self._scheduled: list[asyncio.TimerHandle]  # the parent's own heap
        self._selector = _Nowhere(self._jump)
        self._clock_resolution = 1e-9
        self.steps = 0

    def time(self) -> float:
        return self._virtual

    def call_soon(  # type: ignore[override]  # the variadic types of the stub say no more than these
        self,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,  # Any: asyncio's
    ) -> asyncio.Handle:
        guarded, args = self._guarded(callback, args, context)
        return super().call_soon(guarded, *args, context=context)

    def call_at(  # type: ignore[override]  # as above
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,  # Any: as above
    ) -> asyncio.TimerHandle:
        guarded, args = self._guarded(callback, args, context)
        return super().call_at(when, guarded, *args, context=context)

    def run_in_executor(self, executor: object, func: object, *args: object) -> NoReturn:
        raise RuntimeError("the simulation has one thread")

    def later(self, seconds: float, callback: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        """Let the world do this after so many virtual seconds, whatever becomes of the product."""
        return self.call_later(seconds, callback, *args, context=WORLD)

    def soon(self, callback: Callable[..., object], *args: object) -> asyncio.Handle:
        """Let the world do this next."""
        return self.call_soon(callback, *args, context=WORLD)

    async def pause(self, seconds: float) -> None:
        """Let so many virtual seconds go by."""
        future = self.create_future()
        self.call_later(max(seconds, 0.0), _wake, future)
        await future

    def begin(self, life: Life | None, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:  # Any: asyncio's own
        """A task of this life, or of the world."""
        context = contextvars.Context()
        context.run(_LIFE.set, life)
        return self.create_task(work, context=context)

    def _guarded(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context | None,  # Any: asyncio's
    ) -> tuple[Callable[..., object], tuple[Any, ...]]:
        life = _LIFE.get() if context is None else context.get(_LIFE)
        return (callback, args) if life is None else (life.run, (callback, *args))

    def _jump(self, seconds: float) -> None:
        # Straight to the timer: adding the difference could stop an ulp before it, for ever.
        due = self._scheduled[0].when() if self._scheduled else self._virtual + seconds
        self._virtual = max(self._virtual, due)

    def _run_once(self) -> None:
        self.steps += 1
        if self.steps > STEPS_MAX:
            raise Stalled(f"no rest after {STEPS_MAX} turns of the loop")
        super()._run_once()  # type: ignore[misc]  # the one method that every loop of asyncio turns on

    def _process_events(self, event_list: object) -> None:
        """Nothing is ever selected."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def current_life() -> Life | None:
    """The life whose callback runs now; None: the world's."""
    return _LIFE.get()
