"""Words that are compared with a choice, or written to it, are among its options. Rule J214.

Of customers' attributes and of variables; what a slot is compared with is J108.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.authoring.drafts import Drafts
from bot.authoring.page import Formula, Page
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.suggest import meant
from bot.core.expressions.analyse import nodes
from bot.core.expressions.tree import Choice, Compare, Constant, Expression, Filter, ListOf, Name, Node
from bot.core.expressions.types import Path

Options = Mapping[Path, tuple[str, ...]]
SHOWN_MAX = 12
"""Options that a finding lists."""
_EQUALS = frozenset({"==", "!=", "in", "not in"})
_DECLARED = {"customer": "schema/customer.yaml", "vars": "vars"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Misnamed:
    """`word` is none of the `options` of what stands at `path`. `written`: it is put there, not compared with it."""

    path: Path
    word: str
    options: tuple[str, ...]
    written: bool = False


def check(drafts: Drafts) -> None:
    """Report every word that no choice of this name has."""
    ours = attributes_of(drafts)
    inside = {id(draft.page): draft for draft in drafts.journeys.values()}
    for page in drafts.pages():
        draft = inside.get(id(page))
        known = {**ours, **variables_of(draft)} if draft is not None else ours
        for formula in page.formulas:
            for one in misnamed(formula, known):
                say(page, formula, one)


def attributes_of(drafts: Drafts) -> Options:
    """The options of the customer's attributes."""
    declared = drafts.attributes.attributes if drafts.attributes else {}
    return {("customer", name): one.options for name, one in declared.items() if one.options}


def variables_of(draft: JourneyDraft) -> Options:
    """The options of a journey's variables."""
    return {("vars", name): one.options for name, one in draft.journey.vars.items() if one.options}


def slots_of(draft: JourneyDraft) -> Options:
    """The options that a journey's slots are written with."""
    return {("slots", name): tuple(one.options) for name, one in draft.journey.slots.items() if one.options}


def misnamed(formula: Formula, known: Options) -> Iterator[Misnamed]:
    """The words in `formula` that are none of the options of what they are compared with, or written to."""
    tree = formula.tree.tree if isinstance(formula.tree, Expression) else formula.tree
    for node in nodes(tree):
        for path, word in compared(node):
            if word not in known.get(path, (word,)):
                yield Misnamed(path=path, word=word, options=known[path])
    root, _, name = formula.target.partition(".")
    options = known.get((root, name), ())
    if options and isinstance(formula.tree, Expression):
        for word in _comes_to(formula.tree.tree):
            if word not in options:
                yield Misnamed(path=(root, name), word=word, options=options, written=True)


def compared(node: Node) -> Iterator[tuple[Path, str]]:
    """Names with two parts, and the texts that they are compared with."""
    if not isinstance(node, Compare) or node.op not in _EQUALS:
        return
    for one, other in ((node.left, node.right), (node.right, node.left)):
        if isinstance(one, Name) and len(one.path) == 2:
            words = other.elements if isinstance(other, ListOf) else (other,)
            for word in words:
                if isinstance(word, Constant) and isinstance(word.value, str):
                    yield one.path, word.value


def _comes_to(node: Node) -> Iterator[str]:
    """The texts that are written there and may be what `node` comes to."""
    match node:
        case Constant(value=str() as word):
            yield word
        case Choice(then=then, otherwise=otherwise):
            yield from _comes_to(then)
            yield from _comes_to(otherwise)
        case Filter(name="default", operand=operand, arguments=(instead,)):
            yield from _comes_to(operand)
            yield from _comes_to(instead)
        case _:
            return


def say(page: Page, formula: Formula, one: Misnamed) -> None:
    """Report a word that is none of the options."""
    name, shown = ".".join(one.path), "/".join(one.options[:SHOWN_MAX])
    what = "不能写进去" if one.written else "这个比较永远不会相等"
    message = f"{name} 只有 {shown}，没有 “{one.word}”：{what}{meant(one.word, one.options)}"
    help = f"改成已有的选项，或在 {_DECLARED[one.path[0]]} 里给 {one.path[1]} 的 options 加上它"
    page.say("J214", page.inside(formula.span, one.word), message, help=help)
