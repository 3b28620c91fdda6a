"""The actions of `do:`. Source: journey-language.md 2.3."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Literal

from bot.authoring import literals, vocabulary
from bot.authoring.fields import (
    Fields,
    as_expression,
    as_scalar,
    as_template,
    bounded,
    chosen,
    fields_of,
    literal,
    parsed,
    unbuilt,
)
from bot.authoring.nodes import Entry, Node, Scalar, Table
from bot.authoring.page import ContentUse, Page
from bot.authoring.source import Span
from bot.core.actions import (
    Action,
    AddPoints,
    ChangeConsent,
    CreateTask,
    Note,
    OpenLead,
    OptOut,
    Outside,
    Score,
    Send,
    SetValues,
    StartJourney,
    Tag,
)
from bot.core.effects import SendClass
from bot.core.expressions.tree import Expression, Template

CLASSES: Mapping[str, SendClass] = {
    "service": "service",
    "reminder": "reminder",
    "marketing": "marketing",
    "transactional": "transactional",
}
_WINDOWS: Mapping[str, Literal["auto", "require", "ignore"]] = {
    "auto": "auto",
    "require": "require",
    "ignore": "ignore",
}
_OPT_OUTS = {name: name for name in ("all", *CLASSES)}


def read_actions(page: Page, nodes: tuple[Node, ...]) -> tuple[Action, ...]:
    """The actions of a `do:` list, without those that are wrong."""
    found = (_read_action(page, node) for node in nodes)
    return tuple(action for action in found if action is not None)


def _read_action(page: Page, node: Node) -> Action | None:
    fields = fields_of(page, node, vocabulary.INTERRUPT_ACTION if page.global_ else vocabulary.ACTION)
    if fields is None:
        return None
    written = [entry for entry in fields.table.entries if fields.has(entry.key.text)]
    if len(written) > 1:
        page.say("J016", written[1].key, "do 的一项只能有一个动作", help="每个动作各写一行，以 “- ” 开头")
    if not written:
        return None
    return _READERS[written[0].key.text](page, written[0].value)


def _send(page: Page, node: Node) -> Action | None:
    if isinstance(node, Scalar):
        node = Table(entries=(Entry(key=Scalar(text="content", span=node.span), value=node),), span=node.span)
    fields = fields_of(page, node, vocabulary.INTERRUPT_SEND if page.global_ else vocabulary.SEND)
    if fields is None:
        return None
    outside, templates = read_outside(fields)
    content = fields.scalar("content")
    send_class = read_class(fields)
    if content is None:
        return None
    page.contents.append(
        ContentUse(
            content=content.text,
            span=content.span,
            how="send",
            state=page.state,
            classed=send_class is not None,
            templates=templates,
        )
    )
    return Send(
        content=literal(page, content),
        send_class=send_class,
        outside=outside,
        expire=fields.parsed("expire", literals.duration, None),
        window=fields.one_of("window", _WINDOWS, default="auto"),
    )


def read_class(fields: Fields) -> SendClass | None:
    """The `class` that is written, None when none is."""
    scalar = fields.scalar("class")
    return chosen(fields.page, scalar, CLASSES, default="service") if scalar else None


def read_outside(fields: Fields) -> tuple[tuple[Outside, ...], tuple[tuple[str, Span], ...]]:
    """The fallbacks of `outside`, and the template messages among them with their places."""
    ways: list[Outside] = []
    templates: list[tuple[str, Span]] = []
    for scalar in fields.scalars("outside"):
        way, _, name = scalar.text.partition(":")
        match way:
            case "template" if name:
                ways.append(Outside(way="template", name=name))
                templates.append((name, scalar.span))
            case "task" | "drop" if not name:
                ways.append(Outside(way="task" if way == "task" else "drop"))
            case "sms" | "group_send":
                unbuilt(fields.page, scalar, scalar.text)
            case _:
                message = f"“{scalar.text}” 不是可用的备选"
                fields.page.say("J008", scalar, message, help="可用：template:名字、task、drop")
    return tuple(ways), tuple(templates)


def _tag(page: Page, node: Node) -> Action | None:
    scalar = as_scalar(page, node)
    return Tag(tag=literal(page, scalar)) if scalar else None


def _untag(page: Page, node: Node) -> Action | None:
    scalar = as_scalar(page, node)
    return Tag(tag=literal(page, scalar), remove=True) if scalar else None


def _score(page: Page, node: Node) -> Action | None:
    scalar = as_scalar(page, node)
    add = parsed(page, scalar, literals.whole) if scalar else None
    return None if add is None else Score(add=add)


def _entries(page: Page, node: Node, key: str) -> tuple[Entry, ...]:
    if isinstance(node, Table):
        return bounded(page, node.entries)
    page.say("J008", node, f"{key} 需要 “名字: 值” 的表")
    return ()


def read_values(page: Page, node: Node) -> tuple[tuple[str, Expression], ...]:
    """The pairs of `set`: targets `vars.NAME` or `customer.NAME`, values expressions."""
    pairs: list[tuple[str, Expression]] = []
    for entry in _entries(page, node, "set"):
        root, _, name = entry.key.text.partition(".")
        if root not in ("vars", "customer") or not name:
            message = f"set 不能写 “{entry.key.text}”"
            page.say("J008", entry.key, message, help="只能写 vars.名字 或 customer.名字")
            continue
        page.refer("var" if root == "vars" else "attribute", name, entry.key, key="set")
        scalar = as_scalar(page, entry.value)
        value = as_expression(page, scalar, "value", target=entry.key.text) if scalar else None
        if value is not None:
            pairs.append((entry.key.text, value))
    return tuple(pairs)


def _set(page: Page, node: Node) -> Action | None:
    values = read_values(page, node)
    return SetValues(values=values) if values else None


def _lead(page: Page, node: Node) -> Action | None:
    pairs = [(entry.key.text, as_scalar(page, entry.value)) for entry in _entries(page, node, "lead")]
    values = [(name, as_expression(page, scalar, "value")) for name, scalar in pairs if scalar]
    return OpenLead(fields=tuple((name, value) for name, value in values if value is not None))


def _consent(page: Page, node: Node) -> Action | None:
    fields = fields_of(page, node, vocabulary.CONSENT)
    if fields is None:
        return None
    if fields.has("grant") == fields.has("withdraw"):
        page.say("J016", node, "consent 要写 grant 或 withdraw 其中一个")
        return None
    key = "grant" if fields.has("grant") else "withdraw"
    purpose, text = fields.template(key), fields.scalar("text")
    if key == "grant" and text is None:
        page.say(
            "J014", fields.key(key), "consent 缺少 “text”：授权要留下客户看到的原文", help="text: 征求授权的那条内容"
        )
    if text:
        page.contents.append(ContentUse(content=text.text, span=text.span, how="evidence", state=page.state))
    if purpose is None:
        return None
    return ChangeConsent(purpose=purpose, granted=key == "grant", text=text.text if text else "")


def _task(page: Page, node: Node) -> Action | None:
    fields = fields_of(page, node, vocabulary.TASK)
    if fields is None:
        return None
    if fields.has("due") and fields.has("due_at"):
        page.say("J016", fields.key("due_at"), "due 和 due_at 只能写一个")
    if not fields.has("due") and not fields.has("due_at"):
        page.say("J604", fields.key("title"), "任务没有 due，可能石沉大海", help="加上 due: 30m，或 due_at: 时间")
    overdue = fields.inner("overdue", vocabulary.OVERDUE)
    overdue_to = read_person(overdue, "to") if overdue else ""
    due: timedelta | None = fields.parsed("due", literals.duration, None)
    due_at, title, to = fields.expression("due_at", "value"), fields.template("title"), read_person(fields, "to")
    if title is None or not to:
        return None
    return CreateTask(to=to, title=title, due=due, due_at=due_at, overdue_to=overdue_to)


def read_person(fields: Fields, key: str) -> str:
    """`advisor`, `role:NAME` or `staff:ID`; empty after a finding."""
    scalar = fields.scalar(key)
    if scalar is None:
        return ""
    kind, _, name = scalar.text.partition(":")
    if scalar.text != "advisor" and not (kind in ("role", "staff") and name):
        help = "写 advisor（客户的顾问）、role:角色 或 staff:成员"
        fields.page.say("J008", scalar, f"“{scalar.text}” 不是一个人", help=help)
        return ""
    return fields.page.refer("person", scalar.text, scalar, key=key)


def _points(page: Page, node: Node) -> Action | None:
    fields = fields_of(page, node, vocabulary.POINTS)
    add = fields.parsed("add", literals.whole, None) if fields else None
    return None if fields is None or add is None else AddPoints(add=add, reason=fields.text("reason"))


def _start(page: Page, node: Node) -> Action | None:
    target = read_target(page, node, vocabulary.START)
    if target is None:
        return None
    journey, fields = target
    return StartJourney(journey=journey, arguments=read_arguments(fields, journey) if fields else ())


def read_target(page: Page, node: Node, keys: vocabulary.Keys) -> tuple[str, Fields | None] | None:
    """The journey that is called or started: `call: NAME`, or a table with `journey`. None after a finding."""
    fields = None if isinstance(node, Scalar) else fields_of(page, node, keys)
    if fields is None and not isinstance(node, Scalar):
        return None
    scalar = fields.scalar("journey") if fields else as_scalar(page, node)
    if scalar is None:
        return None
    return page.refer("journey", literal(page, scalar), scalar, key=keys.place), fields


def read_arguments(fields: Fields, journey: str) -> tuple[tuple[str, Template], ...]:
    """The pairs of `with`, handed over to `journey`: literal texts, or templates."""
    pairs: list[tuple[str, Template]] = []
    for entry in fields.entries("with"):
        fields.page.refer("argument", entry.key.text, entry.key, key=journey)
        scalar = as_scalar(fields.page, entry.value)
        template = as_template(fields.page, scalar) if scalar else None
        if template is not None:
            pairs.append((entry.key.text, template))
    return tuple(pairs)


def _note(page: Page, node: Node) -> Action | None:
    scalar = as_scalar(page, node)
    text = as_template(page, scalar) if scalar else None
    return None if text is None else Note(text=text)


def _opt_out(page: Page, node: Node) -> Action | None:
    scalar = as_scalar(page, node)
    return OptOut(scope=chosen(page, scalar, _OPT_OUTS, default="all")) if scalar else None


_READERS: Mapping[str, Callable[[Page, Node], Action | None]] = {
    "send": _send,
    "tag": _tag,
    "-tag": _untag,
    "score": _score,
    "set": _set,
    "lead": _lead,
    "consent": _consent,
    "task": _task,
    "points": _points,
    "start": _start,
    "note": _note,
    "opt_out": _opt_out,
}
