"""YAML text to a tree of nodes, within the profile of journey-language.md 2.1.

libyaml gives the events; nothing is resolved and nothing is expanded, so a scalar is only ever text and a
small file cannot become a large tree.
"""

import re
from dataclasses import dataclass, field

import yaml

from bot.authoring import yaml_slips
from bot.authoring.diagnostics import Findings
from bot.authoring.nodes import Entry, Listing, Node, Scalar, Table
from bot.authoring.source import Source, Span

DEPTH_MAX = 24
NODES_MAX = 20_000
"""Nodes of one file; beyond, reading stops with J015."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


_WIDE_SPACES = {"\u3000": "全角空格", "\xa0": "不换行空格"}
_WIDE_INDENT = re.compile(r"([ ]*)([\u3000\xa0])[ \u3000\xa0]*(?:-(?:[ ]|$)|[^\s#:]{1,60}[:：](?:[ ]|$))")
"""A line of YAML, by its looks, that is indented with more than spaces."""
_BLOCK_TEXT = re.compile(r"[|>][+-]?[1-9]?[+-]?[ ]*$")


@dataclass(slots=True)
class _Open:
    """A collection that has begun and not ended: children so far, and where it began."""

    table: bool
    span: Span
    children: list[Node] = field(default_factory=list)


class _Stop(Exception):
    """The file goes against the profile so badly that reading on would only mislead."""


def compose(source: Source, findings: Findings, *, line_offset: int = 0) -> Node | None:
    """The tree of `source`, None when it has none; whatever is wrong with it goes to `findings`.

    `line_offset` lines of the source are skipped first (front matter begins behind its dashes).
    """
    text = "\n" * line_offset + "\n".join(source.lines[line_offset:])
    if _unreadable_characters(source, findings, line_offset):
        return None
    builder = _Builder(findings)
    try:
        for event in yaml.parse(text, Loader=yaml.CBaseLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        yaml_slips.report(error, source, findings)
        return None
    except yaml.YAMLError:
        findings.add("J013", _whole(source), "文件不是合法的 YAML")
        return None
    except _Stop:
        return None
    return builder.root


def _whole(source: Source) -> Span:
    return Span(line=1, column=1, end_line=1, end_column=len(source.line(1)) + 1)


def _unreadable_characters(source: Source, findings: Findings, first: int) -> bool:
    found = unprintable(source, findings, first)
    for number, line in enumerate(source.lines[first:], start=first + 1):
        wide = _WIDE_INDENT.match(line)
        if wide and not _inside_a_text(source, number):
            message = f"缩进里有{_WIDE_SPACES[wide.group(2)]}，它不算缩进"
            findings.add("J001", _at(number, wide.start(2)), message, help="改为半角空格，每层 2 个")
            found = True
        tab = line.find("\t")
        if tab >= 0:
            findings.add("J001", _at(number, tab), "这里用了制表符", help="改为 2 个空格")
            found = True
    return found


def _inside_a_text(source: Source, number: int) -> bool:
    """Whether line `number` belongs to a text written below `|` or `>`, where any indentation is the author's."""
    indent = _spaces(source.line(number))
    for above in range(number - 1, 0, -1):
        line = source.line(above)
        if line.strip() and _spaces(line) < indent:
            return _BLOCK_TEXT.search(line) is not None
    return False


def _spaces(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def unprintable(source: Source, findings: Findings, first: int) -> bool:
    """Whether there is a control character behind the `first` lines of the source; each line with one is reported."""
    found = False
    for number, line in enumerate(source.lines[first:], start=first + 1):
        strange = _UNPRINTABLE.search(line)
        if strange:
            code = f"U+{ord(strange.group()):04X}"
            findings.add("J013", _at(number, strange.start()), f"这里有一个看不见的控制字符 {code}", help="删掉它")
            found = True
    return found


def _at(line: int, offset: int) -> Span:
    return Span(line=line, column=offset + 1, end_line=line, end_column=offset + 2)


def _span(event: yaml.Event) -> Span:
    begin, end = event.start_mark, event.end_mark
    assert begin is not None, "libyaml marks where every event begins"
    assert end is not None, "libyaml marks where every event ends"
    return Span(line=begin.line + 1, column=begin.column + 1, end_line=end.line + 1, end_column=end.column + 1)


class _Builder:
    """Puts events together. A loop over a stack of its own: depth costs no recursion."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.root: Node | None = None
        self._open: list[_Open] = []
        self._count = 0
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        """Add one event to the tree. _Stop: the file may not go on."""
        match event:
            case yaml.DocumentStartEvent():
                self._document(event)
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.ScalarEvent():
                self._begin(event)
                self._add(Scalar(text=event.value, span=_span(event), plain=not event.style))
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._begin(event)
                self._deeper(_span(event), table=isinstance(event, yaml.MappingStartEvent))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._close()
            case _:
                pass  # the stream's and the documents' ends carry nothing

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            self.findings.add("J010", _span(event), "一个文件里只能有一份文档，不能再用 --- 分隔", help="拆成两个文件")
            raise _Stop
        if event.version or event.tags:
            self.findings.add("J010", _span(event), "不允许 %YAML、%TAG 指令", help="删掉这一行")

    def _alias(self, event: yaml.AliasEvent) -> None:
        quoted = f'"*{event.anchor}"'
        self.findings.add(
            "J010", _span(event), "不允许别名 (*)", help=f"如果是文字，请加引号：{quoted}；否则把内容写出来"
        )
        self._add(Scalar(text=f"*{event.anchor}", span=_span(event), plain=False))

    def _begin(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.anchor:
            self.findings.add(
                "J010", _span(event), f"不允许锚点 (&{event.anchor})", help="把内容写出来，或给文字加引号"
            )
        if event.tag:
            self.findings.add("J010", _span(event), "不允许标签 (!…)", help="删掉标签；类型由语言自己规定")

    def _deeper(self, span: Span, *, table: bool) -> None:
        if len(self._open) >= DEPTH_MAX:
            self.findings.add("J015", span, f"嵌套超过 {DEPTH_MAX} 层")
            raise _Stop
        self._open.append(_Open(table, span))

    def _close(self) -> None:
        done = self._open.pop()
        if done.table:
            self._add(Table(entries=self._entries(done.children), span=done.span))
        else:
            self._add(Listing(nodes=tuple(done.children), span=done.span))

    def _add(self, node: Node) -> None:
        self._count += 1
        if self._count > NODES_MAX:
            self.findings.add("J015", node.span, f"一个文件最多 {NODES_MAX} 个值")
            raise _Stop
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node

    def _entries(self, children: list[Node]) -> tuple[Entry, ...]:
        entries: dict[str, Entry] = {}
        pairs = zip(children[::2], children[1::2], strict=True)
        for key, value in pairs:
            if not isinstance(key, Scalar):
                self.findings.add(
                    "J013", key.span, "键必须是一个词，不能是列表或花括号", help="含 {{ }} 的文字要加引号"
                )
            elif key.text == "<<":
                self.findings.add("J010", key.span, "不允许合并键 (<<)", help="把内容写出来")
            elif key.text in entries:
                first = entries[key.text].key.span.line
                self.findings.add("J002", key.span, f"键 “{key.text}” 重复（首次在 {first} 行）", help="只留一个")
            else:
                entries[key.text] = Entry(key=key, value=value)
        return yaml_slips.mended(list(entries.values()), self.findings)
