"""Places for requests under way: whoever has leased a row waits here until its request may begin (delivery.md 3.1)."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bot.runtime.accounts import Account
from bot.storage import Room

SLOW_S = 0.5
"""Once a request takes longer, ordinary ones leave the places of urgent ones free (delivery.md 2.2). Until then they
may take all: an urgent one gets the first place that is left, and one is left every few milliseconds."""


class Place:
    """A place for one request. Left once, however often it is said."""

    __slots__ = ("_leave",)

    def __init__(self, leave: "Callable[[Place], None]") -> None:
        self._leave: Callable[[Place], None] | None = leave

    def leave(self) -> None:
        """Another request may begin."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave(self)


@dataclass(slots=True)
class _Line:
    """One account: who is under way, the oldest first, and who waits. `slow`: the last request took too long."""

    since: dict[Place, float] = field(default_factory=dict)
    slow: bool = False
    urgent: deque["asyncio.Future[Place | None]"] = field(default_factory=deque)
    others: deque["asyncio.Future[Place | None]"] = field(default_factory=deque)

    def turns(self, room: Room, now_s: float) -> "Iterator[asyncio.Future[Place | None]]":
        """Those whose turn it is while there is `room` in all, urgent ones first."""
        oldest_s = next(iter(self.since.values()), now_s)
        kept = room.for_urgent if self.slow or now_s - oldest_s > SLOW_S else 0
        while self.urgent and len(self.since) < room.slots:
            yield self.urgent.popleft()
        while self.others and len(self.since) < room.slots - kept:
            yield self.others.popleft()


class Places:
    """Gives out the places of all accounts. `room`: how many an account has now; it has none while it rests.

    No more wait here than rows are leased (`Accounts.room`). `seconds`: a clock that never runs back.
    """

    def __init__(self, room: Callable[[Account], Room], *, seconds: Callable[[], float] | None = None) -> None:
        self._room = room
        self._seconds = seconds or _loop_s
        self._lines: dict[Account, _Line] = {}
        self._closed = False

    def close(self) -> None:
        """Give no place to anybody from now on."""
        self._closed = True
        for account in self._lines:
            self._review(account)

    async def take(self, account: Account, *, urgent: bool) -> Place | None:
        """A place, as soon as there is one. None: the account rests or all is closed, and nothing of it may leave."""
        line = self._lines.setdefault(account, _Line())
        waiting: asyncio.Future[Place | None] = asyncio.get_running_loop().create_future()
        (line.urgent if urgent else line.others).append(waiting)
        self._review(account)
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and (place := waiting.result()) is not None:
                place.leave()
            raise

    def _review(self, account: Account) -> None:
        """Look who may have a place now; if the account rests, nobody waits for one any longer."""
        line, room = self._lines[account], Room(slots=0) if self._closed else self._room(account)
        now_s = self._seconds()
        for waiting in line.turns(room, now_s):
            if not waiting.done():
                place = Place(lambda left: self._left(account, left))
                line.since[place] = now_s
                waiting.set_result(place)
        if room.slots == 0:
            for waiting in (*line.urgent, *line.others):
                if not waiting.done():
                    waiting.set_result(None)
            line.urgent.clear()
            line.others.clear()

    def _left(self, account: Account, place: Place) -> None:
        line = self._lines[account]
        line.slow = self._seconds() - line.since.pop(place) > SLOW_S
        self._review(account)


def _loop_s() -> float:
    return asyncio.get_running_loop().time()
