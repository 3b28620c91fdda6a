"""Small journeys that a checker would let through, drawn at random, and what may happen to a customer in them.

Drawn by throws of dice rather than by nested strategies: those take fifty times as long to draw as to play.
The first of every choice is the simplest, so that Hypothesis shrinks towards it.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias, TypeVar

from hypothesis import strategies as st

from bot.core import actions as say
from bot.core.expressions.tree import Expression, Template
from bot.core.journey import (
    Arm,
    Ask,
    Branch,
    CallJourney,
    Doing,
    End,
    Entry,
    EventEntry,
    Focus,
    Goal,
    Handoff,
    Journey,
    KeywordEntry,
    On,
    OnError,
    Reentry,
    State,
    Timeout,
    Wait,
)
from bot.core.messages import Menu
from bot.core.program import Program, compile_library
from tests.unit.step.play import Play
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
states:
  say:
    do:
      - send: {content: hello, class: service}
      - send: {content: news, class: reminder, outside: [drop]}
      - send: {content: offer, class: marketing, outside: [template:通知, task]}
      - send: {content: done, class: transactional, outside: [task]}
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
  c: {ask: c, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: called}
  called: {call: {journey: human, save: opened}, then: done}
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
SENDS = _POOL.states["say"].do[:4]
ACTIONS = (*SENDS, *_POOL.states["say"].do, *(say.StartJourney(journey=name) for name in NAMES))
NOTE = Template(source="", parts=("请接待",))
LENGTHS = (timedelta(minutes=30), timedelta(hours=3), timedelta(days=3))

T = TypeVar("T")
Act: TypeAlias = Callable[[Play], object]


@dataclass(frozen=True, slots=True)
class Dice:
    """Choices, each one throw."""

    throw: Callable[[], int]

    def pick(self, options: Sequence[T]) -> T:
        return options[self.throw() % len(options)]

    def perhaps(self, options: Sequence[T], *, one_in: int) -> T | None:
        return self.pick(options) if self.throw() % one_in == one_in - 1 else None

    def some(self, options: Sequence[T], most: int) -> tuple[T, ...]:
        return tuple(self.pick(options) for _ in range(self.throw() % (most + 1)))


def journey(dice: Dice, name: str, word: str) -> Journey:
    """A journey called `name`, entered by `word`, or by following, or by both."""
    by_word = KeywordEntry(keywords=(word,), interrupt=dice.pick([False, True]))
    entries: list[tuple[Entry, ...]] = [(by_word, EventEntry(event="oa.follow")), (by_word,)]
    names = tuple(f"s{number}" for number in range(1 + dice.throw() % STATES_MAX))
    states = {state: _state(dice, name, state, (*names, "done")) for state in names}
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
        reentry=dice.pick([Reentry(), Reentry(allow="never"), Reentry(allow=timedelta(days=1))]),
        focus=Focus(priority=dice.throw() % 4, resume_within=dice.perhaps([timedelta(hours=2)], one_in=2)),
        vars=_POOL.vars,
        slots=_POOL.slots,
        goal=Goal(name="g", when=goal) if goal else None,
        errors=dice.pick(rules),
    )


def _state(dice: Dice, journey: str, name: str, to: Sequence[str]) -> State:
    return State(
        name=name,
        when=dice.perhaps(GUARDS, one_in=4),
        otherwise=dice.pick(to),
        do=dice.some(ACTIONS, 2),
        doing=_doing(dice, journey, to),
        then=dice.pick(to),
        events=tuple(_reaction(dice, to) for _ in range(dice.throw() % 3)),
        timeout=Timeout(after=dice.pick(LENGTHS), goto=dice.pick(to)),
        give_up=dice.pick(to),
    )


def _doing(dice: Dice, journey: str, to: Sequence[str]) -> Doing | None:
    match dice.throw() % 9:
        case 0 | 1 | 2:
            return Ask(slot=dice.pick("abc"))
        case 3:
            return Wait(duration=dice.pick(LENGTHS))
        case 4:
            return Branch(arms=(Arm(when=dice.pick(GUARDS), goto=dice.pick(to)), Arm(when=None, goto=dice.pick(to))))
        case 5:
            return None
        case 6:
            within = timedelta(minutes=5)
            return Handoff(to="advisor", note=NOTE, accept_within=within, hours="工作时间", fallback=dice.pick(to))
        case 7:
            # Only journeys of a higher number are called: the checker refuses recursion.
            deeper = [other for other in NAMES if other > journey]
            return CallJourney(journey=dice.pick(deeper), save="opened") if deeper else None
        case _:
            return End(label=dice.pick(["good", "bad"]))


def _reaction(dice: Dice, to: Sequence[str]) -> On:
    return On(
        event=dice.pick(["message", "oa.scan", "oa.click", "oa.unfollow"]),
        when=dice.perhaps(GUARDS, one_in=2),
        do=dice.some(ACTIONS, 1),
        goto=dice.pick(["", *to]),
    )


def program(dice: Dice) -> Program:
    """A library of three such journeys, beside the way to a human."""
    found = [journey(dice, name, word) for name, word in zip(NAMES, WORDS, strict=True)]
    named = {"human": _BASE.journeys["human"], **{one.journey: one for one in found}}
    release = hashlib.sha256(repr(found).encode()).hexdigest()
    return compile_library(replace(_BASE, release=release, journeys=named))


SAID = (*WORDS, *"甲乙", "王先生", "一二三四五", "13800138000", "对", "不对", "跳过", "退订", "人工", "/bot", "")
REASONS = ("window", "count", "gone", "45015", "human_has_floor")
STAFF = ("zhangmin", "lilei", "chenjing", "zhouning")


def act(dice: Dice) -> Act:
    """One thing that happens: mostly words of hers and time that passes."""
    match dice.throw() % 16:
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
            return lambda play: play.show("image")
        case _:
            changed = program(dice)
            return lambda play: _swap(play, changed)


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


def _swap(play: Play, changed: Program) -> None:
    play.program = changed


@st.composite
def stories(draw: st.DrawFn) -> tuple[Program, list[Act]]:
    """A library, and what happens to somebody who meets it."""
    dice = Dice(lambda: draw(BYTES))
    return program(dice), [act(dice) for _ in range(3 + dice.throw() % HAPPENINGS_MAX)]


BYTES = st.integers(0, 255)
HAPPENINGS_MAX = 12
