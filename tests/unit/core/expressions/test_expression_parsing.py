"""What is read, what is refused, and by which rule."""

import pytest

from bot.authoring.expression_tokens import EXPRESSION_MAX, TEMPLATE_MAX
from bot.authoring.expressions import ExpressionFault, parse_content, parse_expression, parse_template
from bot.core.expressions.source import to_source
from bot.core.expressions.tree import Both, Compare, Constant, Filter, Name, Output


def test_a_guard_becomes_a_tree_of_plain_values() -> None:
    expression = parse_expression(" slots.need == '养车' ")
    assert expression.source == "slots.need == '养车'"
    assert expression.tree == Compare(op="==", left=Name(path=("slots", "need")), right=Constant(value="养车"))


def test_brackets_and_dots_name_the_same_field() -> None:
    assert parse_expression("slots['购车 预算']").tree == Name(path=("slots", "购车 预算"))
    assert parse_expression("slots['need']").tree == parse_expression("slots.need").tree


def test_ands_are_one_flat_row_and_chains_are_pairs() -> None:
    tree = parse_expression("a and (b and 1 < c < 3) and d").tree
    assert isinstance(tree, Both)
    assert [to_source(operand) for operand in tree.operands] == ["a", "b", "1 < c", "c < 3", "d"]


@pytest.mark.parametrize("word", ["null", "none", "None"])
def test_null_has_three_spellings(word: str) -> None:
    assert parse_expression(word).tree == Constant(value=None)


@pytest.mark.parametrize(
    ("source", "rule", "offending"),
    [
        ("{{ slots.need }} == 1", "J012", "{"),
        ("slots.need == 1 }} {{ 2", "J012", "{"),
        ("{% if a %}", "J012", "{"),
        ("count('finance.apply') == 0", "J222", "count"),
        ("count(slots.need, within=days(1))", "J017", "count"),
        ("count('visit', within=slots.days)", "J017", "within"),
        ("count('visit', within=days(slots.n))", "J017", "within"),
        ("count('visit', within=days(800))", "J017", "within"),
        ("count('visit', within=days(1), within=days(2))", "J017", "within"),
        ("count('visit', within=days(1), since=days(2))", "J017", "since"),
        ("count('visit', within=days(1), where=slots.need == 'x')", "J017", "slots.need"),
        ("count('visit', within=days(1), where=has_tag('x'))", "J017", "has_tag"),
        ("count('visit', within=days(1), where=matches(event.link, 'a+'))", "J017", "matches"),
        ("last('visit', within=days(1))", "J017", "last"),
        ("in_segment(slots.need)", "J017", "in_segment"),
        ("dealer.close()", "J017", "dealer.close"),
        ("dealer.name", "J017", "dealer"),
        ("", "J017", ""),
        ("slots.need == ", "J017", ""),
        ("slots.need = '养车'", "J017", "="),
        ("slots.need == “养车”", "J017", "“"),
        ("slots。need", "J017", "。"),
        ("(1，2)", "J017", "，"),
        ("a b", "J017", "b"),
        ("'abc", "J017", ""),
        ("slots.need.upper()", "J017", "upper"),
        ("slots._secret", "J017", "_secret"),
        ("_x", "J017", "_x"),
        ("slots['__class__']", "J017", "__class__"),
        ("slots[0]", "J017", "["),
        ("slots[1:2]", "J017", "["),
        ("slots[slots.need]", "J017", "["),
        ("'abc'.x", "J017", ""),
        ("days(1).x", "J017", "days"),
        ("x | attr('y')", "J017", "attr"),
        ("x is defined", "J017", "is"),
        ("2 ** 9", "J017", "**"),
        ("7 // 2", "J017", "//"),
        ("+7", "J017", "+"),
        ("(1, 2)", "J017", "("),
        ("{'a': 1}", "J017", "{"),
        ("lenght(x)", "J017", "lenght"),
        ("x | uper", "J017", "uper"),
        ("has()", "J017", "has"),
        ("has(a, b)", "J017", "has"),
        ("x | default", "J017", "default"),
        ("x | round(1, 2)", "J017", "round"),
        ("has(x=1)", "J017", "has"),
        ("has(*x)", "J017", "has"),
        ("1e5", "J017", "1e5"),
        ("0x10", "J017", "0x10"),
        ("1_000", "J017", "1_000"),
        ("0.1234567", "J017", "0.1234567"),
        ("'\\ud800'", "J017", ""),
        ("matches(x, y)", "J017", "matches"),
        ("matches(x, '(')", "J017", "matches"),
        ("(1 if a else 2)(3)", "J017", ""),
        ("1 < (2 if a else 3) < 4", "J017", ""),
    ],
)
def test_what_is_not_of_the_language_is_refused_by_name(source: str, rule: str, offending: str) -> None:
    with pytest.raises(ExpressionFault) as fault:
        parse_expression(source)
    assert (fault.value.rule, fault.value.offending) == (rule, offending)
    assert fault.value.message


def test_braces_inside_quotes_are_text() -> None:
    assert parse_expression("x == '{{ }} {% %}'").tree == Compare(
        op="==", left=Name(path=("x",)), right=Constant(value="{{ }} {% %}")
    )


@pytest.mark.parametrize(
    "source",
    [
        "(" * 900 + "1" + ")" * 900,
        "[" * 900 + "]" * 900,
        "not " * 490 + "a",
        "-" * 1900 + "1",
        "1 if a else " * 160 + "1",
        "has(" * 300 + "1" + ")" * 300,
        "1+" * 900 + "1",
        "a and " * 320 + "a",
        "x" + " | lower" * 240,
        "[" + "1," * 990 + "1]",
        "a" + ".b" * 900,
        "x" * (EXPRESSION_MAX + 1),
    ],
)
def test_an_expression_too_deep_or_too_large_is_refused_before_it_costs_anything(source: str) -> None:
    with pytest.raises(ExpressionFault) as fault:
        parse_expression(source)
    assert fault.value.rule == "J015"


def test_a_number_of_a_thousand_digits_is_refused() -> None:
    with pytest.raises(ExpressionFault, match="15 位"):
        parse_expression("1" * 1_900)


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("{% set x = 1 %}", "J017"),
        ("{% include 'x' %}", "J017"),
        ("{% import 'x' as y %}", "J017"),
        ("{% macro f() %}{% endmacro %}", "J017"),
        ("{% call f() %}{% endcall %}", "J017"),
        ("{% filter upper %}x{% endfilter %}", "J017"),
        ("{% raw %}{{ x }}{% endraw %}", "J017"),
        ("{% variant again %}x", "J017"),
        ("{% if a %}x", "J017"),
        ("{{ a", "J017"),
        ("{{ a, b }}", "J017"),
        ("{% for a, b in x %}{% endfor %}", "J017"),
        ("{% for slots in x %}{% endfor %}", "J017"),
        ("{% for _x in y %}{% endfor %}", "J017"),
        ("{% for x in y if x %}{% endfor %}", "J017"),
        ("{% for x in y %}{% else %}z{% endfor %}", "J017"),
        ("{{ count('x') }}", "J222"),
        ("{% if a %}" * 11 + "{% endif %}" * 11, "J015"),
        ("{% for x in y %}" * 3 + "{% endfor %}" * 3, "J015"),
        ("{{ 1 }}" * 1_500, "J015"),
        ("{{" * 9_000, "J015"),
        ("x" * (TEMPLATE_MAX + 1), "J015"),
    ],
)
def test_a_template_keeps_to_its_closed_lists_and_limits(source: str, rule: str) -> None:
    with pytest.raises(ExpressionFault) as fault:
        parse_template(source)
    assert fault.value.rule == rule


def test_full_width_signs_in_the_text_of_a_template_are_not_blamed() -> None:
    with pytest.raises(ExpressionFault) as fault:
        parse_template("您好，{{ customer.nick")
    assert fault.value.offending == "{{ customer.nick"


def test_the_example_content_has_three_variants() -> None:
    variants = parse_content(
        "{% variant normal %}{{ customer.nick | default('您') }}，方便留个手机号吗？\n"
        "{% variant again %}这个号码少了几位。\n"
        "{% variant resume %}\n刚才说到手机号。\n"
    )
    nick = Filter(name="default", operand=Name(path=("customer", "nick")), arguments=(Constant(value="您"),))
    assert variants["normal", ""].parts == (Output(tree=nick), "，方便留个手机号吗？")
    assert variants["normal", ""].source == "{{ customer.nick | default('您') }}，方便留个手机号吗？"
    assert [variant.parts for variant in list(variants.values())[1:]] == [
        ("这个号码少了几位。",),
        ("刚才说到手机号。",),
    ]


def test_text_before_the_first_variant_is_normal() -> None:
    variants = parse_content("你好\n{% variant again %}再来")
    assert {name: variant.parts for (name, _), variant in variants.items()} == {"normal": ("你好",), "again": ("再来",)}


def test_a_channel_has_its_own_wording_of_the_variant_it_stands_in() -> None:
    bodies = parse_content(
        "大家好\n{% channel kf %}\n客服好\n{% variant again %}\n{% channel oa %}公众号再来{% channel kf %}客服再来\n"
    )
    assert {key: body.parts for key, body in bodies.items()} == {
        ("normal", ""): ("大家好",),
        ("normal", "kf"): ("客服好",),
        ("again", "oa"): ("公众号再来",),
        ("again", "kf"): ("客服再来",),
    }


@pytest.mark.parametrize("body", ["", "\n\n"])
def test_an_empty_body_is_an_empty_normal(body: str) -> None:
    assert {key: variant.parts for key, variant in parse_content(body).items()} == {("normal", ""): ()}


@pytest.mark.parametrize(
    "source",
    [
        "a{% variant again %}b{% variant again %}c",
        "a{% variant normal %}b",
        "{% if x %}{% variant again %}{% endif %}",
        "{% variant %}",
        "{% variant 'again' %}",
        "{% variant a b %}",
        "{% channel kf %}a{% channel kf %}b",
        "{% if x %}{% channel kf %}{% endif %}",
        "{% channel %}",
    ],
)
def test_a_variant_stands_once_and_outside_of_blocks(source: str) -> None:
    with pytest.raises(ExpressionFault) as fault:
        parse_content(source)
    assert fault.value.rule == "J017"
