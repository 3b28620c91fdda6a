"""A customer in Shanghai on the evening of 2 December 2026, and expressions evaluated for her."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.authoring.expressions import parse_expression, parse_template
from bot.core.expressions.evaluate import compile_expression, compile_guard
from bot.core.expressions.render import compile_template
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
