"""`rules:` to properties: `never: send where class == 'marketing' after opt_out`. Source: journey-language.md 5.1.

One property is `PATTERN [within DURATION] [after|before PATTERN [within DURATION]]`, a pattern is
`KIND [NAME] [where EXPRESSION]`. `KIND(NAME)` and `KIND NAME` mean the same, `state == 'x'` is `state x` and
`consent.granted` is a consent given.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from bot.authoring import literals
from bot.authoring.expressions import ExpressionFault, parse_expression
from bot.authoring.nodes import Scalar
from bot.authoring.page import Page
from bot.authoring.suggest import meant
from bot.core.expressions import analyse
from bot.core.expressions.tree import Expression
from bot.core.watching import FIELDS, Pattern, Property, SightKind

WATCH_MAX = 500
"""Characters of one rule."""
_KINDS: Mapping[str, SightKind] = {kind: kind for kind in FIELDS}
_RELATION = re.compile(r"\s(after|before)\s")
_WITHIN = re.compile(r"\swithin\s+(\S+)\s*$")
_WHERE = re.compile(r"^(?P<head>.*?)\s+where\s+(?P<where>.+)$", re.DOTALL)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_STATE = re.compile(r"state\s*==\s*(['\"])(?P<name>[^'\"]+)\1")
_HEAD = re.compile(r"(?P<kind>[a-z_]+)(?:\((?P<in>[^()]+)\)|\s+(?P<name>[^\s()]+))?")


class WatchFault(Exception):
    """The rule cannot be read; the message says why, in Chinese. `offending`: the part that is wrong."""

    def __init__(self, message: str, offending: str = "") -> None:
        super().__init__(message)
        self.offending = offending


@dataclass(frozen=True, slots=True)
class _Cut:
    first: str
    relation: Literal["", "after", "before"]
    second: str


def parse_watch(kind: Literal["always", "never", "within"], text: str) -> Property:
    """The property that `text` says under the key `kind`. WatchFault: it says none.

    Under `within` the duration comes first: `within: 30m task(advisor) after state == 'assign'`.
    """
    written = " ".join(text.split())
    if len(written) > WATCH_MAX:
        raise WatchFault(f"一条规则最多 {WATCH_MAX} 字")
    within: timedelta | None = None
    if kind == "within":
        length, _, written = written.partition(" ")
        within = _duration(length)
    cut = _cut(written)
    (first, before), (second, behind) = _without_deadline(cut.first), _without_deadline(cut.second)
    within = next((length for length in (before, behind) if length is not None), within)
    return Property(
        kind="never" if kind == "never" else "always",
        pattern=_pattern(first),
        relation=cut.relation,
        other=_pattern(second) if cut.relation else None,
        within=within,
        text=f"{kind}: {' '.join(text.split())}",
    )


def _cut(text: str) -> _Cut:
    """At the one ` after ` or ` before ` that stands outside quotes."""
    hidden = _QUOTED.sub(lambda quoted: "·" * len(quoted.group()), text)
    found = list(_RELATION.finditer(hidden))
    if len(found) > 1:
        raise WatchFault("after、before 只能写一次", found[1].group().strip())
    if not found:
        return _Cut(text, "", "")
    relation: Literal["after", "before"] = "after" if found[0].group(1) == "after" else "before"
    return _Cut(text[: found[0].start()].strip(), relation, text[found[0].end() :].strip())


def _without_deadline(text: str) -> tuple[str, timedelta | None]:
    found = _WITHIN.search(f" {text}")
    if found is None:
        return text, None
    return f" {text}"[: found.start()].strip(), _duration(found.group(1))


def _duration(text: str) -> timedelta:
    try:
        return literals.duration(text)
    except literals.LiteralFault as fault:
        raise WatchFault(f"within 后面{fault}", text) from fault


def _pattern(text: str) -> Pattern:
    if text == "consent.granted":
        return Pattern(kind="consent", where=parse_expression("granted == true"))
    state = _STATE.fullmatch(text)
    if state is not None:
        return Pattern(kind="state", name=state.group("name"))
    found = _WHERE.match(text)
    head, condition = (found.group("head"), found.group("where")) if found else (text, "")
    named = _HEAD.fullmatch(head.strip())
    if named is None:
        raise WatchFault("写成 “send 内容 where class == 'marketing'” 这样", text)
    kind = _KINDS.get(named.group("kind"))
    if kind is None:
        known = "、".join(_KINDS)
        raise WatchFault(
            f"不认识 “{named.group('kind')}”{meant(named.group('kind'), _KINDS)}，可用：{known}", named.group("kind")
        )
    name = (named.group("in") or named.group("name") or "").strip("'\" ")
    return Pattern(kind=kind, name=name, where=_condition(kind, condition) if condition else None)


def _condition(kind: SightKind, text: str) -> Expression:
    try:
        expression = parse_expression(text)
    except ExpressionFault as fault:
        raise WatchFault(fault.message, fault.offending) from fault
    for path in sorted(analyse.names(expression.tree)):
        if len(path) > 1 or path[0] not in FIELDS[kind]:
            name = ".".join(path)
            raise WatchFault(f"{kind} 没有 “{name}”{meant(name, FIELDS[kind])}，可用：{'、'.join(FIELDS[kind])}", name)
    return expression


def read_watch(page: Page, kind: Literal["always", "never", "within"], scalar: Scalar) -> Property | None:
    """The property in a file, None after a finding (J017)."""
    try:
        return parse_watch(kind, scalar.text)
    except WatchFault as fault:
        page.say("J017", page.inside(scalar.span, fault.offending), str(fault))
        return None
