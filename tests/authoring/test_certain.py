"""What is found certain of conditions holds for every customer that can be thought of."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.authoring.checks.certain import TRIED_MAX, Certain, Domain, certain
from bot.core.expressions.evaluate import compile_guard
from bot.core.expressions.source import to_source
from bot.core.expressions.tree import Both, Call, Compare, Constant, Expression, ListOf, Name, Node, Not
from bot.core.expressions.types import Path
from bot.core.expressions.values import Scope, Value

NEED, SCORE, ROUNDS, NICK = Name(path=("n",)), Name(path=("s",)), Name(path=("c",)), Name(path=("t",))
OPTIONS = ("看车", "养车")
VALUES: dict[str, st.SearchStrategy[Value]] = {
    "n": st.sampled_from([*OPTIONS, None]),
    "s": st.one_of(st.none(), st.integers(-3, 4), st.sampled_from([Decimal("0.5"), Decimal("1.5"), Decimal("-0.1")])),
    "c": st.integers(0, 4),
    "t": st.one_of(st.none(), st.sampled_from(["", "a", "ab", "看车", "b", "好"])),
}
NUMBERS = st.one_of(st.integers(-1, 3), st.just(Decimal("0.5")))


def domains(path: Path) -> Domain:
    return {"n": Domain(values=OPTIONS), "c": Domain(least=0, whole=True, null=False)}.get(path[0], Domain())


def compared(name: Name, constants: st.SearchStrategy[Value]) -> st.SearchStrategy[Node]:
    ops = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    written = constants.map(lambda value: Constant(value=value))  # type: ignore[arg-type]  # only texts and numbers
    return st.one_of(
        st.builds(lambda op, one: Compare(op=op, left=name, right=one), ops, written),
        st.builds(lambda op, one: Compare(op=op, left=one, right=name), ops, written),
        st.builds(lambda some: Compare(op="in", left=name, right=ListOf(elements=tuple(some))), st.lists(written)),
    )


LEAVES: st.SearchStrategy[Node] = st.one_of(
    compared(NEED, st.sampled_from([*OPTIONS, "金融"])),
    compared(SCORE, NUMBERS),
    compared(ROUNDS, NUMBERS),
    compared(NICK, st.sampled_from(["a", "b", "看车"])),
    st.sampled_from([NEED, SCORE, NICK]).map(lambda name: Call(name="has", arguments=(name,))),
    NUMBERS.map(lambda n: Compare(op="<", left=Call(name="length", arguments=(NICK,)), right=Constant(value=n))),
)
CONDITIONS: st.SearchStrategy[Node] = st.recursive(
    LEAVES,
    lambda below: st.one_of(
        below.map(lambda one: Not(operand=one)),
        st.builds(
            lambda op, some: Both(op=op, operands=tuple(some)),
            st.sampled_from(["and", "or"]),
            st.lists(below, min_size=2, max_size=3),
        ),
    ),
    max_leaves=5,
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(CONDITIONS, min_size=1, max_size=3), st.lists(st.fixed_dictionaries(VALUES), min_size=8, max_size=8))
def test_nothing_is_called_certain_that_some_customer_contradicts(
    asked: list[Node], customers: list[dict[str, Value]]
) -> None:
    found = certain(asked, domains)
    if found is None:
        return
    guards = [compile_guard(Expression(source=to_source(node), tree=node)) for node in asked]
    for values in customers:
        scope: Scope = values
        for number, guard in enumerate(guards):
            holds = guard(scope)
            assert not (holds and found.never[number])
            assert holds or not found.always[number]
            if holds:
                break


def test_what_a_webhook_answers_may_be_of_the_kind_of_any_constant_that_it_is_compared_with() -> None:
    """Before: beside a number or a truth value no text was tried, and a live branch was called dead."""
    answer = Name(path=("reply", "code"))
    for constants in ((200, "ok"), (True, "yes"), (True, 1), ("ok", 200, False)):
        written = [Compare(op="==", left=answer, right=Constant(value=one)) for one in constants]
        found = certain(written, domains)
        assert found is not None and not any((*found.never, *found.always))


def mixed(path: Path) -> Domain:
    return Domain(mixed=True)


def test_what_nobody_declared_may_be_there_and_yet_be_neither_true_nor_false() -> None:
    """Before: only null was thought of, so that asking whether it is there made it one of the two."""
    answer = Name(path=("reply", "ok"))
    there = Call(name="has", arguments=(answer,))
    parts = [Compare(op="!=", left=answer, right=Constant(value=one)) for one in (True, False)]
    found = certain([Both(op="and", operands=(there, *parts))], mixed)
    assert found is not None and not found.never[0]
    assert certain([Both(op="and", operands=(there, *parts))], domains) == Certain(never=(True,), always=(False,))


def test_what_nobody_declared_fails_where_kinds_have_no_order_and_goes_to_none_of_the_branches_behind() -> None:
    answer, five = Name(path=("reply", "n")), Constant(value=5)
    asked: list[Node] = [
        Compare(op=">", left=answer, right=five),
        Compare(op="<=", left=answer, right=five),
        Call(name="has", arguments=(answer,)),
    ]
    assert certain(asked, mixed) == Certain(never=(False, False, True), always=(False, False, False))


def test_a_comparison_of_kinds_that_have_no_order_is_left_to_those_who_report_kinds() -> None:
    nonsense = Compare(op=">", left=Name(path=("s",)), right=Constant(value=True))
    assert certain([nonsense, Name(path=("t",))], domains) is None


def test_conditions_with_too_much_to_try_are_left_alone() -> None:
    names = [Name(path=(f"x{n}",)) for n in range(20)]
    assert 2 ** len(names) > TRIED_MAX
    assert certain([Both(op="and", operands=tuple(names))], domains) is None
