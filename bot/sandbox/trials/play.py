"""Playing one test: the customer acts, time passes, her advisor answers, and what is expected is looked at."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

from bot.authoring.source import Span
from bot.authoring.trials import (
    Act,
    Advise,
    Decide,
    Expect,
    Given,
    Happen,
    Occupy,
    Pass,
    Reply,
    Say,
    Tap,
    Trial,
    TrialFile,
    Turn,
)
from bot.core.customer import Customer
from bot.core.errands import FULL, NO_SLOT
from bot.core.events import Event, Json
from bot.core.ids import CustomerId, EventId
from bot.core.messages import Card
from bot.core.program import Program
from bot.errors import BotError
from bot.sandbox.clock import VirtualClock
from bot.sandbox.trials import setting
from bot.sandbox.trials.errands import Partners
from bot.sandbox.trials.fuse import Fuse
from bot.sandbox.trials.house import House, Premises
from bot.sandbox.trials.outside import Outside
from bot.sandbox.trials.story import Story
from bot.sandbox.trials.wording import listed
from bot.storage.memory import MemoryDatabase

PACE = timedelta(seconds=10)
"""So long after what happened before somebody acts: nobody answers in no time. `wait` and `at` are exact."""
LINES_AT_ONCE = 500
BUYER_EVENTS = "oa."
_URGENT = frozenset({"oa.follow", "oa.scan", "oa.click"})
_ADVISOR = "app"


class Impossible(BotError):
    """A step of the test cannot be done: there is no such line to tap, no card to accept."""

    code = "impossible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Something was not as expected. `span`: where in the test file. `details`: what explains it, a line each."""

    span: Span
    text: str
    details: tuple[str, ...] = ()


Judge = Callable[["Play", Expect], list[Failure]]


@dataclass(slots=True, kw_only=True)
class Theatre:
    """What plays need and share: one database for all of them, wiped before each."""

    program: Program
    clock: VirtualClock
    database: MemoryDatabase
    accounts: tuple[tuple[str, str], ...]
    product: type[House] = House

    @classmethod
    def build(cls, program: Program, product: type[House] = House) -> "Theatre":
        """A theatre for the journeys of `program`."""
        clock = VirtualClock(datetime(2026, 1, 1, tzinfo=program.zone))
        channels = dict.fromkeys(journey.channel for journey in program.library.journeys.values())
        members = dict.fromkeys(member.account for member in program.library.members)
        return cls(
            program=program,
            clock=clock,
            database=MemoryDatabase(clock_now=clock.now),
            accounts=(*((channel, setting.ACCOUNT) for channel in channels), *((_ADVISOR, name) for name in members)),
            product=product,
        )


@dataclass(slots=True, kw_only=True)
class Play:
    """One test under way. `sent_mark`: deliveries there were at the last `expect`. `acted`: somebody has acted."""

    theatre: Theatre
    file: TrialFile
    given: Given
    outside: Outside
    partners: Partners
    house: House
    story: Story
    began_at: datetime
    customer_id: CustomerId
    sent_mark: int = 0
    acted: bool = False
    failures: list[Failure] = field(default_factory=list)
    _events: dict[str, str] = field(default_factory=dict)
    _seen_seq: int = 0

    @property
    def now(self) -> datetime:
        """The present moment of the play."""
        return self.theatre.clock.now()

    @property
    def program(self) -> Program:
        return self.theatre.program

    def customer(self) -> Customer:
        """The customer as the database has her."""
        with self.theatre.database.reading() as tx:
            return tx.customers.load([self.customer_id])[self.customer_id]

    def perform(self, trial: Trial, judge: Judge) -> None:
        """Play all steps of `trial`; stop at the first that fails. `judge` looks at what is expected."""
        for step in trial.steps:
            try:
                if isinstance(step, Expect):
                    self.failures += judge(self, step)
                    self.mark()
                else:
                    self.act(step)
            except BotError as error:
                self.failures.append(Failure(span=step.span, text=error.what))
            if self.failures:
                return

    def mark(self) -> None:
        """From here on counts what is new."""
        self.story.mark = len(self.story.told)
        self.sent_mark = len(self.outside.deliveries)

    def act(self, step: Act) -> None:
        """Do one step, and all that follows. BotError: it cannot be done, or the product broke over it."""
        match step:
            case Happen():
                self._happen(step)
            case Say():
                self._by_buyer("message", {"kind": step.kind, **step.enclosed}, f"客户：{step.text or step.kind}")
            case Tap():
                self._tap(step)
            case Pass():
                self.turn_to(self.now + step.length)
            case Turn():
                self.turn_to(setting.moment_of(step.to, self.program.zone, after=self.now))
            case Advise():
                self._advise(step)
            case Decide():
                self.outside.decide(step)
            case Reply():
                self.partners.decide(step.call, step.answer)
            case Occupy():
                self.partners.occupy(step.resource, NO_SLOT if step.fails else FULL)
            case _:
                assert_never(step)

    def turn_to(self, at: datetime) -> None:
        """Let time go by until `at`. BotError: it lies in the past."""
        if at < self.now:
            raise Impossible(f"{at.astimezone(self.program.zone):%Y-%m-%d %H:%M} 已经过去了，时间只能往前")
        self.house.turn_to(at)
        self.catch_up()

    def catch_up(self) -> None:
        """Read what was written into the journal since the last time."""
        while True:
            with self.theatre.database.reading() as tx:
                lines = tx.reading.journal_after(self.customer_id, self._seen_seq, limit=LINES_AT_ONCE)
            for line in lines:
                self._seen_seq = line.seq
                self.story.add(line, self._because(line.event_id or ""))
            if len(lines) < LINES_AT_ONCE:
                return

    def _because(self, event_id: str) -> str:
        if event_id.startswith("timer:"):
            return f"定时器 {event_id.rpartition(':')[2]} 到点"
        return self._events.get(event_id, "")

    def _happen(self, step: Happen) -> None:
        if step.event == "message":
            self._by_buyer("message", {"kind": "text", **step.fields}, "客户来信")
        elif step.event.startswith(BUYER_EVENTS):
            standard: dict[str, Json] = {"scene": None} if step.event in ("oa.follow", "oa.scan") else {}
            self._by_buyer(step.event, {**standard, **step.fields}, f"事件 {step.event}")
        else:
            self._pace()
            event = self._event(step.event, dict(step.fields), channel="", sender="")
            self._arrives(event, f"事件 {step.event}", addressed=True)

    def _tap(self, step: Tap) -> None:
        choice = self.outside.newest_choice(step.text, content=step.of)
        if choice is None:
            shown = listed(self.outside.newest_choices())
            raise Impossible(f"聊天里没有可以点的 “{step.text}”，最新的选项：{shown}")
        fields: dict[str, Json] = {"kind": "menu_tap", "text": choice.text, "menu_id": choice.choice_id}
        self._by_buyer("message", fields, f"客户点了：{step.text}")

    def _by_buyer(self, kind: str, fields: dict[str, Json], told: str) -> None:
        self._pace()
        channel = self.program.journey(self.file.journey).channel
        self._arrives(self._event(kind, fields, channel=channel, sender=setting.BUYER), told)

    def _advise(self, step: Advise) -> None:
        if step.act == "text":
            got = self.outside.newest_to_staff()
            if got is None:
                raise Impossible("没有顾问收到这位客户的卡片")
            fields: dict[str, Json] = {"text": step.text}
            kind, told = "advisor.said", f"顾问：{step.text}"
        else:
            got = self.outside.newest_card(step.act)
            if got is None or not isinstance(got.effect.message, Card):
                raise Impossible(f"没有顾问收到带按钮 {step.act} 的卡片")
            number = len(self._events)
            fields = {"key": step.act, "task_id": got.effect.message.task_id, "response_code": f"click-{number}"}
            kind, told = "card.clicked", f"顾问点了 {step.act}"
        self._pace()
        event = self._event(kind, fields, channel=_ADVISOR, sender=got.effect.to, account=got.effect.account)
        self._arrives(event, told)

    def _pace(self) -> None:
        if self.acted:
            self.turn_to(self.now + PACE)
        self.acted = True

    def _event(
        self, kind: str, fields: dict[str, Json], *, channel: str, sender: str, account: str = setting.ACCOUNT
    ) -> Event:
        urgent = kind in _URGENT or channel == _ADVISOR or fields.get("kind") == "menu_tap"
        return Event(
            event_id=EventId(f"trial-{len(self._events) + 1}"),
            type=kind,
            channel=channel,
            account=account if channel else "",
            sender=sender,
            occurred_at=self.now,
            fields=fields,
            urgent=urgent,
        )

    def _arrives(self, event: Event, told: str, *, addressed: bool = False) -> None:
        number = len(self._events) + 1
        self._events[event.event_id] = f"{told}（第 {number} 件事）"
        if addressed:
            self.house.accept((), addressed=((self.customer_id, event),))
        else:
            self.house.accept((event,))
        self.catch_up()


def begin(theatre: Theatre, file: TrialFile, trial: Trial, fuse: Fuse) -> Play:
    """A play about to begin, with everything as the test, or else its file, has it.

    BotError: it cannot begin so.
    """
    given = replace(trial.given, customer={**file.defaults.customer, **trial.given.customer})
    program, journey = theatre.program, theatre.program.journey(file.journey)
    first = setting.moment_of(setting.START, program.zone, after=theatre.clock.now())
    started = setting.moment_of(file.defaults.start or setting.START, program.zone, after=first)
    now = setting.moment_of(given.at, program.zone, after=started) if given.at else started
    theatre.clock.restart(now)
    theatre.database.wipe()
    outside = Outside(templates=None if file.defaults.templates is None else frozenset(file.defaults.templates))
    partners = Partners(program.library, {**file.defaults.mocks, **trial.mocks})
    premises = Premises(
        database=theatre.database,
        clock=theatre.clock,
        outside=outside,
        partners=partners,
        program=program,
        accounts=theatre.accounts,
    )
    with theatre.database.writing() as tx:
        customer_id = setting.introduce(tx, program, journey, given, now)
    play = Play(
        theatre=theatre,
        file=file,
        given=given,
        outside=outside,
        partners=partners,
        house=theatre.product(premises, fuse),
        story=Story(journey=file.journey),
        began_at=now,
        customer_id=customer_id,
    )
    if given.state:
        with theatre.database.writing() as tx:
            setting.enter(tx, program, journey, given, now)
        play.house.work()
        play.catch_up()
        play.acted = True
    return play
