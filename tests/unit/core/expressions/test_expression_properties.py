"""What holds for every expression, not only for those that somebody thought of."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.authoring.expressions import ExpressionFault, ExpressionRule, parse_content, parse_expression, parse_template
from bot.core.expressions.analyse import check_guard, check_template, names
from bot.core.expressions.evaluate import compile_guard, compile_node, values_read
from bot.core.expressions.render import Render, compile_template
from bot.core.expressions.source import to_source
from bot.core.expressions.tree import (
    Both,
    Constant,
    Expression,
    If,
    Name,
    Node,
    Not,
    Output,
    Template,
)
from bot.core.expressions.values import EvaluationFault, Scope, Value, kind_of
from tests.unit.core.expressions.expression_trees import ANY_TREES, ENV, GUARDS, SCOPE, SCRAPS


def outcome(tree: Node, scope: Scope = SCOPE) -> "Value | EvaluationFault":
    """What evaluating `tree` comes to; any other exception is a defect and goes through."""
    try:
        return compile_node(tree)(scope)
    except EvaluationFault as fault:
        return fault


def rendered(render: Render) -> str | EvaluationFault:
    """The text of a template or the fault it ends in."""
    try:
        return render(SCOPE, None)
    except EvaluationFault as fault:
        return fault


def refusal(parse: Callable[[str], object], source: str) -> ExpressionFault | None:
    """Why `source` is not read, None when it is; any other exception is a defect and goes through."""
    try:
        parse(source)
    except ExpressionFault as fault:
        return fault
    return None


def whole(value: object) -> object:
    """Faults by their code, so that outcomes can be compared."""
    return value.code if isinstance(value, EvaluationFault) else value


def unfolded(node: Node, constants: dict[str, object]) -> Node:
    """`node` with a name for every constant, so that nothing in it can be worked out beforehand."""
    if isinstance(node, Constant):
        name = f"constant{len(constants)}"
        constants[name] = node.value
        return Name(path=(name,))
    changes: dict[str, Any] = {}  # Any: the fields of a node are of several types
    for place in fields(node):
        part = getattr(node, place.name)
        if isinstance(part, tuple):
            changes[place.name] = tuple(one if isinstance(one, str) else unfolded(one, constants) for one in part)
        elif not isinstance(part, str):
            changes[place.name] = unfolded(part, constants)
    return replace(node, **changes)


@settings(deadline=None)
@given(tree=ANY_TREES)
def test_a_tree_gives_a_value_or_an_evaluation_fault_and_nothing_else(tree: Node) -> None:
    found = outcome(tree)
    assert isinstance(found, EvaluationFault) or isinstance(tree, Name) or kind_of(found)


@settings(deadline=None)
@given(tree=ANY_TREES)
def test_a_guard_is_true_or_false_or_faults(tree: Node) -> None:
    guard = compile_guard(Expression(source="", tree=tree))
    found = outcome(tree)
    if isinstance(found, EvaluationFault) or not isinstance(found, bool | None):
        with pytest.raises(EvaluationFault):
            guard(SCOPE)
    else:
        assert guard(SCOPE) is (found is True)


@settings(deadline=None)
@given(tree=ANY_TREES)
def test_a_tree_written_out_is_read_as_the_same_tree(tree: Node) -> None:
    source = to_source(tree)
    fault = refusal(parse_expression, source)
    assume(fault is None or fault.rule != "J015")
    assert parse_expression(source).tree == tree


@settings(deadline=None)
@given(tree=ANY_TREES)
def test_working_constants_out_beforehand_changes_nothing(tree: Node) -> None:
    constants: dict[str, object] = {}
    loose = unfolded(tree, constants)
    found, plain = outcome(loose, {**SCOPE, **constants}), outcome(tree)
    assert (whole(found), type(found)) == (whole(plain), type(plain))


@settings(deadline=None)
@given(tree=ANY_TREES)
def test_not_is_always_the_other_truth(tree: Node) -> None:
    straight = whole(outcome(Both(op="and", operands=(tree, Constant(value=True)))))
    opposite = whole(outcome(Not(operand=tree)))
    assert (straight, opposite) in (
        (True, False),
        (False, True),
        ("expr.type",) * 2,
        ("expr.size",) * 2,
        ("expr.null",) * 2,
    )


@settings(deadline=None)
@given(tree=GUARDS)
def test_what_the_types_find_right_never_faults_for_its_types(tree: Node) -> None:
    expression = Expression(source="", tree=tree)
    assert check_guard(expression, ENV) == ()
    assert whole(outcome(tree)) in (True, False, None, "expr.size")


@settings(deadline=None)
@given(tree=ANY_TREES)
def test_a_trace_holds_every_name(tree: Node) -> None:
    found = values_read(Expression(source="", tree=tree), SCOPE)
    assert {".".join(path) for path in names(tree)} <= set(found)


@settings(deadline=None)
@given(tree=ANY_TREES, other=ANY_TREES)
def test_a_template_renders_or_faults(tree: Node, other: Node) -> None:
    branch = If(branches=((tree, ("x", Output(tree=other))),), otherwise=("y",))
    render = compile_template(Template(source="", parts=("a", branch, Output(tree=tree))))
    text = rendered(render)
    assert isinstance(text, EvaluationFault) or text[:2] in ("ax", "ay")


@settings(max_examples=300, deadline=None)
@given(source=st.one_of(SCRAPS, st.text(max_size=60)))
def test_any_text_is_read_or_refused_with_a_rule(source: str) -> None:
    for parse in (parse_expression, parse_template, parse_content):
        fault = refusal(parse, source)
        assert fault is None or (fault.rule in get_args(ExpressionRule) and fault.message)


@settings(deadline=None)
@given(source=SCRAPS)
def test_what_is_read_can_be_analysed_compiled_and_run(source: str) -> None:
    assume(refusal(parse_template, source) is None)
    template = parse_template(source)
    assert all(finding.message for finding in check_template(template, ENV))
    assert isinstance(rendered(compile_template(template)), str | EvaluationFault)
