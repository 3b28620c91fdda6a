"""The one thing that a state does, from `ask` to `end`. Source: journey-language.md 2.3."""

import re
from collections.abc import Callable, Mapping

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, as_expression, as_scalar, bounded, fields_of, literal, parsed
from bot.authoring.nodes import Entry, Listing, Node, Scalar
from bot.authoring.page import ContentUse, Page
from bot.authoring.read_actions import read_arguments, read_expressions, read_person, read_target
from bot.authoring.read_reactions import goto_of, read_goto
from bot.authoring.read_sends import read_class, read_outside
from bot.authoring.read_slots import read_name
from bot.authoring.read_times import read_late, read_span, read_until
from bot.core.expressions.tree import Expression, Template
from bot.core.states import (
    Arm,
    Ask,
    Book,
    Branch,
    CallJourney,
    Doing,
    End,
    Handoff,
    Split,
    SplitArm,
    Wait,
    Webhook,
)
from bot.core.times import WallClock

FOREVER = "forever"
_OPERATION = re.compile(r"([a-z0-9_]{1,32})\.(\w[\w.-]{0,59})")
_CUSTOMER = "customer.id"
_WHOLE = 100


def read_doing(page: Page, kind: str, node: Node) -> Doing | None:
    """What stands under the key `kind` of a state, None after findings."""
    return _READERS[kind](page, node)


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
        send_class=send_class or "",
        templates=templates,
    )
    page.contents.append(use)
    return Ask(slot=slot, send_class=send_class, outside=outside)


def _wait(page: Page, node: Node) -> Doing | None:
    if isinstance(node, Scalar) and node.text == FOREVER:
        return Wait()
    fields = fields_of(page, node, vocabulary.WAIT)
    if fields is None:
        return None
    written = [key for key in ("for", "until", FOREVER) if fields.has(key)]
    if len(written) != 1:
        rule = "J016" if written else "J014"
        page.say(
            rule, fields.key(written[1] if written else ""), "wait 要写 for、until 或 forever 其中一个", help=_WAITS
        )
        return None
    scalar = fields.scalar("until")
    span, until = read_span(fields, "for"), read_until(page, scalar) if scalar else None
    spread = fields.parsed("spread", literals.duration, None)
    late, skip_after = read_late(fields)
    if fields.has(FOREVER):
        return Wait() if _endless(fields) else None
    if span is None and until is None:
        return None
    if late == "skip" and not isinstance(until, WallClock):
        message = "late: skip 只用于等一个钟点：别的等待没有下一次可等，到点就过去"
        page.say("J016", fields.key("late"), message, help="until: 10:00，或删掉 late")
    return Wait(span=span, until=until, spread=spread, late=late, skip_after=skip_after)


_WAITS = "for: 2d、for: 4h working、until: tomorrow 10:00，或 wait: forever"


def _endless(fields: Fields) -> bool:
    """Whether it is written rightly that a wait has no end."""
    meant = fields.parsed(FOREVER, literals.flag, False)
    if fields.scalar(FOREVER) and not meant:
        fields.page.say("J008", fields.key(FOREVER), "forever 只能是 true", help=_WAITS)
    for key in ("spread", "late"):
        if fields.has(key):
            fields.page.say("J016", fields.key(key), f"forever 不会到点，不能再写 {key}")
    return meant


def _branch(page: Page, node: Node) -> Doing | None:
    written = filled_list(page, node, "branch")
    arms = [_arm(page, one) for one in written]
    for place, arm in enumerate(arms):
        last = place == len(arms) - 1
        if arm and (arm.when is None) != last and (last or arm.goto):
            message = "branch 最后一项必须是 else" if last else "else 只能是 branch 的最后一项"
            page.say("J107", written[place], message, help="- else: 某个状态")
    return Branch(arms=tuple(arm for arm in arms if arm))


def filled_list(page: Page, node: Node, key: str) -> tuple[Node, ...]:
    """The entries of a list that must hold at least one; J008 otherwise."""
    if not isinstance(node, Listing) or not node.nodes:
        page.say("J008", node, f"{key} 需要至少一项的列表", help="每项一行，以 “- ” 开头")
        return ()
    return bounded(page, node.nodes)


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
            help = "- when: 条件，下一行 goto: 状态；最后一项 - else: 状态"
            page.say("J014", node, f"branch 的一项缺少 “{key}”", help=help)
    when, goto = fields.expression("when", "guard"), read_goto(page, fields.scalar("goto"), "goto")
    return Arm(when=when, goto=goto) if when and goto else None


def _split(page: Page, node: Node) -> Doing | None:
    fields = fields_of(page, node, vocabulary.SPLIT)
    listed = fields.node("arms") if fields else None
    if fields is None or listed is None:
        return None
    arms: dict[str, SplitArm] = {}
    written = filled_list(page, listed, "arms")
    for one in written:
        arm = _split_arm(page, one)
        if arm and arm.name in arms:
            page.say("J002", one, f"分组 “{arm.name}” 写了两次", help="换一个名字")
        elif arm:
            arms[arm.name] = arm
    total = sum(arm.percent for arm in arms.values())
    if written and len(arms) == len(written) and total != _WHOLE:
        page.say("J701", fields.key("arms"), f"split 合计 {total}%", help="各组 percent 加起来正好 100")
    salt, unit = fields.text("salt"), read_unit(fields)
    return Split(salt=salt, arms=tuple(arms.values()), unit=unit) if arms else None


def _split_arm(page: Page, node: Node) -> SplitArm | None:
    fields = fields_of(page, node, vocabulary.SPLIT_ARM)
    if fields is None:
        return None
    percent = fields.parsed("percent", literals.percent, None)
    name, goto = fields.text("name"), read_goto(page, fields.scalar("goto"), "split")
    return SplitArm(name=name, percent=percent, goto=goto) if name and goto and percent is not None else None


def read_unit(fields: Fields) -> Expression | None:
    """What a split or a holdout draws by; None: the customer."""
    unit = fields.expression("unit", "value")
    return None if unit is None or unit.source == _CUSTOMER else unit


def _handoff(page: Page, node: Node) -> Doing | None:
    fields = fields_of(page, node, vocabulary.HANDOFF)
    if fields is None:
        return None
    if not fields.has("fallback"):
        message = "handoff 没有 fallback：没人接、非工作时间，客户将无人应答"
        page.say("J603", fields.key("to"), message, help="fallback: {goto: 某个状态}")
    hours = fields.scalar("hours")
    after = fields.parsed("accept_within", literals.duration, None)
    note = fields.template("note") if fields.has("note") else Template(source="", parts=())
    to, fallback = read_person(fields, "to"), goto_of(fields, "fallback")
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
    arguments = read_arguments(fields, journey) if fields else ()
    return CallJourney(journey=journey, arguments=arguments, save=_save(fields) if fields else "")


def _save(fields: Fields) -> str:
    scalar = fields.scalar("save")
    return (parsed(fields.page, scalar, literals.name) or "") if scalar else ""


def _book(page: Page, node: Node) -> Doing | None:
    fields = fields_of(page, node, vocabulary.BOOK)
    if fields is None:
        return None
    what, start = fields.expression("what", "value"), fields.expression("start", "time")
    booked, save = fields.scalar("resource"), _save(fields)
    resource = page.refer("resource", literal(page, booked), booked, key="book") if booked else ""
    full, fail = goto_of(fields, "full"), goto_of(fields, "fail")
    hold = fields.parsed("hold", literals.duration, None)
    if not (what and start and resource and save):
        return None
    return Book(resource=resource, what=what, start=start, save=save, full=full, fail=fail, hold=hold)


def _webhook(page: Page, node: Node) -> Doing | None:
    fields = fields_of(page, node, vocabulary.WEBHOOK)
    if fields is None:
        return None
    scalar = fields.scalar("call")
    found = _OPERATION.fullmatch(scalar.text) if scalar else None
    if scalar and not found:
        help = "目标.操作，目标在 config.toml 的 [webhooks.目标]：crm.create_lead"
        page.say("J008", scalar, f"“{scalar.text[:40]}” 不是一个 webhook", help=help)
    node_of_body = fields.node("body")
    body = read_expressions(page, node_of_body, "body") if node_of_body is not None else ()
    save, fail = _save(fields), goto_of(fields, "fail")
    if scalar is None or found is None:
        return None
    target = page.refer("webhook", found.group(1), scalar, key="webhook")
    return Webhook(target=target, operation=found.group(2), fail=fail, body=body, save=save)


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
    "split": _split,
    "handoff": _handoff,
    "call": _call,
    "book": _book,
    "webhook": _webhook,
    "end": _end,
}
KINDS = tuple(_READERS)
"""The kinds of states, by their key."""
