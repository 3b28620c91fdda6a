"""A small brand with one journey, and the engine that runs it against platforms that answer as they are told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bot import authoring
from bot.core.effects import SendMessage
from bot.core.events import Event, Json
from bot.core.ids import CustomerId
from bot.core.program import Program, compile_library
from bot.errors import ChannelError
from bot.runtime.engine import Engine
from bot.runtime.live import Live
from bot.runtime.metrics import Metrics
from bot.runtime.ports import Accepted
from bot.runtime.why import Story, tell
from bot.storage import Storage
from tests.storage.makers import TurnedClock, event_id

GLOBAL = """
dsl: 1
defaults: {timezone: Asia/Shanghai, quiet: 21:00-09:00, human_hold: 30m}
interrupts:
  - {id: opt_out, keyword: [退订], priority: 1000, effect: end_all, do: [{opt_out: all}, {send: optout-ok}]}
class_rules:
  transactional: {opt_out: ignore, quiet: ignore, cap: ignore, delivery: at_least_once}
  service: {opt_out: reply_only, quiet: ignore, cap: ignore, delivery: at_most_once}
  reminder: {opt_out: block, quiet: defer, cap: defer 12h, delivery: at_most_once}
  marketing: {opt_out: block, consent: 营销, quiet: defer, cap: drop, delivery: at_most_once}
platform_windows:
  oa: {message: {max: 5, for: 48h}, follow: {max: 3, for: 1m}, menu_click: {max: 3, for: 1m}, scan: {max: 3, for: 1m}}
"""
STAFF = """
dsl: 1
dealers: [{dealer: jingan, name: 静安店}]
staff:
  - {id: lilei, name: 李雷, roles: [顾问, 运营值班], dealer: jingan, account: main}
"""
ATTRIBUTES = """
dsl: 1
attributes: {nick: {type: text, pii: true, label: 称呼}}
"""
JOURNEY = """
dsl: 1
journey: oa-why
name: 欢迎
channel: oa
enter: [{event: oa.follow}, {keyword: [报价], match: exact}]
reentry: {allow: after 30d, while_active: ignore}
slots:
  need: {type: choice, options: {看车: [选车], 养车: [保养]}, ask: ask-need, retry: {max: 2}}
  nick: {type: text, ask: ask-nick, retry: {max: 1}, save: customer.nick}
states:
  hello: {do: [{send: welcome}], then: need}
  need: {ask: need, timeout: {after: 1h, goto: nudge}, give_up: {goto: gone}, then: nick}
  nick: {ask: nick, timeout: {after: 1h, goto: nudge}, give_up: {goto: gone}, then: assign}
  nudge:
    when: window.open and counts.nudge < 1
    else: gone
    do: [{send: {content: nudge, class: reminder}}]
    wait: {for: 2h}
    then: gone
  assign:
    do:
      - {lead: {need: slots.need, name: slots.nick}}
      - {task: {to: advisor, title: "新线索 {{ customer.nick }}", due: 30m}}
      - {send: {content: thanks, outside: [drop]}}
    then: done
  done: {end: success}
  gone: {end: abandoned}
errors: [{error: "*", goto: gone}]
"""
TEXTS = {
    "welcome": "欢迎来到星澜汽车",
    "ask-nick": "怎么称呼您？",
    "nudge": "还在吗？",
    "thanks": "谢谢您",
    "optout-ok": "好的，不再打扰",
    "fallback": "没听懂",
    "expired-choice": "这个选项过期了",
}
MENUS = {"ask-need": "想聊什么？", "confirm": "对吗？"}
STUCK_STEP = timedelta(seconds=1)
TURNS_MAX = 500


def brand(root: Path, *, service: str = "at_most_once") -> Program:
    """The brand's journeys and contents, loaded and ready to run. `service`: how often its answers may leave."""
    rules = GLOBAL.replace("cap: ignore, delivery: at_most_once", f"cap: ignore, delivery: {service}")
    journeys, content = root / "journeys", root / "content"
    (journeys / "schema").mkdir(parents=True)
    content.mkdir()
    for name, text in (("_global", rules), ("_staff", STAFF), ("schema/customer", ATTRIBUTES), ("oa-why", JOURNEY)):
        (journeys / f"{name}.yaml").write_text(text.lstrip(), encoding="utf-8")
    for form, texts in (("text", TEXTS), ("menu", MENUS)):
        for name, text in texts.items():
            page = f"---\ncontent: {name}\nchannels: {{oa: {form}}}\n---\n{text}\n"
            (content / f"{name}.md").write_text(page, encoding="utf-8")
    loaded = authoring.load(journeys, content)
    assert loaded.library is not None, authoring.as_text(loaded.diagnostics, lang="zh")
    return compile_library(loaded.library)


@dataclass(slots=True)
class Platform:
    """Takes every message, but for those whose content it was told to answer otherwise, one answer after the other."""

    channel: str
    account: str = "main"
    in_flight_max: int = 8
    trouble: str | None = None
    answers: dict[str, list[ChannelError]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def prepare(self) -> None:
        """Nothing has to be done before a request."""

    async def send(self, effect: SendMessage) -> Accepted:
        self.asked.append(effect.content)
        answers = self.answers.get(effect.content)
        if answers:
            raise answers.pop(0)
        return Accepted(provider_id=f"id-{effect.content.strip('@')}")


@dataclass(slots=True)
class Stage:
    """Lets a buyer act, turns the clock, and asks why."""

    engine: Engine
    storage: Storage
    clock: TurnedClock
    oa: Platform
    app: Platform
    acts: int = 0

    async def act(self, type_: str, **fields: Json) -> None:
        """The buyer does something, and everybody reacts."""
        await self.accept(self.event(type_, **fields))
        await self.engine.quiesce()

    async def say(self, text: str) -> None:
        await self.act("message", kind="text", text=text)

    async def accept(self, event: Event) -> None:
        await self.engine.lanes.accept([event])

    def event(self, type_: str, **fields: Json) -> Event:
        self.acts += 1
        return Event(
            event_id=event_id(f"act {self.acts}"),
            type=type_,
            channel="oa",
            account="main",
            sender="oAnna",
            occurred_at=self.clock.now(),
            fields=fields,
        )

    async def turn(self, **span: float) -> None:
        """Turn the clock, stopping at every due moment on the way."""
        until = self.clock.now() + timedelta(**span)
        for _ in range(TURNS_MAX):
            due = await self.engine.next_due()
            if due is None or due >= until:
                break
            await self._move(due if due > self.clock.now() else self.clock.now() + STUCK_STEP)
        await self._move(max(until, self.clock.now()))

    async def _move(self, at: datetime) -> None:
        self.clock.at = at
        self.engine.wake()
        await self.engine.quiesce()

    async def customer(self) -> CustomerId:
        found = await self.storage.read(lambda tx: tx.reading.find_customer("oAnna"))
        assert found is not None
        return found

    async def story(self, *, limit: int = 50) -> Story:
        """Why, for the only buyer there is."""
        customer_id = await self.customer()
        return await self.storage.read(lambda tx: tell(tx, customer_id, limit=limit))


@asynccontextmanager
async def staged(storage: Storage, clock: TurnedClock, program: Program) -> AsyncIterator[Stage]:
    """The engine, started and in the end stopped."""
    oa, app = Platform("oa"), Platform("app")
    senders = {("oa", "main"): oa, ("app", "main"): app}
    engine = Engine(storage, live=Live(program=program), clock=clock, senders=senders, metrics=Metrics())
    await engine.start()
    try:
        yield Stage(engine=engine, storage=storage, clock=clock, oa=oa, app=app)
    finally:
        await engine.stop()
