"""A customer in Shanghai on the evening of 2 December 2026, and expressions evaluated for her."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from bot.authoring.expressions import parse_expression, parse_template
from bot.core.catalogue import Price
from bot.core.expressions.evaluate import compile_expression, compile_guard
from bot.core.expressions.render import compile_template
from bot.core.expressions.tree import EventCall
from bot.core.expressions.values import Scope, Value

NOW = datetime(2026, 12, 2, 18, 30, tzinfo=UTC)
"""Already 3 December, 02:30, in Shanghai."""


@dataclass(frozen=True)
class OneTag:
    """A host of a customer with the tag 新关注 and consent for 电话联系."""

    def has_tag(self, tag: str) -> bool:
        return tag == "新关注"

    def has_consent(self, purpose: str) -> bool:
        return purpose == "电话联系"

    def in_segment(self, segment: str) -> bool:
        return segment == "高意向"

    def happened(self, call: EventCall) -> int | datetime | None:
        if call.kind == "last":
            return NOW - timedelta(days=2) if call.event == "visit" else None
        return 3 if call.event == "visit" else 0

    def open_slots(self, on: date, resource: str) -> tuple[datetime, ...]:
        return (datetime(on.year, on.month, on.day, 2, tzinfo=UTC),) if resource in ("", "试驾车") else ()

    def price(self, model: str, trim: str) -> Price | None:
        prices = {"": 159800, "长续航版": 183800}
        if model != "星澜 S5" or trim not in prices:
            return None
        return Price(amount=Decimal(prices[trim]), basis="官方指导价", as_of=date(2026, 10, 1))


@pytest.fixture
def scope() -> Scope:
    return {
        "customer": {"nick": "王先生", "phone": "13800138000", "score": 60, "city": None, "vip": True},
        "slots": {"need": "养车", "budget": None},
        "vars": {"no_shows": 1, "share": 0.1, "colors": ["红", "白"], "ratios": [0.1, 0.2], "text": "5"},
        "booking": {"start": NOW + timedelta(days=1), "what": "星澜 S"},
        "counts": {"nudge": 0},
        "now": NOW,
        "today": date(2026, 12, 3),
        "zone": ZoneInfo("Asia/Shanghai"),
        "__host__": OneTag(),
    }


@pytest.fixture
def value(scope: Scope) -> Callable[[str], Value]:
    """The value of an expression."""
    return lambda source: compile_expression(parse_expression(source))(scope)


@pytest.fixture
def holds(scope: Scope) -> Callable[[str], bool]:
    """Whether a guard holds."""
    return lambda source: compile_guard(parse_expression(source))(scope)


@pytest.fixture
def rendered(scope: Scope) -> Callable[[str], str]:
    """The text of a template."""
    return lambda source: compile_template(parse_template(source))(scope, None)
