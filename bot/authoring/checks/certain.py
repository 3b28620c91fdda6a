"""Conditions that hold always, or never, whatever a customer does. Decided by trying, never by guessing.

A condition is a function of its terms: the names in it that are compared with constants, and everything else, which may
be true or false. Each term gets the values at which an answer can change (every constant, what lies between and beyond
them, null); then all combinations are tried. Terms are taken for independent and domains for wide, so that what is
found certain is certain, and much that is certain is not found. Source: journey-language.md 4.1.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice, pairwise, product
from math import ceil, floor, prod
from typing import TypeAlias

from bot.core.expressions.comparison import COMPARABLE, COMPARISONS
from bot.core.expressions.source import to_source
from bot.core.expressions.tree import Both, Call, Compare, Constant, Filter, ListOf, Name, Negative, Node, Not
from bot.core.expressions.types import Path
from bot.core.expressions.values import EvaluationFault, Value, kind_of

TRIED_MAX = 4_000
"""Combinations that are tried; a condition with more is left undecided."""

Trial: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The values that a name may have. `values`: these and no others; None: any of their kind. `least`: no less.

    `whole`: whole numbers. `null`: it may be missing. `mixed`: nobody declared its kind, as of what a webhook answers:
    it may be of another one than what it is compared with.
    """

    values: tuple[Value, ...] | None = None
    null: bool = True
    least: int | None = None
    whole: bool = False
    mixed: bool = False


Domains: TypeAlias = Callable[[Path], Domain]
_ANY = Domain()
_LENGTH = Domain(least=0, whole=True, null=False)
_TRUTH: tuple[Value, ...] = (True, False)


@dataclass(slots=True, kw_only=True)
class _Terms:
    """What is tried for each term, gathered from the conditions. `compared`: the constants that it meets."""

    domains: Domains
    found: dict[str, Domain] = field(default_factory=dict)
    compared: dict[str, list[Value]] = field(default_factory=dict)
    free: set[str] = field(default_factory=set)

    def gather(self, node: Node) -> None:
        match node:
            case Constant():
                return
            case Not(operand=operand):
                self.gather(operand)
            case Both(operands=operands):
                for operand in operands:
                    self.gather(operand)
            case _ if (pair := _against_constants(node)) is not None:
                self._meet(pair[0], pair[1])
            case Call(name="has", arguments=(Name() as name,)):
                self._meet(name, ())
            case Name(path=path) if self.domains(path).values is None:
                self._meet(node, _TRUTH)
            case _:
                self.free.add(to_source(node))

    def _meet(self, term: Node, constants: Iterable[Value]) -> None:
        key = to_source(term)
        self.found[key] = self.domains(term.path) if isinstance(term, Name) else _LENGTH
        self.compared.setdefault(key, []).extend(constants)

    def values(self) -> dict[str, tuple[Value, ...]]:
        """The values to try, by term."""
        tried = {key: _tried(domain, self.compared[key]) for key, domain in self.found.items()}
        return tried | dict.fromkeys(self.free, _TRUTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certain:
    """What is certain of conditions that are asked one after the other, each only where those before are false.

    `never`: it is false wherever it is asked; `always`: true wherever it is asked. In the order of the conditions.
    """

    never: tuple[bool, ...]
    always: tuple[bool, ...]


def certain(conditions: Iterable[Node], domains: Domains) -> Certain | None:
    """What can be proved of `conditions` in their order; None: too much to try, or something in them cannot be."""
    asked = tuple(conditions)
    terms = _Terms(domains=domains)
    for node in asked:
        terms.gather(node)
    values = terms.values()
    if prod(len(one) for one in values.values()) > TRIED_MAX:
        return None
    seen, failed = [set[bool]() for _ in asked], set[int]()
    for trial in _trials(values):
        fault = _ask(asked, trial, seen)
        if fault is not None:
            failed.add(fault)
    if failed and not any(domain.mixed for domain in terms.found.values()):
        return None  # what cannot be compared is reported as such (J207)
    return Certain(
        never=tuple(True not in answers and (bool(answers) or at not in failed) for at, answers in enumerate(seen)),
        always=tuple(answers == {True} and at not in failed for at, answers in enumerate(seen)),
    )


def _ask(asked: tuple[Node, ...], trial: Trial, seen: list[set[bool]]) -> int | None:
    """Ask one after the other until one holds, and note the answers. The place of the one that fails; None: none."""
    for at, node in enumerate(asked):
        try:
            answer = _holds(node, trial)
        except EvaluationFault:
            return at  # an error leads out, to none of those behind
        seen[at].add(answer)
        if answer:
            break
    return None


def _trials(values: Mapping[str, tuple[Value, ...]]) -> Iterator[Trial]:
    for combination in islice(product(*values.values()), TRIED_MAX):
        yield dict(zip(values, combination, strict=True))


def _holds(node: Node, trial: Trial) -> bool:
    match node:
        case Constant(value=value):
            return value is True
        case Not(operand=operand):
            return not _holds(operand, trial)
        case Both(op="and", operands=operands):
            return all(_holds(one, trial) for one in operands)
        case Both(operands=operands):
            return any(_holds(one, trial) for one in operands)
        case _ if isinstance(node, Compare) and (pair := _against_constants(node)) is not None:
            return COMPARISONS[node.op](*_sides(node, trial[to_source(pair[0])]))
        case Call(name="has", arguments=(Name() as name,)):
            return trial[to_source(name)] is not None
        case _:
            return trial[to_source(node)] is True


def _sides(node: Compare, value: Value) -> tuple[Value, Value]:
    constant = _constant(node.right)
    return (value, constant) if constant is not None else (_constant(node.left), value)


def _against_constants(node: Node) -> tuple[Node, tuple[Value, ...]] | None:
    """The term of a comparison with constants, and these; None: it is another kind of condition."""
    if not isinstance(node, Compare):
        return None
    if node.op in ("in", "not in"):
        if not (_is_term(node.left) and isinstance(node.right, ListOf)):
            return None
        listed = [_constant(one) for one in node.right.elements]
        return (node.left, tuple(listed)) if all(one is not None for one in listed) else None
    for term, other in ((node.left, node.right), (node.right, node.left)):
        constant = _constant(other)
        if _is_term(term) and constant is not None:
            return term, (constant,)
    return None


def _is_term(node: Node) -> bool:
    match node:
        case Name():
            return True
        case Call(name="length", arguments=(Name(),)) | Filter(name="length", operand=Name(), arguments=()):
            return True
        case _:
            return False


def _constant(node: Node) -> Value:
    """The value that is written there; None: it is no constant, or null."""
    match node:
        case Constant(value=value):
            return value
        case Negative(operand=Constant(value=int() | Decimal() as number)) if not isinstance(number, bool):
            return -number
        case ListOf(elements=elements):
            return [_constant(one) for one in elements]
        case _:
            return None


def _tried(domain: Domain, constants: list[Value]) -> tuple[Value, ...]:
    null: tuple[Value, ...] = (None,) if domain.null else ()
    if domain.values is not None:
        return (*domain.values, *null)
    if constants and not all(kind_of(one) in COMPARABLE for one in constants):
        return (*null, *constants)
    truths = _TRUTH if any(isinstance(one, bool) for one in constants) else ()
    numbers = [one for one in constants if isinstance(one, int | Decimal) and not isinstance(one, bool)]
    texts = [one for one in constants if isinstance(one, str)]
    if domain.mixed and constants:
        other_numbers: tuple[Value, ...] = () if numbers else (0,)
        other_texts: tuple[Value, ...] = () if texts else ("",)
        null = (*(() if truths else _TRUTH), *other_numbers, *other_texts, *null)
    if not texts and (truths or numbers):
        return (*truths, *_numbers(sorted(set(numbers)), domain), *null)
    # Beside the constants: before, between and behind them, for `<` and its kin go by code points.
    beside = ["", *(f"{text}\0" for text in texts), "\U0010ffff"]
    # What a webhook answers has no kind: a name may meet constants of several, and then be of any of these.
    return (*truths, *_numbers(sorted(set(numbers)), domain), *dict.fromkeys([*texts, *beside]), *null)


def _numbers(constants: list[int | Decimal], domain: Domain) -> list[Value]:
    """Every constant, and a number between each two, below and above, as far as the domain has them."""
    around: set[int | Decimal] = set(constants)
    for one in constants:
        around |= {floor(one) - 1, ceil(one) + 1, floor(one), ceil(one)}
    for one, other in pairwise(constants):
        around.add((Decimal(one) + Decimal(other)) / 2)
    if domain.least is not None:
        around = {one for one in around if one >= domain.least} | {domain.least}
    return [one for one in sorted(around) if not domain.whole or one == int(one)]
