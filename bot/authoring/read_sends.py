"""`send`: what, of which class, and what instead. Source: journey-language.md 2.3."""

from collections.abc import Mapping
from typing import Literal

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, chosen, fields_of, is_written_out, literal
from bot.authoring.nodes import Entry, Node, Scalar, Table
from bot.authoring.page import ContentUse, Page
from bot.authoring.source import Span
from bot.core.actions import Action, Outside, Send
from bot.core.effects import SendClass

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
_BARE: Mapping[str, Literal["task", "drop", "group_send"]] = {
    "task": "task",
    "drop": "drop",
    "group_send": "group_send",
}


def read_send(page: Page, node: Node) -> Action | None:
    """`send: CONTENT`, or its long form; None after a finding."""
    if isinstance(node, Scalar):
        node = Table(entries=(Entry(key=Scalar(text="content", span=node.span), value=node),), span=node.span)
    fields = fields_of(page, node, vocabulary.SEND)
    if fields is None:
        return None
    outside, templates = read_outside(fields)
    content = fields.scalar("content")
    send_class = read_class(fields)
    variant_by, key = fields.expression("variant_by", "value"), fields.template("key")
    if content is None:
        return None
    use = ContentUse(
        content=content.text,
        span=content.span,
        how="send",
        state=page.state,
        send_class=send_class or "",
        templates=templates,
    )
    page.contents.append(use)
    return Send(
        content=literal(page, content),
        send_class=send_class,
        outside=outside,
        expire=fields.parsed("expire", literals.duration, None),
        window=fields.one_of("window", _WINDOWS, default="auto"),
        variant_by=variant_by,
        key=key,
    )


def read_class(fields: Fields) -> SendClass | None:
    """The `class` that is written, None when none is."""
    scalar = fields.scalar("class")
    return chosen(fields.page, scalar, CLASSES, default="service") if scalar else None


def read_classes(fields: Fields, key: str) -> frozenset[SendClass]:
    """One class, or several of them."""
    return frozenset(chosen(fields.page, scalar, CLASSES, default="marketing") for scalar in fields.scalars(key))


def read_outside(fields: Fields) -> tuple[tuple[Outside, ...], tuple[tuple[str, Span], ...]]:
    """The fallbacks of `outside`, and the template messages among them with their places."""
    ways: list[Outside] = []
    templates: list[tuple[str, Span]] = []
    for scalar in fields.scalars("outside"):
        if not is_written_out(fields.page, scalar):
            continue
        way, _, name = scalar.text.partition(":")
        name = name.strip()
        if way == "template" and name:
            ways.append(Outside(way="template", name=name))
            templates.append((name, scalar.span))
        elif way == "sms" and name:
            ways.append(Outside(way="sms", name=name))
        elif way in _BARE and not name:
            ways.append(Outside(way=_BARE[way]))
        else:
            message = f"“{scalar.text[:40]}” 不是可用的备选"
            fields.page.say("J008", scalar, message, help="可用：template:名字、sms:名字、group_send、task、drop")
    return tuple(ways), tuple(templates)
