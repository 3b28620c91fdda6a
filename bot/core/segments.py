"""Who belongs to a segment now, and who has just begun to. Source: journey-language.md 3.11, "Segments".

Of every segment that leads into a journey a customer's row says whether it held when it was looked at last. It is
looked at again after a step that changed what it reads. A segment that was never looked at before begins as it is
found: publishing one enters nobody.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from bot.core.audiences import OWN, Audiences, Watched, audiences_of
from bot.core.catalogue import Price
from bot.core.customer import Customer
from bot.core.effects import Trace
from bot.core.events import Json
from bot.core.expressions.declared import default_of, fitting
from bot.core.expressions.ground import SEGMENTS_DEEP_MAX
from bot.core.expressions.tree import EventCall
from bot.core.expressions.values import HOST, ZONE, EvaluationFault, Scope
from bot.core.library import Attribute
from bot.core.program import Program

Answer = Callable[[tuple[EventCall, ...]], Mapping[str, "int | datetime | None"]]
"""Asks the database what happened to one customer: by the source of each question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A look at segments: the customer with what was found, the names of those she has just come into, and why."""

    customer: Customer
    entered: tuple[str, ...] = ()
    journal: tuple[Trace, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Looker:
    """Looks at the segments of one program at one moment."""

    program: Program
    now: datetime
    answer: Answer

    @property
    def audiences(self) -> Audiences:
        return self.program.kept(Audiences, audiences_of)

    def begin(self, customer: Customer, reads: Iterable[str]) -> Customer:
        """`customer` before something changes that is named in `reads`: what was never looked at begins as it is."""
        new = [one for one in _reading(self.audiences, reads) if one.key not in customer.segments]
        if not new:
            return customer
        return replace(customer, segments={**customer.segments, **{one.key: self.holds(one, customer) for one in new}})

    def turn(self, before: Customer, after: Customer, *, happened: Iterable[str] = ()) -> Turn:
        """What a step that made `after` of `before` means for the segments; `happened`: types of events in it."""
        if not self.audiences.watched:
            return Turn(customer=after)
        reads = [*changes(before, after), *(f"event:{event}" for event in happened)]
        found = _reading(self.audiences, reads)
        known = self.begin(before, reads).segments if found else {}
        return (
            self._compared(replace(after, segments={**after.segments, **known}), found)
            if found
            else Turn(customer=after)
        )

    def look(self, customer: Customer, watched: Watched, *, silently: bool) -> Turn:
        """The same for one segment whose condition time alone may change. `silently`: what is new begins as it is."""
        if watched.key not in customer.segments:
            first = self.holds(watched, customer) if silently else False
            customer = replace(customer, segments={**customer.segments, watched.key: first})
        return self._compared(customer, [watched])

    def holds(self, watched: Watched, customer: Customer) -> bool:
        """Whether the condition holds for `customer`; one that cannot be evaluated does not."""
        answers = self.answer(watched.calls) if watched.calls else {}
        try:
            return self.program.guard(watched.condition, scope_of_customer(self.program, customer, self.now, answers))
        except EvaluationFault:
            return False

    def _compared(self, customer: Customer, watched: Iterable[Watched]) -> Turn:
        known = {one.key for one in self.audiences.watched}
        segments = {key: held for key, held in customer.segments.items() if key in known}
        entered: list[str] = []
        journal: list[Trace] = []
        for one in watched:
            held = self.holds(one, customer)
            if held != segments.get(one.key):
                detail: dict[str, Json] = {"segment": one.segment, "within": held, "condition": one.condition.source}
                journal.append(Trace(kind="segment", detail=detail))
                entered += [one.segment] if held else []
            segments[one.key] = held
        return Turn(customer=replace(customer, segments=segments), entered=tuple(entered), journal=tuple(journal))


def _reading(audiences: Audiences, reads: Iterable[str]) -> list[Watched]:
    found = {one.key: one for read in reads for one in audiences.by_read.get(read, ())}
    return [found[key] for key in sorted(found)]


def changes(before: Customer, after: Customer) -> Iterator[str]:
    """What of a customer a step has changed, in the words of `Watched.reads`."""
    if before.attributes != after.attributes:
        for name in before.attributes.keys() | after.attributes.keys():
            if before.attributes.get(name) != after.attributes.get(name):
                yield f"customer.{name}"
    yield from (f"customer.{name}" for name in OWN if own_value(before, name) != own_value(after, name))
    if before.advisor != after.advisor:
        yield "customer.advisor"
    if before.tags != after.tags:
        yield "tags"
    if before.consents != after.consents:
        yield "consents"


def own_value(customer: Customer, name: str) -> object:
    """What the engine keeps of a customer under one of the names of `OWN`."""
    match name:
        case "score":
            return customer.score
        case "points":
            return customer.points
        case "source":
            return customer.source or None
        case "opted_out":
            return bool(customer.opt_outs)
        case _:
            raise KeyError(name)


def value_of(customer: Customer, name: str, attributes: Mapping[str, Attribute]) -> object:
    """`customer.NAME` as conditions over many customers read it, null when it is not there.

    What is stored is of another kind than declared where a release changed the type: that is no value, here and in the
    narrow rows, so that closures and databases find the same customers. A step reads what is stored, and what cannot
    be done with that is an error of its journey.
    """
    found = stored_of(customer, name, attributes)
    declared = attributes.get(name)
    return found if found is not None or declared is None else default_of(declared.type, declared.default)


def stored_of(customer: Customer, name: str, attributes: Mapping[str, Attribute]) -> object:
    """The same without what is declared for whoever has nothing. `home.lat` is a field of the record `home`.

    EvaluationFault: it is no record, of an attribute that nobody declares.
    """
    if name == "id":
        return customer.customer_id
    if name in OWN:
        return own_value(customer, name)
    name, _, inner = name.partition(".")
    declared, stored = attributes.get(name), customer.attributes.get(name)
    found = fitting(stored, declared.type) if declared is not None else stored
    if not inner or found is None:
        return found
    if not isinstance(found, Mapping):
        raise EvaluationFault("expr.type", f"customer.{name} 存下的不是记录")
    return found.get(inner)


def scope_of_customer(
    program: Program, customer: Customer, now: datetime, answers: Mapping[str, "int | datetime | None"]
) -> Scope:
    """What a condition over many customers reads, for one of them. `today` is the day in the zone of the defaults."""
    scope: dict[str, object] = {
        "customer": _Record(program, customer),
        "now": now,
        "today": now.astimezone(program.zone).date(),
        ZONE: program.zone,
    }
    scope[HOST] = _CustomerHost(program=program, customer=customer, answers=answers, scope=scope)
    return scope


class _Record(Mapping[str, object]):
    """`customer`, worked out when it is read."""

    __slots__ = ("customer", "program")

    def __init__(self, program: Program, customer: Customer) -> None:
        self.program = program
        self.customer = customer

    def get(self, name: str, default: object = None) -> object:
        if name == "advisor":
            member = self.program.member(self.customer.advisor) if self.customer.advisor else None
            return member.name if member else None
        return value_of(self.customer, name, self.program.library.attributes)

    def __getitem__(self, name: str) -> object:
        return self.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self.customer.attributes, *self.program.library.attributes, *OWN, "id", "advisor")))

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(slots=True, kw_only=True)
class _CustomerHost:
    """Answers for a customer outside of a step. `deep`: how many segments refer to one another right now."""

    program: Program
    customer: Customer
    answers: Mapping[str, "int | datetime | None"]
    scope: Scope
    deep: int = 0

    def has_tag(self, tag: str) -> bool:
        return tag in self.customer.tags

    def has_consent(self, purpose: str) -> bool:
        consent = self.customer.consents.get(purpose)
        return consent is not None and consent.granted

    def in_segment(self, segment: str) -> bool:
        if self.deep == SEGMENTS_DEEP_MAX:
            raise EvaluationFault("expr.size", "人群互相引用太深，或成了环")
        self.deep += 1
        try:
            return self.program.guard(self.program.library.segments[segment].condition, self.scope)
        finally:
            self.deep -= 1

    def happened(self, call: EventCall) -> "int | datetime | None":
        return self.answers[call.source]

    def open_slots(self, on: date, resource: str) -> "tuple[datetime, ...]":
        raise EvaluationFault("expr.null", "人群里不能问空闲时段")

    def price(self, model: str, trim: str) -> Price | None:
        raise EvaluationFault("expr.null", "人群里不能问车价")
