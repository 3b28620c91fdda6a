"""The actions of `do:`. Source: journey-language.md 2.3."""

from collections.abc import Callable, Mapping
from typing import Literal

from bot.authoring import literals, vocabulary
from bot.authoring.fields import (
    Fields,
    as_expression,
    as_scalar,
    as_template,
    as_whole,
    as_words,
    bounded,
    chosen,
    fields_of,
    is_written_out,
    literal,
)
from bot.authoring.nodes import Entry, Node, Scalar, Table
from bot.authoring.page import ContentUse, Page, is_template
from bot.authoring.read_sends import CLASSES, read_send
from bot.core.actions import (
    REASON_MAX,
    STAGES,
    WORD_MAX,
    Action,
    AddPoints,
    CancelBooking,
    CancelJourney,
    ChangeConsent,
    CreateTask,
    Emit,
    GrantCoupon,
    Note,
    OpenLead,
    OptOut,
    Score,
    SetStage,
    SetValues,
    StartJourney,
    Tag,
    Words,
)
from bot.core.entries import Arguments
from bot.core.expressions.tree import Expression, Template

_OPT_OUTS = {name: name for name in ("all", *CLASSES)}
_ONCE_PER: Mapping[str, Literal["", "customer", "journey"]] = {"customer": "customer", "journey": "journey"}
_STAGES = {name: name for name in STAGES}


def read_actions(page: Page, nodes: tuple[Node, ...], keys: vocabulary.Keys | None = None) -> tuple[Action, ...]:
    """The actions of a `do:` list, without those that are wrong. `keys`: those that make sense here."""
    allowed = keys or (vocabulary.INTERRUPT_ACTION if page.global_ else vocabulary.ACTION)
    found = (_read_action(page, node, allowed) for node in nodes)
    return tuple(action for action in found if action is not None)


def _read_action(page: Page, node: Node, keys: vocabulary.Keys) -> Action | None:
    fields = fields_of(page, node, keys)
    if fields is None:
        return None
    written = [entry for entry in fields.table.entries if fields.has(entry.key.text)]
    if len(written) > 1:
        page.say("J016", written[1].key, "do 的一项只能有一个动作", help="每个动作各写一行，以 “- ” 开头")
    if not written:
        return None
    return _READERS[written[0].key.text](page, written[0].value)


def _tag(page: Page, node: Node) -> Action | None:
    tag = _words(page, as_scalar(page, node), most=WORD_MAX)
    return Tag(tag=tag) if tag else None


def _untag(page: Page, node: Node) -> Action | None:
    tag = _words(page, as_scalar(page, node), most=WORD_MAX)
    return Tag(tag=tag, remove=True) if tag else None


def _words(page: Page, scalar: Scalar | None, *, most: int) -> Words | None:
    return as_words(page, scalar, most=most) if scalar else None


def _score(page: Page, node: Node) -> Action | None:
    scalar = as_scalar(page, node)
    add = as_whole(page, scalar) if scalar else None
    return None if add is None else Score(add=add)


def _entries(page: Page, node: Node, key: str) -> tuple[Entry, ...]:
    if isinstance(node, Table):
        return bounded(page, node.entries)
    page.say("J008", node, f"{key} 需要 “名字: 值” 的表")
    return ()


def read_values(page: Page, node: Node, *, saved: bool = False) -> tuple[tuple[str, Expression], ...]:
    """The pairs of `set`: targets `vars.NAME` or `customer.NAME`, values expressions.

    `saved`: a name under which something is kept (`save:`) may be a target too.
    """
    pairs: list[tuple[str, Expression]] = []
    for entry in _entries(page, node, "set"):
        target = entry.key.text
        root, _, name = target.partition(".")
        if saved and not name and target.isidentifier():
            page.refer("saved", target, entry.key, key="set")
        elif root not in (("customer",) if page.global_ else ("vars", "customer")) or not name:
            help = "只能写 customer.名字" if page.global_ else "只能写 vars.名字 或 customer.名字"
            page.say("J008", entry.key, f"set 不能写 “{target[:40]}”", help=help)
            continue
        else:
            page.refer("var" if root == "vars" else "attribute", name, entry.key, key="set")
        scalar = as_scalar(page, entry.value)
        value = as_expression(page, scalar, "value", target=target) if scalar else None
        if value is not None:
            pairs.append((target, value))
    return tuple(pairs)


def read_expressions(page: Page, node: Node, key: str) -> tuple[tuple[str, Expression], ...]:
    """Names with expressions, as in `lead`, `body`, `fields`; without those that are wrong."""
    pairs = [(entry.key.text, as_scalar(page, entry.value)) for entry in _entries(page, node, key)]
    values = [(name, as_expression(page, scalar, "value")) for name, scalar in pairs if scalar]
    return tuple((name, value) for name, value in values if value is not None)


def _set(page: Page, node: Node) -> Action | None:
    values = read_values(page, node)
    return SetValues(values=values) if values else None


def _lead(page: Page, node: Node) -> Action | None:
    return OpenLead(fields=read_expressions(page, node, "lead"))


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
        message = "consent 缺少 “text”：授权要留下客户看到的原文"
        page.say("J014", fields.key(key), message, help="text: 征求授权的那条内容")
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
    due = fields.parsed("due", literals.duration, None)
    due_at, title, to = fields.expression("due_at", "time"), fields.template("title"), read_person(fields, "to")
    if title is None or not to:
        return None
    return CreateTask(to=to, title=title, due=due, due_at=due_at, overdue_to=overdue_to)


def read_person(fields: Fields, key: str) -> str:
    """`advisor`, `role:NAME` or `staff:ID`; empty after a finding."""
    scalar = fields.scalar(key)
    if scalar is None or not is_written_out(fields.page, scalar):
        return ""
    kind, _, name = scalar.text.partition(":")
    if scalar.text != "advisor" and not (kind in ("role", "staff") and name):
        help = "写 advisor（客户的顾问）、role:角色 或 staff:成员"
        fields.page.say("J008", scalar, f"“{scalar.text}” 不是一个人", help=help)
        return ""
    return fields.page.refer("person", scalar.text, scalar, key=key)


def _points(page: Page, node: Node) -> Action | None:
    fields = fields_of(page, node, vocabulary.POINTS)
    if fields is None:
        return None
    scalar, reason = fields.scalar("add"), _words(page, fields.scalar("reason"), most=REASON_MAX)
    add = as_whole(page, scalar) if scalar else None
    return AddPoints(add=add, reason=reason) if add is not None and reason else None


def _coupon(page: Page, node: Node) -> Action | None:
    fields = fields_of(page, node, vocabulary.COUPON)
    if fields is None:
        return None
    if not fields.has("once_per"):
        message = "优惠券没有 once_per，重入会重复发放"
        in_journey = "" if page.global_ else "，或 journey（一次旅程一次）"
        page.say("J606", fields.key("grant"), message, help=f"once_per: customer（一人一次）{in_journey}")
    coupon = _words(page, fields.scalar("grant"), most=WORD_MAX)
    once_per = fields.one_of("once_per", _ONCE_PER, default="")
    if page.global_ and once_per == "journey":
        message = "_global.yaml 里的优惠券不属于任何旅程，不能写 once_per: journey"
        page.say("J016", fields.key("once_per"), message, help="once_per: customer（一人一次）")
    return GrantCoupon(coupon=coupon, once_per=once_per) if coupon else None


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


def read_arguments(fields: Fields, journey: str) -> Arguments:
    """The pairs of `with`, handed over to `journey`: literal texts, or templates."""
    pairs: list[tuple[str, Template]] = []
    for entry in fields.entries("with"):
        fields.page.refer("argument", entry.key.text, entry.key, key=journey)
        scalar = as_scalar(fields.page, entry.value)
        template = as_template(fields.page, scalar) if scalar else None
        if template is not None:
            pairs.append((entry.key.text, template))
    return tuple(pairs)


def _cancel_journey(page: Page, node: Node) -> Action | None:
    scalar = as_scalar(page, node)
    if scalar is None:
        return None
    return CancelJourney(journey=page.refer("journey", literal(page, scalar), scalar, key="cancel_journey"))


def _cancel_booking(page: Page, node: Node) -> Action | None:
    scalar = as_scalar(page, node)
    return CancelBooking(save=page.refer("saved", scalar.text, scalar, key="cancel_booking")) if scalar else None


def _emit(page: Page, node: Node) -> Action | None:
    fields = None if isinstance(node, Scalar) else fields_of(page, node, vocabulary.EMIT)
    if fields is None and not isinstance(node, Scalar):
        return None
    scalar = fields.scalar("event") if fields else as_scalar(page, node)
    inner = fields.node("fields") if fields else None
    values = read_expressions(page, inner, "fields") if inner is not None else ()
    return Emit(event=page.refer("event", scalar.text, scalar, key="emit"), fields=values) if scalar else None


def _stage(page: Page, node: Node) -> Action | None:
    scalar = as_scalar(page, node)
    if scalar is None:
        return None
    if is_template(scalar.text):
        made = as_template(page, scalar)
        return SetStage(stage=made) if made else None
    stage = chosen(page, scalar, _STAGES, default="")
    return SetStage(stage=stage) if stage else None


def _note(page: Page, node: Node) -> Action | None:
    scalar = as_scalar(page, node)
    text = as_template(page, scalar) if scalar else None
    return None if text is None else Note(text=text)


def _opt_out(page: Page, node: Node) -> Action | None:
    scalar = as_scalar(page, node)
    return OptOut(scope=chosen(page, scalar, _OPT_OUTS, default="all")) if scalar else None


_READERS: Mapping[str, Callable[[Page, Node], Action | None]] = {
    "send": read_send,
    "tag": _tag,
    "-tag": _untag,
    "score": _score,
    "set": _set,
    "lead": _lead,
    "consent": _consent,
    "task": _task,
    "points": _points,
    "coupon": _coupon,
    "start": _start,
    "cancel_journey": _cancel_journey,
    "cancel_booking": _cancel_booking,
    "emit": _emit,
    "stage": _stage,
    "note": _note,
    "opt_out": _opt_out,
}
