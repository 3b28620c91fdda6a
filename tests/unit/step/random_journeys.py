"""Small journeys that a checker would let through, drawn at random, and what may happen to a customer in them.

Drawn by throws of dice rather than by nested strategies: those take fifty times as long to draw as to play.
The first of every choice is the simplest, so that Hypothesis shrinks towards it.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

from hypothesis import strategies as st

from bot.core import actions as say
from bot.core.entries import (
    ApiEntry,
    Entry,
    EventEntry,
    Exit,
    Focus,
    Goal,
    Holdout,
    KeywordEntry,
    Reentry,
    ScheduleEntry,
    SegmentEntry,
)
from bot.core.expressions.tree import Expression, Template
from bot.core.journey import Journey
from bot.core.messages import Menu
from bot.core.program import Program, compile_library
from bot.core.rules import GlobalRules, Interrupt, OnError
from bot.core.states import (
    Arm,
    Ask,
    Branch,
    CallJourney,
    Doing,
    End,
    Handoff,
    Split,
    SplitArm,
    State,
    Timeout,
)
from tests.unit.step import random_errands, random_times
from tests.unit.step.dice import Dice
from tests.unit.step.play import Play, length
from tests.unit.step.worlds import ASK_HUMAN, HANDOFF, world

POOL = """
dsl: 1
journey: pool
name: 可用的一切
channel: oa
enter: [{event: oa.follow}]
vars: {n: {type: number, default: 0}, why: {type: text}}
slots:
  a: {type: choice, options: {甲: [], 乙: []}, ask: ask-a, retry: {max: 1, say: a-again}}
  b: {type: text, ask: ask-b, check: length(value) <= 3, optional: true, save: customer.nick}
  c: {type: phone_cn, ask: ask-c, consent: 电话联系, confirm: true, save: customer.phone}
  d: {type: choice, options_from: "['甲', '丙'] if vars.n < 2 else []", ask: ask-d, save: customer.city, ttl: 1d}
states:
  start: {ask: a, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: say}
  say:
    do:
      - send: {content: hello, class: service}
      - send: {content: news, class: reminder, outside: [drop]}
      - send: {content: offer, class: marketing, outside: [template:通知, task]}
      - tag: t
      - -tag: t
      - score: 1
      - set: {vars.n: vars.n + 1}
      - set: {customer.visits: vars.n / 2}
      - lead: {need: slots.a}
      - consent: {grant: 电话联系, text: ask-c}
      - consent: {grant: 营销, text: ask-c}
      - consent: {withdraw: 电话联系}
      - task: {to: advisor, title: "找{{ customer.nick }}", due: 30m, overdue: {to: role:店长}}
      - points: {add: 1, reason: 测试}
      - note: "{{ slots.a }}"
      - opt_out: marketing
    then: guards
  guards:
    branch:
      - {when: slots.a == '甲', goto: a}
      - {when: window.open and counts.say < 2, goto: a}
      - {when: has_tag('t'), goto: a}
      - {when: customer.score > 2, goto: a}
      - {when: event.type, goto: a}
      - {when: customer.visits >= 1 or opened.end == 'good', goto: a}
      - {else: b}
  a: {ask: a, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: done}
  b: {ask: b, timeout: {after: 4h, goto: done}, give_up: {goto: c}, then: c}
  c: {ask: c, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: d}
  d: {ask: d, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: called}
  called: {call: {journey: human, save: opened}, then: last}
  last: {do: [{send: {content: done, class: transactional, outside: [task]}}], then: done}
  done: {end: done}
"""
_BASE = world(POOL, HANDOFF, rules=ASK_HUMAN).library
_POOL = _BASE.journeys["pool"]
NAMES = ("j0", "j1", "j2")
WORDS = ("词零", "词一", "词二")
STATES_MAX = 5


def _guards() -> tuple[Expression, ...]:
    branch = _POOL.states["guards"].doing
    assert isinstance(branch, Branch)
    return tuple(arm.when for arm in branch.arms if arm.when is not None)


GUARDS = _guards()
SENDS = (*_POOL.states["say"].do[:3], *_POOL.states["last"].do)
EMITTED = "own.event"
"""An event that these journeys emit and hear."""
TAKEN_BACK = tuple(say.CancelJourney(journey=name) for name in NAMES)
STARTED = tuple(say.StartJourney(journey=name) for name in NAMES)
ACTIONS = (
    *SENDS,
    *_POOL.states["say"].do,
    *STARTED,
    *TAKEN_BACK,
    say.Emit(event=EMITTED),
    *random_errands.ACTIONS,
)
EVERYBODYS = (
    *SENDS,
    *STARTED,
    *TAKEN_BACK,
    say.Emit(event=EMITTED),
    say.Tag(tag="t"),
    say.OptOut(scope="marketing"),
    *(one for one in random_errands.ACTIONS if not (isinstance(one, say.GrantCoupon) and one.once_per == "journey")),
)
"""What may be done for no journey at all."""
OWN_WORD = "词九"
NOTE = Template(source="", parts=("请接待",))
HEARD = ("message", "oa.scan", "oa.click", "oa.unfollow", EMITTED, *random_errands.HEARD)

Act: TypeAlias = Callable[[Play], object]


def journey(dice: Dice, name: str, word: str) -> Journey:
    """A journey called `name`, entered by `word`, or by following, or by both."""
    by_word = KeywordEntry(
        keywords=(word,), match=dice.pick(["exact", "contains", "fuzzy"]), interrupt=dice.pick([False, True])
    )
    by_segment = SegmentEntry(segment="s", spread=dice.pick([None, timedelta(hours=1)]))
    by_schedule = ScheduleEntry(cron="0 10 * * *", spread=dice.pick([None, timedelta(hours=1)]))
    entries: list[tuple[Entry, ...]] = [
        (by_word, EventEntry(event="oa.follow")),
        (by_word,),
        (by_word, EventEntry(event=EMITTED), by_segment),
        (by_word, by_schedule, ApiEntry(api="start", interrupt=True)),
    ]
    names = tuple(f"s{number}" for number in range(1 + dice.throw() % STATES_MAX))
    grouped = names[: dice.throw() % len(names)]
    to = (*names, "done", random_times.GROUP) if grouped else (*names, "done")
    states = {state: _state(dice, name, state, to) for state in names}
    states |= {state: replace(states[state], group=random_times.GROUP) for state in grouped}
    rules = [
        (),
        (OnError(error="*", goto="done"),),
        (OnError(error="send", goto="s0"), OnError(error="expr.*", goto="done")),
    ]
    goal = dice.perhaps(GUARDS, one_in=2)
    return Journey(
        journey=name,
        name=name,
        channel="oa",
        states={**states, "done": State(name="done", doing=End(label="done"))},
        enter=dice.pick(entries),
        reentry=_reentry(dice),
        focus=_focus(dice),
        vars=_POOL.vars,
        slots=_POOL.slots,
        goal=Goal(name="g", when=goal, exit=dice.pick(["", "done", "s0"]), within=timedelta(days=2)) if goal else None,
        exits=tuple(_exit(dice, names) for _ in range(dice.throw() % 5 % 3)),
        holdout=dice.perhaps([Holdout(percent=50, salt=f"held-{dice.throw()}")], one_in=4),
        groups={random_times.GROUP: random_times.group(dice, grouped[0], _stuff(to))} if grouped else {},
        limits=dice.pick(random_times.LIMITS),
        errors=dice.pick(rules),
    )


def _focus(dice: Dice) -> Focus:
    patience = dice.perhaps([timedelta(hours=2)], one_in=2)
    shared = dice.perhaps(["shared"], one_in=4)
    return Focus(priority=dice.throw() % 4, resume_within=patience, floor="shared" if shared else "exclusive")


def _reentry(dice: Dice) -> Reentry:
    return Reentry(
        allow=dice.pick(["always", "never", timedelta(days=1), "goal_missed"]),
        while_active=dice.pick(["ignore", "restart", "queue"]),
    )


def _exit(dice: Dice, to: Sequence[str]) -> Exit:
    by_event = dice.pick(["", "", EMITTED, "oa.scan", "oa.unfollow"])
    return Exit(goto=dice.pick(to), event=by_event, when=None if by_event else dice.pick(GUARDS))


def _stuff(to: Sequence[str]) -> random_times.Stuff:
    return random_times.Stuff(guards=GUARDS, actions=ACTIONS, to=to, events=HEARD)


def _state(dice: Dice, journey: str, name: str, to: Sequence[str]) -> State:
    of = _stuff(to)
    return State(
        name=name,
        when=dice.perhaps(GUARDS, one_in=4),
        otherwise=dice.pick(to),
        do=dice.some(ACTIONS, 2),
        doing=_doing(dice, journey, to),
        then=dice.pick(to),
        events=tuple(random_times.reaction(dice, of) for _ in range(dice.throw() % 3)),
        timers=tuple(random_times.timer(dice, f"t{number}", of) for number in range(max(0, dice.throw() % 5 - 2))),
        timeout=Timeout(after=dice.pick(random_times.SPANS), goto=dice.pick(to)),
        give_up=dice.pick(to),
        fail=dice.perhaps(to, one_in=6) or "",
    )


def _doing(dice: Dice, journey: str, to: Sequence[str]) -> Doing | None:
    match dice.throw() % 15:
        case 0 | 1 | 2 | 10 | 11 | 12:
            return Ask(slot=dice.pick("abcd"))
        case 3:
            return random_times.wait(dice)
        case 4:
            return Branch(arms=(Arm(when=dice.pick(GUARDS), goto=dice.pick(to)), Arm(when=None, goto=dice.pick(to))))
        case 5:
            return None
        case 8:
            arms = tuple(SplitArm(name=name, percent=50, goto=dice.pick(to)) for name in "AB")
            return Split(salt=dice.pick(["one", "two"]), arms=arms)
        case 6:
            within = timedelta(minutes=5)
            return Handoff(to="advisor", note=NOTE, accept_within=within, hours="工作时间", fallback=dice.pick(to))
        case 7:
            # Only journeys of a higher number are called: the checker refuses recursion.
            deeper = [other for other in NAMES if other > journey]
            return CallJourney(journey=dice.pick(deeper), save="opened") if deeper else None
        case 13:
            return random_errands.book(dice, to)
        case 14:
            return random_errands.webhook(dice, to)
        case _:
            return End(label=dice.pick(["good", "bad"]))


def program(dice: Dice) -> Program:
    """A library of three such journeys, beside the way to a human."""
    found = [journey(dice, name, word) for name, word in zip(NAMES, WORDS, strict=True)]
    ways_out = {name: one for name, one in _BASE.journeys.items() if name != "pool"}
    named = {**ways_out, **{one.journey: one for one in found}}
    rules = _rules(dice)
    release = hashlib.sha256(repr((found, rules)).encode()).hexdigest()
    return compile_library(replace(_BASE, release=release, journeys=named, rules=rules))


def _rules(dice: Dice) -> GlobalRules:
    """The rules of everybody, with an interrupt, with rules for errors, and with fewer messages a step."""
    own = Interrupt(
        interrupt="own",
        keywords=(OWN_WORD,),
        priority=dice.pick([500, 950]),
        effect=dice.pick(["answer", "pause", "end_focus", "end_all"]),
        do=dice.some(EVERYBODYS, 3),
    )
    on_error = OnError(error=dice.pick(["*", "points.*", "loop", "send.*"]), do=dice.some(EVERYBODYS, 2))
    return replace(
        _BASE.rules,
        interrupts=(*_BASE.rules.interrupts, own),
        errors=dice.pick([(), (on_error,)]),
        burst=dice.pick([3, 3, 2, 1]),
    )


SAID = (
    OWN_WORD,
    *WORDS,
    *WORDS,
    *("甲", "乙", "丙", "1", "王先生", "一二三四五", "13800138000", "对", "不对", "跳过", "退订", "人工", "/bot", ""),
    *("算了", "等一下", "骗子", "不对，是乙", "改成甲", "改成13912345678", "词零和词一"),
)
REASONS = ("window", "count", "gone", "45015", "human_has_floor")
STAFF = ("zhangmin", "lilei", "chenjing", "zhouning")


def act(dice: Dice) -> Act:
    """One thing that happens: mostly words of hers and time that passes."""
    match dice.throw() % 25:
        case 21 | 22 | 23:
            return random_errands.comes_back(dice)
        case 24:
            kind = dice.pick(["schedule.due", "api", "handoff.closed", "task.done", "exit.check"])
            return lambda play: play.event(kind, cron="0 10 * * *", entry="start")
        case 17 | 18 | 19:
            place = dice.throw()
            return lambda play: _answer(play, place)
        case 20:
            place = dice.throw()
            return lambda play: _take_back(play, place)
        case 16:
            asleep = dice.pick(["31m", "5h", "3d"])
            return lambda play: _oversleep(play, asleep)
        case 0 | 1 | 2 | 3 | 4:
            text = dice.pick(SAID)
            return lambda play: play.say(text)
        case 5 | 6:
            duration = dice.pick(["1m", "6m", "31m", "5h", "13h", "3d"])
            return lambda play: play.wait(duration)
        case 7:
            older, line = dice.throw() % 4, dice.throw()
            return lambda play: _tap(play, older, line)
        case 8 | 9:
            by, key, older = dice.pick(STAFF), dice.pick(["accept", "busy", "open", "close", "done"]), dice.throw() % 4
            return lambda play: _click(play, by, key, older)
        case 10:
            by = dice.pick(STAFF)
            return lambda play: play.advisor("您好", by=by)
        case 11:
            older, reason = dice.throw() % 4, dice.pick(REASONS)
            return lambda play: _refuse(play, older, reason)
        case 12:
            return dice.pick([Play.follow, Play.unfollow])
        case 13:
            return dice.pick([lambda play: play.scan("x"), lambda play: play.menu("x")])
        case 14:
            return dice.pick([lambda play: play.show("image"), lambda play: play.event("segment.entered", segment="s")])
        case _:
            changed = program(dice)
            return lambda play: _swap(play, changed)


FITTING = {"a": ("甲", "乙"), "b": ("王先生", "李"), "c": ("13800138000", "13912345678"), "d": ("丙", "1")}
"""Words that answer each of the slots."""


def _answer(play: Play, place: int) -> None:
    """She answers the question that is open."""
    asked = [run.pending.slot for run in play.customer.enrolments.values() if run.pending is not None]
    words = FITTING.get(asked[place % len(asked)], ("对", "不对")) if asked else WORDS
    play.say(words[place % len(words)])


def _take_back(play: Play, place: int) -> None:
    """She takes back something that she has answered."""
    told = [name for run in play.customer.enrolments.values() for name in run.answered_at]
    words = FITTING.get(told[place % len(told)], ("对",)) if told else ("对",)
    play.say(f"不对，是{words[place % len(words)]}")


def _tap(play: Play, older: int, line: int) -> None:
    menus = [send.message for send in play.sent if isinstance(send.message, Menu)]
    if menus:
        choices = menus[-1 - older % len(menus)].choices
        play.tap_id(choices[line % len(choices)].choice_id, choices[line % len(choices)].text)


def _click(play: Play, staff_id: str, key: str, older: int) -> None:
    cards = play.cards(staff_id)
    if cards:
        play.click_id(cards[-1 - older % len(cards)].task_id, key, by=staff_id)


def _refuse(play: Play, older: int, reason: str) -> None:
    if play.sent:
        play.receipt("send.refused", play.sent[-1 - older % len(play.sent)], reason)


def _oversleep(play: Play, duration: str) -> None:
    """The engine was away, and everything that was due meanwhile is late."""
    play.now += length(duration)
    play.wait("0s")


def _swap(play: Play, changed: Program) -> None:
    play.program = changed


@dataclass(frozen=True, slots=True, repr=False)
class Story:
    """A library, and what happens to somebody who meets it.

    Without a repr: one of the whole library is so large that Hypothesis warns of it instead of telling what failed.
    """

    program: Program
    happenings: tuple[Act, ...]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    dice = Dice(lambda: draw(BYTES))
    return Story(program(dice), tuple(act(dice) for _ in range(3 + dice.throw() % HAPPENINGS_MAX)))


BYTES = st.integers(0, 255)
HAPPENINGS_MAX = 12
