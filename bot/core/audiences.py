"""What a library asks about many customers: its segments and schedules, and the little that must be kept to answer.

Worked out once for a library. A library that asks nothing has an empty `Searched`, and nothing is kept for it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import timedelta

from bot.core.entries import ScheduleEntry, SegmentEntry
from bot.core.expressions.declared import EVENT_FIELDS, TYPES, default_of, names_of
from bot.core.expressions.ground import Ground, questions_of
from bot.core.expressions.happenings import event_call, is_event_call
from bot.core.expressions.source import to_source
from bot.core.expressions.tree import Both, Call, Constant, EventCall, Expression, For, If, Name, Node, Output, Template
from bot.core.expressions.types import Path, Type, TypeEnv
from bot.core.expressions.walk import walk
from bot.core.library import Attribute, EventType, Library, Segment

KEY_DIGITS = 12
CALLS_MAX = 200
"""Questions about events that are read at once; a library with more of them reads the others when they come up."""

OWN: Mapping[str, Type] = {
    "score": "number",
    "points": "number",
    "source": "text",
    "opted_out": "bool",
}
"""What the engine keeps of a customer and segments may read, beside her attributes and her id."""
_ANYTHING_GOES = frozenset({("now",), ("today",)})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvents:
    """What is kept of the events of one type: these fields, for so long. `last`: the latest one for ever."""

    fields: Mapping[str, Type] = field(default_factory=dict)
    within: timedelta = timedelta(0)
    last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What is kept of every customer in rows of its own, because some condition over many customers reads it.

    `values`: attributes and `OWN`, with their types, and fields of attributes that are records (`home.lat`);
    `present`: records, and encrypted attributes, of which only the presence is kept.
    `segments`: keys of those that time alone may lead into.
    """

    values: Mapping[str, Type] = field(default_factory=dict)
    present: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    consents: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.values or self.present or self.tags or self.consents or self.segments)

    def names(self) -> frozenset[str]:
        """What has to be written down for all customers before anything can be searched: `value:city`, `tag:…`."""
        values = {f"value:{name}:{kind}" for name, kind in self.values.items()}
        present = {f"present:{name}" for name in self.present}
        marks = {f"tag:{one}" for one in self.tags} | {f"consent:{one}" for one in self.consents}
        return frozenset(values | present | marks | {f"segment:{key}" for key in self.segments})


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A segment that leads into a journey. `key` tells its present condition from earlier ones of the same name.

    `reads`: `customer.city`, `tags`, `consents`, `event:visit`: it is looked at again when one of these changed.
    `by_time`: it may begin or cease to hold though nothing happens. `calls`: what it asks about events.
    """

    segment: str
    key: str
    condition: Expression
    reads: frozenset[str]
    by_time: bool
    calls: tuple[EventCall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A schedule of a journey, and the condition on whom it enters (None: everybody)."""

    name: str
    journey: str
    cron: str
    timezone: str
    condition: Node | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audiences:
    """All of it. `calls`: every question about events that some expression of the library asks, by its source."""

    ground: Ground
    watched: tuple[Watched, ...]
    by_read: Mapping[str, tuple[Watched, ...]]
    schedules: tuple[Schedule, ...]
    searched: Searched
    events: Mapping[str, KeptEvents]
    calls: Mapping[str, EventCall]


def ground_of(
    attributes: Mapping[str, Attribute], events: Mapping[str, EventType], segments: Mapping[str, Segment]
) -> Ground:
    """What conditions over many customers may read, where this is declared."""
    names: dict[Path, Type] = {("customer", "id"): "number", ("now",): "time", ("today",): "date"}
    names.update({("customer", name): kind for name, kind in OWN.items()})
    for one in attributes.values():
        names.update(names_of(("customer", one.name), one.type))
    defaults = {("customer", one.name): default_of(one.type, one.default) for one in attributes.values()}
    return Ground(
        env=TypeEnv(names=names, events=event_types(events)),
        personal=frozenset(("customer", one.name) for one in attributes.values() if one.pii),
        segments={name: one.condition.tree for name, one in segments.items()},
        defaults={path: default for path, default in defaults.items() if default is not None},
    )


def event_types(declared: Mapping[str, EventType]) -> Mapping[str, Mapping[str, Type]]:
    """The fields of every event that may be counted, with their types; those that are lists or records are none."""
    known: dict[str, Mapping[str, str]] = {**EVENT_FIELDS, **{name: dict(one.fields) for name, one in declared.items()}}
    typed = {event: {name: TYPES[kind] for name, kind in of.items()} for event, of in known.items()}
    return {event: {name: k for name, k in of.items() if k not in ("any", "list")} for event, of in typed.items()}


def audiences_of(library: Library) -> Audiences:
    """What `library` asks about many customers."""
    ground = ground_of(library.attributes, library.events, library.segments)
    entered = {e.segment for j in library.journeys.values() for e in j.enter if isinstance(e, SegmentEntry)}
    watched = tuple(_watched(library.segments[name], ground) for name in sorted(entered & library.segments.keys()))
    schedules = tuple(_schedules(library))
    by_time = [one.condition.tree for one in watched if one.by_time]
    conditions = [*by_time, *(one.condition for one in schedules if one.condition is not None)]
    calls = {call.source: call for call in _all_calls(library)}
    return Audiences(
        ground=ground,
        watched=watched,
        by_read=_by_read(watched),
        schedules=schedules,
        searched=_searched(conditions, ground, frozenset(one.key for one in watched if one.by_time)),
        events=_kept_events(calls.values(), ground),
        calls=calls,
    )


def _watched(segment: Segment, ground: Ground) -> Watched:
    trees = [segment.condition.tree, *_referred(segment.condition.tree, ground)]
    questions = [node for tree in trees for node in walk(tree) if isinstance(node, Call)]
    calls = tuple(event_call(node) for node in questions if is_event_call(node))
    paths = {node.path for tree in trees for node in walk(tree) if isinstance(node, Name)}
    reads = {".".join(path[:2]) for path in paths if path[0] == "customer"} | {f"event:{call.event}" for call in calls}
    reads |= {"tags" for node in questions if node.name == "has_tag"}
    reads |= {"consents" for node in questions if node.name == "has_consent"}
    instead = [f"{'.'.join(path)}={ground.defaults[path]}" for path in sorted(paths & ground.defaults.keys())]
    meaning = "|".join([*map(to_source, trees), *instead])
    return Watched(
        segment=segment.segment,
        key=f"{segment.segment}#{hashlib.sha256(meaning.encode()).hexdigest()[:KEY_DIGITS]}",
        condition=segment.condition,
        reads=frozenset(reads),
        by_time=bool(paths & _ANYTHING_GOES) or any(call.kind == "count" for call in calls),
        calls=calls,
    )


def _referred(tree: Node, ground: Ground) -> list[Node]:
    """The conditions of the segments that `tree` refers to, directly or through others."""
    named = [call.arguments[0] for call in questions_of(tree, ground.segments) if call.name == "in_segment"]
    names = dict.fromkeys(one.value for one in named if isinstance(one, Constant) and isinstance(one.value, str))
    return [ground.segments[name] for name in names if name in ground.segments]


def _by_read(watched: Iterable[Watched]) -> Mapping[str, tuple[Watched, ...]]:
    found: dict[str, list[Watched]] = {}
    for one in watched:
        for read in one.reads:
            found.setdefault(read, []).append(one)
    return {read: tuple(ones) for read, ones in found.items()}


def _schedules(library: Library) -> Iterator[Schedule]:
    for journey in library.journeys.values():
        for way in journey.enter:
            if isinstance(way, ScheduleEntry):
                zone = way.timezone or library.rules.timezone
                yield Schedule(
                    name=f"{journey.journey}|{way.cron}|{zone}",
                    journey=journey.journey,
                    cron=way.cron,
                    timezone=zone,
                    condition=_both(journey.audience, way.when),
                )


def _both(audience: Expression | None, when: Expression | None) -> Node | None:
    trees = tuple(one.tree for one in (audience, when) if one is not None)
    return Both(op="and", operands=trees) if len(trees) > 1 else (trees[0] if trees else None)


def _searched(conditions: Iterable[Node], ground: Ground, segments: frozenset[str]) -> Searched:
    trees = [tree for condition in conditions for tree in (condition, *_referred(condition, ground))]
    nodes = [node for tree in trees for node in walk(tree)]
    paths = {node.path for node in nodes if isinstance(node, Name) and node.path[0] == "customer"}
    asked = {(node.name, node.arguments[0]) for node in nodes if isinstance(node, Call) and node.arguments}
    written = {(name, str(one.value)) for name, one in asked if isinstance(one, Constant)}
    return Searched(
        values={".".join(p[1:]): ground.env.names[p] for p in sorted(paths) if _is_kept(p, ground)},
        present=frozenset(path[1] for path in paths if ground.is_only_present(path)),
        tags=frozenset(mark for name, mark in written if name == "has_tag"),
        consents=frozenset(mark for name, mark in written if name == "has_consent"),
        segments=segments,
    )


def _is_kept(path: Path, ground: Ground) -> bool:
    return path in ground.env.names and path[:2] not in ground.personal and path != ("customer", "id")


def _kept_events(calls: Iterable[EventCall], ground: Ground) -> Mapping[str, KeptEvents]:
    kept: dict[str, KeptEvents] = {}
    for call in calls:
        before = kept.get(call.event, KeptEvents())
        read = (
            {node.path[1] for node in walk(call.where) if isinstance(node, Name)} if call.where is not None else set()
        )
        types = ground.env.events.get(call.event, {})
        kept[call.event] = KeptEvents(
            fields={**before.fields, **{name: types[name] for name in sorted(read) if name in types}},
            within=max(before.within, call.within or timedelta(0)),
            last=before.last or call.kind == "last",
        )
    return kept


def _all_calls(library: Library) -> Iterator[EventCall]:
    for part in (library.journeys, library.segments, library.contents, library.rules):
        for tree in _trees(part):
            yield from (event_call(node) for node in walk(tree) if isinstance(node, Call) and is_event_call(node))


def _trees(part: object) -> Iterator[Node]:
    """The trees of all expressions and templates in `part`, whatever values of the library it is made of."""
    match part:
        case Expression(tree=tree) | Output(tree=tree):
            yield tree
        case If(branches=branches, otherwise=otherwise):
            for when, body in branches:
                yield when
                yield from _trees(body)
            yield from _trees(otherwise)
        case For(over=over, body=body):
            yield over
            yield from _trees(body)
        case Template(parts=parts):
            yield from _trees(parts)
        case Mapping():
            for one in part.values():
                yield from _trees(one)
        case tuple() | list():
            for one in part:
                yield from _trees(one)
        case _ if is_dataclass(part):
            for place in fields(part):
                yield from _trees(getattr(part, place.name))
        case _:
            return
