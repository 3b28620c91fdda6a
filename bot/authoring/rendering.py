"""Findings as people and programs read them. Source: journey-language.md 4.3."""

import json
from collections.abc import Sequence
from typing import Literal

from rich.cells import cell_len

from bot.authoring.diagnostics import Diagnostic
from bot.authoring.rulebook import Severity

Language = Literal["zh", "en"]

_HELP = {"zh": "修复", "en": "help"}
_COUNTS: dict[str, dict[Severity, str]] = {
    "zh": {"error": "个错误", "warning": "个警告", "info": "条说明"},
    "en": {"error": "error(s)", "warning": "warning(s)", "info": "note(s)"},
}
_CLEAN = {"zh": "没有发现问题", "en": "no findings"}
_FILES = {"zh": "（{} 个文件）", "en": " ({} file(s))"}
_COLOURS: dict[Severity, str] = {"error": "\033[31m", "warning": "\033[33m", "info": "\033[36m"}
_BOLD, _DIM, _PLAIN = "\033[1m", "\033[2m", "\033[0m"
_EXCERPT_CELLS_MAX = 110


def as_text(diagnostics: Sequence[Diagnostic], lang: Language = "zh", *, colour: bool = False) -> str:
    """The findings one below the other, each with its line of the file, and how many there are.

    `lang` is the language of the frame; what is wrong is said in Chinese. `colour` is for terminals.
    """
    blocks = [_block(one, lang, colour=colour) for one in diagnostics]
    return "\n\n".join([*blocks, _summary(diagnostics, lang)]) + "\n"


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """A JSON list of objects: rule, severity, file, line, column, end_column, message, help, dated."""
    rows = [
        {
            "rule": one.rule,
            "severity": one.severity,
            "file": one.file,
            "line": one.line,
            "column": one.column,
            "end_column": one.end_column,
            "message": one.message,
            "help": one.help,
            "dated": one.dated,
        }
        for one in diagnostics
    ]
    return json.dumps(rows, ensure_ascii=False, indent=2)


def _block(one: Diagnostic, lang: Language, *, colour: bool) -> str:
    paint = _COLOURS[one.severity] if colour else ""
    bold, dim, plain = (_BOLD, _DIM, _PLAIN) if colour else ("", "", "")
    place = f"{_printable(one.file)}:{one.line}:{one.column}"
    lines = [f"{bold}{place}{plain}: {paint}{one.severity}[{one.rule}]{plain}: {_one_line(one.message)}"]
    if one.excerpt.strip():
        text, before, width = _cut(one)
        number = str(one.line).rjust(5)
        lines.append(f"{dim}{number} │{plain} {text}")
        lines.append(f"{dim}      │{plain} {' ' * before}{paint}{'━' * width}{plain}")
    if one.help:
        lines.append(f"  {_HELP[lang]}  {_one_line(one.help)}")
    return "\n".join(lines)


def _one_line(text: str) -> str:
    return _printable(" ".join(text.split()))


def _printable(text: str) -> str:
    """`text` without what could steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def _cut(one: Diagnostic) -> tuple[str, int, int]:
    """The excerpt, short enough for a line, with the cells before the mark and under it: Chinese takes two."""
    text = _printable(one.excerpt)
    first, last = one.column - 1, max(one.end_column - 1, one.column)
    start = 0
    if cell_len(text[:last]) > _EXCERPT_CELLS_MAX:
        start = max(0, first - 20)
    shown = text[start:]
    while cell_len(shown) > _EXCERPT_CELLS_MAX:
        shown = shown[: max(1, len(shown) * _EXCERPT_CELLS_MAX // cell_len(shown) - 1)]
    before, marked = cell_len(text[start:first]), cell_len(text[first:last])
    if start:
        shown, before = f"…{shown}", before + cell_len("…")
    return shown, before, max(1, min(marked, _EXCERPT_CELLS_MAX - before))


def _summary(diagnostics: Sequence[Diagnostic], lang: Language) -> str:
    if not diagnostics:
        return _CLEAN[lang]
    severities: tuple[Severity, ...] = ("error", "warning", "info")
    counts = {severity: sum(one.severity == severity for one in diagnostics) for severity in severities}
    told = [f"{count} {_COUNTS[lang][severity]}" for severity, count in counts.items() if count]
    files = _FILES[lang].format(len({one.file for one in diagnostics}))
    return ("，" if lang == "zh" else ", ").join(told) + files
