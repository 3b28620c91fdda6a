"""Properties of what happens to a customer (`rules:` of journeys and tests), and whether they held.

A property speaks of sights: sends, questions, states entered, tasks, consents and the like, in the order in which
they came. Source: journey-language.md 5.1.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from bot.core.expressions.evaluate import compile_guard
from bot.core.expressions.tree import Expression
from bot.core.expressions.values import EvaluationFault

SightKind: TypeAlias = Literal[
    "send", "ask", "state", "task", "handoff", "consent", "opt_out", "goal", "end", "tag", "event", "enter"
]
FIELDS: Mapping[SightKind, tuple[str, ...]] = {
    "send": ("content", "class", "channel", "state", "journey"),
    "ask": ("slot", "content", "state", "journey"),
    "state": ("state", "previous", "journey"),
    "task": ("to", "outcome", "state", "journey"),
    "handoff": ("outcome", "state", "journey"),
    "consent": ("purpose", "granted", "journey"),
    "opt_out": ("scope",),
    "goal": ("goal", "journey"),
    "end": ("end", "state", "journey"),
    "tag": ("tag", "removed", "journey"),
    "event": ("type",),
    "enter": ("cause", "journey"),
}
"""What `where` may read of each kind of sight. The first field is what stands behind the kind: `send welcome`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One thing that happened at `at`, aware UTC. `fields` as `FIELDS` names them."""

    kind: SightKind
    at: datetime
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Which sights are meant: of this kind, with this name (empty: any), for which `where` holds."""

    kind: SightKind
    name: str = ""
    where: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """`always` something `after` or `before` something else, or `never`. Without relation: at all.

    `within`: no later than this after the other (`after`), or than this before it (`before`).
    """

    kind: Literal["always", "never"]
    pattern: Pattern
    relation: Literal["", "after", "before"] = ""
    other: Pattern | None = None
    within: timedelta | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """Where a property broke: at the sight that should not have been, or the one that nothing followed."""

    property: Property
    at: datetime
    sight: Sight | None = None


def breaches(property: Property, sights: Sequence[Sight], *, until: datetime) -> Iterator[Breach]:
    """Every breach of `property` in `sights`, which are all there were up to `until`.

    What may still come true after `until` is none. EvaluationFault never: what cannot be compared does not match.
    """
    found = [place for place, sight in enumerate(sights) if _fits(property.pattern, sight)]
    others = [place for place, sight in enumerate(sights) if property.other and _fits(property.other, sight)]
    if property.kind == "never":
        yield from _forbidden(property, sights, found, others)
    elif property.other is None:
        if not found and (property.within is None or not sights or until - sights[0].at > property.within):
            yield Breach(property=property, at=until)
    else:
        wanted = _followed if property.relation == "after" else _preceded
        missing = (place for place in others if not wanted(property, sights, found, place))
        yield from (
            Breach(property=property, at=sights[place].at, sight=sights[place])
            for place in missing
            if not _may_still_come(property, sights[place], until)
        )


def _forbidden(
    property: Property, sights: Sequence[Sight], found: Sequence[int], others: Sequence[int]
) -> Iterator[Breach]:
    for place in found:
        match property.relation:
            case "after":
                broken = any(other < place and _near(property, sights[other], sights[place]) for other in others)
            case "before":
                broken = not any(other < place for other in others)
            case _:
                broken = True
        if broken:
            yield Breach(property=property, at=sights[place].at, sight=sights[place])


def _followed(property: Property, sights: Sequence[Sight], found: Sequence[int], place: int) -> bool:
    return any(one > place and _near(property, sights[place], sights[one]) for one in found)


def _preceded(property: Property, sights: Sequence[Sight], found: Sequence[int], place: int) -> bool:
    return any(one < place and _near(property, sights[one], sights[place]) for one in found)


def _near(property: Property, first: Sight, second: Sight) -> bool:
    return property.within is None or second.at - first.at <= property.within


def _may_still_come(property: Property, sight: Sight, until: datetime) -> bool:
    """A deadline that is not over yet. Without one, the end is the end."""
    return property.relation == "after" and property.within is not None and until - sight.at <= property.within


def _fits(pattern: Pattern, sight: Sight) -> bool:
    if pattern.kind != sight.kind:
        return False
    if pattern.name and sight.fields.get(FIELDS[pattern.kind][0]) != pattern.name:
        return False
    if pattern.where is None:
        return True
    try:
        return compile_guard(pattern.where)(sight.fields)
    except EvaluationFault:
        return False
