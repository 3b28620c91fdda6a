"""`zhitu talk`: play the buyer in a terminal, or from a program. Every line runs until nothing more happens."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import orjson

from bot.errors import BotError
from bot.runtime import why
from bot.sandbox.clock import VirtualClock, machine_now, morning_of
from bot.sandbox.commands import HELP, Command, Quit, ShowHelp, ShowState, ShowWhy, parse
from bot.sandbox.lines import LENGTH_MAX, lines
from bot.sandbox.reports import Report, of_journal, of_message, of_state, report
from bot.sandbox.screen import paint
from bot.sandbox.watching import Sight, look
from bot.sandbox.world import World, new_openid, world
from bot.storage import Transaction

WHY_MAX = 200
"""Events that `/why` explains, the latest."""


@dataclass(slots=True)
class Talker:
    """One buyer at a terminal. `seen_*`: what was reported already. `untouched`: nobody has done anything yet."""

    world: World
    openid: str
    seen_journal: int = 0
    seen_sends: set[str] = field(default_factory=set)
    seen_state: tuple[object, object] = (None, None)
    untouched: bool = True

    async def take(self, line: str) -> list[Report]:
        """Do what the line says, wait for quiescence, and report everything that followed."""
        if len(line) > LENGTH_MAX:
            return [self._error(f"一行最多 {LENGTH_MAX} 字")]
        return [*await self._reloaded(), *await self._taken(line)]

    async def _reloaded(self) -> list[Report]:
        """Files that were changed since the last line: in force from now on, or what is wrong with them."""
        reloading = self.world.reloading
        match await reloading.look(settled=True) if reloading else "same":
            case "taken":
                return [report("help", self._now(), text="旅程已重新载入")]
            case "refused" if reloading:
                return [self._error(f"改动有错，仍用原来的旅程：\n{reloading.refused}")]
            case _:
                return []

    async def _taken(self, line: str) -> list[Report]:
        try:
            command = parse(line, self.openid, now=self.world.clock.now())
            if isinstance(command, ShowState):
                return [of_state(await look(self.world, self.openid), self._now())]
            if isinstance(command, ShowWhy):
                return await self._why()
            if isinstance(command, ShowHelp):
                return [report("help", self._now(), text=HELP)]
            await self._do(command)
        except BotError as error:
            return [*await self._news(), self._error(error.what)]
        return await self._news()

    async def _do(self, command: Command) -> None:
        if command.turn_to is not None:
            await self._turn_to(command.turn_to)
            return
        if command.advisor:
            await self._advise(command)
        elif command.action.get("do") == "tap":
            await self.world.act({**command.action, "menu_id": self._choice(str(command.action["content"]))})
        else:
            await self.world.act(command.action)
        self.untouched = False

    async def _turn_to(self, at: datetime) -> None:
        """Turn the clock; before the first act it may begin at any moment."""
        if self.untouched:
            self.world.clock.restart(at)
        elif at < self.world.clock.now():
            raise BotError("这个时刻已经过去了，时间只能往前（第一句话之前可以拨到任何时刻）")
        else:
            await self.world.turn_to(at)

    def _choice(self, wanted: str) -> str:
        """The id of the newest menu line that reads `wanted`, or that has this id itself."""
        for bubble in reversed(self.world.emulator.buyer_chat(self.openid)):
            for choice_id, text in bubble.choices:
                if wanted in (choice_id, text):
                    return choice_id
        raise BotError(f"聊天里没有选项 “{wanted}”")

    async def _advise(self, command: Command) -> None:
        """The advisor who has this buyer's task presses a button of her newest card, or writes."""
        sight = await look(self.world, self.openid)
        staff_id = _advisor_of(sight)
        if staff_id is None:
            raise BotError("没有顾问收到这位客户的卡片")
        if command.advisor == "text":
            await self.world.act({"do": "staff_say", "staff_id": staff_id, "text": command.text})
            return
        card = next((one for one in reversed(self.world.emulator.staff_chat(staff_id)) if one.kind == "card"), None)
        if card is None:
            raise BotError(f"{staff_id} 没有卡片")
        click = {"do": "click", "staff_id": staff_id, "task_id": card.task_id, "key": command.advisor}
        await self.world.act({**click})

    async def _news(self) -> list[Report]:
        """What happened since the last look: effects, messages, and the state when it is another one."""
        sight = await look(self.world, self.openid)
        if sight is None:
            return []
        found = list(self._fresh(sight))
        state = of_state(sight, self._now())
        if (state["journey"], state["state"]) != self.seen_state:
            self.seen_state = (state["journey"], state["state"])
            found.append(state)
        if sight.parked:
            found.append(self._error(f"处理停住了：程序出错（{sight.parked}）"))
        return found

    def _fresh(self, sight: Sight) -> Iterator[Report]:
        for line in sight.journal:
            if line.seq > self.seen_journal:
                self.seen_journal = line.seq
                yield from of_journal(line)
        for sent in sight.outbox:
            if sent.settled_at is not None and sent.effect.effect_id not in self.seen_sends:
                self.seen_sends.add(sent.effect.effect_id)
                yield of_message(sent)

    async def _why(self) -> list[Report]:
        def tell(tx: Transaction) -> list[Report]:
            customer_id = tx.reading.find_customer(self.openid)
            if customer_id is None:
                return [self._error("还没有这位客户的记录")]
            return [_why_line(line, self._now()) for line in why.lines(why.tell(tx, customer_id, limit=WHY_MAX))]

        return await self.world.product.storage.read(tell)

    def _now(self) -> datetime:
        return self.world.clock.now()

    def _error(self, what: str) -> Report:
        return report("error", self._now(), text=what)


def _advisor_of(sight: Sight | None) -> str | None:
    """Who was offered this buyer last, whether or not she accepted."""
    if sight is None:
        return None
    cards = [line.effect.to for line in sight.outbox if line.effect.channel == "app"]
    return cards[-1] if cards else sight.customer.advisor


def _why_line(line: why.Line, now: datetime) -> Report:
    return report(
        "why",
        line.at or now,
        text=line.text,
        journey=line.journey or None,
        state=line.state or None,
        content=line.content or None,
        tone=line.tone,
    )


async def talk(config_file: Path, journeys: Path, content: Path, *, as_json: bool) -> None:
    """Read lines from standard input until it ends or says `/quit`, and answer each on standard output.

    BotError: there is no standard input.
    """
    if sys.stdin is None:
        raise BotError("标准输入是关着的", hint="在终端里运行，或者把要说的话用管道传进来")
    clock = VirtualClock(morning_of(machine_now()))
    async with world(config_file, journeys, content, clock=clock) as stage:
        talker = Talker(world=stage, openid=new_openid())
        show = _write_json if as_json else paint
        if not as_json:
            paint(report("help", clock.now(), text=HELP))
        async for line in lines(sys.stdin.fileno()):
            if not line.strip():
                continue
            try:
                found = await talker.take(line)
            except Quit:
                return
            for one in found:
                show(one)


def _write_json(one: Report) -> None:
    # Programs get UTF-8, whatever the terminal's encoding is.
    sys.stdout.buffer.write(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()
