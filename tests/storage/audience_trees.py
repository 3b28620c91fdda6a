"""Typed conditions over many customers, and customers with something of everything, for Hypothesis."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any  # Any: Hypothesis does not type `draw`
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from bot.authoring.expressions import parse_expression
from bot.core.audiences import OWN, Audiences, KeptEvents, Searched, audiences_of
from bot.core.customer import Consent, Customer
from bot.core.events import Json
from bot.core.expressions.declared import TYPES, names_of
from bot.core.expressions.evaluate import Guard, compile_guard
from bot.core.expressions.happenings import event_calls
from bot.core.expressions.tree import (
    Arithmetic,
    Both,
    Call,
    Choice,
    Compare,
    Constant,
    EventCall,
    Expression,
    Filter,
    Joined,
    ListOf,
    Name,
    Negative,
    Node,
    Not,
)
from bot.core.ids import CustomerId
from bot.core.library import Attribute, EventType, Library, Segment
from bot.core.program import Program, compile_library
from bot.core.rules import GlobalRules
from tests.storage.audience_values import DATES, HOMES, MISFITS, NUMBERS, PURPOSES, TAGS, TEXTS, TIMES, is_of_type

NOW = datetime(2026, 12, 2, 18, 30, tzinfo=UTC)
"""Already 3 December in Shanghai."""
ZONE = ZoneInfo("Asia/Shanghai")
CUSTOMERS = 40
Draw = Callable[[st.SearchStrategy[Any]], Any]

_ATTRIBUTES: dict[str, str] = {
    "city": "text",
    "word": "text",
    "budget": "number",
    "miles": "number",
    "vip": "bool",
    "born": "date",
    "seen": "datetime",
    "grade": "choice",
    "town": "city",
    "age": "number",
    "keen": "bool",
    "due": "date",
    "home": "location",
}
DEFAULTS: dict[str, Json] = {"grade": "普通", "town": "Ａｂ", "age": 2.5, "keen": True, "due": "2026-12-03"}
"""What attributes are for whoever has none stored."""
GRADES = ("普通", "a", "上海")
_FIELDS = {"model": "text", "amount": "number", "first": "bool", "day": "date", "seen": "datetime"}
_SEGMENTS = {
    "近期到店": "count('visit', within=days(10)) > 0",
    "高意向": "in_segment('近期到店') and customer.budget >= 1 or customer.vip",
}


def _library() -> Library:
    attributes = {
        name: Attribute(
            name=name,
            type=kind,  # type: ignore[arg-type] # the types above are types of attributes
            default=DEFAULTS.get(name),
            options=GRADES if kind == "choice" else (),
        )
        for name, kind in _ATTRIBUTES.items()
    }
    attributes["phone"] = Attribute(name="phone", type="phone_cn", pii=True)
    attributes["nick"] = Attribute(name="nick", type="text", pii=True, default="您")
    return Library(
        release="",
        journeys={},
        contents={},
        rules=GlobalRules(
            timezone="Asia/Shanghai",
            quiet=None,
            human_hold=timedelta(minutes=30),
            working_hours={},
            caps=(),
            class_rules={},
            windows={},
        ),
        attributes=attributes,
        members=(),
        dealers={},
        segments={name: Segment(segment=name, condition=parse_expression(text)) for name, text in _SEGMENTS.items()},
        events={"visit": EventType(event="visit", fields=_FIELDS)},  # type: ignore[arg-type]
    )


PROGRAM: Program = compile_library(_library())
GROUND = PROGRAM.kept(Audiences, audiences_of).ground
VISIT = KeptEvents(fields={name: TYPES[kind] for name, kind in _FIELDS.items()}, within=timedelta(days=30), last=True)
SEARCHED = Searched(
    values={
        **{".".join(path): one for name, kind in _ATTRIBUTES.items() for path, one in names_of((name,), kind).items()},
        **OWN,
    },
    present=frozenset({"phone", "nick", "home"}),
    tags=frozenset(TAGS),
    consents=frozenset(PURPOSES),
)


@dataclass(frozen=True)
class Fact:
    """A visit of a customer."""

    at: datetime
    fields: dict[str, Json]


@dataclass
class Person:
    """A customer with all that happened to her."""

    customer: Customer
    facts: list[Fact] = field(default_factory=list)

    def answer(self, call: EventCall) -> "int | datetime | None":
        """What the database must say."""
        same = [fact for fact in self.facts if call.event == "visit"]
        if call.kind == "last":
            return max((fact.at for fact in same), default=None)
        assert call.within is not None
        recent = [fact for fact in same if fact.at > NOW - call.within]
        if call.where is None:
            return len(recent)
        holds = _where(call)
        return sum(holds({"event": _typed(fact.fields)}) for fact in recent)


def questions(tree: Node) -> list[EventCall]:
    """All questions in `tree`, and in the segments."""
    trees = [tree, *(segment.condition.tree for segment in PROGRAM.library.segments.values())]
    return [call for one in trees for call in event_calls(one)]


@lru_cache(maxsize=4)
def _where(call: EventCall) -> Guard:
    assert call.where is not None
    return compile_guard(Expression(source="", tree=call.where))


def _typed(fields: dict[str, Json]) -> dict[str, object]:
    found: dict[str, object] = dict(fields)
    if isinstance(fields.get("day"), str):
        found["day"] = date.fromisoformat(str(fields["day"]))
    if isinstance(fields.get("seen"), str):
        found["seen"] = datetime.fromisoformat(str(fields["seen"]))
    return found


def people(seed: int = 7) -> list[Person]:
    """Customers with every kind of value, and without; the same for the same seed."""
    chance = random.Random(seed)
    return [_person(chance, number) for number in range(1, CUSTOMERS + 1)]


def is_misfit(name: str, value: Json) -> bool:
    """Whether `value` is of another kind than `name` is declared to be."""
    return value in MISFITS and not is_of_type(value, _ATTRIBUTES.get(name, "text"))


def _some(chance: random.Random, **values: list[Any]) -> dict[str, Json]:
    return {name: chance.choice(known) for name, known in values.items() if chance.random() < 0.75}


def _person(chance: random.Random, number: int) -> Person:
    attributes = _some(
        chance,
        city=TEXTS,
        word=TEXTS,
        budget=NUMBERS,
        miles=NUMBERS,
        vip=[True, False],
        born=DATES,
        seen=TIMES,
        phone=["1"],
        nick=["张"],
        grade=list(GRADES),
        town=TEXTS,
        age=NUMBERS,
        keen=[True, False],
        due=DATES,
        home=HOMES,
    )
    for name in chance.sample(sorted(attributes), k=2):
        attributes[name] = None
    if number % 2 == 0:  # in turn, so that something of another kind is stored under every name
        names = sorted({*_ATTRIBUTES, "nick", "phone"})
        name = names[number // 2 % len(names)]
        attributes[name] = chance.choice([one for one in MISFITS if is_misfit(name, one)])
    consents = {
        purpose: Consent(granted=chance.random() < 0.5, at=NOW, source="", text="", text_hash="")
        for purpose in PURPOSES
        if chance.random() < 0.6
    }
    customer = Customer(
        customer_id=CustomerId(number),
        version=1,
        attributes=attributes,
        tags=frozenset(tag for tag in TAGS if chance.random() < 0.4),
        score=chance.choice([0, 0, 5, 80]),
        points=chance.choice([0, 10]),
        source=chance.choice(["", "活码"]),
        opt_outs={"all": NOW} if chance.random() < 0.3 else {},
        consents=consents,
    )
    ages = [timedelta(0), timedelta(days=1), timedelta(days=3), timedelta(days=10), timedelta(days=40)]
    facts = [
        Fact(
            at=NOW - chance.choice(ages),
            fields=_some(chance, model=TEXTS, amount=NUMBERS, first=[True, False], day=DATES, seen=TIMES),
        )
        for _ in range(chance.randrange(4))
    ]
    return Person(customer=customer, facts=facts)


@st.composite
def conditions(draw: Draw, *, deep: int = 4) -> Node:
    """Conditions that the checker finds right and a database can work out."""
    return _Maker(draw).make("bool", deep)


@dataclass
class _Maker:
    """Draws a tree of a kind, at most so deep. `where`: of a `where`, where there are only the fields of the event."""

    draw: Draw
    where: bool = False

    def make(self, kind: str, deep: int) -> Node:
        """A tree of this kind."""
        if deep == 0:
            return self.leaf(kind)
        options = [self.leaf, getattr(self, f"_{kind}")]
        if deep > 1:
            options += [getattr(self, f"_{kind}")] * 2
        made = self.draw(st.sampled_from(options))
        return made(kind) if made == self.leaf else made(deep - 1)

    def leaf(self, kind: str) -> Node:
        """A constant, or a name."""
        if self.draw(st.integers(0, 3)) > 1 or kind == "duration":
            return Constant(value=None) if self.draw(st.integers(0, 11)) == 0 else self._constant(kind)
        fields, attributes = _FIELDS_BY_KIND[kind], _NAMES_BY_KIND[kind]
        return Name(path=self.draw(st.sampled_from(fields if self.where else attributes)))

    def _constant(self, kind: str) -> Node:
        match kind:
            case "text":
                return Constant(value=self.draw(st.sampled_from(TEXTS)))
            case "number":
                value = self.draw(st.sampled_from(NUMBERS[:-1]))
                return Constant(value=Decimal(repr(value)) if isinstance(value, float) else value)
            case "bool":
                return Constant(value=self.draw(st.booleans()))
            case "duration":
                unit, count = self.draw(
                    st.sampled_from([("days", 3), ("days", Decimal("0.5")), ("hours", 7), ("minutes", 90)])
                )
                return Call(name=unit, arguments=(Constant(value=count),))
            case _:
                fields = _FIELDS_BY_KIND[kind]
                return Name(path=fields[0]) if self.where else Name(path=("now",) if kind == "time" else ("today",))

    def _pick(self, *options: Callable[[], Node]) -> Node:
        made: Node = self.draw(st.sampled_from(options))()
        return made

    def _choice(self, kind: str, deep: int) -> Node:
        return Choice(condition=self.make("bool", deep), then=self.make(kind, deep), otherwise=self.make(kind, deep))

    def _either(self, kind: str, deep: int) -> Node:
        return Filter(name="default", operand=self.make(kind, deep), arguments=(self.make(kind, deep),))

    def _sum(self, op: str, left: str, right: str, deep: int) -> Node:
        return Arithmetic(op="+" if op == "+" else "-", left=self.make(left, deep), right=self.make(right, deep))

    def _text(self, deep: int) -> Node:
        return self._pick(
            lambda: Filter(
                name=self.draw(st.sampled_from(["lower", "upper", "trim"])), operand=self.make("text", deep)
            ),
            lambda: Joined(
                parts=(self.make("text", deep), self.make(self.draw(st.sampled_from(["text", "bool"])), deep))
            ),
            lambda: self._choice("text", deep),
            lambda: self._either("text", deep),
        )

    def _number(self, deep: int) -> Node:
        whole = Constant(value=self.draw(st.sampled_from([-3, 0, 1, 2, 7])))
        places = self.draw(st.sampled_from([(), (Constant(value=0),), (Constant(value=2),), (Constant(value=6),)]))
        return self._pick(
            lambda: self._sum(self.draw(st.sampled_from("+-")), "number", "number", deep),
            lambda: Arithmetic(op="*", left=self.make("number", deep), right=whole),
            lambda: Arithmetic(op="%", left=self._whole(deep), right=self._whole(deep)),
            lambda: Negative(operand=self.make("number", deep)),
            lambda: Filter(name="round", operand=self.make("number", deep), arguments=places),
            lambda: self._choice("number", deep),
            lambda: self._either("number", deep),
            lambda: self._whole(deep),
        )

    def _whole(self, deep: int) -> Node:
        options: list[Callable[[], Node]] = [
            lambda: Constant(value=self.draw(st.sampled_from([-3, 0, 1, 2, 7]))),
            lambda: Call(name="length", arguments=(self.make("text", deep),)),
            lambda: Call(name="weekday", arguments=(self.make("date", deep),)),
        ]
        if not self.where:
            options += [lambda: Name(path=("customer", "score")), lambda: self._count(deep)]
        return self._pick(*options)

    def _count(self, deep: int) -> Node:
        inner = _Maker(self.draw, where=True)
        where = (("where", inner.make("bool", min(deep, 2))),) if self.draw(st.booleans()) else ()
        within = Call(name="days", arguments=(Constant(value=self.draw(st.sampled_from([1, 3, 10, 30]))),))
        event = Constant(value=self.draw(st.sampled_from(["visit", "visit", "oa.follow"])))
        if event.value != "visit":
            where = ()
        return Call(name="count", arguments=(event,), keywords=(("within", within), *where))

    def _bool(self, deep: int) -> Node:
        kind = self.draw(st.sampled_from(["text", "number", "date", "time", "duration"]))
        options: list[Callable[[], Node]] = [
            lambda: self._comparison(kind, deep),
            lambda: self._comparison(kind, deep),
            lambda: Compare(
                op=self.draw(st.sampled_from(["==", "!="])), left=self.make("bool", deep), right=self.make("bool", deep)
            ),
            lambda: self._membership(kind, deep),
            lambda: Both(
                op=self.draw(st.sampled_from(["and", "or"])),
                operands=(self.make("bool", deep), self.make("bool", deep)),
            ),
            lambda: Not(operand=self.make("bool", deep)),
            lambda: Call(name="has", arguments=(self.make(kind, deep),)),
            lambda: self._choice("bool", deep),
            lambda: self._either("bool", deep),
        ]
        return self._pick(*options, *(() if self.where else (self._asked, self._asked)))

    def _asked(self) -> Node:
        name, known = self.draw(
            st.sampled_from(
                [("has_tag", TAGS), ("has_consent", PURPOSES), ("in_segment", list(_SEGMENTS)), ("has", [])]
            )
        )
        if name == "has":
            asked = self.draw(st.sampled_from(["phone", "nick", "home"]))
            return Call(name="has", arguments=(Name(path=("customer", asked)),))
        return Call(name=name, arguments=(Constant(value=self.draw(st.sampled_from(known))),))

    def _comparison(self, kind: str, deep: int) -> Node:
        op = self.draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
        return Compare(op=op, left=self.make(kind, deep), right=self.make(kind, deep))

    def _membership(self, kind: str, deep: int) -> Node:
        count = self.draw(st.integers(0, 3))
        listed = ListOf(elements=tuple(self.make(kind, min(deep, 1)) for _ in range(count)))
        return Compare(op=self.draw(st.sampled_from(["in", "not in"])), left=self.make(kind, deep), right=listed)

    def _date(self, deep: int) -> Node:
        days = Call(name="days", arguments=(Constant(value=self.draw(st.sampled_from([0, 1, 30]))),))
        return self._pick(
            lambda: Arithmetic(op=self.draw(st.sampled_from(["+", "-"])), left=self.make("date", deep), right=days),
            lambda: self._choice("date", deep),
            lambda: self._either("date", deep),
        )

    def _time(self, deep: int) -> Node:
        last = Call(name="last", arguments=(Constant(value=self.draw(st.sampled_from(["visit", "oa.follow"]))),))
        options: list[Callable[[], Node]] = [
            lambda: self._sum(self.draw(st.sampled_from("+-")), "time", "duration", deep),
            lambda: self._choice("time", deep),
            lambda: self._either("time", deep),
        ]
        return self._pick(*options, *(() if self.where else (lambda: last,)))

    def _duration(self, deep: int) -> Node:
        return self._pick(
            lambda: self._sum("-", "time", "time", deep),
            lambda: self._sum("-", "date", "date", deep),
            lambda: self._sum(self.draw(st.sampled_from("+-")), "duration", "duration", deep),
            lambda: Negative(operand=self.make("duration", deep)),
            lambda: self._choice("duration", deep),
        )


_NAMES_BY_KIND: dict[str, list[tuple[str, ...]]] = {
    "text": [
        ("customer", "city"),
        ("customer", "word"),
        ("customer", "source"),
        ("customer", "grade"),
        ("customer", "town"),
        ("customer", "home", "name"),
    ],
    "number": [
        ("customer", "budget"),
        ("customer", "miles"),
        ("customer", "score"),
        ("customer", "points"),
        ("customer", "id"),
        ("customer", "age"),
        ("customer", "home", "lat"),
        ("customer", "home", "lng"),
    ],
    "bool": [("customer", "vip"), ("customer", "opted_out"), ("customer", "keen")],
    "date": [("customer", "born"), ("today",), ("customer", "due")],
    "time": [("customer", "seen"), ("now",)],
}
_FIELDS_BY_KIND: dict[str, list[tuple[str, ...]]] = {
    "text": [("event", "model")],
    "number": [("event", "amount")],
    "bool": [("event", "first")],
    "date": [("event", "day")],
    "time": [("event", "seen")],
    "duration": [("event", "amount")],
}
