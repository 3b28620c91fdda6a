"""Null rules, numbers, times and comparisons, as journey-language.md 2.7 and 3.11 state them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from bot.authoring.expressions import parse_expression
from bot.core.expressions.arithmetic import NUMBER_MAX, as_number
from bot.core.expressions.evaluate import compile_expression, compile_guard, compile_time, values_read
from bot.core.expressions.values import EvaluationFault, Scope, Value, to_json

ValueOf = Callable[[str], Value]
Holds = Callable[[str], bool]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("customer.city == null", True),
        ("customer.city != null", False),
        ("customer.nobody == null", True),
        ("nobody.at.all == null", True),
        ("slots.budget.deep == null", True),
        ("4 != customer.city", True),
        ("customer.city != '上海'", True),
        ("customer.city == '上海'", False),
        ("customer.city < 1", False),
        ("1 < customer.city", False),
        ("not customer.city < 1", True),
        ("customer.city >= customer.city", False),
        ("customer.city in ['上海']", False),
        ("customer.city in [null]", False),
        ("'上海' in customer.city", False),
        ("customer.city not in ['上海']", True),
        ("'上海' in ['北京', null]", False),
        ("customer.city and true", False),
        ("not customer.city", True),
        ("customer.city or true", True),
        ("(customer.city and true) == null", False),
        ("has(customer.city)", False),
        ("has(customer.nick)", True),
        ("length(customer.city) <= 12", False),
        ("matches(customer.city, '.*')", False),
        ("has_tag(customer.city)", False),
    ],
)
def test_null_is_a_value_to_equality_and_false_to_everything_else(holds: Holds, source: str, expected: bool) -> None:
    assert holds(source) is expected


@pytest.mark.parametrize(
    "source",
    [
        "customer.city + 1",
        "1 - customer.city",
        "customer.city * 2",
        "1 / customer.city",
        "1 % customer.city",
        "-customer.city",
        "today + customer.city",
        "customer.city | lower",
        "customer.city | when",
        "length(slots.budget)",
        "days(customer.city)",
        "1 / 0",
        "1 % 0",
        "customer.city | round",
        "'x' if false",
    ],
)
def test_arithmetic_and_filters_with_null_and_division_by_zero_are_null(value: ValueOf, source: str) -> None:
    assert value(source) is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 2", 3),
        ("7 / 2", Decimal("3.5")),
        ("6 / 2", 3),
        ("1 / 3", Decimal("0.333333")),
        ("0.000001 / 2", 0),
        ("0.000003 / 2", Decimal("0.000002")),
        ("-7 % 3", 2),
        ("7 % -3", -2),
        ("-7.5 % 2", Decimal("0.5")),
        ("0.1 + 0.2", Decimal("0.3")),
        ("vars.share + 0.2", Decimal("0.3")),
        ("0.5 * 2", 1),
        ("0.000001 * 0.5", 0),
        ("2.5 | round", 3),
        ("-2.5 | round", -3),
        ("1.005 | round(2)", Decimal("1.01")),
        ("customer.score * 2 - 20", 100),
    ],
)
def test_numbers_are_exact_to_six_places(value: ValueOf, source: str, expected: object) -> None:
    found = value(source)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 == true", False),
        ("0 == false", False),
        ("1 == 1.0", True),
        ("'5' == 5", False),
        ("customer.vip == true", True),
        ("'b' > 'a' and 'Z' < 'a' and 'a' < '啊'", True),
        ("0.1 in vars.ratios", True),
        ("true in [1]", False),
        ("'红' in vars.colors", True),
        ("'蓝' not in vars.colors", True),
        ("vars.colors == ['红', '白']", True),
        ("vars.colors == ['白', '红']", False),
        ("2 < customer.score < 100", True),
        ("today == '2026-12-03'", False),
        ("now == now + hours(0)", True),
    ],
)
def test_values_of_different_kinds_are_never_equal(holds: Holds, source: str, expected: bool) -> None:
    assert holds(source) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("today + days(14)", date(2026, 12, 17)),
        ("today - days(3)", date(2026, 11, 30)),
        ("today - (today - days(2))", timedelta(days=2)),
        ("booking.start - hours(2)", datetime(2026, 12, 3, 16, 30, tzinfo=UTC)),
        ("booking.start - now", timedelta(days=1)),
        ("hours(1.5) + minutes(30)", timedelta(hours=2)),
        ("-hours(1)", timedelta(hours=-1)),
        ("weekday(now)", 4),
        ("weekday(today)", 4),
    ],
)
def test_times_are_counted_in_utc_and_days_in_the_customers_zone(value: ValueOf, source: str, expected: Value) -> None:
    assert value(source) == expected


def test_an_hour_across_a_change_of_clocks_is_an_hour(scope: Scope) -> None:
    from zoneinfo import ZoneInfo

    before = datetime(2026, 3, 29, 1, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    found = compile_expression(parse_expression("at + hours(1)"))({**scope, "at": before})
    assert found == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("vars.text < 1", "expr.type"),
        ("'高' > customer.score", "expr.type"),
        ("customer.nick + 'x'", "expr.type"),
        ("customer.nick * 3", "expr.type"),
        ("vars.text and true", "expr.type"),
        ("not customer.score", "expr.type"),
        ("1 if customer.score else 2", "expr.type"),
        ("customer.nick.first", "expr.type"),
        ("'a' in customer.nick", "expr.type"),
        ("true < false", "expr.type"),
        ("customer == slots", "expr.type"),
        ("[[1]] == [[1]]", "expr.type"),
        ("today < now", "expr.type"),
        ("today + hours(3)", "expr.type"),
        ("lower.x == 1 and customer.score | lower == 'x'", None),
        ("customer.score | lower", "expr.type"),
        ("length(5)", "expr.type"),
        ("1.5 | round(7)", "expr.type"),
        ("vars.colors ~ 'x'", "expr.type"),
        ("999999999999999 * 999999999999999", "expr.size"),
        ("days(999999999)", "expr.size"),
        ("now + days(36000) - days(36000) + days(36500) * 1", "expr.type"),
    ],
)
def test_what_cannot_be_worked_with_faults_by_name(value: ValueOf, source: str, code: str | None) -> None:
    if code is None:
        assert value(source) is False
        return
    with pytest.raises(EvaluationFault) as fault:
        value(source)
    assert fault.value.code == code


@pytest.mark.parametrize("source", ["slots.need", "customer.score", "'true'", "[]", "now"])
def test_a_guard_that_is_no_bool_faults_instead_of_being_truthy(holds: Holds, source: str) -> None:
    with pytest.raises(EvaluationFault, match="条件应为真/假"):
        holds(source)


def test_a_guard_that_is_null_does_not_hold(holds: Holds) -> None:
    assert holds("customer.nobody") is False


def test_and_and_or_stop_before_the_operand_that_would_fault(holds: Holds) -> None:
    assert holds("false and vars.text < 1") is False
    assert holds("true or vars.text < 1") is True


def test_a_float_that_arithmetic_never_makes_is_refused() -> None:
    for value in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(EvaluationFault):
            as_number(value)
    with pytest.raises(EvaluationFault):
        as_number(NUMBER_MAX + 1)


def test_a_time_without_a_zone_faults(scope: Scope) -> None:
    naive = {**scope, "at": datetime(2026, 1, 1)}  # noqa: DTZ001  the point of the test
    with pytest.raises(EvaluationFault, match="没有时区"):
        compile_guard(parse_expression("at > now"))(naive)


def test_a_due_time_must_be_a_time(scope: Scope) -> None:
    due = compile_time(parse_expression("booking.start - hours(2)"))
    assert due(scope) == datetime(2026, 12, 3, 16, 30, tzinfo=UTC)
    for source, code in (("booking.end", "expr.null"), ("today", "expr.type")):
        with pytest.raises(EvaluationFault) as fault:
            compile_time(parse_expression(source))(scope)
        assert fault.value.code == code


def test_the_host_is_asked_about_tags_and_consents(holds: Holds, scope: Scope) -> None:
    assert holds("has_tag('新关注') and not has_tag('已放款')")
    assert holds("has_consent('电话联系') and not has_consent('营销')")
    with pytest.raises(EvaluationFault) as fault:
        compile_guard(parse_expression("has_tag('x')"))({"zone": scope["zone"]})
    assert fault.value.code == "expr.null"


def test_a_trace_shows_every_name_and_every_question_with_its_value(scope: Scope) -> None:
    expression = parse_expression(
        "slots.need == '养车' and vars.share < 1 and booking.start > now and has_tag('新关注')"
    )
    assert values_read(expression, scope) == {
        "slots.need": "养车",
        "vars.share": 0.1,
        "booking.start": "2026-12-03T18:30:00+00:00",
        "now": "2026-12-02T18:30:00+00:00",
        "has_tag('新关注')": True,
    }


def test_a_trace_spells_out_no_record_and_survives_what_cannot_be_read(scope: Scope) -> None:
    expression = parse_expression("has(customer) or customer.nick.first == 1 or slots.nothing")
    assert values_read(expression, scope) == {"customer": "{…}", "customer.nick.first": "!", "slots.nothing": None}


def test_values_become_json_and_decimals_come_back_the_same() -> None:
    assert to_json([Decimal("0.5"), date(2026, 1, 2), timedelta(minutes=1), None]) == [0.5, "2026-01-02", 60.0, None]
    assert as_number(float(Decimal("999999999.123457"))) == Decimal("999999999.123457")
