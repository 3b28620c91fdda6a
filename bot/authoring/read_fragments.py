"""`_fragments/NAME.yaml`: states that several journeys share, put in where a state says `use: NAME`.

The fragment's first state takes the name of the state that uses it; the others are called after it with `_` and their
own name, and so are their `counts`. `{{ with.x }}` becomes what the user hands over, letter by letter.
Source: journey-language.md 2.1.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.authoring import literals, vocabulary
from bot.authoring.diagnostics import Borrowed
from bot.authoring.fields import Fields, as_scalar, fields_of, parsed
from bot.authoring.nodes import Entry, Listing, Node, Scalar, Table
from bot.authoring.page import Page
from bot.authoring.read_journey import check_dsl, check_id
from bot.authoring.suggest import meant
from bot.authoring.yaml_tree import NODES_MAX

DEPTH_MAX = 3
"""Fragments within fragments."""
CHARACTERS_MAX = 500_000
"""Characters that all fragments of one journey may come to; more is J015."""

_PARAMETER = re.compile(r"\{\{\s*with\.(\w+)\s*\}\}")
_WAYS = frozenset({"goto", "then", "else"})
_COUNTS = re.compile(r"\bcounts\.(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FragmentDraft:
    """`parameters`: what a user must hand over. `states` as they stand in the file."""

    fragment: str
    parameters: tuple[str, ...]
    states: Table
    page: Page


def read_fragment(page: Page, root: Node, name: str) -> FragmentDraft | None:
    """The fragment in a file, None (after findings) when it holds no states."""
    fields = fields_of(page, root, vocabulary.FRAGMENT)
    if fields is None:
        return None
    check_dsl(fields)
    check_id(fields, "fragment")
    parameters = tuple(one for one in (parsed(page, scalar, literals.name) for scalar in fields.scalars("with")) if one)
    states = fields.node("states")
    if not isinstance(states, Table) or not states.entries:
        if states is not None:
            page.say("J008", states, "states 需要 “名字: 状态” 的表，至少一个状态")
        return None
    _undeclared(page, states, parameters)
    return FragmentDraft(fragment=name, parameters=parameters, states=states, page=page)


def _undeclared(page: Page, node: Node, parameters: tuple[str, ...]) -> None:
    """J203: a parameter that is not declared, or that nobody reads."""
    read: set[str] = set()
    for scalar in _scalars(node):
        for name in _PARAMETER.findall(scalar.text):
            read.add(name)
            if name not in parameters:
                help = f"with: [{', '.join((*parameters, name))}]"
                page.say("J203", scalar, f"with.{name} 未声明{meant(name, parameters)}", help=help)


def _scalars(node: Node) -> list[Scalar]:
    match node:
        case Scalar():
            return [node]
        case Listing(nodes=nodes):
            return [scalar for one in nodes for scalar in _scalars(one)]
        case Table(entries=entries):
            return [scalar for entry in entries for scalar in (entry.key, *_scalars(entry.value))]


@dataclass(slots=True, kw_only=True)
class Expander:
    """Puts fragments into one journey. `known`: every fragment there is, None for those that cannot be read."""

    page: Page
    known: Mapping[str, FragmentDraft | None]
    nodes_count: int = 0
    characters_count: int = 0
    _full: bool = field(default=False)

    def expand(self, root: Node) -> Node:
        """`root` with every `use` of its states, and of those in its groups, replaced by what is used."""
        states = root.entry("states") if isinstance(root, Table) else None
        if not isinstance(root, Table) or states is None or not isinstance(states.value, Table):
            return root
        return _with(root, "states", self._states(states.value, ()))

    def _states(self, states: Table, chain: tuple[str, ...]) -> Table:
        entries: list[Entry] = []
        for entry in states.entries:
            entries.extend(self._state(entry, chain))
        return replace(states, entries=tuple(entries))

    def _state(self, entry: Entry, chain: tuple[str, ...]) -> tuple[Entry, ...]:
        value = entry.value
        if not isinstance(value, Table):
            return (entry,)
        group = value.entry("group")
        inside = group.value.entry("states") if group and isinstance(group.value, Table) else None
        if group and isinstance(group.value, Table) and inside and isinstance(inside.value, Table):
            grouped = _with(group.value, "states", self._states(inside.value, chain))
            return (replace(entry, value=_with(value, "group", grouped)),)
        return self._used(entry, value, chain) if value.entry("use") else (entry,)

    def _used(self, entry: Entry, value: Table, chain: tuple[str, ...]) -> tuple[Entry, ...]:
        """The states of the fragment that `entry` uses; `entry` itself after a finding."""
        fields = fields_of(self.page, value, vocabulary.USE)
        scalar = fields.scalar("use") if fields else None
        fragment = self._found(scalar, chain) if scalar else None
        if fields is None or fragment is None:
            return (entry,)
        handed = self._handed(fields, fragment)
        if handed is None or self._full:
            return (entry,)
        user = f"由 {self.page.source.name} 的状态 {entry.key.text} 使用"
        origin = f"{fragment.fragment}@{entry.key.text}"
        self.page.findings.borrowed[origin] = Borrowed(source=fragment.page.source, user=user)
        names = _names(entry.key.text, fragment)
        put = _Put(user=entry.key, names=names, handed=handed, origin=origin, expander=self)
        renamed = put.states(fragment.states)
        states = self._states(renamed, (*chain, fragment.fragment))
        return (entry,) if self._full else states.entries

    def _found(self, scalar: Scalar, chain: tuple[str, ...]) -> FragmentDraft | None:
        name = scalar.text
        if name not in self.known:
            hint = meant(name, sorted(self.known))
            self.page.say("J113", scalar, f"use: {name} 不存在{hint}", help=f"新建 journeys/_fragments/{name}.yaml")
        elif name in chain:
            self.page.say("J111", scalar, f"use 形成循环：{' → '.join((*chain, name))}", help="片段不能用到它自己")
        elif len(chain) >= DEPTH_MAX:
            message = f"use 嵌套超过 {DEPTH_MAX} 层：{' → '.join((*chain, name))}"
            self.page.say("J111", scalar, message, help="把里面的状态直接写出来")
        else:
            return self.known[name]
        return None

    def _handed(self, fields: Fields, fragment: FragmentDraft) -> dict[str, str] | None:
        """What `with` hands over, by parameter; None after a finding."""
        handed: dict[str, str] = {}
        sound = True
        for entry in fields.entries("with"):
            scalar = as_scalar(self.page, entry.value)
            if entry.key.text not in fragment.parameters:
                hint = meant(entry.key.text, fragment.parameters)
                message = f"片段 {fragment.fragment} 没有参数 {entry.key.text}{hint}"
                self.page.say(
                    "J203", entry.key, message, help=f"它的 with：{'、'.join(fragment.parameters) or '（没有）'}"
                )
                sound = False
            elif scalar:
                handed[entry.key.text] = scalar.text
            else:
                sound = False
        missing = [name for name in fragment.parameters if name not in handed]
        if missing and sound:
            message = f"片段 {fragment.fragment} 需要 {'、'.join(missing)}"
            self.page.say("J014", fields.key("use"), message, help=f"with: {{{missing[0]}: …}}")
        return handed if sound and not missing else None

    def count(self, node: Node, characters: int) -> None:
        """Spend a node of the budget. J015 once it is spent; nothing more is put in then."""
        self.nodes_count += 1
        self.characters_count += characters
        if not self._full and (self.nodes_count > NODES_MAX or self.characters_count > CHARACTERS_MAX):
            self._full = True
            self.page.say("J015", node, "片段展开之后太大", help="少用几次，或把片段拆小")

    def is_full(self) -> bool:
        """Whether the budget is spent."""
        return self._full


@dataclass(frozen=True, slots=True, kw_only=True)
class _Put:
    """One fragment in the place of one state. `names`: what its states are called there."""

    user: Scalar
    names: Mapping[str, str]
    handed: Mapping[str, str]
    origin: str
    expander: Expander

    def states(self, written: Table) -> Table:
        """The states with their new names, the values handed over in place."""
        keys = (self._key(entry.key, place) for place, entry in enumerate(written.entries))
        put = [Entry(key=key, value=self._value(entry.value)) for key, entry in zip(keys, written.entries, strict=True)]
        return replace(written, entries=tuple(put))

    def _key(self, key: Scalar, place: int) -> Scalar:
        # The first state stands where its user is written: that is the name by which the journey knows it.
        if place == 0:
            return self.user
        return replace(key, text=self.names[key.text], span=replace(key.span, origin=self.origin))

    def _value(self, node: Node, key: str = "") -> Node:
        if self.expander.is_full():
            return node
        span = replace(node.span, origin=self.origin)
        match node:
            case Scalar(text=text):
                self.expander.count(node, self._grown(text))
                if self.expander.is_full():
                    return node
                written = self.names[text] if key in _WAYS and text in self.names else self._text(text)
                return replace(node, text=written, span=span)
            case Listing(nodes=nodes):
                self.expander.count(node, 0)
                return replace(node, nodes=tuple(self._value(one, key) for one in nodes), span=span)
            case Table(entries=entries):
                self.expander.count(node, 0)
                inner = tuple(self._entry(entry) for entry in entries)
                return replace(node, entries=inner, span=span)

    def _entry(self, entry: Entry) -> Entry:
        self.expander.count(entry.key, self._grown(entry.key.text))
        if self.expander.is_full():
            return entry
        key = replace(entry.key, text=self._text(entry.key.text), span=replace(entry.key.span, origin=self.origin))
        return Entry(key=key, value=self._value(entry.value, entry.key.text))

    def _grown(self, text: str) -> int:
        """At most so long is `text` with everything put in: asked before it is built."""
        longest = max((len(name) for name in self.names.values()), default=0)
        handed = sum(len(self.handed.get(name, "")) for name in _PARAMETER.findall(text))
        return len(text) + handed + longest * text.count("counts.")

    def _text(self, text: str) -> str:
        counted = _COUNTS.sub(lambda found: f"counts.{self.names.get(found.group(1), found.group(1))}", text)
        return _PARAMETER.sub(lambda found: self.handed.get(found.group(1), ""), counted)


def _names(user: str, fragment: FragmentDraft) -> dict[str, str]:
    first, *others = (entry.key.text for entry in fragment.states.entries)
    return {first: user, **{name: f"{user}_{name}" for name in others}}


def _with(table: Table, key: str, value: Node) -> Table:
    """`table` with another value under `key`."""
    entries = tuple(replace(entry, value=value) if entry.key.text == key else entry for entry in table.entries)
    return replace(table, entries=entries)
