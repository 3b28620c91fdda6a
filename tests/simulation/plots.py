"""Short stories with a purpose: the moments in which what was planned is overtaken by what happens."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tests.simulation.disk import Disk
from tests.simulation.loop import VirtualLoop
from tests.simulation.platforms import Platforms
from tests.simulation.swarm import Plot

Act: TypeAlias = dict[str, str]

REGRET_S = 1.5
"""She writes again before the answer to her last words can have left."""
HANDOVER_S = (60.0, 280.0)
"""So long before a timer of hers is due she asks for a colleague, who has five minutes to accept."""
LOOK_S, LOOKS = 4.0, 12
RUSH = ("看车", "你好", "保养", "王先生")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where one buyer's plot plays. `act`: what is done on a phone."""

    loop: VirtualLoop
    dice: random.Random
    platforms: Platforms
    disk: Disk
    openid: str
    act: Callable[[Act], None]

    def says(self, text: str) -> None:
        """She writes this."""
        self.act({"do": "say", "openid": self.openid, "text": text})

    def calls_advisor(self) -> None:
        """She taps the menu for a colleague."""
        self.act({"do": "menu", "openid": self.openid, "key": "MENU_ADVISOR"})


async def played(plot: Plot, stage: Stage) -> None:
    """Play it to its end."""
    match plot:
        case "regret":
            await _regret(stage)
        case "handover":
            await _handover(stage)
        case "rush":
            await _rush(stage)
        case "":
            return


async def _regret(stage: Stage) -> None:
    """She asks for something, and opts out while the answers wait."""
    await stage.loop.pause(stage.dice.choice((0.0, 20.0)))
    stage.says(stage.dice.choice(("看车", "预约保养", "到店看车", "词零")))
    await stage.loop.pause(stage.dice.uniform(0.0, REGRET_S))
    stage.says("退订")


async def _handover(stage: Stage) -> None:
    """A colleague takes over just before something of hers is due."""
    await stage.loop.pause(5.0)
    stage.says("看车")
    await stage.loop.pause(30.0)
    dues = stage.disk.dues(stage.platforms.clock.now())
    if dues:
        await stage.loop.pause(max(0.0, dues[-1] - stage.dice.uniform(*HANDOVER_S)))
    stage.calls_advisor()
    for _ in range(LOOKS):
        await stage.loop.pause(LOOK_S)
        if _accepted_by_anyone(stage):
            return


def _accepted_by_anyone(stage: Stage) -> bool:
    for staff_id in stage.platforms.members():
        for card in reversed(stage.platforms.emulator.staff_chat(staff_id)):
            if card.kind == "card" and any(one.key == "accept" and not one.disabled for one in card.buttons):
                stage.act({"do": "click", "staff_id": staff_id, "task_id": card.task_id, "key": "accept"})
                return True
    return False


async def _rush(stage: Stage) -> None:
    """She writes faster than anybody steps, and then taps the menu, which is urgent."""
    await stage.loop.pause(10.0 - stage.loop.time() % 10.0)
    for text in stage.dice.sample(RUSH, 3):
        stage.says(text)
    stage.calls_advisor()
