"""Python's closures, SQLite and PostgreSQL find the same customers for every condition that a database may be asked.

`ZHITU_AGREEMENT_CASES=100000 pytest tests/storage/test_audience_agreement.py` draws so many conditions.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, assume, given, settings
from sqlalchemy import Connection, text

from bot.authoring.expressions import ExpressionFault, parse_expression
from bot.core.expressions.evaluate import Guard, compile_guard
from bot.core.expressions.filters import FILTERS
from bot.core.expressions.functions import FUNCTIONS
from bot.core.expressions.happenings import event_calls
from bot.core.expressions.pushing import unpushable
from bot.core.expressions.source import to_source
from bot.core.expressions.tree import EventCall, Expression, Node
from bot.core.expressions.values import EvaluationFault
from bot.core.ids import EventId
from bot.core.segments import scope_of_customer
from bot.storage import Among, Moment, migrate
from bot.storage.audience import AudienceRows
from bot.storage.audience_forms import CALL_FORMS, FILTER_FORMS
from bot.storage.database import parse_url, writing_engine
from tests.storage.audience_trees import (
    CUSTOMERS,
    GROUND,
    NOW,
    PROGRAM,
    SEARCHED,
    VISIT,
    ZONE,
    Person,
    conditions,
    is_misfit,
    people,
    questions,
)

CASES = int(os.environ.get("ZHITU_AGREEMENT_CASES", "120"))
EVERYBODY = Among(after=0, upto=CUSTOMERS, limit=CUSTOMERS)
PEOPLE = people()


def fill(connection: Connection) -> None:
    """Write the narrow rows of all customers, by the statements of the product."""
    rows = AudienceRows(connection)
    for person in PEOPLE:
        of = person.customer.customer_id
        connection.execute(
            text("INSERT INTO identities (external_id, account, channel, customer_id) VALUES (:name, 'a', 'oa', :of)"),
            {"name": f"o{of}", "of": of},
        )
        for number, fact in enumerate(person.facts):
            name = EventId(hashlib.sha256(f"{of}|{number}".encode()).hexdigest())
            rows.note(of, name, ("visit", fact.at, fact.fields), VISIT)
    rows.rewrite([(one.customer, one.customer) for one in PEOPLE], SEARCHED, PROGRAM.library.attributes)


@pytest.fixture(scope="module")
def databases(
    server: str, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Connection]]:
    """Both databases, filled, each in a transaction that is never committed."""
    file = tmp_path_factory.mktemp("agreement") / "people.db"
    shutil.copy(migrated_sqlite, file)
    with psycopg.connect(server, autocommit=True) as making:
        making.execute("CREATE DATABASE agreement")
    address = server.replace("/postgres?", "/agreement?")
    migrate(address)
    engines = [writing_engine(parse_url(url)) for url in (f"sqlite:///{file}", address)]
    connections = [engine.connect() for engine in engines]
    for connection in connections:
        fill(connection)
    yield connections
    for connection, engine in zip(connections, engines, strict=True):
        connection.rollback()
        connection.close()
        engine.dispose()


def verdict(guard: Guard, calls: Sequence[EventCall], person: Person) -> bool | None:
    """What the closure says; None: it cannot be evaluated for her."""
    answers = {call.source: person.answer(call) for call in calls}
    try:
        return guard(scope_of_customer(PROGRAM, person.customer, NOW, answers))
    except EvaluationFault:
        return None


@settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=conditions())
def test_closures_and_both_databases_agree_on_every_condition(databases: list[Connection], tree: Node) -> None:
    assume(not unpushable(tree, GROUND))
    guard, calls = compile_guard(Expression(source="", tree=tree)), questions(tree)
    verdicts = {one.customer.customer_id: verdict(guard, calls, one) for one in PEOPLE}
    clear = {of for of, holds in verdicts.items() if holds is not None}
    expected = {of for of, holds in verdicts.items() if holds}
    moment = Moment(now=NOW, zone=ZONE)
    for connection in databases:
        try:
            found = set(AudienceRows(connection).matching(tree, GROUND, moment, among=EVERYBODY))
        except EvaluationFault:
            continue  # something given cannot be worked out: nobody is found, and whoever asked is told
        assert found & clear == expected, f"{connection.dialect.name}: {to_source(tree)}"


def test_storage_has_a_form_for_exactly_the_functions_that_core_declares_as_pushed() -> None:
    assert set(CALL_FORMS) == {name for name, operation in FUNCTIONS.items() if operation.pushed}
    assert set(FILTER_FORMS) == {name for name, operation in FILTERS.items() if operation.pushed}


def test_answers_to_questions_are_those_that_conditions_use(databases: list[Connection]) -> None:
    recent, dear = "count('visit', within=days(10))", "count('visit', within=days(30), where=event.amount > 1)"
    calls = tuple(event_calls(parse_expression(f"{recent} + {dear} > 0 or has(last('visit'))").tree))
    assert len(calls) == 3
    moment = Moment(now=NOW, zone=ZONE)
    for connection in databases:
        for person in PEOPLE:
            found = AudienceRows(connection).answers(person.customer.customer_id, calls, GROUND, moment)
            assert found == {call.source: person.answer(call) for call in calls}


@pytest.mark.parametrize(
    "source",
    [
        "(((null if customer.vip else null) | round) == 3) or customer.vip",
        "(null if customer.vip else null) * customer.score == null",
        "((null if customer.vip else null) | lower) == null",
        "length(null if customer.vip else null) == null",
    ],
)
def test_a_null_of_no_kind_is_a_null_to_both_databases(databases: list[Connection], source: str) -> None:
    tree = parse_expression(source).tree
    expected = [one.customer.customer_id for one in PEOPLE if verdict(compile_guard(parse_expression(source)), (), one)]
    for connection in databases:
        found = AudienceRows(connection).matching(tree, GROUND, Moment(now=NOW, zone=ZONE), among=EVERYBODY)
        assert list(found) == expected


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("customer.grade == '普通'", "grade"),
        ("customer.town | lower == 'ａｂ'", "town"),
        ("customer.age > 2.4 and customer.age < 2.6", "age"),
        ("customer.keen", "keen"),
        ("customer.due == today", "due"),
        ("has(customer.grade) and has(customer.keen)", "grade"),
        ("has(customer.nick)", "nick"),
    ],
)
def test_whoever_has_nothing_stored_is_found_by_the_default(
    databases: list[Connection], source: str, name: str
) -> None:
    expected = [one.customer.customer_id for one in PEOPLE if verdict(compile_guard(parse_expression(source)), (), one)]
    without = [one.customer.customer_id for one in PEOPLE if one.customer.attributes.get(name) is None]
    assert without, "nobody would tell"
    assert set(without) <= set(expected)
    for connection in databases:
        tree = parse_expression(source).tree
        found = AudienceRows(connection).matching(tree, GROUND, Moment(now=NOW, zone=ZONE), among=EVERYBODY)
        assert list(found) == expected


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("customer.grade == '普通'", "grade"),
        ("customer.age > 2.4 and customer.age < 2.6", "age"),
        ("customer.keen", "keen"),
        ("customer.due == today", "due"),
        ("has(customer.nick)", "nick"),
        ("customer.city == null", "city"),
        ("customer.budget == null", "budget"),
        ("customer.vip == null and not has(customer.vip)", "vip"),
        ("customer.born == null", "born"),
        ("not has(customer.phone)", "phone"),
        ("not has(customer.home) and customer.home.lat == null", "home"),
    ],
)
def test_what_is_stored_of_another_kind_is_nothing_to_closures_and_databases(
    databases: list[Connection], source: str, name: str
) -> None:
    there = [one.customer.customer_id for one in PEOPLE if is_misfit(name, one.customer.attributes.get(name))]
    assert there, "nobody would tell"
    tree = parse_expression(source).tree
    guard = compile_guard(parse_expression(source))
    expected = [one.customer.customer_id for one in PEOPLE if verdict(guard, (), one)]
    odd = {of for of in there if of not in expected}
    assert not odd or name == "home", "a record may be one of which only a field is of another kind"
    for connection in databases:
        found = AudienceRows(connection).matching(tree, GROUND, Moment(now=NOW, zone=ZONE), among=EVERYBODY)
        assert list(found) == expected


@pytest.mark.parametrize(
    "source", ["customer.home == null", "customer.nick == '您'", "customer.home.name == customer.home"]
)
def test_of_a_record_and_of_what_is_encrypted_databases_know_only_that_it_is_there(source: str) -> None:
    assert unpushable(parse_expression(source).tree, GROUND)


@pytest.mark.parametrize(
    "grown",
    [
        "not ({})",
        "customer.vip and ({})",
        "customer.vip == ({})",
        "customer.keen == ({})",
        "({}) in [customer.vip, ({})]",
        "({}) if customer.vip else (({}) | default(customer.vip))",
        "((1 if ({}) else customer.budget) | round(2)) == 1",
        "(1 if ({}) else customer.score) % 7 == 1",
        "((({}) ~ customer.city) | lower | trim) == 'a'",
        "length(customer.city ~ ({})) > 3",
        "days(1 if ({}) else 2) < hours(30)",
    ],
)
def test_a_condition_that_is_not_too_deep_is_taken_by_both_databases(databases: list[Connection], grown: str) -> None:
    source = deepest = "customer.vip"
    while True:
        head, _, _ = grown.partition("({})")
        source = head + f"({deepest})" + grown[len(head) + 4 :].replace("({})", "(customer.vip)")
        try:
            found = unpushable(parse_expression(source).tree, GROUND)
        except ExpressionFault:
            break  # deeper than the language goes
        if found:
            assert "嵌套太深" in found[0].reason
            break
        deepest = source
    assert len(deepest) > 2 * len(grown)
    for connection in databases:
        AudienceRows(connection).matching(
            parse_expression(deepest).tree, GROUND, Moment(now=NOW, zone=ZONE), among=EVERYBODY
        )
