"""Questions about the customer: segments, what happened to her, free places; and declared kinds of values."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.authoring.expressions import parse_expression
from bot.core.expressions.declared import TYPES, read_date, read_moment, reader_of
from bot.core.expressions.evaluate import values_read
from bot.core.expressions.happenings import event_calls
from bot.core.expressions.source import to_source
from bot.core.expressions.values import EvaluationFault, Scope, Value
from bot.core.slots import VarType
from bot.core.understood import SlotType
from tests.unit.core.expressions.conftest import NOW


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("count('visit', within=days(30)) == 3", True),
        ("count('finance.apply', within=days(30)) == 0", True),
        ("last('visit') > now - days(3)", True),
        ("last('finance.apply') == null", True),
        ("last('finance.apply') < now", False),
        ("in_segment('高意向') and not in_segment('流失')", True),
        ("length(dealer.open_slots(today)) == 1", True),
        ("length(dealer.open_slots(today, '试驾车')) == 1", True),
        ("length(dealer.open_slots(today, '洗车')) == 0", True),
        ("dealer.open_slots(null) == null", True),
        ("car.price('星澜 S5') == 159800", True),
        ("car.price('星澜 S5', '长续航版') == 183800", True),
        ("car.price('星澜 S5', '四驱版') == null", True),
        ("car.price('没有的车') == null", True),
        ("car.price(slots.nothing) == null", True),
        ("car.basis('星澜 S5') == '官方指导价'", True),
        ("car.as_of('星澜 S5') < today", True),
    ],
)
def test_the_host_answers(holds: Callable[[str], bool], source: str, expected: bool) -> None:
    assert holds(source) is expected


@pytest.mark.parametrize(
    "source",
    [
        "count('visit', within=days(30))",
        "count('visit', within=hours(1) + minutes(30), where=event.model == 'ES6')",
        "last('visit')",
        "in_segment('高意向')",
        "dealer.open_slots(slots.date)",
        "car.price(slots.model, '长续航版')",
    ],
)
def test_a_question_is_written_out_as_it_was_read(source: str) -> None:
    tree = parse_expression(source).tree
    assert parse_expression(to_source(tree)).tree == tree


def test_a_question_knows_its_event_its_stretch_and_its_condition() -> None:
    tree = parse_expression("count('visit', where=event.n > 1, within=hours(1) + minutes(30)) > 1").tree
    (call,) = event_calls(tree)
    assert (call.kind, call.event, call.within) == ("count", "visit", timedelta(hours=1, minutes=30))
    assert call.where is not None and to_source(call.where) == "event.n > 1"
    assert call.source == "count('visit', within=hours(1) + minutes(30), where=event.n > 1)"


def test_a_trace_tells_the_answer_and_not_the_fields_of_other_events(scope: Scope) -> None:
    expression = parse_expression("count('visit', within=days(30), where=event.n > 1) == 3 and in_segment('高意向')")
    assert values_read(expression, scope) == {
        "count('visit', within=days(30), where=event.n > 1)": 3,
        "in_segment('高意向')": True,
    }


@pytest.mark.parametrize(
    "stretch",
    ["days(0)", "minutes(0.5)", "days(732)", "days(true)", "days(1) - hours(1)", "-days(1)", "null", "3", "days('1')"],
)
def test_a_stretch_that_is_none_is_refused(stretch: str) -> None:
    with pytest.raises(Exception, match="within"):
        parse_expression(f"count('visit', within={stretch}) > 0")


def test_every_declared_type_has_a_kind() -> None:
    declared = {*SlotType.__args__, *VarType.__args__}  # type: ignore[attr-defined]
    assert declared <= TYPES.keys()


def test_a_date_and_a_datetime_are_read_from_what_is_stored() -> None:
    assert read_date("2026-11-21") == date(2026, 11, 21)
    assert read_moment("2026-11-21T10:00:00+08:00") == datetime(2026, 11, 21, 2, tzinfo=UTC)
    assert read_date(None) is None and read_moment(None) is None
    assert read_moment(NOW) is NOW
    assert reader_of("text") is None and reader_of("time") is None


@pytest.mark.parametrize("stored", ["2026-13-01", "明天", "", 5, "2026-11-21T10:00:00"])
def test_what_is_stored_wrongly_is_a_fault_of_type(stored: Value) -> None:
    with pytest.raises(EvaluationFault, match=r"expr\.type"):
        read_moment(stored)
