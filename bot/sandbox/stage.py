"""The play behind the phone page: a world in which a buyer, her advisors and the clock can be watched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.customer import Customer, Enrolment
from bot.core.events import Json
from bot.core.library import Library
from bot.errors import BotError
from bot.runtime import why
from bot.sandbox import emulator
from bot.sandbox.phone import snapshot as shown
from bot.sandbox.watching import Sight, look, standing
from bot.sandbox.world import World, new_openid
from bot.storage import Transaction

BUYERS_MAX = 1000
"""Buyers one demo may have; one more is refused."""
NAMES = ("王先生", "李女士", "张先生", "陈女士", "刘先生", "赵女士", "周先生", "吴女士")
SCENES = ("td_sh01", "autoshow_2026")
REASONS_MAX = 30
OWNERS = {"_floor": "顾问会话自动结束", "_task": "顾问任务到期"}
TIMERS = {"wait": "等待结束", "timeout": "问题超时", "accept": "等顾问接受", "max_age": "旅程最长时间到"}
HUMAN = "顾问 {name}（机器人保持安静）"


@dataclass(slots=True)
class DemoStage:
    """Implements `Stage` of the phone page."""

    world: World
    buyers: dict[str, str] = field(default_factory=dict)

    async def snapshot(self, openid: str) -> shown.Snapshot | None:
        """Everything to show for this buyer. None: nobody here has this openid."""
        name = self.buyers.get(openid)
        if name is None:
            return None
        inside, desks = await self._inside(openid)
        return shown.Snapshot(
            clock=self.world.clock.now(),
            buyer=shown.Buyer(
                openid=openid,
                name=name,
                following=self.world.emulator.following(openid),
                bubbles=tuple(_bubble(one) for one in self.world.emulator.buyer_chat(openid)),
            ),
            advisors=tuple(self._advisor(staff_id, desks) for staff_id in self.world.staff),
            inside=inside,
            menu=(
                shown.MenuButton(name="找顾问", key="MENU_ADVISOR"),
                shown.MenuButton(name="用车服务", key="MENU_SERVICE"),
            ),
            scenes=SCENES,
            refused=self.world.reloading.refused if self.world.reloading else "",
        )

    async def act(self, action: Mapping[str, Json]) -> Mapping[str, Json]:
        """Do one action of the page and return once everybody has reacted."""
        if action["do"] == "new_buyer":
            return self._new_buyer()
        if action["openid"] not in self.buyers:
            raise BotError("没有这位买家，请刷新页面")
        try:
            if action["do"] == "turn":
                await self.world.turn(timedelta(seconds=int(str(action["seconds"]))))
                return {}
            return await self.world.act(action)
        finally:
            # What was settled after the last bubble (a send's verdict, a timer) is news too.
            self.world.emulator.feed.step()

    async def changed(self, after: int) -> int:
        """Return the number of the newest change of any conversation once it is greater than `after`."""
        return await self.world.emulator.changed(after)

    def _new_buyer(self) -> dict[str, Json]:
        if len(self.buyers) >= BUYERS_MAX:
            raise BotError(f"一次演示最多 {BUYERS_MAX} 位客户，请重新启动")
        openid = new_openid()
        self.buyers[openid] = NAMES[len(self.buyers) % len(NAMES)]
        return {"openid": openid}

    def files_changed(self) -> None:
        """Have every page show what has become of the files."""
        self.world.emulator.feed.step()

    def _advisor(self, staff_id: str, desks: Mapping[str, str]) -> shown.Advisor:
        bubbles = self.world.emulator.staff_chat(staff_id)
        return shown.Advisor(
            staff_id=staff_id,
            name=self.world.staff[staff_id],
            bubbles=tuple(_bubble(one) for one in bubbles),
            desk=desks.get(staff_id, ""),
        )

    async def _inside(self, openid: str) -> tuple[shown.Inside, dict[str, str]]:
        sight = await look(self.world, openid)
        if sight is None:
            return shown.Inside(floor="还没有开始"), {}
        program = self.world.product.live.program
        customer, now = sight.customer, self.world.clock.now()

        def last(tx: Transaction) -> Sequence[why.Line]:
            return why.last_decision(why.tell(tx, customer.customer_id, limit=1))

        reasons = await self.world.product.storage.read(last)
        name = self.buyers[openid]
        desks: dict[str, str] = {t.human.staff_id: name for t in customer.conversations.values() if t.human is not None}
        return (
            shown.Inside(
                journeys=_journeys(sight, program.library),
                attributes={_label(name, program.library): value for name, value in customer.attributes.items()},
                tags=tuple(sorted(customer.tags)),
                score=customer.score,
                points=customer.points,
                lead=_lead(customer, program.library),
                floor=_floor(customer, program.library, self.world.staff),
                windows=tuple(_windows(customer, now)),
                timers=tuple(_timers(customer)),
                reasons=tuple(
                    shown.Reason(at=line.at or now, text=line.text, tone=line.tone) for line in reasons[-REASONS_MAX:]
                ),
            ),
            desks,
        )


def _bubble(one: emulator.Bubble) -> shown.Bubble:
    return shown.Bubble(
        seq=one.seq,
        at=one.at,
        side=one.side,
        kind=one.kind,
        text=one.text or (one.media_id if one.kind == "image" else ""),
        choices=tuple(shown.Choice(id=choice_id, text=text) for choice_id, text in one.choices),
        title=one.title,
        description=one.quote if one.kind == "menu" else one.description,
        rows=one.rows,
        quote="" if one.kind == "menu" else one.quote,
        buttons=tuple(shown.Button(key=b.key, text=b.text, style=b.style, disabled=b.disabled) for b in one.buttons),
        task_id=one.task_id,
    )


def _journey(run: Enrolment, library: Library) -> shown.JourneyState:
    journey = library.journeys.get(run.journey)
    return shown.JourneyState(
        journey=run.journey,
        name=journey.name if journey else run.journey,
        state=run.state,
        visit=run.visit,
        question=run.pending.slot if run.pending else "",
        slots={name: value for name, value in run.slots.items() if value is not None},
    )


def _journeys(sight: Sight, library: Library) -> tuple[shown.JourneyState, ...]:
    """The living enrolments; when there is none, the one that ended last."""
    living = tuple(_journey(run, library) for run in sight.customer.enrolments.values())
    last = standing(sight)
    if living or last is None:
        return living
    journey = library.journeys.get(last.journey)
    name = journey.name if journey else last.journey
    return (shown.JourneyState(journey=last.journey, name=f"{name}（已结束：{last.end}）", state=last.state, visit=0),)


def _label(name: str, library: Library) -> str:
    attribute = library.attributes.get(name)
    return attribute.label if attribute and attribute.label else name


def _lead(customer: Customer, library: Library) -> shown.Lead | None:
    lead = customer.lead
    if lead is None:
        return None
    rows = tuple((_label(name, library), str(value)) for name, value in lead.fields.items() if value is not None)
    return shown.Lead(lead_id=lead.lead_id, stage=lead.stage, rows=rows)


def _floor(customer: Customer, library: Library, staff: Mapping[str, str]) -> str:
    for conversation in customer.conversations.values():
        if conversation.human is not None:
            return HUMAN.format(name=staff.get(conversation.human.staff_id, conversation.human.staff_id))
        if conversation.floor:
            run = customer.enrolments.get(conversation.floor[-1])
            journey = library.journeys.get(run.journey) if run else None
            return f"旅程 {journey.name}" if journey else ""
    return "没有人在说话"


def _windows(customer: Customer, now: datetime) -> list[shown.Window]:
    return [
        shown.Window(kind=bucket.kind, left=bucket.max - bucket.used, max=bucket.max, closes_at=bucket.closes_at)
        for conversation in customer.conversations.values()
        for bucket in conversation.buckets
        if bucket.closes_at > now
    ]


def _timers(customer: Customer) -> list[shown.DueTimer]:
    found = []
    for timer in sorted(customer.timers, key=lambda one: one.due_at):
        what = OWNERS.get(timer.owner, TIMERS.get(timer.timer_id, timer.timer_id.removeprefix("@")))
        run = next((run for key, run in customer.enrolments.items() if key == timer.owner), None)
        found.append(shown.DueTimer(what=f"{run.journey}/{run.state} {what}" if run else what, due_at=timer.due_at))
    return found
