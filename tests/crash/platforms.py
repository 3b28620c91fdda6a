"""Both platforms and the people on them, in a process of their own that nobody kills.

The people act as soon as they have read what they waited for, whatever becomes of the product meanwhile. Everything
that crosses the border stands in a log file that is synced line by line.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeAlias

from bot.sandbox.clock import VirtualClock
from bot.sandbox.emulator import Bubble, Conduct, Emulator, EmulatorSettings, OaSettings, WecomSettings

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
BUYER = "oBuyer0000000000000000000001"
MEMBERS = {"zhangmin": "张敏", "lilei": "李雷", "wangfang": "王芳", "chenjing": "陈静", "zhouning": "周宁"}
PATIENCE_S = 240.0
"""How long somebody waits for an answer before the story counts as broken off."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Let a story happen at a site. `callback`: where its product listens. `log`: the file of all that happens.

    `dies`: the product will die in it, and the story ends only after that.
    """

    site: str
    callback: str
    log: Path
    story: str
    dies: bool
    crowd: int = 1


@dataclass(frozen=True, kw_only=True)
class Risen:
    """The product of a site has died and was started again."""

    site: str


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A site has its platforms at `base_url`."""

    site: str
    base_url: str


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The platforms of a site have taken `count` messages to buyers by now."""

    site: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A story has come to its end; `stuck_at` is empty, or tells what somebody waited for in vain."""

    site: str
    stuck_at: str


News: TypeAlias = Opened | Taken | Ended


def settings() -> EmulatorSettings:
    """What the platforms know of our accounts. They repeat callbacks sooner and oftener than in reality."""
    oa = OaSettings(
        name="main", app_id="wxmain", secret="oa-secret", token="oaToken1", aes_key=AES_KEY, gh_id="gh_main"
    )
    wecom = WecomSettings(
        name="main",
        corp_id="wwmain",
        agent_id=1000002,
        secret="app-secret",
        token="appToken1",
        aes_key=AES_KEY,
        members=MEMBERS,
    )
    return EmulatorSettings(oa=(oa,), wecom=(wecom,), conduct=Conduct(retry_every_s=0.2, deliveries_max=200))


class Site:
    """One emulator, and waiting for what people see on it."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self._risen = asyncio.Event()
        if not order.dies:
            self._risen.set()
        self.emulator = Emulator(settings=settings(), clock=VirtualClock(flowing=True), log_path=order.log)

    async def open(self) -> str:
        """Begin to listen, and give the address."""
        base_url = await self.emulator.start()
        for platform in ("oa", "wecom"):
            self.emulator.set_callback(platform, "main", f"{self.order.callback}/callback/{platform}/main")
        return base_url

    async def act(self, do: str, **fields: str) -> None:
        await self.emulator.act({"do": do, **fields})

    async def until(self, what: str, seen: Callable[[], bool]) -> None:
        """Wait until `seen`. TimeoutError names `what`."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not seen():
                    await self.emulator.changed(self.emulator.feed.number)
        except TimeoutError as error:
            raise TimeoutError(what) from error

    def rise(self) -> None:
        """The product has died and was started again."""
        self._risen.set()

    async def rises(self) -> None:
        """Wait until what the product has to go through is behind it."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._risen.wait()
        except TimeoutError as error:
            raise TimeoutError("the product's death") from error

    async def hears(self, words: str, *, openid: str = BUYER) -> None:
        """Wait until the account has said something with `words` to the buyer."""
        await self.until(words, lambda: any(words in text for text in said(self.emulator.buyer_chat(openid))))

    async def is_read(self, words: str, *, by: str) -> None:
        """Wait until this colleague has got `words`."""
        await self.until(words, lambda: any(words in text for text in said(self.emulator.staff_chat(by))))

    def card_holder(self) -> tuple[str, Bubble] | None:
        """The colleague who got a card, with it."""
        for staff_id in MEMBERS:
            for bubble in self.emulator.staff_chat(staff_id):
                if bubble.kind == "card":
                    return staff_id, bubble
        return None


def said(chat: list[Bubble]) -> list[str]:
    """The texts of everything that was not written by the owner of the phone."""
    return [bubble.text for bubble in chat if bubble.side == "them"]


CONTENT = Path(__file__).parents[2] / "content"
_MARKS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\n", re.DOTALL)


def words_of(content: str) -> str:
    """The longest words of a content that are the same for everybody, by which its message is recognised."""
    text = (CONTENT / f"{content}.md").read_text(encoding="utf-8").split("---\n", 2)[2]
    normal = re.split(r"\{% variant (?!normal)", text)[0]
    return max((piece.strip() for piece in _MARKS.split(normal)), key=len)


ANSWERS = ("看车", "ask-nick"), ("王先生", "ask-consent"), ("同意", "ask-phone"), ("138 0013 8000", "confirm")
WORDS_OF_ADVISOR, LAST_WORDS, MORE_WORDS = "您好，我是您的顾问", "好的谢谢", "周末见"


async def until_thanks(site: Site) -> None:
    """A buyer follows, answers and leaves her phone number."""
    await site.act("follow", openid=BUYER)
    await site.hears(words_of("ask-need"))
    for words, content in (*ANSWERS, ("对", "thanks-lead")):
        await site.act("say", openid=BUYER, text=words)
        await site.hears(words_of(content))


async def until_answer(site: Site) -> str:
    """The same as `until_thanks`, and then the advisor accepts her card and writes; the buyer answers. Who she is."""
    await until_thanks(site)
    await site.until("card", lambda: site.card_holder() is not None)
    found = site.card_holder()
    assert found is not None
    staff_id, card = found
    await site.act("click", staff_id=staff_id, task_id=card.task_id, key="accept")
    await site.until("card update", lambda: _buttons(site) != [button.key for button in card.buttons])
    await site.act("staff_say", staff_id=staff_id, text=WORDS_OF_ADVISOR)
    await site.hears(WORDS_OF_ADVISOR)
    await site.act("say", openid=BUYER, text=LAST_WORDS)
    return staff_id


async def until_the_end(site: Site) -> None:
    """The same, until the advisor has read the buyer's answer, and what she writes after the product has risen."""
    staff_id = await until_answer(site)
    await site.is_read(LAST_WORDS, by=staff_id)
    await site.rises()
    await site.act("say", openid=BUYER, text=MORE_WORDS)
    await site.is_read(MORE_WORDS, by=staff_id)


def _buttons(site: Site) -> list[str]:
    found = site.card_holder()
    return [button.key for button in found[1].buttons] if found else []


def openid_of(number: int) -> str:
    """A member of a crowd."""
    return f"oCrowd{number:022d}"


async def crowd(site: Site) -> None:
    """Many buyers follow at once, and each says what she wants when she is asked."""

    async def one(number: int) -> None:
        openid = openid_of(number)
        await site.act("follow", openid=openid)
        await site.hears(words_of("ask-need"), openid=openid)
        await site.act("say", openid=openid, text="看车")
        await site.hears(words_of("ask-nick"), openid=openid)

    await asyncio.gather(*(one(number) for number in range(site.order.crowd)))


STORIES: Mapping[str, Callable[[Site], Awaitable[None]]] = {
    "until_the_end": until_the_end,
    "crowd": crowd,
}


def serve(orders: Connection) -> None:
    """Carry out orders until the other end is closed, and tell what happens."""
    asyncio.run(_serve(orders))


async def _serve(orders: Connection) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    sites: dict[str, Site] = {}
    tasks: set[asyncio.Task[None]] = set()

    def readable() -> None:
        try:
            order: Order | Risen = orders.recv()
        except EOFError:
            loop.remove_reader(orders.fileno())
            ended.set()
            return
        if isinstance(order, Risen):
            sites[order.site].rise()
            return
        site = sites[order.site] = Site(order)
        tasks.add(loop.create_task(_carry_out(site, orders.send)))

    loop.add_reader(orders.fileno(), readable)
    await ended.wait()


async def _carry_out(site: Site, tell: Callable[[News], None]) -> None:
    order = site.order
    tell(Opened(site=order.site, base_url=await site.open()))
    counting = asyncio.create_task(_count(site, tell))
    stuck_at = ""
    try:
        await STORIES[order.story](site)
        await site.emulator.idle()
    except TimeoutError as error:
        stuck_at = str(error) or "callbacks"
    counting.cancel()
    tell(Ended(site=order.site, stuck_at=stuck_at))


async def _count(site: Site, tell: Callable[[News], None]) -> None:
    """Tell how many messages buyers have, whenever there are more."""
    if site.order.crowd == 1:
        return
    openids = [openid_of(number) for number in range(site.order.crowd)]
    while True:
        await site.emulator.changed(site.emulator.feed.number)
        tell(Taken(site=site.order.site, count=sum(len(said(site.emulator.buyer_chat(o))) for o in openids)))
