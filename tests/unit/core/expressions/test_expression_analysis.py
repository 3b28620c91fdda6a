"""Names, calls, and what is wrong before any customer is there."""

import pytest

from bot.authoring.expressions import parse_expression, parse_template
from bot.core.expressions.analyse import calls, check_guard, check_template, check_value, names, type_of
from bot.core.expressions.types import NUMBER, TypeEnv

ENV = TypeEnv(
    names={
        ("customer", "score"): "number",
        ("customer", "city"): "text",
        ("customer", "phone"): "text",
        ("customer", "vip"): "bool",
        ("slots", "need"): "text",
        ("slots", "phone"): "text",
        ("booking", "start"): "time",
        ("now",): "time",
        ("today",): "date",
        ("value",): "text",
        ("vars", "colors"): "list",
    },
    open_records=frozenset({("event",)}),
)


def test_names_are_paths_and_a_loop_makes_its_own() -> None:
    assert names(parse_expression("slots.need == x and has(customer.phone)").tree) == {
        ("slots", "need"),
        ("x",),
        ("customer", "phone"),
    }
    template = parse_template(
        "{{ a }}{% if b.c %}{% for d in e %}{{ d.x }}{{ f }}{% endfor %}{% else %}{{ g }}{% endif %}"
    )
    assert names(template) == {("a",), ("b", "c"), ("e",), ("f",), ("g",)}


def test_calls_are_found_in_every_part_of_a_template() -> None:
    template = parse_template(
        "{% if has_tag('a') %}{{ has(x) }}{% else %}{% for y in z %}{{ has_tag('b') }}{% endfor %}{% endif %}"
    )
    assert [call.name for call in calls(template)] == ["has_tag", "has", "has_tag"]
    assert [call.name for call in calls(parse_expression("not has_consent('x')").tree)] == ["has_consent"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("customer.score + 1", "number"),
        ("customer.score > 1", "bool"),
        ("booking.start - hours(2)", "time"),
        ("booking.start - now", "duration"),
        ("today + days(1)", "date"),
        ("hours(1) + today", "date"),
        ("slots.need ~ 1", "text"),
        ("slots.need | default('x')", "text"),
        ("slots.need | default(1)", "any"),
        ("null | default(1)", "number"),
        ("event.anything.at.all", "any"),
        ("event", "record"),
        ("customer", "record"),
        ("[1, 2]", "list"),
        ("1 if customer.vip else 2", "number"),
        ("1 if customer.vip else 'x'", "any"),
        ("length(slots.need)", "number"),
        ("-customer.score", "number"),
        ("event.x + 1", "any"),
    ],
)
def test_types_are_found_from_the_leaves_up(source: str, expected: str) -> None:
    assert type_of(parse_expression(source).tree, ENV) == expected


@pytest.mark.parametrize(
    ("source", "rule", "offending"),
    [
        ("slots.phon == '1'", "J203", "slots.phon"),
        ("nobody.x == 1", "J203", "nobody.x"),
        ("customer.citty == '上海'", "J206", "customer.citty"),
        ("customer.score == '高'", "J207", "customer.score"),
        ("customer.score > '高'", "J207", "customer.score"),
        ("customer.vip > true", "J207", "customer.vip"),
        ("customer == 1", "J207", "customer"),
        ("customer.score in ['高']", "J207", "customer.score"),
        ("'a' in slots.need", "J207", "slots.need"),
        ("slots.need + 'x' == 'y'", "J207", "slots.need"),
        ("slots.need * 2 == 4", "J207", "slots.need"),
        ("today < now", "J207", "today"),
        ("length(customer.score) > 1", "J207", "customer.score"),
        ("(customer.score | lower) == 'x'", "J207", "customer.score"),
        ("-slots.need == 1", "J207", "slots.need"),
        ("(vars.colors ~ 'x') == 'y'", "J207", "vars.colors"),
        ("slots.need", "J208", "slots.need"),
        ("customer.score and customer.vip", "J208", "customer.score"),
        ("not slots.need", "J208", "slots.need"),
        ("'x' if slots.need else 'y'", "J208", "slots.need"),
    ],
)
def test_a_wrong_guard_is_found_and_pointed_at(source: str, rule: str, offending: str) -> None:
    found = check_guard(parse_expression(source), ENV)
    assert (found[0].rule, found[0].offending) == (rule, offending)


@pytest.mark.parametrize(
    "source",
    [
        "slots.need == '养车'",
        "customer.vip",
        "has(customer.phone)",
        "event.result == '再约'",
        "event.ok",
        "slots.need != null",
        "length(value) <= 12",
        "customer.city in ['上海', null]",
        "booking.start > now + hours(2)",
        "not has_tag('x')",
        "customer.score % 2 == 0",
        "today + days(14) >= today",
        "has(customer)",
        "customer.vip == true",
    ],
)
def test_a_right_guard_has_no_findings(source: str) -> None:
    assert check_guard(parse_expression(source), ENV) == ()


def test_the_messages_are_those_of_the_rule_book() -> None:
    def message(source: str) -> str:
        return check_guard(parse_expression(source), ENV)[0].message

    assert message("customer.score == '高'") == "类型不符：customer.score（数）不能与 '高'（文字）比较"
    assert message("slots.need") == "守卫应为真/假，得到文字（slots.need）。是否指 has(slots.need)？"


def test_an_unknown_name_comes_with_those_that_could_be_meant() -> None:
    found = check_guard(parse_expression("slots.phon == '1' or cust.x"), ENV)
    assert found[0].path == ("slots", "phon")
    assert found[0].candidates == ("need", "phone")
    assert found[1].candidates == ("booking", "customer", "event", "now", "slots", "today", "value", "vars")


def test_everything_wrong_is_found_at_once() -> None:
    found = check_guard(parse_expression("slots.a == 1 and customer.b == 2 and slots.need"), ENV)
    assert [finding.rule for finding in found] == ["J203", "J206", "J208"]


def test_a_value_must_be_of_the_kind_that_is_wanted() -> None:
    assert check_value(parse_expression("customer.score + 1"), ENV, wanted=NUMBER) == ()
    assert check_value(parse_expression("null"), ENV, wanted=NUMBER) == ()
    assert [finding.rule for finding in check_value(parse_expression("slots.need"), ENV, wanted=NUMBER)] == ["J207"]
    assert check_value(parse_expression("slots.need"), ENV) == ()


def test_a_template_is_checked_in_all_its_parts() -> None:
    branch = "{% if slots.need %}{{ vars.colors }}{% endif %}"
    loop = "{% for c in value %}{{ c.x }}{{ d }}{% endfor %}"
    found = check_template(parse_template("{{ slots.phon }}" + branch + loop), ENV)
    assert [(finding.rule, finding.offending) for finding in found] == [
        ("J203", "slots.phon"),
        ("J208", "slots.need"),
        ("J207", "vars.colors"),
        ("J207", "value"),
        ("J203", "d"),
    ]
