"""What a waiting state hears, and how long it waits. Source: journey-language.md 3.11."""

from collections.abc import Mapping
from typing import Literal

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, fields_of, is_written_out, parsed
from bot.authoring.nodes import Node, Scalar
from bot.authoring.page import Page
from bot.authoring.read_actions import read_actions, read_values
from bot.authoring.read_times import LATE_FOREVER, read_late, read_span, read_until
from bot.core.expressions.tree import Expression
from bot.core.states import NamedTimer, On, Timeout
from bot.core.times import Until
from bot.understanding import normalise

_WIDE_SEPARATORS = ("，", "、", "；")
"""What separates words on a Chinese keyboard, and joins them into one in YAML."""
_PAST: Mapping[str, Literal["skip", "fire"]] = {"skip": "skip", "fire": "fire"}
_WAYS = ("goto", "stay", "reenter")
MESSAGE = "message"


def read_goto(page: Page, scalar: Scalar | None, key: str) -> str:
    """The state that `scalar` names, empty when there is none."""
    return page.refer("state", scalar.text, scalar, key=key) if scalar else ""


def goto_of(fields: Fields, key: str) -> str:
    """The state in `key: {goto: STATE}`, empty when there is none."""
    inner = fields.inner(key, vocabulary.GOTO)
    return read_goto(fields.page, inner.scalar("goto"), key) if inner else ""


def read_timeout(fields: Fields) -> Timeout | None:
    """The `timeout`, None when it is missing or cannot be read."""
    inner = fields.inner("timeout", vocabulary.TIMEOUT)
    after = read_span(inner, "after") if inner else None
    goto = read_goto(fields.page, inner.scalar("goto"), "timeout") if inner else ""
    return Timeout(after=after, goto=goto) if after and goto else None


def read_events(page: Page, nodes: tuple[Node, ...]) -> tuple[On, ...]:
    """The entries of `events`, without those that are wrong. J110: one that an earlier one always takes away."""
    found: list[On] = []
    greedy: set[str] = set()
    for node in nodes:
        on = _on(page, node)
        if on is None:
            continue
        if on.event in greedy:
            message = f"这一项永远轮不到：前面的 {on.event} 没有条件，全都接走了"
            page.say("J110", node, message, help="把没有条件的一项放到最后，或给它加上 when、keyword、intent")
        if not (on.keywords or on.intents or on.when):
            greedy.add(on.event)
        found.append(on)
    return tuple(found)


def _on(page: Page, node: Node) -> On | None:
    fields = fields_of(page, node, vocabulary.ON)
    event = fields.scalar("event") if fields else None
    if fields is None or event is None:
        return None
    _one_way(fields)
    for key in ("keyword", "intent"):
        if fields.has(key) and event.text != MESSAGE:
            page.say("J016", fields.key(key), f"{key} 只用于 event: message")
    values = fields.node("set")
    return On(
        event=page.refer("event", event.text, event, key="event"),
        keywords=read_keywords(fields),
        intents=read_intents(fields),
        when=fields.expression("when", "guard"),
        set=read_values(page, values, saved=True) if values is not None else (),
        do=read_actions(page, fields.nodes("do")),
        goto=read_goto(page, fields.scalar("goto"), "goto"),
        reenter=fields.has("reenter"),
        since=fields.parsed("since", literals.duration, None),
    )


def _one_way(fields: Fields) -> None:
    """`goto`, `stay: true` and `reenter: true` exclude each other."""
    written = [key for key in _WAYS if fields.has(key)]
    for extra in written[1:]:
        fields.page.say("J016", fields.key(extra), f"{written[0]} 和 {extra} 只能写一个")
    for key in ("stay", "reenter"):
        if fields.has(key) and not fields.parsed(key, literals.flag, True):
            fields.page.say("J008", fields.key(key), f"{key} 只能是 true", help="要离开这个状态，写 goto")


def read_keywords(fields: Fields) -> tuple[str, ...]:
    """The keywords, normalised as the customer's text will be; J008 for one of which nothing is left."""
    found: list[str] = []
    for scalar in fields.scalars("keyword"):
        if not is_written_out(fields.page, scalar):
            continue
        normal = normalise(scalar.text)
        slip = next((mark for mark in _WIDE_SEPARATORS if mark in scalar.text), "")
        if slip:
            cure = f"改成 [{', '.join(part.strip() for part in scalar.text.split(slip) if part.strip())}]"
            fields.page.say("J003", scalar, f"触发词里有全角 “{slip}”，几个词连成了一个：“{scalar.text}”", help=cure)
        if normal:
            found.append(normal)
        else:
            fields.page.say("J008", scalar, f"触发词 “{scalar.text}” 只有标点或语气词，永远不会匹配")
    return tuple(dict.fromkeys(found))


def read_intents(fields: Fields) -> tuple[str, ...]:
    """The intents that are named."""
    names = [fields.page.refer("intent", scalar.text, scalar, key="intent") for scalar in fields.scalars("intent")]
    return tuple(dict.fromkeys(names))


def read_timers(fields: Fields) -> tuple[NamedTimer, ...]:
    """The `timers` of a state, without those that are wrong. J002: an id twice."""
    found: dict[str, NamedTimer] = {}
    for node in fields.nodes("timers"):
        timer = _timer(fields.page, node)
        if timer and timer.timer_id in found:
            fields.page.say("J002", node, f"定时器 “{timer.timer_id}” 写了两次", help="换一个 id")
        elif timer:
            found[timer.timer_id] = timer
    return tuple(found.values())


def _timer(page: Page, node: Node) -> NamedTimer | None:
    fields = fields_of(page, node, vocabulary.TIMER)
    scalar = fields.scalar("id") if fields else None
    name = parsed(page, scalar, literals.name) if scalar else None
    if fields is None:
        return None
    if fields.has("at") == fields.has("after"):
        rule = "J016" if fields.has("at") else "J014"
        page.say(rule, fields.key("at"), "timers 的一项要写 at 或 after 其中一个", help="at: 10:00，或 after: 2d")
    if not fields.has("do") and not fields.has("goto"):
        page.say(
            "J014", fields.key("id"), "timers 的一项缺少 “do” 或 “goto”：到点什么也不做", help="do: [{send: 内容}]"
        )
    at = _at(fields)
    late, skip_after = read_late(fields)
    after, when = read_span(fields, "after"), fields.expression("when", "guard")
    do, goto = read_actions(page, fields.nodes("do")), read_goto(page, fields.scalar("goto"), "timers")
    if not name or (at is None) == (after is None):
        return None
    return NamedTimer(
        timer_id=name,
        at=at,
        after=after,
        when=when,
        past=fields.one_of("past", _PAST, default="skip"),
        late=late,
        skip_after=skip_after if late == "skip" else LATE_FOREVER,
        do=do,
        goto=goto,
    )


def _at(fields: Fields) -> Until | None:
    scalar = fields.scalar("at")
    at = read_until(fields.page, scalar) if scalar else None
    if scalar and isinstance(at, Expression) and not fields.has("past") and not fields.has("when"):
        message = f"这个定时器（{scalar.text[:40]}）可能早于进入状态：那时它不会响"
        fields.page.say("J405", scalar, message, help="写明 past: skip（不响）或 past: fire（立即响），或加 when:")
    return at
