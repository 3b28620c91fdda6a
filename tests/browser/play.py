"""A stage with nothing behind it: it does what a test's script says, and remembers what was asked."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from aiohttp import web

from bot.core.events import Json
from bot.errors import BotError
from bot.sandbox.phone.page import install
from bot.sandbox.phone.snapshot import Advisor, Bubble, Buyer, Inside, Snapshot

Change: TypeAlias = Callable[[tuple[Bubble, ...]], tuple[Bubble, ...]]

MORNING = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)


class Play:
    """One buyer, two advisors. Tests change `snapshot_shown` by `show`, `buyer_gets` and `advisor_gets`."""

    def __init__(self) -> None:
        self.acts: list[Mapping[str, Json]] = []
        self.refusal = ""
        self.buyers = 0
        self.shown = _first_view("o0")
        self.asked = asyncio.Event()
        self._number = 0
        self._changed = asyncio.Condition()

    async def snapshot(self, openid: str) -> Snapshot | None:
        return self.shown if openid == self.shown.buyer.openid else None

    async def changed(self, after: int) -> int:
        self.asked.set()
        async with self._changed:
            await self._changed.wait_for(lambda: self._number > after)
            return self._number

    async def act(self, action: Mapping[str, Json]) -> Mapping[str, Json]:
        self.acts.append(action)
        if self.refusal:
            raise BotError(self.refusal)
        buyer = self.shown.buyer
        match action:
            case {"do": "new_buyer"}:
                self.buyers += 1
                await self.show(_first_view(f"o{self.buyers}"))
                return {"openid": self.shown.buyer.openid}
            case {"do": "follow" | "unfollow" as do}:
                await self.show(replace(self.shown, buyer=replace(buyer, following=do == "follow")))
            case {"do": "say" | "tap", "text": str(text)}:
                await self.buyer_gets(Bubble(seq=0, at=self.shown.clock, side="me", kind="text", text=text))
            case {"do": "staff_say", "staff_id": str(staff_id), "text": str(text)}:
                said = Bubble(seq=0, at=self.shown.clock, side="me", kind="text", text=text)
                await self.advisor_gets(staff_id, said)
            case {"do": "turn", "seconds": int(seconds)}:
                await self.show(replace(self.shown, clock=self.shown.clock + timedelta(seconds=seconds)))
        return {}

    async def show(self, snapshot: Snapshot) -> None:
        async with self._changed:
            self.shown = snapshot
            self._number += 1
            self._changed.notify_all()

    async def show_inside(self, inside: Inside) -> None:
        await self.show(replace(self.shown, inside=inside))

    async def buyer_gets(self, bubble: Bubble) -> None:
        """Append a bubble to the buyer's chat; its `seq` is given here."""
        buyer = self.shown.buyer
        grown = (*buyer.bubbles, replace(bubble, seq=len(buyer.bubbles) + 1))
        await self.show(replace(self.shown, buyer=replace(buyer, bubbles=grown)))

    async def advisor_gets(self, staff_id: str, bubble: Bubble) -> None:
        """Append a bubble to this advisor's chat; its `seq` is given here."""
        await self._change_advisor(staff_id, lambda old: (*old, replace(bubble, seq=len(old) + 1)))

    async def replace_card(self, staff_id: str, card: Bubble) -> None:
        """Put `card` where the card with its `task_id` is."""
        await self._change_advisor(
            staff_id,
            lambda old: tuple(replace(card, seq=one.seq) if one.task_id == card.task_id else one for one in old),
        )

    async def _change_advisor(self, staff_id: str, change: Change) -> None:
        advisors = tuple(
            replace(one, bubbles=change(one.bubbles)) if one.staff_id == staff_id else one
            for one in self.shown.advisors
        )
        await self.show(replace(self.shown, advisors=advisors))


def _first_view(openid: str) -> Snapshot:
    return Snapshot(
        clock=MORNING,
        buyer=Buyer(openid=openid, name="林女士", following=False),
        advisors=(Advisor(staff_id="zhangmin", name="张敏"), Advisor(staff_id="lijun", name="李军（店长）")),
        inside=Inside(),
    )


@asynccontextmanager
async def served(stage: Play) -> AsyncIterator[str]:
    """The page of this stage, served on a free port of loopback; yields its address."""
    app = web.Application()
    install(app, stage)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
