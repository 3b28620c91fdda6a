"""What the people do: buyers who follow, answer, wander off and opt out; advisors who accept, talk and close."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.emulator import Bubble
from tests.simulation.disk import Disk
from tests.simulation.loop import VirtualLoop
from tests.simulation.platforms import Platforms
from tests.simulation.plots import Act, Stage, played
from tests.simulation.swarm import Swarm

ANSWERS = (
    ("怎么称呼", ("王先生", "李女士", "跳过")),
    ("同意吗", ("同意", "同意", "同意", "不同意", "好的")),
    ("对吗", ("对", "是的", "不对")),
    ("手机号", ("13800138000", "１３９ 1234 5678", "12345", "不方便")),
    ("哪个城市", ("上海", "跳过")),
    ("哪天", ("周末", "工作日", "都行")),
    ("聊点什么", ("看车", "试驾", "贷款", "保养")),
)
TALK = (
    "你好",
    "看车",
    "试驾",
    "保养",
    "同意",
    "王先生",
    "13800138000",
    "对",
    "跳过",
    "这车多少钱",
    "报价",
    "到店看车",
    "预约保养",
    "人工",
    "退订",
    "周末",
    "词零",
    "词一",
    "词二",
    "甲",
)
WORDS, WORDS_RATE = ("词零", "词一", "词二"), 0.35
"""What random journeys are entered with, and how often a buyer who may say anything says it there."""
PAUSES_S = ((0.0, 1.5), (1.0, 8.0), (10.0, 90.0), (120.0, 900.0), (3_600.0, 30_000.0), (70_000.0, 200_000.0))
PAUSE_WEIGHTS = (6, 8, 6, 3, 1, 1)
LAST_MINUTE_RATE = 0.2
"""How often a buyer writes at the last moment before something runs out."""
STAFF_ROUNDS = 5
HASTE_RATE = 0.15
"""How often a buyer taps the menu in the very moment in which she has done something else."""
MENU = ("MENU_ADVISOR", "MENU_SERVICE", "OTHER")
SCENES = ("td_sh01", "autoshow_2026")


@dataclass(slots=True, kw_only=True)
class Cast:
    """All people of one simulation. `told` hears of every act; `finished` counts those who are done."""

    loop: VirtualLoop
    dice: random.Random
    platforms: Platforms
    swarm: Swarm
    disk: Disk
    told: Callable[[Act], None]
    openids: tuple[str, ...] = ()
    playing: int = 0

    def begin(self) -> None:
        """Let everybody act, each at her own pace."""
        self.openids = tuple(f"oBuyer{number:022d}" for number in range(1, self.swarm.customers + 1))
        for openid in self.openids:
            self.playing += 1
            self.loop.begin(None, self._buyer(openid, random.Random(self.dice.random())))
        for staff_id in self.platforms.members():
            self.loop.begin(None, self._advisor(staff_id, random.Random(self.dice.random())))

    async def _buyer(self, openid: str, dice: random.Random) -> None:
        await self.loop.pause(dice.uniform(0, 60) * self.swarm.hurry)
        following = dice.random() < 0.95
        if following:
            self._do({"do": "follow", "openid": openid, "scene": dice.choice((*SCENES, ""))})
        if self.swarm.plot:
            await played(self.swarm.plot, self._stage(openid, dice))
        for _ in range(self.swarm.acts):
            last_minute = self._last_minute_s(dice) if dice.random() < LAST_MINUTE_RATE else None
            await self.loop.pause(self._pause_s(dice) if last_minute is None else last_minute)
            self._do(self._next(openid, dice))
            if dice.random() < HASTE_RATE:
                self._do({"do": "menu", "openid": openid, "key": dice.choice(MENU)})
        self.playing -= 1

    def _stage(self, openid: str, dice: random.Random) -> Stage:
        return Stage(loop=self.loop, dice=dice, platforms=self.platforms, disk=self.disk, openid=openid, act=self._do)

    def _pause_s(self, dice: random.Random) -> float:
        low, high = dice.choices(PAUSES_S, PAUSE_WEIGHTS)[0]
        return dice.uniform(low, high) * (self.swarm.hurry if high < 1_000 else 1.0)

    def _last_minute_s(self, dice: random.Random) -> float | None:
        """Seconds until just before a timer of the product is due; None: none is set."""
        dues = self.disk.dues(self.platforms.clock.now())
        return dice.choice(dues) - dice.uniform(0.02, 0.7) if dues else None

    def _next(self, openid: str, dice: random.Random) -> Act:
        throw = dice.random()
        chat = self.platforms.emulator.buyer_chat(openid)
        if throw < 0.05:
            return {"do": "unfollow", "openid": openid}
        if throw < 0.1:
            return {"do": dice.choice(("follow", "scan")), "openid": openid, "scene": dice.choice(SCENES)}
        if throw < 0.14:
            return {"do": "menu", "openid": openid, "key": dice.choice(MENU)}
        if throw < 0.17:
            return {"do": dice.choice(("image", "voice", "location")), "openid": openid}
        tap = _tap(openid, chat, dice) if throw < 0.4 else None
        if tap is not None:
            return tap
        wanted = _fitting(chat, dice) if throw < 0.8 else ""
        return {"do": "say", "openid": openid, "text": wanted or self._anything(dice)}

    def _anything(self, dice: random.Random) -> str:
        enters = self.swarm.library == "random" and dice.random() < WORDS_RATE
        return dice.choice(WORDS if enters else TALK)

    async def _advisor(self, staff_id: str, dice: random.Random) -> None:
        for _ in range(STAFF_ROUNDS):
            await self.loop.pause(dice.uniform(2, 400) * self.swarm.hurry)
            chat = self.platforms.emulator.staff_chat(staff_id)
            cards = [one for one in chat if one.kind == "card" and any(not b.disabled for b in one.buttons)]
            if dice.random() < (0.4 if cards else 0.05):
                self._do({"do": "staff_say", "staff_id": staff_id, "text": dice.choice(("您好", "车已备好", "稍等"))})
            elif cards:
                card = dice.choice(cards[-3:])
                key = dice.choice([button.key for button in card.buttons if not button.disabled])
                self._do({"do": "click", "staff_id": staff_id, "task_id": card.task_id, "key": key})

    def _do(self, act: Act) -> None:
        """Do it if it can be done on a phone now."""
        if self.platforms.act(act):
            self.told(act)


def _tap(openid: str, chat: list[Bubble], dice: random.Random) -> Act | None:
    menus = [one for one in chat if one.choices]
    if not menus:
        return None
    choice_id, text = dice.choice(dice.choice(menus[-2:]).choices)
    return {"do": "tap", "openid": openid, "menu_id": choice_id, "text": text}


def _fitting(chat: list[Bubble], dice: random.Random) -> str:
    last = next((one.text for one in reversed(chat) if one.side == "them"), "")
    return next((dice.choice(answers) for words, answers in ANSWERS if words in last), "")
