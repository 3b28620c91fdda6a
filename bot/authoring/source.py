"""Files as text with places in them."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

FILE_BYTES_MAX = 1_000_000
"""A larger file is not read: J015."""

# libyaml counts these as ends of lines, and so must every place that we name.
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a file: lines and columns from 1, in code points; the end is the first place after it.

    `origin`: empty, or the key under which `Findings.borrowed` keeps the other file that it lies in.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    origin: str = ""


START = Span(line=1, column=1, end_line=1, end_column=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The text of one file in NFC. `name` is the path as people shall read it."""

    name: str
    text: str
    lines: tuple[str, ...]

    def line(self, number: int) -> str:
        """Line `number` (from 1) without its end; empty beyond the last."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


class Unreadable(Exception):
    """The file gives no text; `rule` and `why` say what a marketer shall read."""

    def __init__(self, rule: str, why: str) -> None:
        super().__init__(why)
        self.rule = rule
        self.why = why


def source(name: str, text: str) -> Source:
    """`text` as a source called `name`."""
    composed = unicodedata.normalize("NFC", text)
    return Source(name=unicodedata.normalize("NFC", name), text=composed, lines=tuple(_LINE_END.split(composed)))


def read_source(path: Path) -> Source:
    """The file at `path`. Unreadable: too large, no UTF-8, or the system does not give it to us."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise Unreadable("J013", f"读不了这个文件：{error.strerror}") from error
    if len(raw) > FILE_BYTES_MAX:
        raise Unreadable("J015", f"文件超过 {FILE_BYTES_MAX // 1000} KB")
    try:
        return source(path.as_posix(), raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Unreadable("J013", f"第 {line} 行起不是 UTF-8 文字，请另存为 UTF-8") from error
