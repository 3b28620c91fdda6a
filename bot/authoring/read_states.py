"""The states of a journey, and the groups they stand in. Source: journey-language.md 2.3, 3.11."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, TypeAlias

from bot.authoring import vocabulary
from bot.authoring.fields import Fields, bounded, fields_of
from bot.authoring.nodes import Entry, Node, Scalar, Table
from bot.authoring.page import Page
from bot.authoring.read_actions import read_actions
from bot.authoring.read_doing import KINDS, read_doing
from bot.authoring.read_reactions import goto_of, read_events, read_goto, read_timeout, read_timers
from bot.authoring.read_slots import read_name
from bot.core.states import Ask, Book, Doing, Group, GroupExit, NamedTimer, State, Timeout, Wait, Webhook

STATES_MAX = 200
"""States of one journey. Source: journey-language.md 3.10."""

_WAITING = ("ask", "wait", "handoff", "call", "book", "webhook")
_DECIDING = ("branch", "split", "end")
"""Kinds that say themselves where they lead."""
_RESUMES: Mapping[str, Literal["first", "last"]] = {"first": "first", "last": "last"}
Places: TypeAlias = dict[str, Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatesDraft:
    """The states that could be read, and where every state and group that is named stands in the file."""

    states: Mapping[str, State]
    groups: Mapping[str, Group]
    places: Places
    group_places: Places


def read_states(fields: Fields) -> StatesDraft:
    """All states, those within groups put between the others in the order of the file."""
    found = StatesDraft(states={}, groups={}, places={}, group_places={})
    entries = fields.entries("states")
    if fields.has("states") and not entries:
        fields.page.say("J014", fields.key("states"), "states 里至少要有一个状态")
    states: dict[str, State] = {}
    groups: dict[str, Group] = {}
    for entry in entries:
        group = entry.value.entry("group") if isinstance(entry.value, Table) else None
        if group is None:
            _read_state(fields.page, entry, found, states)
        else:
            _read_group(fields.page, entry, found, (states, groups))
    if len(found.places) > STATES_MAX:
        beyond = list(found.places.values())[STATES_MAX]
        fields.page.say("J015", beyond.key, f"一个旅程最多 {STATES_MAX} 个状态", help="拆成两个旅程，用 call 连起来")
    return replace(found, states=states, groups=groups)


def _named(page: Page, entry: Entry, found: StatesDraft) -> str:
    """The name of a state or a group, empty after J008 or J002."""
    name = read_name(page, entry.key)
    other = found.places.get(name) or found.group_places.get(name)
    if name and other:
        first = other.key.span.line
        page.say("J002", entry.key, f"状态 “{name}” 重复（首次在 {first} 行）", help="换一个名字")
        return ""
    return name


def _read_state(page: Page, entry: Entry, found: StatesDraft, states: dict[str, State], group: str = "") -> None:
    name = _named(page, entry, found)
    found.places.setdefault(entry.key.text, entry)
    state = read_state(replace(page, state=name), name, entry.value, group) if name else None
    if state:
        states[name] = state


def _read_group(page: Page, entry: Entry, found: StatesDraft, into: tuple[dict[str, State], dict[str, Group]]) -> None:
    name = _named(page, entry, found)
    outer = fields_of(page, entry.value, vocabulary.STATE)
    if not name or outer is None:
        return
    found.group_places[name] = entry
    page = replace(page, state=name)
    outer = outer.on(page)
    for other in outer.table.entries:
        if other.key.text != "group" and outer.has(other.key.text):
            page.say("J016", other.key, f"有 group 的状态不能再写 {other.key.text}：写进 group 或它里面的状态")
    fields = outer.inner("group", vocabulary.GROUP)
    if fields is None:
        return
    inside = fields.entries("states")
    for one in inside:
        _read_state(page, one, found, into[0], group=name)
    exits = tuple(one for one in (_group_exit(page, node) for node in fields.nodes("exit")) if one)
    events = read_events(page, fields.nodes("events"))
    if inside:
        into[1][name] = Group(
            name=name,
            initial=inside[0].key.text,
            resume=fields.one_of("resume", _RESUMES, default="first"),
            events=events,
            exits=exits,
            fail=goto_of(fields, "fail"),
        )
    elif fields.has("states"):
        page.say("J014", fields.key("states"), "group 的 states 里至少要有一个状态")


def _group_exit(page: Page, node: Node) -> GroupExit | None:
    fields = fields_of(page, node, vocabulary.GROUP_EXIT)
    if fields is None:
        return None
    when, goto = fields.expression("when", "guard"), read_goto(page, fields.scalar("goto"), "exit")
    return GroupExit(when=when, goto=goto) if when and goto else None


def read_state(page: Page, name: str, node: Node, group: str = "") -> State | None:
    """The state called `name`, None (after findings) when `node` is no state."""
    if isinstance(node, Table) and node.entry("use"):
        return None  # a fragment that could not be put in is reported where that was tried
    fields = fields_of(page, node, vocabulary.STATE)
    if fields is None:
        return None
    if fields.has("group"):
        page.say("J016", fields.key("group"), "group 里不能再套 group", help="把里面的状态移到外面一层")
        return None
    written = [key for key in KINDS if fields.has(key)]
    for extra in written[1:]:
        message = f"一个状态只能做一件事：已有 {written[0]}，不能再写 {extra}"
        page.say("J016", fields.key(extra), message, help="拆成两个状态，用 then 连起来")
    kind = written[0] if written else ""
    _exclusive(fields, kind)
    fail = goto_of(fields, "fail")
    doing = read_doing(page, kind, fields.node(kind) or node) if kind else None
    timeout, timers = read_timeout(fields), read_timers(fields)
    _ways_out(fields, doing)
    _never_rings(fields, doing, timeout=timeout, timers=timers)
    return State(
        name=name,
        when=fields.expression("when", "guard"),
        otherwise=read_goto(page, fields.scalar("else"), "else"),
        do=read_actions(page, fields.nodes("do")),
        doing=_failing(fields, doing, fail),
        then=read_goto(page, fields.scalar("then"), "then"),
        events=read_events(page, bounded(page, fields.nodes("events"))),
        timers=timers,
        timeout=timeout,
        give_up=goto_of(fields, "give_up"),
        fail=fail,
        group=group,
    )


def _exclusive(fields: Fields, kind: str) -> None:
    page = fields.page
    if fields.has("when") != fields.has("else"):
        present, absent = ("when", "else") if fields.has("when") else ("else", "when")
        page.say("J014", fields.key(present), f"{present} 要和 {absent} 成对写", help=f"加上 {absent}: …")
    if fields.has("then") and kind in _DECIDING:
        page.say("J016", fields.key("then"), f"有 {kind} 的状态不能再写 then：它已经决定了去向")
    if fields.has("give_up") and kind != "ask":
        page.say("J016", fields.key("give_up"), "give_up 只用于 ask 的状态")
    for key in ("timeout", "events", "timers"):
        if fields.has(key) and kind not in _WAITING:
            help = "等一段时间请用 wait" if key == "timeout" else ""
            page.say("J016", fields.key(key), f"{key} 只用于会等待的状态（{'、'.join(_WAITING)}）", help=help)


def _ways_out(fields: Fields, doing: Doing | None) -> None:
    page = fields.page
    if isinstance(doing, Ask):
        if not (fields.has("give_up") or fields.misspelt("give_up")):
            message = f"ask: {doing.slot} 缺 give_up：客户一直答不对时将卡住"
            page.say("J201", fields.key("ask"), message, help="give_up: {goto: 某个状态}")
        if not (fields.has("timeout") or fields.misspelt("timeout")):
            message = f"ask: {doing.slot} 缺 timeout：客户不回复时旅程永不结束"
            page.say("J202", fields.key("ask"), message, help="timeout: {after: 20h, goto: 某个状态}")
    if isinstance(doing, Wait) and doing.span is None and doing.until is None:
        if not (fields.has("events") or fields.has("timeout")):
            page.say("J014", fields.key("wait"), "wait: forever 要有 events，否则永远停在这里", help="加上 events:")
        if fields.has("then"):
            page.say("J016", fields.key("then"), "wait: forever 不会到点，不能写 then", help="去处写在 events 里")


def _never_rings(
    fields: Fields, doing: Doing | None, *, timeout: Timeout | None, timers: tuple[NamedTimer, ...]
) -> None:
    """J406: a time that comes only after the wait of the same state is over."""
    if not isinstance(doing, Wait) or not isinstance(doing.span, timedelta):
        return
    if timeout and isinstance(timeout.after, timedelta) and timeout.after >= doing.span:
        message = "timeout 永远不响：它不早于本状态的 wait"
        fields.page.say("J406", fields.key("timeout"), message, help="缩短 timeout，或删掉它，用 then")
    for timer in timers:
        if isinstance(timer.after, timedelta) and timer.after >= doing.span:
            place = _timer_place(fields, timer.timer_id)
            fields.page.say("J406", place, "这个定时器永远不响：它不早于本状态的 wait", help="缩短 after")


def _timer_place(fields: Fields, timer_id: str) -> Node:
    for node in fields.nodes("timers"):
        name, after = (node.entry("id"), node.entry("after")) if isinstance(node, Table) else (None, None)
        if name and after and isinstance(name.value, Scalar) and name.value.text == timer_id:
            return after.value
    return fields.key("timers")


def _says_fail(fields: Fields, key: str) -> bool:
    """Whether a `fail` is written there: then it could not be read, and its own finding says so."""
    table = fields.node(key)
    return fields.has("fail") or (isinstance(table, Table) and table.entry("fail") is not None)


def _failing(fields: Fields, doing: Doing | None, fail: str) -> Doing | None:
    """A booking or a webhook with its ways out: what it does not say itself, the state's `fail` says."""
    if not isinstance(doing, Book | Webhook):
        return doing
    key = "book" if isinstance(doing, Book) else "webhook"
    way = doing.fail or fail
    if not way:
        if _says_fail(fields, key):
            return None
        fields.page.say(
            "J014", fields.key(key), f"{key} 缺少 “fail”：没有成功时客户将卡住", help="fail: {goto: 某个状态}"
        )
        return None
    if isinstance(doing, Book):
        return replace(doing, fail=way, full=doing.full or way)
    return replace(doing, fail=way)
