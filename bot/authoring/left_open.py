"""Quotes and brackets that nobody closed, found where they open: a parser notices them only many lines below."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_QUOTES, _CLOSING = "\"'", {"[": "]", "{": "}"}
_CLOSED_BY = {close: open_ for open_, close in _CLOSING.items()}
_BEFORE_VALUE = ":-[{,"
"""What stands before a quote or bracket that begins a value, or nothing; behind anything else it is part of a text."""
_CHAINED = re.compile(r"[ ]*(?:-[ ]+)*")
_NEXT_KEY = re.compile(r"[ ]*(?:-(?:[ ]|$)|[^\s\"'\[\]{}#,][^\"'\[\]{}#,]*:(?:[ ]|$))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A quote or bracket `mark` left open at `line` and `column`, both from 1."""

    line: int
    column: int
    mark: str

    @property
    def closing(self) -> str:
        """What has to be added."""
        return _CLOSING.get(self.mark, self.mark)


def first_left_open(lines: Sequence[str], *, first: int, last: int) -> Open | None:
    """The first mark in lines `first` to `last` (from 1) that stays open where its value ends; None: each is closed.

    A value ends where the next line begins a key or an entry that is indented no deeper. One that goes on over several
    lines is therefore left alone.
    """
    for number in range(first, min(last, len(lines)) + 1):
        line = lines[number - 1]
        found = _open_at_end(line)
        if found is not None and _ends_here(line, lines[number:]):
            return Open(line=number, column=found + 1, mark=line[found])
    return None


def _open_at_end(line: str) -> int | None:
    """Where in `line` the mark stands that is still open at its end; the quote, else the innermost bracket."""
    opened: list[int] = []
    quote, before, sign = -1, " ", ""
    for at, char in enumerate(line):
        if quote >= 0:
            escaped = before == "\\" and line[quote] == '"'
            quote = -1 if char == line[quote] and not escaped else quote
        elif char == "#" and before == " ":
            break
        elif char in _QUOTES and sign in _BEFORE_VALUE:
            quote = at
        elif char in _CLOSING and (opened or sign in _BEFORE_VALUE):
            opened.append(at)
        elif opened and line[opened[-1]] == _CLOSED_BY.get(char):
            opened.pop()
        before, sign = char, sign if char == " " else char
    return quote if quote >= 0 else opened[-1] if opened else None


def _ends_here(line: str, following: Sequence[str]) -> bool:
    after = next((one for one in following if one.strip() and not one.lstrip().startswith("#")), None)
    if after is None:
        return True
    indent, deeper = _CHAINED.match(line), len(after) - len(after.lstrip(" "))
    assert indent is not None, "it takes nothing as well"
    return _NEXT_KEY.match(after) is not None and deeper <= indent.end()
