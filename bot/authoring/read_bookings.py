"""`_bookings.yaml`: what can be booked at which dealer, in which hours, and how many at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, fields_of
from bot.authoring.nodes import Node
from bot.authoring.page import Page
from bot.authoring.read_journey import check_dsl
from bot.authoring.suggest import meant
from bot.core.bookings import Resource
from bot.core.library import Dealer

EACH_MIN, EACH_MAX = timedelta(minutes=15), timedelta(hours=12)
CAPACITY_MAX = 200
AHEAD_MAX_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingsDraft:
    """What can be booked, one entry for each resource of a dealer."""

    resources: tuple[Resource, ...]
    page: Page


def read_bookings(dealers: Mapping[str, Dealer], page: Page, root: Node) -> BookingsDraft | None:
    """The resources, None (after findings) when the file holds no table."""
    fields = fields_of(page, root, vocabulary.BOOKINGS)
    if fields is None:
        return None
    check_dsl(fields)
    found: dict[tuple[str, str], Resource] = {}
    for node in fields.nodes("resources"):
        for one in _resources(page, node, dealers):
            if (one.resource, one.dealer) in found:
                page.say("J002", node, f"门店 “{one.dealer}” 的 “{one.resource}” 写了两次")
            else:
                found[one.resource, one.dealer] = one
    return BookingsDraft(resources=tuple(found.values()), page=page)


def _resources(page: Page, node: Node, dealers: Mapping[str, Dealer]) -> list[Resource]:
    fields = fields_of(page, node, vocabulary.RESOURCE)
    if fields is None or not fields.has("resource"):
        return []
    hours = fields.scalar("hours")
    if hours:
        page.refer("hours", hours.text, hours, key="hours")
    each = fields.parsed("each", _each, None)
    capacity = fields.parsed("capacity", _capacity, None)
    ahead = fields.parsed("ahead", literals.duration, timedelta(days=30))
    if each is None or capacity is None or hours is None:
        return []
    return [
        Resource(
            resource=fields.text("resource"),
            dealer=dealer,
            hours=hours.text,
            each=each,
            capacity=capacity,
            ahead=min(ahead, timedelta(days=AHEAD_MAX_DAYS)),
        )
        for dealer in _dealers(fields, dealers)
    ]


def _dealers(fields: Fields, known: Mapping[str, Dealer]) -> Collection[str]:
    """The dealers that are named; without any, all of them."""
    if not fields.has("dealers"):
        return list(known)
    named = []
    for scalar in fields.scalars("dealers"):
        if scalar.text in known:
            named.append(scalar.text)
        else:
            fields.page.say(
                "J213", scalar, f"门店 “{scalar.text}” 没有在 _staff.yaml 里声明{meant(scalar.text, known)}"
            )
    return named


def _each(text: str) -> timedelta:
    """How long a slot lasts: a quarter of an hour to twelve hours."""
    each = literals.duration(text)
    if not EACH_MIN <= each <= EACH_MAX:
        raise literals.LiteralFault("一个时段从 15m 到 12h")
    return each


def _capacity(text: str) -> int:
    """How many places a slot has."""
    count = literals.whole(text)
    if not 1 <= count <= CAPACITY_MAX:
        raise literals.LiteralFault(f"同一时段的名额从 1 到 {CAPACITY_MAX}")
    return count
