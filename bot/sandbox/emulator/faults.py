"""What can be made to go wrong, from within the process only."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from bot.sandbox.emulator.listener import Listener
from bot.sandbox.emulator.settings import Platform

Outage: TypeAlias = Literal["refuse", "error"]


@dataclass(slots=True, kw_only=True)
class _Trouble:
    outage: Outage | None = None
    lost_replies: int = 0
    delay_s: float = 0.0
    answers: list[int] = field(default_factory=list)
    listener: Listener | None = None


class Faults:
    """The troubles of each platform; none at first.

    They act on requests to the platforms, never on callbacks from them.
    """

    def __init__(self) -> None:
        self._troubles: dict[Platform, _Trouble] = {"oa": _Trouble(), "wecom": _Trouble()}

    def guard(self, platform: Platform, listener: Listener) -> None:
        """Name the listener that an outage of `platform` shuts."""
        self._troubles[platform].listener = listener

    async def take_down(self, platform: Platform, outage: Outage = "refuse") -> None:
        """From now on `platform` refuses connections at its own address, or answers 503 with `error`.

        At the address shared by both platforms a refusing one drops the connection before it reads a request,
        since one port cannot be shut for one of two.
        """
        trouble = self._troubles[platform]
        trouble.outage = outage
        if outage == "refuse" and trouble.listener is not None:
            await trouble.listener.shut()

    async def bring_up(self, platform: Platform) -> None:
        """End the outage of `platform`."""
        trouble = self._troubles[platform]
        trouble.outage = None
        if trouble.listener is not None:
            await trouble.listener.reopen()

    def outage(self, platform: Platform) -> Outage | None:
        """How `platform` is down, None when it is not."""
        return self._troubles[platform].outage

    def lose_replies(self, platform: Platform, count: int) -> None:
        """Let the next `count` sends that `platform` accepts happen, and cut the connection instead of replying."""
        self._troubles[platform].lost_replies = count

    def loses_reply(self, platform: Platform) -> bool:
        """Whether the reply of the send just accepted gets lost; counts it."""
        trouble = self._troubles[platform]
        if trouble.lost_replies <= 0:
            return False
        trouble.lost_replies -= 1
        return True

    def delay(self, platform: Platform, seconds: float) -> None:
        """Let `platform` think for so many real seconds before every request; 0 ends it."""
        self._troubles[platform].delay_s = seconds

    async def hold(self, platform: Platform) -> None:
        """Wait as long as `platform` thinks."""
        seconds = self._troubles[platform].delay_s
        if seconds > 0:
            await asyncio.sleep(seconds)

    def answer_with(self, platform: Platform, code: int, *, count: int = 1) -> None:
        """Let the next `count` sends to `platform` be refused with `code`, before anything else is looked at."""
        self._troubles[platform].answers.extend([code] * count)

    def forced_answer(self, platform: Platform) -> int | None:
        """The code the send in hand is to be refused with, None for none; counts it."""
        answers = self._troubles[platform].answers
        return answers.pop(0) if answers else None
