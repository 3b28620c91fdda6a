"""`_bookings.yaml`: what can be booked where, and what is wrong with it."""

from datetime import timedelta

import pytest

from bot.core.bookings import Resource
from tests.unit.step.worlds import STAFF, journey, world

QUIET = journey("quiet", "states:\n  end: {end: done}\n")
TWO = STAFF.replace("name: 一号店}", "name: 一号店}, {dealer: two, name: 二号店}")


def read(*lines: str) -> tuple[Resource, ...]:
    text = "dsl: 1\nresources:\n" + "".join(f"  - {line}\n" for line in lines)
    return world(QUIET, staff=TWO, files=(("_bookings.yaml", text),)).library.resources


def test_a_resource_belongs_to_every_dealer_unless_it_names_them() -> None:
    found = read(
        "{resource: 试驾车, hours: 工作时间, each: 1h, capacity: 2, ahead: 15d}",
        "{resource: 工位, hours: 工作时间, each: 30m, capacity: 3, dealers: [two]}",
    )
    assert [(one.resource, one.dealer, one.capacity, one.ahead.days) for one in found] == [
        ("试驾车", "one", 2, 15),
        ("试驾车", "two", 2, 15),
        ("工位", "two", 3, 30),
    ]
    assert found[2].each == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("{resource: 试驾车, hours: 夜里, each: 1h, capacity: 2}", "J213 营业时间"),
        ("{resource: 试驾车, hours: 工作时间, each: 1h, capacity: 2, dealers: [three]}", "J213 门店"),
        ("{resource: 试驾车, hours: 工作时间, each: 5m, capacity: 2}", "J008 .*一个时段从 15m 到 12h"),
        ("{resource: 试驾车, hours: 工作时间, each: 1h, capacity: 0}", "J008 .*名额从 1 到 200"),
        ("{resource: 试驾车, hours: 工作时间, each: 1h}", "J014"),
        ("{resource: 试驾车, hours: 工作时间, each: 1h, capacity: 2, color: red}", "J006"),
        ("[试驾车]", "J008"),
    ],
)
def test_a_slip_is_told_with_its_rule(line: str, rule: str) -> None:
    with pytest.raises(AssertionError, match=f"_bookings.yaml:3: {rule}"):
        read(line)


def test_a_resource_is_declared_once_for_each_dealer() -> None:
    line = "{resource: 试驾车, hours: 工作时间, each: 1h, capacity: 2}"
    with pytest.raises(AssertionError, match=r"_bookings\.yaml:4: J002"):
        read(line, line)


def test_a_journey_books_only_what_is_declared() -> None:
    booking = (
        "book: {resource: 游艇, what: \"'x'\", start: now + hours(1), save: b, full: {goto: end}, fail: {goto: end}}"
    )
    body = journey("books", f"states:\n  book: {{{booking}, then: end}}\n  end: {{end: done}}\n")
    with pytest.raises(AssertionError, match="J213 “游艇”"):
        world(body)
