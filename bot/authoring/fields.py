"""Typed reading of a table of a file. Every scalar is text until one of these gives it a type."""

from collections.abc import Callable, Collection, Mapping
from copy import copy
from typing import TypeVar

from bot.authoring import literals
from bot.authoring.expressions import ExpressionFault, parse_expression, parse_template
from bot.authoring.nodes import Entry, Listing, Node, Scalar, Table
from bot.authoring.page import Formula, Page, Wants, is_template
from bot.authoring.quoting import how_to_write, in_wide_brackets, in_wide_quotes, reads_as_words
from bot.authoring.suggest import meant, nearest
from bot.authoring.vocabulary import ALL_KEYS, Keys
from bot.authoring.yaml_slips import wide_colon_in
from bot.core.expressions.tree import Expression, Template

T = TypeVar("T")
D = TypeVar("D")
E = TypeVar("E", Entry, Node)

LIST_MAX = 500
"""Entries of one list that are read; more is J015."""


class Fields:
    """The keys of one table. Whatever is wrong with a value is reported, and reads as if it were not there."""

    def __init__(self, page: Page, table: Table, keys: Keys) -> None:
        self.page = page
        self.table = table
        self.keys = keys
        self._entries = {entry.key.text: entry for entry in table.entries if self._known(entry)}
        # With a key that is refused as unbuilt, what is missing beside it says nothing.
        later = any(entry.key.text in keys.unbuilt for entry in table.entries)
        for key in keys.required:
            if table.entry(key) is None and not (later and key != "dsl") and not self.misspelt(key):
                page.say("J014", self._head(), f"{keys.place} 缺少 “{key}”", help=f"加上 {key}: …")

    def misspelt(self, key: str) -> bool:
        """Whether an unknown key here was most likely meant to be `key`: its own finding says enough."""
        strays = (entry.key.text for entry in self.table.entries if entry.key.text not in self._entries)
        return any(nearest(stray, sorted(self.keys.built)) == key for stray in strays)

    def _head(self) -> Node:
        return self.table.entries[0].key if self.table.entries else self.table

    def _known(self, entry: Entry) -> bool:
        key = entry.key.text
        if key in self.keys.built:
            return True
        if key in self.keys.unbuilt:
            unbuilt(self.page, entry.key, key)
        else:
            elsewhere = "（这个键不属于这里）" if key in ALL_KEYS else ""
            hint = meant(key, sorted(self.keys.built))
            known = "、".join(sorted(self.keys.built))
            self.page.say(
                "J006", entry.key, f"未知的键 “{key}”{elsewhere}{hint}", help=f"{self.keys.place} 可用：{known}"
            )
        return False

    def on(self, page: Page) -> "Fields":
        """The same keys, with what is found left on `page`."""
        other = copy(self)
        other.page = page
        return other

    def has(self, key: str) -> bool:
        return key in self._entries

    def node(self, key: str) -> Node | None:
        entry = self._entries.get(key)
        return entry.value if entry else None

    def key(self, key: str) -> Node:
        """The key itself, for findings; the table's first key when it is not there."""
        entry = self._entries.get(key)
        return entry.key if entry else self._head()

    def scalar(self, key: str) -> Scalar | None:
        node = self.node(key)
        return as_scalar(self.page, node) if node is not None else None

    def text(self, key: str, default: str = "") -> str:
        """A literal text."""
        scalar = self.scalar(key)
        return literal(self.page, scalar) if scalar else default

    def parsed(self, key: str, reader: Callable[[str], T], default: D) -> T | D:
        """What `reader` makes of the text, `default` when it is missing or refused."""
        scalar = self.scalar(key)
        label = f"{self.keys.place}.{key} " if self.keys.place.isascii() else f"{key} "
        return _parsed(self.page, scalar, reader, default, label=label) if scalar else default

    def one_of(self, key: str, choices: Mapping[str, T], *, default: T, later: Collection[str] = ()) -> T:
        """One of a closed set of words; `later` are those the engine does not do yet."""
        scalar = self.scalar(key)
        return chosen(self.page, scalar, choices, default=default, later=later) if scalar else default

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, or a single one."""
        return tuple(literal(self.page, scalar) for scalar in self.scalars(key))

    def scalars(self, key: str) -> tuple[Scalar, ...]:
        node = self.node(key)
        if isinstance(node, Scalar) and wide_brackets(self.page, node):
            return ()
        nodes = node.nodes if isinstance(node, Listing) else (node,) if node is not None else ()
        return tuple(scalar for scalar in (as_scalar(self.page, one) for one in bounded(self.page, nodes)) if scalar)

    def nodes(self, key: str) -> tuple[Node, ...]:
        """The entries of a list."""
        node = self.node(key)
        if node is None:
            return ()
        if not isinstance(node, Listing):
            self.page.say("J008", node, f"{key} 需要一个列表", help="每项一行，以 “- ” 开头")
            return ()
        return bounded(self.page, node.nodes)

    def entries(self, key: str) -> tuple[Entry, ...]:
        """The names and values of a table whose keys are names."""
        node = self.node(key)
        if node is None:
            return ()
        if not isinstance(node, Table):
            self.page.say("J008", node, f"{key} 需要 “名字: 值” 的表", help="名字和值之间是英文冒号加空格")
            return ()
        return bounded(self.page, node.entries)

    def inner(self, key: str, keys: Keys) -> "Fields | None":
        """The table under `key`."""
        node = self.node(key)
        return fields_of(self.page, node, keys) if node is not None else None

    def expression(self, key: str, wants: Wants, *, slot: str = "") -> Expression | None:
        scalar = self.scalar(key)
        return as_expression(self.page, scalar, wants, slot=slot) if scalar else None

    def template(self, key: str) -> Template | None:
        scalar = self.scalar(key)
        return as_template(self.page, scalar) if scalar else None


def bounded(page: Page, nodes: tuple[E, ...]) -> tuple[E, ...]:
    """At most LIST_MAX of `nodes`; J015 when there are more."""
    if len(nodes) > LIST_MAX:
        beyond = nodes[LIST_MAX]
        page.say("J015", beyond.key if isinstance(beyond, Entry) else beyond, f"一处最多 {LIST_MAX} 项")
    return nodes[:LIST_MAX]


def unbuilt(page: Page, node: Node, what: str) -> None:
    """Refuse something the language has and the engine does not do yet."""
    page.say("J090", node, f"“{what}” 尚未实现", help="这一版请先去掉它")


def fields_of(page: Page, node: Node, keys: Keys) -> Fields | None:
    """`node` as a table with these `keys`, None (and J008) when it is none."""
    if isinstance(node, Table):
        return Fields(page, node, keys)
    if not (isinstance(node, Scalar) and wide_colon_in(node, page.findings)):
        page.say("J008", node, f"{keys.place} 需要 “键: 值” 的表", help=f"可用的键：{'、'.join(sorted(keys.built))}")
    return None


def as_scalar(page: Page, node: Node) -> Scalar | None:
    """`node` as one text, None (and a finding) when it is a list, a table or nothing."""
    if not isinstance(node, Scalar):
        help = '文字里有 {{ }} 或方括号时要加引号："…"'
        page.say("J008", node, "这里需要一个值，不能是列表或表", help=help)
        return None
    if node.empty:
        _nothing_written(page, node)
        return None
    return None if wide_colon_in(node, page.findings) else node


def _nothing_written(page: Page, node: Scalar) -> None:
    rest = page.findings.source_at(node.span).line(node.span.line)[node.span.column - 1 :].strip()
    if rest.startswith("#"):
        page.say("J005", node, "“#” 起头的文字被当成了注释，这里没有值", help=f'如果是文字，写成 "{rest}"')
    else:
        page.say("J008", node, "这里没有写值", help="补上值，或删掉这个键")


def wide_brackets(page: Page, scalar: Scalar) -> bool:
    """Whether a list was put in full-width brackets, which make a text of it; J003 if so."""
    words = in_wide_brackets(scalar.text) if scalar.plain else None
    if words is not None:
        message = f"列表用了全角方括号 {scalar.text[0]}{scalar.text[-1]}，被当成了一段文字：“{_short(scalar.text)}”"
        page.say("J003", scalar, message, help=f"改成 [{', '.join(words)}]")
    return words is not None


def _in_wide_quotes(page: Page, scalar: Scalar) -> bool:
    """Whether a text was put in full-width quotes, which become part of it; J003 if so."""
    inside = in_wide_quotes(scalar.text) if scalar.plain else None
    if inside is not None:
        message = f"这里用了全角引号（{scalar.text[0]} {scalar.text[-1]}），它会成为文字的一部分"
        help = f'改成 "{_short(inside)}"；引号真要写给人看，写成 "{_short(scalar.text)}"'
        page.say("J003", scalar, message, help=help)
    return inside is not None


def literal(page: Page, scalar: Scalar) -> str:
    """The text of `scalar`, which is looked up before any customer is there: J019 for a template."""
    is_written_out(page, scalar)
    return scalar.text


def is_written_out(page: Page, scalar: Scalar) -> bool:
    """Whether `scalar` is a text as it stands; J019: a template where none can be, J003: it is in full-width quotes."""
    return not _in_wide_quotes(page, scalar) and page.written_out(scalar.text, scalar)


def as_words(page: Page, scalar: Scalar, *, most: int) -> str | Template | None:
    """The text of `scalar`, at most so many characters, or the template that a `{{ }}` makes of it; None: neither."""
    if _in_wide_quotes(page, scalar):
        return None
    if is_template(scalar.text):
        return as_template(page, scalar)
    if len(scalar.text) > most:
        page.say("J008", scalar, f"最多 {most} 字，这里有 {len(scalar.text)} 字", help="写短一些")
        return None
    return scalar.text


def as_whole(page: Page, scalar: Scalar) -> int | Template | None:
    """A whole number, or a template that makes one; None after a finding."""
    return as_template(page, scalar) if is_template(scalar.text) else parsed(page, scalar, literals.whole)


def _parsed(page: Page, scalar: Scalar, reader: Callable[[str], T], default: D, *, label: str = "") -> T | D:
    if not is_written_out(page, scalar):
        return default
    try:
        return reader(scalar.text)
    except literals.LiteralFault as fault:
        page.say("J008", scalar, f"{label}{fault}，得到 “{_short(scalar.text)}”", help=fault.cure)
        return default


def parsed(page: Page, scalar: Scalar, reader: Callable[[str], T]) -> T | None:
    """What `reader` makes of `scalar`, None (and J008) when it refuses."""
    return _parsed(page, scalar, reader, None)


def chosen(page: Page, scalar: Scalar, choices: Mapping[str, T], *, default: T, later: Collection[str] = ()) -> T:
    """The value of the word, `default` after a finding when it is none of `choices`."""
    if scalar.text in choices:
        return choices[scalar.text]
    if not is_written_out(page, scalar):
        return default
    if scalar.text in later:
        unbuilt(page, scalar, scalar.text)
    else:
        hint = meant(scalar.text, choices)
        page.say(
            "J008",
            scalar,
            f"“{_short(scalar.text)}” 不是可用的值{hint}",
            help=f"可用：{'、'.join(filter(None, choices))}",
        )
    return default


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"


def as_expression(page: Page, scalar: Scalar, wants: Wants, *, slot: str = "", target: str = "") -> Expression | None:
    """`scalar` as an expression, None after a finding."""
    try:
        expression = parse_expression(scalar.text)
    except ExpressionFault as fault:
        words = in_wide_quotes(scalar.text) or scalar.text
        if wants == "value" and fault.rule == "J017" and reads_as_words(words):
            message = f"“{_short(words)}” 没有加半角引号：这里写的是表达式，文字要写在引号里"
            page.say("J017", scalar, message, help=f"写成 {how_to_write(repr(words), target=target)}")
        else:
            _fault(page, scalar, fault)
        return None
    page.formulas.append(
        Formula(
            tree=expression,
            span=scalar.span,
            wants=wants,
            state=page.state,
            slot=slot,
            target=target,
            entering=page.entering,
        )
    )
    return expression


def as_template(page: Page, scalar: Scalar) -> Template | None:
    """`scalar` as a template, None after a finding."""
    if _in_wide_quotes(page, scalar):
        return None
    try:
        template = parse_template(scalar.text)
    except ExpressionFault as fault:
        _fault(page, scalar, fault)
        return None
    formula = Formula(tree=template, span=scalar.span, wants="text", state=page.state, entering=page.entering)
    page.formulas.append(formula)
    return template


def _fault(page: Page, scalar: Scalar, fault: ExpressionFault) -> None:
    bare = scalar.text.replace("{{", "").replace("}}", "").strip()
    help = f"写成：{_short(bare)}" if fault.rule == "J012" and bare else fault.cure
    page.say(fault.rule, page.inside(scalar.span, fault.offending), fault.message, help=help)
