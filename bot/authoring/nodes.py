"""The tree of a YAML file: every scalar is text, every node knows its place."""

from dataclasses import dataclass
from typing import TypeAlias

from bot.authoring.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A text. `plain`: written without quotes, so that its first character had to be harmless."""

    text: str
    span: Span
    plain: bool = True

    @property
    def empty(self) -> bool:
        """Nothing was written here at all (not even quotes)."""
        return self.plain and not self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    nodes: tuple["Node", ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    key: Scalar
    value: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Keys with their values in the order of the file; no key twice."""

    entries: tuple[Entry, ...]
    span: Span

    def entry(self, key: str) -> Entry | None:
        """The entry called `key`, None when it is not there."""
        return next((entry for entry in self.entries if entry.key.text == key), None)


Node: TypeAlias = Scalar | Listing | Table


def place(node: Node, *path: str) -> Span:
    """Where `path` is written below `node`: the last key of it that exists, else `node` itself."""
    span = node.span
    for key in path:
        entry = node.entry(key) if isinstance(node, Table) else None
        if entry is None:
            break
        span, node = entry.key.span, entry.value
    return span
