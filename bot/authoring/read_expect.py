"""`expect:` of a test: every key of journey-language.md 5.1."""

from collections.abc import Mapping

from bot.authoring import literals, trial_keys
from bot.authoring.fields import Fields, as_scalar, chosen, fields_of, parsed
from bot.authoring.nodes import Node, Scalar, Table
from bot.authoring.read_sends import CLASSES
from bot.authoring.source import Span
from bot.authoring.suggest import meant
from bot.authoring.trial_names import Names
from bot.authoring.trials import Expect, Silence, Wanted, WindowWanted, Words
from bot.core.events import Json

EFFECTS: Mapping[str, str] = {
    "send": "内容",
    "task": "给谁：advisor、role:店长",
    "tag": "标签",
    "-tag": "标签",
    "score": "加多少",
    "points": "加多少",
    "set": "改了什么：customer.nick",
    "lead": "",
    "consent": "用途",
    "handoff": "",
    "note": "",
    "opt_out": "范围：all",
    "goal": "目标",
    "start": "旅程",
    "call": "旅程",
    "coupon": "券",
    "webhook": "目标.操作",
    "book": "资源",
    "cancel_booking": "",
    "cancel_journey": "旅程",
    "emit": "事件",
    "stage": "阶段",
}
"""Kinds of effects, with what stands behind each."""
_WINDOWS = {kind: kind for kind in ("message", "menu_click", "follow", "scan", "open", "closed")}


def read_expect(names: Names, node: Node, span: Span) -> Expect | None:
    """What is expected, None (after a finding) when it is no table. `span`: where the key stands."""
    fields = fields_of(names.page, node, trial_keys.EXPECT)
    if fields is None:
        return None
    if isinstance(node, Table) and not node.entries:
        names.page.say("J014", span, "expect 里什么也没有写")
    return Expect(
        span=span,
        sent=_words(names, fields, "sent"),
        then_sent=_words(names, fields, "then_sent"),
        sent_contains=fields.texts("sent_contains"),
        never_sent=_words(names, fields, "never_sent"),
        sent_once=_words(names, fields, "sent_once"),
        sent_count=_count(fields, "sent_count"),
        state=_state(names, fields),
        path=tuple(names.state(scalar, key="path") for scalar in fields.scalars("path")),
        slot=_slots(names, fields),
        vars=_vars(names, fields),
        customer=_customer(names, fields),
        tags=fields.texts("tags"),
        score=_count(fields, "score"),
        points=_count(fields, "points"),
        effects=tuple(one for one in (_wanted(names, scalar) for scalar in fields.scalars("effects")) if one),
        goal=fields.parsed("goal", literals.flag, None),
        window=_window(fields),
        answered=fields.text("answered"),
        ended=fields.text("ended"),
        reason=fields.text("reason"),
        no_sends_after=_silence(fields),
        places=_places(node),
    )


def _places(node: Node) -> dict[str, Span]:
    return {entry.key.text: entry.key.span for entry in node.entries} if isinstance(node, Table) else {}


def _words(names: Names, fields: Fields, key: str) -> tuple[Words, ...]:
    return tuple(names.content(scalar) for scalar in fields.scalars(key))


def _count(fields: Fields, key: str) -> int | None:
    return fields.parsed(key, literals.whole, None)


def _state(names: Names, fields: Fields) -> str:
    scalar = fields.scalar("state")
    return names.state(scalar, key="state") if scalar else ""


def _slots(names: Names, fields: Fields) -> dict[str, Json]:
    entries = fields.entries("slot")
    return {names.slot(entry.key): names.value_of_slot(entry.key.text, entry.value) for entry in entries}


def _vars(names: Names, fields: Fields) -> dict[str, Json]:
    entries = fields.entries("vars")
    return {names.var(entry.key): names.value_of_var(entry.key.text, entry.value) for entry in entries}


def _customer(names: Names, fields: Fields) -> dict[str, Json]:
    entries = fields.entries("customer")
    return {names.attribute(entry.key): names.value_of_attribute(entry.key.text, entry.value) for entry in entries}


def _wanted(names: Names, scalar: Scalar) -> Wanted | None:
    """`task advisor`: the kind, and behind it the name that goes with it."""
    kind, _, name = scalar.text.strip().partition(" ")
    if kind not in EFFECTS:
        known = "、".join(EFFECTS)
        names.page.say("J008", scalar, f"不认识的动作 “{kind}”{meant(kind, EFFECTS)}", help=f"可用：{known}")
        return None
    if kind == "send" and name:
        names.content(Scalar(text=name.strip(), span=names.page.inside(scalar.span, name.strip())))
    return Wanted(kind=kind, name=name.strip())


def _window(fields: Fields) -> WindowWanted | None:
    node = fields.node("window")
    if node is None:
        return None
    if isinstance(node, Scalar):
        scalar = as_scalar(fields.page, node)
        return _kind_of(fields, scalar, None) if scalar else None
    inner = fields_of(fields.page, node, trial_keys.WINDOW_WANTED)
    kind = inner.scalar("kind") if inner else None
    if inner is None or kind is None:
        return None
    return _kind_of(inner, kind, inner.parsed("left", literals.whole, None))


def _kind_of(fields: Fields, scalar: Scalar, left: int | None) -> WindowWanted:
    kind = chosen(fields.page, scalar, _WINDOWS, default="open")
    match kind:
        case "message" | "menu_click" | "follow" | "scan" | "open" | "closed":
            return WindowWanted(kind=kind, left=left)
        case _:
            raise AssertionError("one of the words of the table")


def _silence(fields: Fields) -> Silence | None:
    inner = fields.inner("no_sends_after", trial_keys.SILENCE)
    length = inner.scalar("for") if inner else None
    if inner is None or length is None:
        return None
    lasts = parsed(fields.page, length, literals.duration)
    known = {name: name for name in CLASSES}
    classes = tuple(chosen(fields.page, scalar, known, default="marketing") for scalar in inner.scalars("class"))
    return Silence(classes=classes or tuple(known), length=lasts) if lasts else None
