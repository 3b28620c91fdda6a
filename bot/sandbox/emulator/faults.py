"""What is made to go wrong: the faults in force, of requests to the platforms and of callbacks from them."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Literal, TypeAlias

from bot.runtime.ports import Clock
from bot.sandbox.emulator.fault_rules import (
    CallbackFault,
    CallbackSite,
    CallFault,
    CallSite,
    Fault,
    Standing,
    When,
    first_due,
)
from bot.sandbox.emulator.listener import Listener
from bot.sandbox.emulator.settings import Platform
from bot.sandbox.emulator.wire import Json

STANDING_MAX = 1000
"""Faults in force at once, those that are over included; more are refused until they are cleared."""

Outage: TypeAlias = Literal["refuse", "error"]
_PLATFORMS: tuple[Platform, ...] = ("oa", "wecom")


class TooManyFaults(Exception):
    """There are more faults than the emulator keeps."""


class Faults:
    """The faults in force; none at first.

    Faults added by a script strike by their own rules, one blow at a time, each with an id. The other methods are
    short cuts for code in the process.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: dict[str, Standing[CallFault]] = {}
        self._callbacks: dict[str, Standing[CallbackFault]] = {}
        self._listeners: dict[Platform, Listener] = {}
        self._outages: dict[Platform, Outage | None] = dict.fromkeys(_PLATFORMS)
        self._delays: dict[Platform, float] = dict.fromkeys(_PLATFORMS, 0.0)
        self._numbered = 0

    @property
    def strikes_calls(self) -> bool:
        """Whether any fault of requests is in force."""
        return bool(self._calls)

    def add(self, faults: Iterable[Fault]) -> None:
        """Put faults in force, from now on. A fault whose id is in force takes its place, and counts from 1 again.

        TooManyFaults: none of them is.
        """
        new = list(faults)
        known = {*self._calls, *self._callbacks, *(one.fault_id for one in new)}
        if len(known) > STANDING_MAX:
            raise TooManyFaults
        for one in new:
            self._remove(one.fault_id)
            if isinstance(one, CallFault):
                self._calls[one.fault_id] = Standing(fault=one, since=self._clock.now())
            else:
                self._callbacks[one.fault_id] = Standing(fault=one, since=self._clock.now())

    def clear(self) -> None:
        """Take all faults out of force. Outages that have begun last until they end."""
        self._calls.clear()
        self._callbacks.clear()

    def on_call(self, site: CallSite) -> Standing[CallFault] | None:
        """The fault that strikes this request, None for none. It has hit only when its `hit` is called."""
        return first_due(self._calls.values(), site, self._clock.now())

    def on_callback(self, site: CallbackSite) -> Standing[CallbackFault] | None:
        """The fault that strikes this callback, None for none. It has hit only when its `hit` is called."""
        return first_due(self._callbacks.values(), site, self._clock.now()) if self._callbacks else None

    def state(self) -> dict[str, Json]:
        """Every fault in force: what it does, what it has seen and struck, and whether it is over."""
        now = self._clock.now()
        return {**_told(self._calls, now), **_told(self._callbacks, now)}

    def guard(self, platform: Platform, listener: Listener) -> None:
        """Name the listener that an outage of `platform` shuts."""
        self._listeners[platform] = listener

    async def take_down(self, platform: Platform, outage: Outage = "refuse") -> None:
        """From now on `platform` refuses connections at its own address, or answers 503 with `error`.

        At the address shared by both platforms a refusing one drops the connection before it reads a request,
        since one port cannot be shut for one of two.
        """
        self._outages[platform] = outage
        if outage == "refuse" and platform in self._listeners:
            await self._listeners[platform].shut()

    async def bring_up(self, platform: Platform) -> None:
        """End the outage of `platform`."""
        self._outages[platform] = None
        if platform in self._listeners:
            await self._listeners[platform].reopen()

    def outage(self, platform: Platform) -> Outage | None:
        """How `platform` is down, None when it is not."""
        return self._outages[platform]

    def delay(self, platform: Platform, seconds: float) -> None:
        """Let `platform` think for so many real seconds before every request; 0 ends it."""
        self._delays[platform] = seconds

    async def hold(self, platform: Platform) -> None:
        """Wait as long as `platform` thinks."""
        seconds = self._delays[platform]
        if seconds > 0:
            await asyncio.sleep(seconds)

    def lose_replies(self, platform: Platform, count: int) -> None:
        """Let the next `count` sends that `platform` accepts happen, and cut the connection instead of replying."""
        fault_id = f"lost-{platform}"
        when = When(count=count)
        self.add(
            [CallFault(fault_id=fault_id, what="cut", moment="after", platform=platform, endpoint="sends", when=when)]
        )

    def answer_with(self, platform: Platform, code: int, *, count: int = 1) -> None:
        """Let the next `count` sends to `platform` be refused with `code`, before anything else is looked at."""
        self._numbered += 1
        fault_id, when = f"answer-{platform}-{self._numbered}", When(count=count)
        self.add(
            [CallFault(fault_id=fault_id, what="errcode", platform=platform, endpoint="sends", code=code, when=when)]
        )

    def _remove(self, fault_id: str) -> None:
        self._calls.pop(fault_id, None)
        self._callbacks.pop(fault_id, None)


def _told(
    standing: dict[str, Standing[CallFault]] | dict[str, Standing[CallbackFault]], now: datetime
) -> dict[str, Json]:
    return {
        name: {"what": one.fault.what, "seen": one.seen, "hits": one.hits, "over": one.over(now)}
        for name, one in standing.items()
    }
