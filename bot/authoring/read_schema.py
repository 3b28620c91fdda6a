"""What is declared for all journeys: events, intents, segments. Source: journey-language.md 2.1, 2.2."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import get_args

from bot.authoring import vocabulary
from bot.authoring.fields import Fields, as_scalar, chosen, fields_of
from bot.authoring.nodes import Node
from bot.authoring.page import Page
from bot.authoring.read_journey import check_dsl, check_id
from bot.authoring.read_slots import read_name
from bot.core.library import EventType, Intent, Segment
from bot.core.slots import VarType
from bot.understanding import normalise, spelled

_EVENT_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}(?:\.[a-z][a-z0-9_]{0,30}){1,3}")
_VAR_TYPES: Mapping[str, VarType] = {one: one for one in get_args(VarType)}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsDraft:
    events: Mapping[str, EventType]
    page: Page


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentsDraft:
    intents: Mapping[str, Intent]
    page: Page


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentDraft:
    """`segment` is None when its condition could not be read: it is declared all the same."""

    segment: Segment | None
    page: Page


def read_events_file(page: Page, root: Node) -> EventsDraft | None:
    """The declared events, None (after findings) when the file holds no table."""
    fields = fields_of(page, root, vocabulary.EVENTS)
    if fields is None:
        return None
    check_dsl(fields)
    found: dict[str, EventType] = {}
    for entry in fields.entries("events"):
        name = entry.key.text
        if not _EVENT_NAME.fullmatch(name):
            help = "小写英文，至少两段，用点分开：finance.apply"
            page.say("J008", entry.key, f"“{name[:40]}” 不能作为事件的名字", help=help)
        inner = fields_of(page, entry.value, vocabulary.EVENT)
        if inner:
            found[name] = EventType(event=name, fields=_event_fields(inner))
    return EventsDraft(events=found, page=page)


def _event_fields(fields: Fields) -> dict[str, VarType]:
    found: dict[str, VarType] = {}
    for entry in fields.entries("fields"):
        name, scalar = read_name(fields.page, entry.key), as_scalar(fields.page, entry.value)
        kind = chosen(fields.page, scalar, {**_VAR_TYPES, "": None}, default=None) if scalar else None
        if name and kind:
            found[name] = kind
    return found


def read_intents_file(page: Page, root: Node) -> IntentsDraft | None:
    """What customers may mean, None (after findings) when the file holds no table."""
    fields = fields_of(page, root, vocabulary.INTENTS)
    if fields is None:
        return None
    check_dsl(fields)
    found: dict[str, Intent] = {}
    for entry in fields.entries("intents"):
        name = read_name(page, entry.key)
        inner = fields_of(page, entry.value, vocabulary.INTENT)
        if name and inner:
            patterns, without = _normal(inner, "patterns"), _normal(inner, "without")
            found[name] = Intent(intent=name, patterns=patterns, without=without)
    return IntentsDraft(intents=found, page=page)


def _normal(fields: Fields, key: str) -> tuple[str, ...]:
    """The patterns, spelled evenly as the customer's text will be; J008 for one of which nothing is left."""
    found: list[str] = []
    for scalar in fields.scalars(key):
        if normalise(scalar.text.replace("*", "")):
            found.append(spelled(scalar.text))
        else:
            fields.page.say("J008", scalar, f"“{scalar.text[:40]}” 只有标点或语气词，永远不会匹配")
    return tuple(dict.fromkeys(found))


def read_segment(page: Page, root: Node, name: str) -> SegmentDraft | None:
    """A segment of customers, None (after findings) when the file holds no table."""
    fields = fields_of(page, root, vocabulary.SEGMENT)
    if fields is None:
        return None
    check_dsl(fields)
    check_id(fields, "segment")
    condition = fields.on(replace(page, entering=True)).expression("when", "guard")
    segment = Segment(segment=name, condition=condition) if condition else None
    return SegmentDraft(segment=segment, page=page)
