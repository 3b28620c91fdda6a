"""The slips of the pen that YAML misreads or reports unhelpfully, said in plain words. Rules J003, J004, J005, J013."""

import re

import yaml

from bot.authoring.diagnostics import Findings
from bot.authoring.left_open import first_left_open
from bot.authoring.nodes import Entry, Scalar
from bot.authoring.source import Source, Span
from bot.authoring.trial_keys import EVERY_KEY
from bot.authoring.vocabulary import EXPRESSION_KEYS

_WIDE_KEY = re.compile(r"(?:^|[\s{,])(-?[a-z_]{2,20})\s?：\s*")
_LOOK_BACK_LINES = 3
"""libyaml notices a missing colon only when it has read on; the slip is at most this far above."""
_BEGUN = (
    "while scanning a quoted scalar",
    "while scanning a simple key",
    "while parsing a flow mapping",
    "while parsing a flow sequence",
)
_LEFT_OPEN = {
    '"': ("引号", "后引号"),
    "'": ("引号", "后引号"),
    "[": ("方括号", "后方括号"),
    "{": ("花括号", "后花括号"),
}
_MUST_QUOTE = "@`%*&!|>"
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"), ("【", "】"))


def report(error: yaml.MarkedYAMLError, source: Source, findings: Findings) -> None:
    """Say what `error` of libyaml means to a marketer."""
    mark = error.problem_mark or error.context_mark
    begun = error.context_mark
    if mark and begun and begun.line < mark.line and error.context in _BEGUN:
        mark = begun  # what was never closed is at fault, not the line where that shows
    if mark is None:
        findings.add("J013", _at(1, 1, 1), "文件不是合法的 YAML")
        return
    line, column = min(mark.line + 1, len(source.lines)), mark.column + 1
    if _left_open(line, source, findings):
        return
    if _wide_colon_near(line, source, findings) or _special_start(error, source, findings):
        return
    if error.context == "while parsing a flow mapping" and _holds_expression(source.line(line)):
        findings.add(
            "J004",
            _at(line, column, 1),
            "花括号内的表达式含逗号、方括号或花括号，被拆开了",
            help='给表达式加引号，或换行写：when: "value in [1, 2]"',
        )
        return
    what, help = _plain_words(str(error.problem))
    findings.add("J013", _at(line, column, 1), what, help=help)


def _left_open(last: int, source: Source, findings: Findings) -> bool:
    found = first_left_open(source.lines, first=1, last=last)
    if found is None:
        return False
    what, name = _LEFT_OPEN[found.mark]
    help = f"在这个值的末尾补上{name} {found.closing}"
    findings.add("J013", _at(found.line, found.column, 1), f"{what}没有成对：从这里打开，没有收住", help=help)
    return True


def _at(line: int, column: int, length: int) -> Span:
    return Span(line=line, column=column, end_line=line, end_column=column + length)


def _holds_expression(line: str) -> bool:
    return any(re.search(rf"\b{key}\s*:", line) for key in EXPRESSION_KEYS)


def _wide_colon_near(line: int, source: Source, findings: Findings) -> bool:
    for number in range(max(1, line - _LOOK_BACK_LINES), line + 1):
        text = source.line(number).split(" #")[0]
        found = _WIDE_KEY.search(text)
        if found and found.group(1) in EVERY_KEY:
            _wide_colon(found, text[found.end() :], _at(number, found.start(1) + 1, len(found.group(1)) + 1), findings)
            return True
    return False


def _wide_colon(found: re.Match[str], rest: str, span: Span, findings: Findings) -> None:
    right = f"{found.group(1)}: {rest.strip()}".strip()
    findings.add("J003", span, "这里用了全角冒号 “：”，它不能分开键和值", help=f"改为 “{right}”")


def _special_start(error: yaml.MarkedYAMLError, source: Source, findings: Findings) -> bool:
    mark = error.problem_mark
    if error.context == "while scanning an alias":
        mark = error.context_mark or mark
    if mark is None:
        return False
    line, column = mark.line + 1, mark.column + 1
    text = source.line(line)
    starts = [place for place in (column, column - 1) if 0 < place <= len(text) and text[place - 1] in _MUST_QUOTE]
    if not starts:
        return False
    rest = text[starts[0] - 1 :].split(" #")[0].rstrip()
    findings.add(
        "J005", _at(line, starts[0], max(len(rest), 1)), f"文字以 “{rest[:1]}” 开头，需要加引号", help=f'写成 "{rest}"'
    )
    return True


def _plain_words(problem: str) -> tuple[str, str]:
    """What libyaml's `problem` means, and what to do."""
    match problem:
        case "could not find expected ':'":
            return "这一行少了英文冒号，或冒号后面没有空格", "每一行写成 “键: 值”，冒号后有一个空格"
        case "mapping values are not allowed in this context":
            return "这里不能再出现 “键: 值”", "检查缩进；如果冒号属于文字，给整段文字加引号"
        case "found unexpected end of stream":
            return "引号没有成对", "补上后引号"
        case "did not find expected ',' or '}'":
            return "花括号里少了逗号或后花括号", "含逗号、方括号、花括号的值要加引号"
        case "did not find expected ',' or ']'":
            return "方括号里少了逗号或后方括号", "含逗号、方括号、花括号的值要加引号"
        case "did not find expected key" | "did not find expected '-' indicator":
            return "缩进与上面几行对不齐", "同一层的键从同一列开始"
        case _:
            return "这里不是合法的 YAML", "检查缩进、引号和冒号"


def mended(entries: list[Entry], findings: Findings) -> tuple[Entry, ...]:
    """`entries` as they were meant: each slip is reported, and put right so that it causes no further findings."""
    kept: list[Entry] = []
    torn: set[str] = set()
    for entry in entries:
        if _is_torn(entry, kept):
            before = kept.pop()
            # A list in full-width brackets is told by whoever reads the list.
            if before.key.text not in torn and not _in_wide_brackets(before):
                _tear(before, entry, findings)
            torn.add(before.key.text)
            kept.append(_joined(before, entry))
        else:
            kept.append(_narrowed(entry, findings))
    return tuple(kept)


def _narrowed(entry: Entry, findings: Findings) -> Entry:
    """`{goto： b}` gives the key `goto： b` with nothing."""
    found = _WIDE_KEY.match(entry.key.text)
    if not found or found.group(1) not in EVERY_KEY or not entry.key.plain:
        return entry
    rest = entry.key.text[found.end() :]
    _wide_colon(found, rest, entry.key.span, findings)
    value = Scalar(text=rest, span=entry.key.span) if rest else entry.value
    return Entry(key=Scalar(text=found.group(1), span=entry.key.span), value=value)


def wide_colon_in(scalar: Scalar, findings: Findings) -> bool:
    """Whether `scalar` is, or has swallowed, a line whose colon is full width; reported if so."""
    several_lines = scalar.span.end_line > scalar.span.line
    found = (_WIDE_KEY.search if several_lines else _WIDE_KEY.match)(scalar.text) if scalar.plain else None
    if found is None or found.group(1) not in EVERY_KEY:
        return False
    _wide_colon(found, scalar.text[found.end() :], scalar.span, findings)
    return True


def _is_torn(entry: Entry, kept: list[Entry]) -> bool:
    """`{when: f(x, y), goto: b}` gives the keys `when` with `f(x` and `y)` with nothing."""
    before = kept[-1].value if kept else None
    if not (isinstance(entry.value, Scalar) and entry.value.empty and isinstance(before, Scalar) and before.plain):
        return False
    return any(before.text.count(left) > before.text.count(right) for left, right in _PAIRS)


def _in_wide_brackets(before: Entry) -> bool:
    return isinstance(before.value, Scalar) and before.value.text.startswith("【")


def _joined(before: Entry, entry: Entry) -> Entry:
    assert isinstance(before.value, Scalar), "only a text is torn"
    return Entry(key=before.key, value=Scalar(text=f"{before.value.text}, {entry.key.text}", span=before.value.span))


def _tear(before: Entry, entry: Entry, findings: Findings) -> None:
    assert isinstance(before.value, Scalar), "only a text is torn"
    first, second = f"{before.key.text}: {before.value.text}", entry.key.text
    message = f"花括号内的表达式含逗号，已被拆成两个键 “{first}” 和 “{second}”"
    findings.add("J004", before.value.span, message, help='给整个表达式加引号，例如 when: "f(x, y)"，或换行写')
