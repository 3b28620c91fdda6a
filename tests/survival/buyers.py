"""Buyers who write all the time, each with a token in every word: `t:CUSTOMER.EVENT`, answered with `.ORDINAL`.

Which tokens have to come back is not decided here: the checker knows it from what was written (checker/expected.py).
Buyers only wait, as people do, and go on when nothing comes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from bot.sandbox.emulator import Bubble, Emulator
from tests.survival import pace
from tests.survival.gate import Gate

LOOK_EVERY_S = 0.3
PATIENCE_S = 40.0
"""So long a buyer waits for an answer before she goes on without."""
LAST_PATIENCE_S = 3.0
"""The same once all has been said: what still comes is for the checker to see, not for her to wait for."""
ADVISOR_PATIENCE_S = 60.0
CONVERSATIONS = {"chat": 60, "later": 12, "question": 12, "offers": 9, "stop": 4, "human": 3}
"""What buyers do, with its share in a hundred."""
THINKS_S = 0.5
PAUSE_MAX_S = 600.0
LOOKS_MAX = 4
SCANNING = 0.06
"""The share of buyers who scan a code before they write their first word."""
RECENT = 12
"""Bubbles at the end of a chat that are looked through."""
RECENT_CARDS = 80
"""The same for a member, who has many conversations in one chat."""


@dataclass(slots=True, kw_only=True)
class _Buyer:
    number: int
    openid: str
    random: Random
    events: int = 0

    def token(self) -> str:
        """The token of her next event."""
        self.events += 1
        return f"{self.number}.{self.events}"


@dataclass(slots=True)
class Crowd:
    """All buyers and their advisors. `events`: how often anybody has acted; `allowed`: at so many they pause.

    The pause lets whoever plans deaths keep up: without it the people would have said all before half of them. `gate`:
    they also pause while more is open than the product answers in time.
    """

    emulator: Emulator
    events_max: int = field(kw_only=True)
    random: Random = field(kw_only=True)
    members: tuple[str, ...] = field(kw_only=True)
    gate: Gate = field(kw_only=True)
    events: int = field(default=0, init=False)
    allowed: int = field(default=0, init=False)
    _numbers: int = field(default=0, init=False)
    _desks: dict[str, asyncio.Lock] = field(default_factory=dict, init=False)
    _cards: dict[str, str] = field(default_factory=dict, init=False)
    _read: int = field(default=0, init=False)

    async def run(self, at_once: int) -> None:
        """Let `at_once` buyers at a time come, talk and go, until the events are used up."""
        await asyncio.gather(*(self._seat() for _ in range(at_once)))

    async def _seat(self) -> None:
        while self.events < self.events_max:
            self._numbers += 1
            buyer = _Buyer(
                number=self._numbers,
                openid=f"oBuyer{self._numbers:022d}",
                random=Random(self.random.getrandbits(64)),
            )
            await self._visit(buyer)

    async def _visit(self, buyer: _Buyer) -> None:
        talks: dict[str, Callable[[_Buyer], Awaitable[None]]] = {
            "chat": self._chat,
            "later": self._later,
            "question": self._question,
            "offers": self._offers,
            "human": self._human,
        }
        names, shares = list(CONVERSATIONS), list(CONVERSATIONS.values())
        await self._act(buyer, "follow", scene=f"g:{buyer.token()}")
        if buyer.random.random() < SCANNING:
            await self._scan(buyer)
        for _ in range(buyer.random.randint(4, 10)):
            if self.events >= self.events_max:
                return
            (name,) = buyer.random.choices(names, shares)
            if name == "stop":
                await self._stop(buyer)
                return
            await talks[name](buyer)

    async def _chat(self, buyer: _Buyer) -> None:
        """A look round the menu, then a few messages, now and then with a scan behind; she waits for the last answer.

        No journey asks for what is under the menu: it has to be taken in, and nothing comes of it.
        """
        for _ in range(buyer.random.randint(0, LOOKS_MAX)):
            # Each look is an event of its own, even of two in one second.
            await self._act(buyer, "menu", key=f"look {buyer.events} {self.events}")
        for _ in range(buyer.random.randint(1, 3)):
            said = await self._say(buyer, "t")
        if buyer.random.random() < SCANNING:
            said = f"n:{buyer.token()}"
            await self._act(buyer, "scan", scene=said)
        await self._hears(buyer, f"[{said}.1]")

    async def _later(self, buyer: _Buyer) -> None:
        """Something that is said now and something two seconds later; she chats meanwhile."""
        await self._say(buyer, buyer.random.choice("wp"))
        await self._chat(buyer)

    async def _question(self, buyer: _Buyer) -> None:
        """She is asked, and answers when she has read the question, or has lost her patience."""
        said = await self._say(buyer, "q")
        await self._hears(buyer, f"[{said}.1]")
        answer = await self._say(buyer, "a")
        await self._hears(buyer, f"[{answer}.1]")

    async def _offers(self, buyer: _Buyer) -> None:
        """Marketing: the third of a week must not come."""
        for _ in range(3):
            said = await self._say(buyer, "m")
            await self._hears(buyer, f"[{said}.1]", patience_s=2.0)

    async def _scan(self, buyer: _Buyer) -> None:
        """Three messages after a scan and two more later; she writes nothing, so that the last finds no window open."""
        scene = f"n:{buyer.token()}"
        await self._act(buyer, "scan", scene=scene)
        await self._reading(lambda: _has_template(self.emulator.buyer_chat(buyer.openid)), PATIENCE_S)

    async def _stop(self, buyer: _Buyer) -> None:
        """Something is promised for later, then she opts out; whatever she writes afterwards is still answered."""
        await self._say(buyer, buyer.random.choice("wp"))
        await self._act(buyer, "say", text="退订")
        await self._say(buyer, "m")
        said = await self._say(buyer, "t")
        await self._hears(buyer, f"[{said}.1]")

    async def _human(self, buyer: _Buyer) -> None:
        """An advisor takes over: her words reach the buyer, the buyer's words reach her, and the bot is silent."""
        said = await self._say(buyer, "h")
        staff_id = await self._offered(said)
        if staff_id is None:
            return
        async with self._desks.setdefault(staff_id, asyncio.Lock()):
            await self._talked(buyer, said, staff_id)

    async def _talked(self, buyer: _Buyer, said: str, staff_id: str) -> None:
        card = _card(self.emulator.staff_chat(staff_id), said)
        if card is None or not await self._click(staff_id, card, "accept"):
            return
        if not await self._until(lambda: _has_button(self.emulator.staff_chat(staff_id), said, "close")):
            return
        words = f"s:{buyer.token()}"
        await self._member(staff_id, f"[{words}.1]")
        if await self._until(lambda: _reads(self.emulator.buyer_chat(buyer.openid), f"[{words}.1]")):
            answer = f"f:{buyer.token()}"
            await self._act(buyer, "say", text=f"[{answer}.1]")
            await self._until(lambda: _reads(self.emulator.staff_chat(staff_id), f"[{answer}.1]"))
            await self._say(buyer, "t")
        card = _card(self.emulator.staff_chat(staff_id), said)
        if card is not None and await self._click(staff_id, card, "close"):
            await self._until(lambda: not _has_button(self.emulator.staff_chat(staff_id), said, "close"))

    async def _click(self, staff_id: str, card: Bubble, key: str) -> bool:
        if not any(button.key == key and not button.disabled for button in card.buttons):
            return False
        self.events += 1
        await self.emulator.act({"do": "click", "staff_id": staff_id, "task_id": card.task_id, "key": key})
        return True

    async def _member(self, staff_id: str, words: str) -> None:
        self.events += 1
        await self.emulator.act({"do": "staff_say", "staff_id": staff_id, "text": words})

    async def _offered(self, said: str) -> str | None:
        """The member who got the card of this handoff; None: nobody in time."""
        await self._until(lambda: self._holder(said) is not None)
        return self._cards.pop(said, None)

    def _holder(self, said: str) -> str | None:
        """Who has the card. Each member's chat is read on once for all who wait."""
        newest = self.emulator.feed.number
        if newest > self._read:
            for member in self.members:
                chat = self.emulator.staff_chat(member)[-RECENT_CARDS:]
                self._cards |= {b.title: member for b in chat if b.kind == "card" and b.seq > self._read}
            self._read = newest
        return self._cards.get(said)

    async def _say(self, buyer: _Buyer, letter: str) -> str:
        said = f"{letter}:{buyer.token()}"
        await self._act(buyer, "say", text=said)
        return said

    async def _act(self, buyer: _Buyer, do: str, **fields: str) -> None:
        await self._until(self._may_act, PAUSE_MAX_S)
        self.events += 1
        self.gate.passed()
        await self.emulator.act({"do": do, "openid": buyer.openid, **fields})
        # A person takes her time, and the platforms' times are whole seconds.
        await pace.passes(THINKS_S + buyer.random.random())

    def _may_act(self) -> bool:
        if self.events >= self.events_max:
            return True
        return self.events < self.allowed and self.gate.is_open(asyncio.get_running_loop().time())

    async def _hears(self, buyer: _Buyer, words: str, *, patience_s: float = PATIENCE_S) -> bool:
        """Wait until she has read `words`; False: she has lost patience."""
        return await self._reading(lambda: _reads(self.emulator.buyer_chat(buyer.openid), words), patience_s)

    async def _reading(self, seen: Callable[[], bool], patience_s: float) -> bool:
        """Wait for something to read, though not for long once all has been said."""
        loop = asyncio.get_running_loop()
        begun_at = loop.time()

        def is_over() -> bool:
            return seen() or (self.events >= self.events_max and loop.time() > begun_at + LAST_PATIENCE_S)

        return await self._until(is_over, patience_s) and seen()

    async def _until(self, seen: Callable[[], bool], patience_s: float = ADVISOR_PATIENCE_S) -> bool:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + patience_s
        while not seen():
            if loop.time() > ends_at:
                return False
            await pace.passes(LOOK_EVERY_S)
        return True


def _reads(chat: list[Bubble], words: str) -> bool:
    return any(words in bubble.text for bubble in chat[-RECENT:] if bubble.side == "them")


def _has_template(chat: list[Bubble]) -> bool:
    return any(bubble.kind == "template" for bubble in chat)


def _card(chat: list[Bubble], said: str) -> Bubble | None:
    return next(
        (bubble for bubble in reversed(chat[-RECENT_CARDS:]) if bubble.kind == "card" and bubble.title == said), None
    )


def _has_button(chat: list[Bubble], said: str, key: str) -> bool:
    card = _card(chat, said)
    return card is not None and any(button.key == key and not button.disabled for button in card.buttons)
