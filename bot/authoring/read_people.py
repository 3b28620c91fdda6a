"""`_staff.yaml` and `schema/customer.yaml`: who works here, and what we may know of a customer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, fields_of
from bot.authoring.nodes import Node
from bot.authoring.page import Page
from bot.authoring.read_journey import check_dsl
from bot.authoring.read_slots import read_default, read_name, read_options
from bot.authoring.suggest import meant
from bot.core.events import Json
from bot.core.ids import StaffId
from bot.core.library import Attribute, AttributeType, Dealer, Member

ATTRIBUTES_OF_THE_ENGINE = ("id", "score", "points", "source", "opted_out", "advisor")
"""What every customer has without being declared; no attribute may be called so."""
_TYPES: Mapping[str, AttributeType] = {one: one for one in get_args(AttributeType)}
_PERSONAL = frozenset({"phone_cn", "plate_cn", "vin", "id_cn", "image", "location", "file"})
"""Attributes that are encrypted unless the file says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffDraft:
    members: tuple[Member, ...]
    dealers: Mapping[str, Dealer]
    page: Page


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributesDraft:
    """`untyped`: those whose type was refused; what they hold is not known."""

    attributes: Mapping[str, Attribute]
    page: Page
    untyped: frozenset[str] = frozenset()


def read_staff(page: Page, root: Node) -> StaffDraft | None:
    """Dealers and members, None (after findings) when the file holds no table."""
    fields = fields_of(page, root, vocabulary.STAFF)
    if fields is None:
        return None
    check_dsl(fields)
    dealers: dict[str, Dealer] = {}
    for node in fields.nodes("dealers"):
        dealer = _dealer(page, node)
        if dealer and dealer.dealer in dealers:
            page.say("J002", node, f"门店 “{dealer.dealer}” 写了两次")
        elif dealer:
            dealers[dealer.dealer] = dealer
    return StaffDraft(members=_members(fields, dealers), dealers=dealers, page=page)


def _dealer(page: Page, node: Node) -> Dealer | None:
    fields = fields_of(page, node, vocabulary.DEALER)
    if fields is None or not fields.has("dealer"):
        return None
    hours = read_hours(fields)
    return Dealer(dealer=fields.text("dealer"), name=fields.text("name"), city=fields.text("city"), hours=hours)


def read_hours(fields: Fields) -> str:
    """The name of working hours, empty when none is written."""
    scalar = fields.scalar("hours")
    return fields.page.refer("hours", scalar.text, scalar, key="hours") if scalar else ""


def _members(fields: Fields, dealers: Mapping[str, Dealer]) -> tuple[Member, ...]:
    members: dict[StaffId, Member] = {}
    for node in fields.nodes("staff"):
        member = _member(fields.page, node, dealers)
        if member and member.staff_id in members:
            fields.page.say("J002", node, f"成员 “{member.staff_id}” 写了两次")
        elif member:
            members[member.staff_id] = member
    return tuple(members.values())


def _member(page: Page, node: Node, dealers: Mapping[str, Dealer]) -> Member | None:
    fields = fields_of(page, node, vocabulary.MEMBER)
    if fields is None or not fields.has("id"):
        return None
    dealer = fields.scalar("dealer")
    if dealer and dealer.text not in dealers:
        page.say("J213", dealer, f"门店 “{dealer.text}” 没有在 dealers 里声明{meant(dealer.text, dealers)}")
    return Member(
        staff_id=StaffId(fields.text("id")),
        name=fields.text("name"),
        roles=frozenset(fields.texts("roles")),
        dealer=dealer.text if dealer else "",
        account=fields.text("account"),
        hours=read_hours(fields),
    )


def read_attributes(page: Page, root: Node) -> AttributesDraft | None:
    """The declared attributes, None (after findings) when the file holds no table."""
    fields = fields_of(page, root, vocabulary.ATTRIBUTES)
    if fields is None:
        return None
    check_dsl(fields)
    found: dict[str, Attribute] = {}
    untyped: set[str] = set()
    for entry in fields.entries("attributes"):
        name = read_name(page, entry.key)
        inner = fields_of(page, entry.value, vocabulary.ATTRIBUTE)
        if name in ATTRIBUTES_OF_THE_ENGINE:
            page.say("J002", entry.key, f"“{name}” 是引擎自带的属性，不用声明", help="换一个名字")
        elif name and inner:
            kind: AttributeType | None = inner.one_of("type", {**_TYPES, "": None}, default=None)
            found[name] = _attribute(name, inner, kind or "text")
            untyped |= set() if kind else {name}
    return AttributesDraft(attributes=found, page=page, untyped=frozenset(untyped))


def _attribute(name: str, fields: Fields, kind: AttributeType) -> Attribute:
    return Attribute(
        name=name,
        type=kind,
        pii=fields.parsed("pii", literals.flag, kind in _PERSONAL),
        label=fields.text("label"),
        default=_default(fields, kind),
        options=read_options(fields, kind, what="属性"),
        origin=fields.text("source"),
    )


def _default(fields: Fields, kind: AttributeType) -> Json:
    """What is written for whoever has none, as the type has it in JSON; None when it is missing or refused."""
    match kind:
        case "text" | "choice" | "number" | "money" | "bool" | "date" | "time":
            return read_default(fields, kind)
        case "city" | "entity":
            return read_default(fields, "text")
        case _:
            if fields.has("default"):
                fields.page.say("J016", fields.key("default"), f"{kind} 类型的属性不能写 default")
            return None
