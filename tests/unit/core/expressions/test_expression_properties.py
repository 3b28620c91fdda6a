"""What holds for every expression, not only for those that somebody thought of."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import get_args
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.authoring.expressions import ExpressionFault, parse_content, parse_expression, parse_template
from bot.core.expressions.analyse import check_guard, check_template, names, type_of
from bot.core.expressions.evaluate import compile_guard, compile_node, values_read
from bot.core.expressions.filters import FILTERS
from bot.core.expressions.functions import FUNCTIONS
from bot.core.expressions.render import compile_template
from bot.core.expressions.source import to_source
from bot.core.expressions.tree import (
    Arithmetic,
    Both,
    Call,
    Choice,
    Compare,
    Constant,
    Expression,
    Filter,
    If,
    Joined,
    ListOf,
    Name,
    Negative,
    Node,
    Not,
    Output,
    Template,
)
from bot.core.expressions.types import Operation, TypeEnv
from bot.core.expressions.values import EvaluationFault, Scope, kind_of

NOW = datetime(2026, 12, 2, 18, 30, tzinfo=UTC)


class Nobody:
    """A host of a customer with one tag."""

    def has_tag(self, tag: str) -> bool:
        return tag == "a"

    def has_consent(self, purpose: str) -> bool:
        return False


SCOPE: Scope = {
    "slots": {"text": "养车", "nothing": None, "number": 5, "yes": True, "deep": {"x": 0.5}},
    "vars": {"list": ["a", 1, None, 0.25], "huge": 2**53, "far": 1e300, "odd": {1, 2}},
    "now": NOW,
    "today": date(2026, 12, 3),
    "wait": timedelta(hours=30),
    "naive": datetime(2026, 1, 1),  # noqa: DTZ001  a scope may be wrong, and must fault properly
    "zone": ZoneInfo("Asia/Shanghai"),
    "__host__": Nobody(),
}
ENV = TypeEnv(
    names={("slots", "text"): "text", ("slots", "number"): "number", ("slots", "yes"): "bool", ("now",): "time"},
    open_records=frozenset({("vars",)}),
)


def _canonical(value: str | int | Decimal | bool | None) -> str | int | Decimal | bool | None:
    """A whole decimal is read as an int, and decimals without closing zeros."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == int(value) else value.normalize()


_NAMES = st.sampled_from(
    [
        "slots.text",
        "slots.nothing",
        "slots.number",
        "slots.yes",
        "slots.deep.x",
        "slots.deep",
        "slots.text.x",
        "vars.list",
    ]
    + ["vars.huge", "vars.far", "vars.odd", "vars.missing", "missing.x", "now", "today", "wait", "naive"]
).map(lambda dotted: Name(path=tuple(dotted.split("."))))
_TEXTS = st.text(alphabet="ab1 '\"\\\n{}%养車\u3000", max_size=5)
_DECIMALS = st.integers(-(10**9), 10**9).map(lambda millionths: Decimal(millionths).scaleb(-6))
_NUMBERS = st.one_of(st.integers(-1_000, 1_000), st.integers(-(10**15) + 1, 10**15 - 1), _DECIMALS)
_CONSTANTS = st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS).map(lambda value: Constant(value=_canonical(value)))


def _both(op: str, operands: list[Node]) -> Node:
    """As the parser makes it: no row of `and` stands in another."""
    flat: list[Node] = []
    for operand in operands:
        flat.extend(operand.operands if isinstance(operand, Both) and operand.op == op else [operand])
    return Both(op="and" if op == "and" else "or", operands=tuple(flat))


def _negative(operand: Node) -> Node:
    plain = isinstance(operand, Constant) and isinstance(operand.value, int | Decimal)
    return Not(operand=operand) if plain else Negative(operand=operand)


def _calls(operation: Operation, nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[tuple[Node, ...]]:
    return st.sampled_from(operation.counts).flatmap(lambda count: st.tuples(*[nodes] * count))


def _operations(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    called = [
        _calls(operation, nodes).map(lambda arguments, name=operation.name: Call(name=name, arguments=arguments))
        for operation in FUNCTIONS.values()
        if not operation.literal
    ]
    filtered = [
        _calls(operation, nodes).map(
            lambda given, name=operation.name: Filter(name=name, operand=given[0], arguments=given[1:])
        )
        for operation in FILTERS.values()
    ]
    matched = nodes.map(lambda node: Call(name="matches", arguments=(node, Constant(value="a+|[养-车]*"))))
    return st.one_of(matched, *called, *filtered)


def _grown(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(nodes, min_size=2, max_size=3)
    signs = st.sampled_from(get_args(Compare.__dataclass_fields__["op"].type) or ["==", "!=", "<", "<=", ">", ">="])
    return st.one_of(
        st.builds(lambda op, left, right: Compare(op=op, left=left, right=right), signs, nodes, nodes),
        st.builds(
            lambda op, left, right: Arithmetic(op=op, left=left, right=right), st.sampled_from("+-*/%"), nodes, nodes
        ),
        st.builds(_both, st.sampled_from(["and", "or"]), several),
        nodes.map(lambda node: Not(operand=node)),
        nodes.map(_negative),
        several.map(lambda parts: Joined(parts=tuple(parts))),
        st.lists(nodes, max_size=3).map(lambda elements: ListOf(elements=tuple(elements))),
        st.builds(lambda c, t, o: Choice(condition=c, then=t, otherwise=o), nodes, nodes, nodes),
        _operations(nodes),
    )


TREES: st.SearchStrategy[Node] = st.recursive(st.one_of(_NAMES, _CONSTANTS), _grown, max_leaves=12)


@given(tree=TREES)
def test_a_tree_gives_a_value_or_an_evaluation_fault_and_nothing_else(tree: Node) -> None:
    closure = compile_node(tree)
    try:
        kind_of(closure(SCOPE))
    except EvaluationFault as fault:
        assert fault.code in ("expr.type", "expr.null", "expr.size")


@given(tree=TREES)
def test_a_guard_is_true_or_false_or_faults(tree: Node) -> None:
    guard = compile_guard(Expression(source="", tree=tree))
    try:
        assert guard(SCOPE) in (True, False)
    except EvaluationFault as fault:
        assert fault.message


@given(tree=TREES)
def test_a_tree_written_out_is_read_as_the_same_tree(tree: Node) -> None:
    assert parse_expression(to_source(tree)).tree == tree


@given(tree=TREES)
def test_a_tree_says_the_same_whether_its_constants_were_folded_or_not(tree: Node) -> None:
    loose = _loosened(tree)
    assert _outcome(tree, SCOPE) == _outcome(loose, {**SCOPE, "one": 1})


@given(tree=TREES)
def test_not_is_always_the_other_truth(tree: Node) -> None:
    guard = _outcome(Both(op="and", operands=(tree, Constant(value=True))), SCOPE)
    opposite = _outcome(Not(operand=tree), SCOPE)
    assert (opposite == guard) if isinstance(guard, str) else (opposite is not guard)


@given(tree=TREES)
def test_a_guard_without_findings_faults_only_for_what_types_do_not_tell(tree: Node) -> None:
    known = all(ENV.type_of(path) not in (None, "any", "record") for path in names(tree))
    if not known or check_guard(Expression(source="", tree=tree), ENV):
        return
    try:
        compile_guard(Expression(source="", tree=tree))(SCOPE)
    except EvaluationFault as fault:
        told = ("round 的位数", "整天", "列表里的列表", "超过", "for", "时区")
        assert fault.code != "expr.type" or any(word in fault.message for word in told) or _unknown(tree)


@given(tree=TREES)
def test_a_trace_is_plain_and_complete(tree: Node) -> None:
    found = values_read(Expression(source="", tree=tree), SCOPE)
    assert {".".join(path) for path in names(tree)} <= set(found)


@given(tree=TREES, other=TREES)
def test_a_template_renders_or_faults(tree: Node, other: Node) -> None:
    branch = If(branches=((tree, ("x", Output(tree=other))),), otherwise=("y",))
    template = Template(source="", parts=("a", branch, Output(tree=tree)))
    check_template(template, ENV)
    try:
        assert compile_template(template)(SCOPE, None).startswith("a")
    except EvaluationFault as fault:
        assert fault.message


_SCRAPS = st.lists(
    st.sampled_from(
        [
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "#}",
            "(",
            ")",
            "[",
            "]",
            "'",
            '"',
            "\\",
            "\n",
            " ",
            "and",
            "or",
            "not",
            "if",
            "else",
        ]
        + [
            "endif",
            "for",
            "in",
            "endfor",
            "variant",
            "again",
            "x",
            "slots.a",
            "1",
            "0.5",
            "==",
            "<",
            "+",
            "-",
            "*",
            "|",
        ]
        + [
            "lower",
            "has",
            ",",
            ".",
            "~",
            "is",
            "，",
            "“",
            "\x00",
            "\u2028",
            "raw",
            "set",
            "=",
            ":",
            "\\N{BULLET}",
            "\\ud800",
        ]
    ),
    max_size=25,
).map(" ".join)


@given(source=st.one_of(_SCRAPS, st.text(max_size=60)))
def test_any_text_is_read_or_refused_with_a_rule(source: str) -> None:
    for parse in (parse_expression, parse_template, parse_content):
        try:
            parse(source)
        except ExpressionFault as fault:
            assert fault.message


@given(source=_SCRAPS)
def test_what_is_read_can_be_checked_and_run(source: str) -> None:
    try:
        template = parse_template(source)
    except ExpressionFault:
        return
    check_template(template, ENV)
    try:
        assert compile_template(template)(SCOPE, None) is not None
    except EvaluationFault as fault:
        assert fault.message


def _outcome(tree: Node, scope: Scope) -> object:
    try:
        value = compile_node(tree)(scope)
    except EvaluationFault as fault:
        return fault.code
    return value


def _unknown(tree: Node) -> bool:
    return type_of(tree, ENV) == "any"


def _loosened(tree: Node) -> Node:
    """The same tree with nothing in it that could be worked out beforehand."""
    return Choice(
        condition=Compare(op="==", left=Name(path=("one",)), right=Constant(value=1)), then=tree, otherwise=tree
    )
