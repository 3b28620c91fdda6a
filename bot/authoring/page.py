"""One file while it is read: its findings, and what it refers to elsewhere, each with its place."""

from dataclasses import dataclass, field
from typing import Literal

from bot.authoring.diagnostics import Findings
from bot.authoring.nodes import Node
from bot.authoring.source import Source, Span
from bot.core.expressions.tree import Expression, Template

ReferenceKind = Literal[
    "state",
    "slot",
    "journey",
    "person",
    "hours",
    "purpose",
    "event",
    "attribute",
    "var",
    "error",
    "argument",
    "intent",
    "segment",
    "webhook",
    "resource",
    "saved",
    "moved",
]
Wants = Literal["guard", "value", "text", "time", "list"]
How = Literal["ask", "retry", "send", "evidence", "faq"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """`name` of some `kind`, used at `span` in `state` (empty: outside the states) under `key`.

    The `key` of an argument is the journey that gets it.
    """

    kind: ReferenceKind
    name: str
    span: Span
    key: str
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """An expression or a template, and what is wanted of it.

    `slot`: the slot whose `check` it is, so that `value` is known. `target`: what its value is put into
    (`customer.nick`, `vars.n`). `entering`: it is evaluated before the journey begins, without its values.
    `pushed`: it is evaluated for many customers at once, by the database.
    """

    tree: Expression | Template
    span: Span
    wants: Wants
    state: str = ""
    slot: str = ""
    target: str = ""
    entering: bool = False
    pushed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentUse:
    """A content that is said, and how. `templates`: the template messages that may stand in for it.

    `send_class` as it is written, empty when it is not.
    """

    content: str
    span: Span
    how: How
    state: str = ""
    slot: str = ""
    send_class: str = ""
    templates: tuple[tuple[str, Span], ...] = ()

    @property
    def classed(self) -> bool:
        """Whether its class is written."""
        return bool(self.send_class)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Where readers leave what they find. `state`: the state that is being read.

    `entering`: what is read decides who comes into the journey. `global_`: it belongs to no journey at all.
    """

    source: Source
    findings: Findings
    references: list[Reference] = field(default_factory=list)
    formulas: list[Formula] = field(default_factory=list)
    contents: list[ContentUse] = field(default_factory=list)
    state: str = ""
    entering: bool = False
    global_: bool = False

    def say(self, rule: str, node: Node | Span, message: str, *, help: str = "", dated: bool = False) -> None:
        """Report a finding at `node`. `dated`: only the day on which it is checked makes it one."""
        span = node if isinstance(node, Span) else node.span
        self.findings.add(rule, span, message, help=help, dated=dated)

    def refer(self, kind: ReferenceKind, name: str, node: Node, *, key: str) -> str:
        """Note that `name` is used at `node`; gives `name` back. J019: it is no name but a template."""
        if not self.written_out(name, node):
            return name
        self.references.append(Reference(kind=kind, name=name, span=node.span, key=key, state=self.state))
        return name

    def written_out(self, text: str, node: Node) -> bool:
        """Whether `text` is no template; J019 when it is one."""
        if is_template(text):
            message = "这里要写出来，不能用 {{ }}：旅程开始之前就要核对"
            self.say("J019", node, message, help="写成固定的文字；要按情况选一个，用 branch 或 when 分开写")
        return not is_template(text)

    def inside(self, span: Span, offending: str) -> Span:
        """The place of `offending` inside `span`, or `span` when it does not stand there word for word."""
        return within(self.findings.source_at(span), span, offending)


def is_template(text: str) -> bool:
    """Whether values are put into `text`."""
    return "{{" in text or "{%" in text


def page(source: Source) -> Page:
    """An empty page for `source`."""
    return Page(source=source, findings=Findings(source=source))


def within(source: Source, span: Span, offending: str) -> Span:
    """The place of `offending` inside `span`, or `span` when it does not stand there word for word."""
    for number in range(span.line, span.end_line + 1):
        line = source.line(number)
        first = span.column - 1 if number == span.line else 0
        last = span.end_column - 1 if number == span.end_line else len(line)
        found = line.find(offending, first, last) if offending else -1
        if found >= 0:
            end = found + 1 + len(offending)
            return Span(line=number, column=found + 1, end_line=number, end_column=end, origin=span.origin)
    return span
