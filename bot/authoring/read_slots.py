"""`slots` and `vars` of a journey. Source: journey-language.md 2.2, 2.3."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, get_args

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, as_scalar, bounded, fields_of, is_written_out, literal, parsed, wide_brackets
from bot.authoring.nodes import Entry, Listing, Node, Scalar
from bot.authoring.page import ContentUse, Page
from bot.core.events import Json
from bot.core.slots import Slot, Var, VarType
from bot.core.understood import SlotType
from bot.understanding import normalise

KINDS_OF_ENTITIES = ("车型",)
"""What the catalogue holds: `of` of a slot of type `entity`."""
_SLOT_TYPES: Mapping[str, SlotType] = {one: one for one in get_args(SlotType)}
_VAR_TYPES: Mapping[str, VarType] = {one: one for one in get_args(VarType)}
_CAPTURES: Mapping[str, Literal["first", "after_triggers"]] = {"first": "first", "after_triggers": "after_triggers"}
_TAKING_ANYTHING: frozenset[SlotType] = frozenset({"text", "location", "image", "file"})
"""Types that would swallow what was meant for others; these only take what no trigger wants."""
_RETRY_MAX = 5
_RETRIES = 2
"""How often a wrong answer is asked again when `retry.max` is not written."""


def read_vars(fields: Fields) -> dict[str, Var]:
    """The variables of the journey."""
    found: dict[str, Var] = {}
    for entry in fields.entries("vars"):
        name = read_name(fields.page, entry.key)
        inner = fields_of(fields.page, entry.value, vocabulary.VAR)
        var = _var(inner) if inner else None
        if name and var:
            found[name] = var
    return found


def read_name(page: Page, key: Scalar) -> str:
    """The name that `key` gives to something, empty after J008."""
    return parsed(page, key, literals.name) or ""


def _var(fields: Fields) -> Var | None:
    kind = fields.one_of("type", {**_VAR_TYPES, "": None}, default=None)
    if kind is None:
        return None
    return Var(type=kind, default=read_default(fields, kind), options=read_options(fields, kind, what="变量"))


def read_options(fields: Fields, kind: str, *, what: str) -> tuple[str, ...]:
    """The only values that a choice may have. `what`: 变量 or 属性, for findings."""
    options = fields.texts("options")
    if fields.has("options") and kind != "choice":
        fields.page.say("J016", fields.key("options"), f"{kind} 类型的{what}没有 options")
        return ()
    if kind == "choice" and not options and not fields.misspelt("options"):
        fields.page.say("J014", fields.key("type"), "choice 缺少 “options”", help="options: [看车, 养车]")
    return options


def read_default(fields: Fields, kind: VarType) -> Json:
    """The value of `default`, as the type has it in JSON; None when it is missing or refused."""
    match kind:
        case "text":
            return fields.text("default") if fields.has("default") else None
        case "choice" if not fields.has("options"):
            return None  # that they are missing says enough
        case "choice":
            choices = {option: option for option in fields.texts("options")}
            return fields.one_of("default", {**choices, "": None}, default=None)
        case "number":
            return fields.parsed("default", literals.number, None)
        case "money":
            return fields.parsed("default", lambda text: _plain_number(literals.amount(text)), None)
        case "bool":
            return fields.parsed("default", literals.flag, None)
        case "date":
            return fields.parsed("default", lambda text: literals.day(text).isoformat(), None)
        case "time":
            return fields.parsed("default", lambda text: f"{literals.time_of_day(text):%H:%M}", None)
        case "list":
            return list(fields.texts("default")) if fields.has("default") else None
        case "datetime" | "record":
            if fields.has("default"):
                fields.page.say("J016", fields.key("default"), f"{kind} 类型的变量不能写 default")
            return None


def _plain_number(value: Decimal) -> Json:
    return int(value) if value == value.to_integral_value() else float(value)


def read_slots(fields: Fields) -> dict[str, Slot]:
    """The slots of the journey."""
    found: dict[str, Slot] = {}
    for entry in fields.entries("slots"):
        name = read_name(fields.page, entry.key)
        inner = fields_of(fields.page, entry.value, vocabulary.SLOT)
        slot = _slot(name, inner) if inner else None
        if name and slot:
            found[name] = slot
    return found


def _slot(name: str, fields: Fields) -> Slot | None:
    """The slot, None when its type is missing or refused; whatever else is wrong in it is reported too."""
    kind = fields.one_of("type", {**_SLOT_TYPES, "": None}, default=None)
    retry = fields.inner("retry", vocabulary.RETRY)
    slot = Slot(
        name=name,
        type=kind or "text",
        ask=_content(fields, "ask", name),
        options=_options(fields, kind),
        options_from=fields.expression("options_from", "list"),
        prefill=fields.expression("prefill", "value"),
        ttl=fields.parsed("ttl", literals.duration, None),
        of=_of(fields, kind),
        check=fields.expression("check", "guard", slot=name),
        retry_max=_retry_max(retry) if retry else _RETRIES,
        retry_say=_content(retry, "say", name) if retry else "",
        confirm=fields.parsed("confirm", literals.flag, False),
        optional=fields.parsed("optional", literals.flag, False),
        consent=_purpose(fields),
        pii=fields.parsed("pii", literals.flag, False),
        capture=fields.one_of("capture", _CAPTURES, default="after_triggers" if kind in _TAKING_ANYTHING else "first"),
        save=_save(fields),
    )
    return slot if kind else None


def _of(fields: Fields, kind: SlotType | None) -> str:
    if fields.has("of") and kind not in ("entity", None):
        fields.page.say("J016", fields.key("of"), f"{kind} 类型的槽没有 of：它只用于 entity")
        return ""
    if kind == "entity" and not fields.has("of"):
        fields.page.say("J014", fields.key("type"), "entity 缺少 “of”", help=f"of: {KINDS_OF_ENTITIES[0]}")
    return fields.one_of("of", {one: one for one in KINDS_OF_ENTITIES}, default="")


def _content(fields: Fields, key: Literal["ask", "say"], slot: str) -> str:
    scalar = fields.scalar(key)
    if scalar is None:
        return ""
    how: Literal["ask", "retry"] = "ask" if key == "ask" else "retry"
    fields.page.contents.append(ContentUse(content=scalar.text, span=scalar.span, how=how, slot=slot))
    return literal(fields.page, scalar)


def _retry_max(retry: Fields) -> int:
    most = retry.parsed("max", literals.whole, _RETRIES)
    if not 0 <= most <= _RETRY_MAX:
        retry.page.say("J008", retry.key("max"), f"retry.max 要在 0 到 {_RETRY_MAX} 之间")
        return _RETRIES
    return most


def _purpose(fields: Fields) -> str:
    scalar = fields.scalar("consent")
    return fields.page.refer("purpose", literal(fields.page, scalar), scalar, key="consent") if scalar else ""


def _save(fields: Fields) -> str:
    scalar = fields.scalar("save")
    if scalar is None:
        return ""
    root, _, name = scalar.text.partition(".")
    if root != "customer" or not name:
        fields.page.say("J008", scalar, f"save 不能写 “{scalar.text}”", help="写 customer.属性名")
        return ""
    fields.page.refer("attribute", name, scalar, key="save")
    return scalar.text


def _options(fields: Fields, kind: SlotType | None) -> dict[str, tuple[str, ...]]:
    missing = not fields.has("options") and not fields.has("options_from")
    if kind == "choice" and missing and not (fields.misspelt("options") or fields.misspelt("options_from")):
        fields.page.say("J014", fields.key("type"), "choice 缺少 “options”", help="options: {看车: [看车, 试驾]}")
    if kind not in ("choice", None) and fields.has("options"):
        fields.page.say("J016", fields.key("options"), f"{kind} 类型的槽没有 options")
        return {}
    if fields.has("options") and fields.has("options_from"):
        fields.page.say("J016", fields.key("options_from"), "options 和 options_from 只能写一个")
    options: dict[str, tuple[str, ...]] = {}
    owners: dict[str, str] = {}
    for option, synonyms in _option_nodes(fields):
        if not all(is_written_out(fields.page, one) for one in (option, *synonyms)):
            continue
        options[option.text] = tuple(synonym.text for synonym in synonyms)
        for synonym in (option, *synonyms):
            owner = owners.setdefault(normalise(synonym.text), option.text)
            if owner != option.text:
                message = f"选项同义词 “{synonym.text}” 同时属于 {owner} 与 {option.text}"
                fields.page.say("J210", synonym, message, help="只留在一个选项里，另一个换个说法")
    return options


def _option_nodes(fields: Fields) -> list[tuple[Scalar, tuple[Scalar, ...]]]:
    """Options with their synonyms: a table, or a plain list of options without any."""
    node = fields.node("options")
    if isinstance(node, Listing):
        return [(scalar, ()) for scalar in fields.scalars("options")]
    return [(entry.key, _synonyms(fields.page, entry)) for entry in fields.entries("options")]


def _synonyms(page: Page, entry: Entry) -> tuple[Scalar, ...]:
    if isinstance(entry.value, Scalar) and wide_brackets(page, entry.value):
        return ()
    nodes: tuple[Node, ...] = entry.value.nodes if isinstance(entry.value, Listing) else (entry.value,)
    return tuple(scalar for scalar in (as_scalar(page, node) for node in bounded(page, nodes)) if scalar)
