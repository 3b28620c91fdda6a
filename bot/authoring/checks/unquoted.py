"""Words of Chinese, or options, that stand in an expression without quotes and so are taken for names. Rule J203."""

from collections.abc import Iterable, Iterator

from bot.authoring.checks.options import Options
from bot.authoring.page import Formula, Page
from bot.authoring.quoting import how_to_write, with_quotes
from bot.authoring.suggest import nearest
from bot.core.expressions.analyse import nodes
from bot.core.expressions.infer import Finding
from bot.core.expressions.tree import Compare, Expression, ListOf, Name
from bot.core.expressions.types import Path


def told(page: Page, formula: Formula, findings: Iterable[Finding], known: Options) -> tuple[Finding, ...]:
    """`findings` without the unknown names that are words in want of quotes: those are reported, all at once.

    `known`: the options of what may be compared with, or written to.
    """
    all_ = tuple(findings)
    chosen = set(_options_meant(formula, known))
    bare = [one for one in all_ if _is_word(one, chosen)]
    words = tuple(dict.fromkeys(one.path[0] for one in bare))
    if words:
        shown = "、".join(f"“{word}”" for word in words)
        span = page.inside(formula.span, bare[0].offending)
        page.say("J203", span, f"{shown} 没有加引号，被当成了名字：文字要写在引号里", help=_cure(formula, words))
    return tuple(one for one in all_ if one not in bare)


def _is_word(finding: Finding, chosen: set[str]) -> bool:
    if finding.rule != "J203" or len(finding.path) != 1:
        return False
    word = finding.path[0]
    return word in chosen or (not word.isascii() and nearest(word, finding.candidates) is None)


def _options_meant(formula: Formula, known: Options) -> Iterator[str]:
    """The options of everything that `formula` compares with a bare name, or is written to."""
    root, _, name = formula.target.partition(".")
    yield from known.get((root, name), ())
    tree = formula.tree.tree if isinstance(formula.tree, Expression) else formula.tree
    for node in nodes(tree):
        for path in _compared(node) if isinstance(node, Compare) else ():
            yield from known.get(path, ())


def _compared(node: Compare) -> Iterator[Path]:
    for one, other in ((node.left, node.right), (node.right, node.left)):
        beside = other.elements if isinstance(other, ListOf) else (other,)
        if isinstance(one, Name) and any(isinstance(word, Name) and len(word.path) == 1 for word in beside):
            yield one.path


def _cure(formula: Formula, words: tuple[str, ...]) -> str:
    if not isinstance(formula.tree, Expression):
        return f"写成 {'、'.join(repr(word) for word in words)}"
    whole = with_quotes(formula.tree.source, words)
    return f"写成 {whole if formula.wants == 'guard' else how_to_write(whole, target=formula.target)}"
