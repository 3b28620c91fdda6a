"""What a condition over many customers stands on: the names it may read, and what is known of its parts beforehand.

Numbers are exact only while they are small enough for whole millionths in 64 bits, so their greatest magnitude is
followed through the tree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from bot.core.expressions.functions import FUNCTIONS
from bot.core.expressions.infer import Inference
from bot.core.expressions.tree import (
    Arithmetic,
    Call,
    Choice,
    Constant,
    Filter,
    Name,
    Negative,
    Node,
)
from bot.core.expressions.types import Path, Type, TypeEnv
from bot.core.expressions.values import Value
from bot.core.expressions.walk import walk

NUMBER_SEARCHED_MAX = 10**11
"""Greatest magnitude of a number that is searched for; an attribute beyond it is kept as this one."""
SEGMENTS_DEEP_MAX = 5
"""Segments that refer to one another."""

_LENGTH_MAX = 20_000
_COUNT_MAX = 10**9
_GIVEN_ROOTS = frozenset({("now",), ("today",)})
_WHOLE_NAMES = frozenset({("customer", "id"), ("customer", "score"), ("customer", "points")})
_WHOLE_CALLS = frozenset({"length", "count", "weekday"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What conditions over many customers may read: `names` of `env`, which begin with `customer`, and the moment.

    `personal`: attributes kept encrypted, of which is known only whether they are there. `segments`: their conditions.
    `defaults`: what attributes are for whoever has none stored.
    """

    env: TypeEnv
    personal: frozenset[Path] = frozenset()
    segments: Mapping[str, Node] = field(default_factory=dict)
    defaults: Mapping[Path, Value] = field(default_factory=dict)

    def is_only_present(self, path: Path) -> bool:
        """Whether of what stands at `path` is known no more than that it is there: encrypted ones, and records."""
        return path in self.personal or (len(path) == 2 and self.env.type_of(path) == "record")

    def of_event(self, event: str) -> "Ground":
        """What the `where` of a `count` reads: the fields of the events that are counted."""
        fields = self.env.events.get(event, {})
        return Ground(env=TypeEnv(names={("event", name): known for name, known in fields.items()}))


@dataclass(slots=True)
class Reading:
    """The kinds of the nodes of one condition, each worked out once."""

    ground: Ground
    _kinds: dict[int, Type] = field(default_factory=dict)

    def kind(self, node: Node) -> Type:
        """The type of `node`, `any` where it is not known."""
        found = self._kinds.get(id(node))
        if found is None:
            found = self._kinds[id(node)] = Inference(env=self.ground.env).of(node)
        return found

    def is_given(self, node: Node) -> bool:
        """Whether `node` reads nothing of a customer, so that its value is known before she is looked at."""
        return all(_is_given_itself(part) for part in walk(node))

    def is_whole(self, node: Node) -> bool:
        """Whether `node` is a number without places whatever it is made of."""
        match node:
            case Constant(value=value):
                return isinstance(value, int)
            case Name(path=path):
                return path in _WHOLE_NAMES
            case Arithmetic(op=op, left=left, right=right):
                return op != "/" and self.is_whole(left) and self.is_whole(right)
            case Negative(operand=operand):
                return self.is_whole(operand)
            case Call(name=name):
                return name in _WHOLE_CALLS
            case Filter(name=name, operand=operand, arguments=arguments):
                if name == "default":
                    return self.is_whole(operand) and self.is_whole(arguments[0])
                return name == "length" or (name == "round" and (not arguments or self.is_whole(operand)))
            case Choice(then=then, otherwise=otherwise):
                return self.is_whole(then) and self.is_whole(otherwise)
            case _:
                return False

    def magnitude(self, node: Node) -> int:
        """No number that `node` comes to is greater than this, nor its opposite. What is given is looked at later."""
        if not isinstance(node, Constant) and self.is_given(node):
            return NUMBER_SEARCHED_MAX
        match node:
            case Constant(value=value):
                return abs(int(value)) + 1 if isinstance(value, int | Decimal) else 0
            case Name():
                return NUMBER_SEARCHED_MAX
            case Arithmetic(op=op, left=left, right=right):
                return self._of_result(op, self.magnitude(left), self.magnitude(right))
            case Negative(operand=operand):
                return self.magnitude(operand)
            case Filter(name="length") | Call(name="length"):
                return _LENGTH_MAX
            case Filter(operand=operand, arguments=arguments):
                rest = max(map(self.magnitude, arguments), default=0)
                return max(self.magnitude(operand), rest) + 1
            case Choice(then=then, otherwise=otherwise):
                return max(self.magnitude(then), self.magnitude(otherwise))
            case Call():
                return _COUNT_MAX
            case _:
                return 0

    def _of_result(self, op: str, left: int, right: int) -> int:
        match op:
            case "*":
                return left * right
            case "%":
                return right
            case _:
                return left + right


def _is_given_itself(node: Node) -> bool:
    match node:
        case Name(path=path):
            return path in _GIVEN_ROOTS
        case Call(name=name):
            return not FUNCTIONS[name].asks
        case _:
            return True


def questions_of(tree: Node, segments: Mapping[str, Node], *, deep: int = 0) -> tuple[Call, ...]:
    """The calls in `tree` that ask about the customer, those of the segments that it refers to among them."""
    found: list[Call] = []
    for node in walk(tree):
        if not isinstance(node, Call) or not FUNCTIONS[node.name].asks:
            continue
        found.append(node)
        condition = segments.get(segment_of(node)) if node.name == "in_segment" and deep < SEGMENTS_DEEP_MAX else None
        if condition is not None:
            found += questions_of(condition, segments, deep=deep + 1)
    return tuple(found)


def segment_of(node: Call) -> str:
    """The segment that a call of `in_segment` names; empty where it names none."""
    asked = node.arguments[0]
    return asked.value if isinstance(asked, Constant) and isinstance(asked.value, str) else ""
