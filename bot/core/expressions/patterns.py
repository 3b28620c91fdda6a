"""Patterns of `matches`: the part of regular expressions that is decided in time linear in the text.

Literals, `.`, classes `[a-z]` and `[^…]`, `\\d \\w \\s \\D \\W \\S`, groups, `|`, and the quantifiers `* + ?`, `{m}`,
`{m,}`, `{m,n}`, nested as one likes: all states a pattern may be in are followed at once, so nothing backtracks. A
pattern fits the whole text; `^` and `$` at its ends say the same and are allowed. Back references, look-around,
lazy quantifiers and flags are refused. `\\d` is 0-9, `\\w` any letter or digit or `_`, in any script.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias, assert_never

from bot.core.expressions.values import EvaluationFault

PATTERN_MAX = 200
"""Characters of a pattern."""
STATES_MAX = 200
"""States of a pattern once its repetitions are written out. With TEXT_READ_MAX this bounds the work of a match."""
TEXT_READ_MAX = 2_000
"""Characters of a text that is matched, a customer's longest message and some; beyond it `expr.size`."""
GROUPS_DEEP_MAX = 10
REPEATS_MAX = 100
"""The greatest number in `{m,n}`."""
BUILT_MAX = 2_000
"""Pieces visited while a pattern is written out, which bounds repetitions of nothing, as in `((){99}){99}`."""
_KEPT_PATTERNS = 256


class PatternFault(Exception):
    """A pattern cannot be read, or asks for more than the subset. `message` is Chinese."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class _OneOf:
    """One character: in one of `ranges`, or of a class; or in none when `negated`."""

    ranges: tuple[tuple[str, str], ...] = ()
    classes: tuple[Callable[[str], bool], ...] = ()
    negated: bool = False

    def admits(self, char: str) -> bool:
        found = any(low <= char <= high for low, high in self.ranges) or any(known(char) for known in self.classes)
        return found != self.negated


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    pieces: tuple["_Piece", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Either:
    ways: tuple["_Piece", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Repeated:
    """`least` to `most` times; None: without end."""

    piece: "_Piece"
    least: int
    most: int | None


_Piece: TypeAlias = _OneOf | _Series | _Either | _Repeated


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A pattern ready to match. State n consumes what `steps[n]` admits and leads to the states `after[n]`."""

    steps: tuple[_OneOf, ...]
    after: tuple[frozenset[int], ...]
    begin: frozenset[int]

    def matches(self, text: str) -> bool:
        """Whether the whole of `text` fits. EvaluationFault `expr.size`: longer than TEXT_READ_MAX."""
        if len(text) > TEXT_READ_MAX:
            raise EvaluationFault("expr.size", f"matches 的文字超过 {TEXT_READ_MAX} 字")
        current = self.begin
        for char in text:
            current = self._next(current, char)
            if not current:
                return False
        return _FINAL in current

    def _next(self, current: frozenset[int], char: str) -> frozenset[int]:
        passed = [self.after[state] for state in current if state != _FINAL and self.steps[state].admits(char)]
        return frozenset[int]().union(*passed)


@lru_cache(maxsize=_KEPT_PATTERNS)
def compile_pattern(source: str) -> Pattern:
    """The pattern written as `source`. PatternFault: unreadable, outside the subset, or too large."""
    if len(source) > PATTERN_MAX:
        raise PatternFault(f"正则超过 {PATTERN_MAX} 字")
    piece = _Reader(source).whole()
    machine = _Machine()
    begin = machine.build(piece, frozenset({_FINAL}))
    return Pattern(steps=tuple(machine.steps), after=tuple(machine.after), begin=begin)


_FINAL = -1

_CLASSES: Mapping[str, _OneOf] = {
    "d": _OneOf(ranges=(("0", "9"),)),
    "w": _OneOf(classes=(str.isalnum,), ranges=(("_", "_"),)),
    "s": _OneOf(classes=(str.isspace,)),
    "D": _OneOf(ranges=(("0", "9"),), negated=True),
    "W": _OneOf(classes=(str.isalnum,), ranges=(("_", "_"),), negated=True),
    "S": _OneOf(classes=(str.isspace,), negated=True),
}
_CONTROLS: Mapping[str, str] = {"n": "\n", "t": "\t", "r": "\r"}
_ANY = _OneOf(ranges=(("\n", "\n"),), negated=True)
_SPECIAL = "*+?{}"


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.deep = 0

    def whole(self) -> _Piece:
        self._take("^")
        piece = self._either()
        if self.at < len(self.source):
            raise PatternFault("正则里多了一个 “)”")
        return piece

    def _peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def _take(self, expected: str) -> bool:
        found = self.source.startswith(expected, self.at)
        self.at += len(expected) if found else 0
        return found

    def _next(self) -> str:
        if self.at == len(self.source):
            raise PatternFault("正则没有写完")
        self.at += 1
        return self.source[self.at - 1]

    def _either(self) -> _Piece:
        ways = [self._series()]
        while self._take("|"):
            ways.append(self._series())
        return ways[0] if len(ways) == 1 else _Either(ways=tuple(ways))

    def _series(self) -> _Piece:
        pieces: list[_Piece] = []
        while self._peek() not in ("", "|", ")"):
            if self._peek() == "$" and self.at == len(self.source) - 1:
                self.at += 1
                break
            pieces.append(self._repeated())
        return _Series(pieces=tuple(pieces))

    def _repeated(self) -> _Piece:
        piece = self._single()
        bounds = self._bounds()
        if bounds is None:
            return piece
        if self._peek() in ("*", "+", "?", "{"):
            raise PatternFault("正则的量词不能连写，也没有懒惰匹配（*?）")
        return _Repeated(piece=piece, least=bounds[0], most=bounds[1])

    def _bounds(self) -> tuple[int, int | None] | None:
        if self._take("*"):
            return 0, None
        if self._take("+"):
            return 1, None
        if self._take("?"):
            return 0, 1
        return self._counted() if self._take("{") else None

    def _counted(self) -> tuple[int, int | None]:
        least = self._count()
        if self._take("}"):
            return least, least
        if not self._take(","):
            raise PatternFault("正则的次数写作 {3}、{1,} 或 {1,3}")
        if self._take("}"):
            return least, None
        most = self._count()
        if not self._take("}") or most < least:
            raise PatternFault("正则的次数写作 {3}、{1,} 或 {1,3}，前小后大")
        return least, most

    def _count(self) -> int:
        digits = ""
        while self._peek() in tuple("0123456789"):
            digits += self._next()
        if not digits or len(digits) > 3 or int(digits) > REPEATS_MAX:
            raise PatternFault(f"正则的次数是 0 到 {REPEATS_MAX} 的整数")
        return int(digits)

    def _single(self) -> _Piece:
        char = self._next()
        match char:
            case ".":
                return _ANY
            case "[":
                return self._class()
            case "(":
                return self._group()
            case "\\":
                return self._escaped()
            case "^" | "$":
                raise PatternFault(f"“{char}” 只能在正则的两端；matches 总是匹配全文")
            case _ if char in _SPECIAL:
                raise PatternFault(f"“{char}” 前面没有可重复的内容")
            case _:
                return _OneOf(ranges=((char, char),))

    def _group(self) -> _Piece:
        if self._peek() == "?" and not self._take("?:"):
            raise PatternFault("正则不支持 (?…)：没有前后查找，也没有标志")
        self.deep += 1
        if self.deep > GROUPS_DEEP_MAX:
            raise PatternFault(f"正则的括号超过 {GROUPS_DEEP_MAX} 层")
        piece = self._either()
        if not self._take(")"):
            raise PatternFault("正则缺少 “)”")
        self.deep -= 1
        return piece

    def _escaped(self) -> _OneOf:
        char = self._next()
        if char in _CLASSES:
            return _CLASSES[char]
        if char in _CONTROLS:
            return _OneOf(ranges=((_CONTROLS[char], _CONTROLS[char]),))
        if char.isalnum():
            raise PatternFault(f"正则不支持 “\\{char}”")
        return _OneOf(ranges=((char, char),))

    def _class(self) -> _OneOf:
        negated = self._take("^")
        ranges: list[tuple[str, str]] = []
        classes: list[Callable[[str], bool]] = []
        while not self._take("]"):
            member = self._member()
            if isinstance(member, str):
                ranges.append((member, self._range_end(member)))
            else:
                classes.append(member.admits)
        if not ranges and not classes:
            raise PatternFault("正则的 [ ] 是空的")
        return _OneOf(ranges=tuple(ranges), classes=tuple(classes), negated=negated)

    def _member(self) -> str | _OneOf:
        """One character of a class, or all those of an escape such as `\\d`."""
        char = self._next()
        if char != "\\":
            return char
        escaped = self._escaped()
        return escaped.ranges[0][0] if escaped not in _CLASSES.values() else escaped

    def _range_end(self, low: str) -> str:
        if self._peek() != "-" or self.source[self.at + 1 : self.at + 2] in ("]", ""):
            return low
        self.at += 1
        high = self._member()
        if not isinstance(high, str) or high < low:
            raise PatternFault("正则的范围写作 [a-z]，前小后大")
        return high


class _Machine:
    """Writes a pattern out as states, from its end to its beginning."""

    def __init__(self) -> None:
        self.steps: list[_OneOf] = []
        self.after: list[frozenset[int]] = []
        self.built = 0
        self.loops = 0

    def build(self, piece: _Piece, then: frozenset[int]) -> frozenset[int]:
        """The states in which `piece` begins, when `then` are those that follow it."""
        self.built += 1
        if self.built > BUILT_MAX:
            raise PatternFault("正则展开后太大")
        match piece:
            case _OneOf():
                return self._state(piece, then)
            case _Series(pieces=pieces):
                for part in reversed(pieces):
                    then = self.build(part, then)
                return then
            case _Either(ways=ways):
                return frozenset[int]().union(*(self.build(way, then) for way in ways))
            case _Repeated():
                return self._repeat(piece, then)
            case _:
                assert_never(piece)

    def _state(self, step: _OneOf, then: frozenset[int]) -> frozenset[int]:
        if len(self.steps) == STATES_MAX:
            raise PatternFault(f"正则展开后超过 {STATES_MAX} 个字符")
        self.steps.append(step)
        self.after.append(then)
        return frozenset({len(self.steps) - 1})

    def _repeat(self, repeated: _Repeated, then: frozenset[int]) -> frozenset[int]:
        if repeated.most is None:
            begin = self._loop(repeated.piece, then)
        else:
            begin = then
            for _ in range(repeated.most - repeated.least):
                begin = self.build(repeated.piece, begin) | then
        for _ in range(repeated.least):
            begin = self.build(repeated.piece, begin)
        return begin

    def _loop(self, piece: _Piece, then: frozenset[int]) -> frozenset[int]:
        # The loop leads back to states that are not made yet: a mark stands for them until they are.
        self.loops += 1
        mark = _FINAL - self.loops
        first = len(self.after)
        begin = (self.build(piece, then | {mark}) | then) - {mark}
        for state in range(first, len(self.after)):
            if mark in self.after[state]:
                self.after[state] = (self.after[state] - {mark}) | begin
        return begin
