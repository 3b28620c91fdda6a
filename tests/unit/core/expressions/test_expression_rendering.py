"""Texts that customers read."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bot.authoring.expressions import parse_content, parse_template
from bot.core.expressions.render import REPEATS_MAX, compile_template
from bot.core.expressions.values import TEXT_MAX, EvaluationFault, Scope

Rendered = Callable[[str], str]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("新线索 {{ customer.nick | default('未留称呼') }}：{{ slots.need }}", "新线索 王先生：养车"),
        ("{{ slots.budget | default('未定') }}", "未定"),
        ("[{{ slots.budget }}]", "[]"),
        ("{{ customer.vip }}{{ customer.score > 99 }}", "是否"),
        ("{{ 1 / 4 }} {{ 100 }} {{ 2.50 }}", "0.25 100 2.5"),
        ("{{ now }}", "2026-12-03 02:30"),
        ("{{ today }}", "2026-12-03"),
        ("{{ booking.start | when }}", "12月4日 周五 02:30"),
        ("{{ today | when }}", "12月3日 周四"),
        ("{{ now | date }}", "2026年12月3日"),
        ("{{ customer.phone | mask_phone }}", "138****8000"),
        ("{{ '1234567' | mask_phone }}", "*****67"),
        ("{{ '123' | mask_phone }}", "***"),
        ("{{ 129800 | money }}", "12.98万"),
        ("{{ 120000 | money }}", "12万"),
        ("{{ 129855 | money }}", "¥129,855"),
        ("{{ 9800 | money }}", "¥9,800"),
        ("{{ 3.5 | money }}", "¥3.50"),
        ("{{ -20000 | money }}", "-2万"),
        ("{{ 10000.005 | money }}", "¥10,000.01"),
        ("{{ 'ＡＢc É' | lower }}", "ａｂc É"),
        ("{{ 'ａｂC é' | upper }}", "ＡＢC é"),
        ("{{ '\u3000 x ' | trim }}", "x"),
        ("{{ vars.colors | join }}", "红、白"),
        ("{{ vars.colors | join('/') }}", "红/白"),
        ("{{ ['', null, 'a'] | join }}", "、a"),
        ("{{ vars.colors | length }}", "2"),
        ("{{ slots.need ~ slots.budget ~ 1 }}", "养车1"),
        ("{% if has(slots.budget) %}a{% elif customer.score > 50 %}b{% else %}c{% endif %}", "b"),
        ("{% if slots.budget %}a{% endif %}", ""),
        ("{% for c in vars.colors %}{{ c }}色 {% endfor %}", "红色 白色 "),
        ("{% for c in slots.budget %}x{% endfor %}", ""),
        ("{# 给同事看的 #}好", "好"),
        ("'{{ '{{' }}'", "'{{'"),
    ],
)
def test_values_look_as_customers_expect(rendered: Rendered, source: str, expected: str) -> None:
    assert rendered(source) == expected


def test_a_tag_alone_on_its_line_leaves_no_line_behind(rendered: Rendered) -> None:
    assert rendered("您好\n  {% if customer.vip %}\n尊贵的客户\n{% endif %}\n再见\n") == "您好\n尊贵的客户\n再见\n"
    assert rendered("您好{% if customer.vip %}！{% endif %}\n再见") == "您好！\n再见"


def test_a_loop_shadows_an_outer_name_only_inside(rendered: Rendered) -> None:
    assert rendered("{% for booking in vars.colors %}{{ booking }}{% endfor %}{{ booking.what }}") == "红白星澜 S"


def test_only_values_are_escaped_and_not_the_authors_own_words(scope: Scope) -> None:
    template = compile_template(parse_template("<b>{{ x }}</b>{% for y in z %}<{{ y }}>{% endfor %}"))
    text = template({**scope, "x": "<a>", "z": ["<"]}, lambda value: value.replace("<", "&lt;"))
    assert text == "<b>&lt;a></b><&lt;>"


def test_a_condition_in_a_template_must_be_a_bool(rendered: Rendered) -> None:
    with pytest.raises(EvaluationFault) as fault:
        rendered("{% if slots.need %}x{% endif %}")
    assert fault.value.code == "expr.type"


@pytest.mark.parametrize(
    "source", ["{{ vars.colors }}", "{{ customer }}", "{{ hours(1) }}", "{% for c in 1 %}{% endfor %}"]
)
def test_what_has_no_look_faults(rendered: Rendered, source: str) -> None:
    with pytest.raises(EvaluationFault) as fault:
        rendered(source)
    assert fault.value.code == "expr.type"


@pytest.mark.parametrize(
    "source",
    [
        "{{ x }}{{ x }}",
        "{{ x ~ x }}",
        "{{ [x, x] | join }}",
        "{% for y in z %}{{ x }}{% endfor %}",
        "{{ x }}" * 200,
        "{% for y in many %}{% endfor %}",
    ],
)
def test_a_text_that_grows_too_long_faults(scope: Scope, source: str) -> None:
    big = {**scope, "x": "车" * (TEXT_MAX // 2 + 1), "z": [1, 2], "many": [0] * (REPEATS_MAX + 1)}
    with pytest.raises(EvaluationFault) as fault:
        compile_template(parse_template(source))(big, None)
    assert fault.value.code == "expr.size"


def test_a_text_may_be_exactly_as_long_as_the_limit(scope: Scope) -> None:
    text = compile_template(parse_template("{{ x }}{{ x }}"))({**scope, "x": "车" * (TEXT_MAX // 2)}, None)
    assert len(text) == TEXT_MAX


def test_a_time_needs_the_customers_zone() -> None:
    with pytest.raises(EvaluationFault) as fault:
        compile_template(parse_template("{{ now }}"))({"now": datetime(2026, 1, 1, tzinfo=UTC)}, None)
    assert fault.value.code == "expr.null"


def test_every_variant_of_a_content_renders(scope: Scope) -> None:
    variants = parse_content("{{ customer.nick }}好\n{% variant again %}{{ slots.need }}？")
    assert [compile_template(template)(scope, None) for template in variants.values()] == ["王先生好", "养车？"]
