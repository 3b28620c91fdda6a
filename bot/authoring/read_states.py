"""The states of a journey. Source: journey-language.md 2.3, 3.11."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, as_expression, as_scalar, fields_of, literal, parsed, unbuilt
from bot.authoring.nodes import Entry, Node, Scalar
from bot.authoring.page import ContentUse, Page
from bot.authoring.read_actions import (
    read_actions,
    read_arguments,
    read_class,
    read_outside,
    read_person,
    read_target,
    read_values,
)
from bot.authoring.read_slots import read_name
from bot.core.expressions.tree import Expression, Template
from bot.core.journey import Arm, Ask, Branch, CallJourney, Doing, End, Handoff, On, State, Timeout, Wait
from bot.understanding import normalise

_DOING = ("ask", "wait", "branch", "handoff", "call", "end")
_NO_THEN = ("branch", "end")
WORKING = "working"


def read_goto(page: Page, scalar: Scalar | None, key: str) -> str:
    """The state that `scalar` names, empty when there is none."""
    return page.refer("state", scalar.text, scalar, key=key) if scalar else ""


def read_state(page: Page, name: str, node: Node) -> State | None:
    """The state called `name`, None (after findings) when `node` is no state."""
    fields = fields_of(page, node, vocabulary.STATE)
    if fields is None:
        return None
    written = [key for key in _DOING if fields.has(key)]
    for extra in written[1:]:
        message = f"一个状态只能做一件事：已有 {written[0]}，不能再写 {extra}"
        page.say("J016", fields.key(extra), message, help="拆成两个状态，用 then 连起来")
    kind = written[0] if written else ""
    _exclusive(fields, kind)
    doing = _READERS[kind](page, fields.node(kind) or node) if kind else None
    if isinstance(doing, Ask | Handoff):
        _ways_out(fields, doing)
    return State(
        name=name,
        when=fields.expression("when", "guard"),
        otherwise=read_goto(page, fields.scalar("else"), "else"),
        do=read_actions(page, fields.nodes("do")),
        doing=doing,
        then=read_goto(page, fields.scalar("then"), "then"),
        events=tuple(on for on in (_on(page, one) for one in fields.nodes("events")) if on),
        timeout=_timeout(fields),
        give_up=_goto_of(fields, "give_up"),
    )


def _exclusive(fields: Fields, kind: str) -> None:
    page = fields.page
    if fields.has("when") != fields.has("else"):
        present, absent = ("when", "else") if fields.has("when") else ("else", "when")
        page.say("J014", fields.key(present), f"{present} 要和 {absent} 成对写", help=f"加上 {absent}: …")
    if fields.has("then") and kind in _NO_THEN:
        page.say("J016", fields.key("then"), f"有 {kind} 的状态不能再写 then：它已经决定了去向")
    if fields.has("give_up") and kind != "ask":
        page.say("J016", fields.key("give_up"), "give_up 只用于 ask 的状态")
    if fields.has("timeout") and kind == "call":
        unbuilt(page, fields.key("timeout"), "call 的 timeout")
    elif fields.has("timeout") and kind != "ask":
        page.say("J016", fields.key("timeout"), "timeout 只用于 ask 的状态", help="等一段时间请用 wait")
    if fields.has("events") and kind not in ("ask", "wait", "call", "handoff"):
        page.say("J016", fields.key("events"), "events 只用于会等待的状态（ask、wait、call、handoff）")


def _ways_out(fields: Fields, doing: Ask | Handoff) -> None:
    if isinstance(doing, Handoff):
        return
    if not (fields.has("give_up") or fields.misspelt("give_up")):
        message = f"ask: {doing.slot} 缺 give_up：客户一直答不对时将卡住"
        fields.page.say("J201", fields.key("ask"), message, help="give_up: {goto: 某个状态}")
    if not (fields.has("timeout") or fields.misspelt("timeout")):
        message = f"ask: {doing.slot} 缺 timeout：客户不回复时旅程永不结束"
        fields.page.say("J202", fields.key("ask"), message, help="timeout: {after: 20h, goto: 某个状态}")


def _goto_of(fields: Fields, key: str) -> str:
    inner = fields.inner(key, vocabulary.GOTO)
    return read_goto(fields.page, inner.scalar("goto"), key) if inner else ""


def _timeout(fields: Fields) -> Timeout | None:
    inner = fields.inner("timeout", vocabulary.TIMEOUT)
    after: timedelta | None = inner.parsed("after", literals.duration, None) if inner else None
    goto = read_goto(fields.page, inner.scalar("goto"), "timeout") if inner else ""
    return Timeout(after=after, goto=goto) if after and goto else None


def _on(page: Page, node: Node) -> On | None:
    fields = fields_of(page, node, vocabulary.ON)
    event = fields.scalar("event") if fields else None
    if fields is None or event is None:
        return None
    if fields.has("goto") and fields.has("stay"):
        page.say("J016", fields.key("stay"), "goto 和 stay 只能写一个")
    if fields.has("stay") and not fields.parsed("stay", literals.flag, True):
        page.say("J008", fields.key("stay"), "stay 只能是 true", help="要离开这个状态，写 goto")
    if fields.has("keyword") and event.text != "message":
        page.say("J016", fields.key("keyword"), "keyword 只用于 event: message")
    values = fields.node("set")
    return On(
        event=page.refer("event", event.text, event, key="event"),
        keywords=read_keywords(fields),
        when=fields.expression("when", "guard"),
        set=read_values(page, values) if values is not None else (),
        do=read_actions(page, fields.nodes("do")),
        goto=read_goto(page, fields.scalar("goto"), "goto"),
    )


_WIDE_SEPARATORS = ("，", "、", "；")
"""What separates words on a Chinese keyboard, and joins them into one in YAML."""


def read_keywords(fields: Fields) -> tuple[str, ...]:
    """The keywords, normalised as the customer's text will be; J008 for one of which nothing is left."""
    found: list[str] = []
    for scalar in fields.scalars("keyword"):
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


def _ask(page: Page, node: Node) -> Doing | None:
    if isinstance(node, Scalar):
        scalar = as_scalar(page, node)
        return _asked(page, scalar, None) if scalar else None
    fields = fields_of(page, node, vocabulary.ASK)
    scalar = fields.scalar("slot") if fields else None
    return _asked(page, scalar, fields) if scalar else None


def _asked(page: Page, scalar: Scalar, fields: Fields | None) -> Ask:
    slot = page.refer("slot", scalar.text, scalar, key="ask")
    send_class = read_class(fields) if fields else None
    outside, templates = read_outside(fields) if fields else ((), ())
    # The content's name stands at the slot; the checks find it there.
    use = ContentUse(
        content="",
        span=scalar.span,
        how="ask",
        state=page.state,
        slot=slot,
        classed=send_class is not None,
        templates=templates,
    )
    page.contents.append(use)
    return Ask(slot=slot, send_class=send_class, outside=outside)


def _wait(page: Page, node: Node) -> Doing | None:
    fields = fields_of(page, node, vocabulary.WAIT)
    scalar = fields.scalar("for") if fields else None
    if fields is None or scalar is None:
        return None
    if scalar.text.endswith(WORKING):
        unbuilt(page, scalar, scalar.text)
        return None
    length = fields.parsed("for", literals.duration, None)
    return Wait(duration=length) if length else None


def _branch(page: Page, node: Node) -> Doing | None:
    parent = fields_of_list(page, node, "branch")
    arms = [_arm(page, one) for one in parent]
    for place, arm in enumerate(arms):
        last = place == len(arms) - 1
        if arm and (arm.when is None) != last and (last or arm.goto):
            message = "branch 最后一项必须是 else" if last else "else 只能是 branch 的最后一项"
            page.say("J107", parent[place], message, help="- else: 某个状态")
    return Branch(arms=tuple(arm for arm in arms if arm))


def fields_of_list(page: Page, node: Node, key: str) -> tuple[Node, ...]:
    """The entries of a list that must hold at least one; J008 otherwise."""
    nodes = getattr(node, "nodes", None)
    if not isinstance(nodes, tuple) or not nodes:
        page.say("J008", node, f"{key} 需要至少一项的列表", help="每项一行，以 “- ” 开头")
        return ()
    return nodes


def _arm(page: Page, node: Node) -> Arm | None:
    fields = fields_of(page, node, vocabulary.ARM)
    if fields is None:
        return None
    if fields.has("else"):
        for key in ("when", "goto"):
            if fields.has(key):
                page.say("J016", fields.key(key), f"else 的一项里不能再写 {key}", help="- else: 某个状态")
        goto = read_goto(page, fields.scalar("else"), "else")
        return Arm(when=None, goto=goto) if goto else None
    for key in ("when", "goto"):
        if not fields.has(key):
            page.say(
                "J014",
                node,
                f"branch 的一项缺少 “{key}”",
                help="- when: 条件，下一行 goto: 状态；最后一项 - else: 状态",
            )
    when, goto = fields.expression("when", "guard"), read_goto(page, fields.scalar("goto"), "goto")
    return Arm(when=when, goto=goto) if when and goto else None


def _handoff(page: Page, node: Node) -> Doing | None:
    fields = fields_of(page, node, vocabulary.HANDOFF)
    if fields is None:
        return None
    if not fields.has("fallback"):
        message = "handoff 没有 fallback：没人接、非工作时间，客户将无人应答"
        page.say("J603", fields.key("to"), message, help="fallback: {goto: 某个状态}")
    hours = fields.scalar("hours")
    after: timedelta | None = fields.parsed("accept_within", literals.duration, None)
    note = fields.template("note") if fields.has("note") else Template(source="", parts=())
    to, fallback = read_person(fields, "to"), _goto_of(fields, "fallback")
    if hours:
        page.refer("hours", hours.text, hours, key="hours")
    if not (to and fallback and after and note):
        return None
    return Handoff(to=to, note=note, accept_within=after, hours=hours.text if hours else "", fallback=fallback)


def _call(page: Page, node: Node) -> Doing | None:
    target = read_target(page, node, vocabulary.CALL)
    if target is None:
        return None
    journey, fields = target
    save = parsed(page, scalar, literals.name) if fields and (scalar := fields.scalar("save")) else None
    return CallJourney(journey=journey, arguments=read_arguments(fields, journey) if fields else (), save=save or "")


def _end(page: Page, node: Node) -> Doing | None:
    if isinstance(node, Scalar):
        scalar = as_scalar(page, node)
        return End(label=literal(page, scalar)) if scalar else None
    fields = fields_of(page, node, vocabulary.END)
    if fields is None:
        return None
    returns = [(entry, _return(page, entry)) for entry in fields.entries("return")]
    return End(
        label=fields.text("label"),
        returns=tuple((entry.key.text, value) for entry, value in returns if value is not None),
    )


def _return(page: Page, entry: Entry) -> Expression | None:
    name = read_name(page, entry.key)
    scalar = as_scalar(page, entry.value)
    return as_expression(page, scalar, "value") if name and scalar else None


_READERS: Mapping[str, Callable[[Page, Node], Doing | None]] = {
    "ask": _ask,
    "wait": _wait,
    "branch": _branch,
    "handoff": _handoff,
    "call": _call,
    "end": _end,
}
