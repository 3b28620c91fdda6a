"""What is wrong with a file, where, and how to mend it; and the place where all of it is collected."""

from dataclasses import dataclass, field

from bot.authoring.rulebook import RULES, Severity
from bot.authoring.source import START, Source, Span

PER_FILE_MAX = 100
"""Findings of one file that are kept; the rest is counted, and a last finding (J015) says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding. Columns count code points from 1; `end_column` is the first one after it, on the same line.

    `excerpt` is the whole line, empty where no line can be shown. `dated`: the same files had it not on an earlier day,
    or will not have it on a later one.
    """

    rule: str
    severity: Severity
    file: str
    line: int
    column: int
    end_column: int
    message: str
    help: str = ""
    excerpt: str = ""
    dated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrowed:
    """Another file of which a part stands in this one. `user`: who put it there, as a marketer knows it."""

    source: Source
    user: str


@dataclass(slots=True, kw_only=True)
class Findings:
    """Collects the findings about one file. Equal findings at one place are kept once."""

    source: Source
    borrowed: dict[str, Borrowed] = field(default_factory=dict)
    found: dict[tuple[str, Span, str], Diagnostic] = field(default_factory=dict)
    left_out_count: int = 0

    def add(self, rule: str, span: Span, message: str, *, help: str = "", dated: bool = False) -> None:
        """Keep a finding of `rule`. KeyError: a rule that is not in the rule book."""
        severity = RULES[rule].severity
        if len(self.found) >= PER_FILE_MAX:
            self.left_out_count += 1
            return
        lender, source = self.borrowed.get(span.origin), self.source_at(span)
        excerpt = source.line(span.line)
        end_column = span.end_column if span.end_line == span.line else len(excerpt) + 1
        self.found[rule, span, message] = Diagnostic(
            rule=rule,
            severity=severity,
            file=source.name,
            line=span.line,
            column=span.column,
            end_column=max(end_column, span.column + 1),
            message=f"{message}（{lender.user}）" if lender else message,
            help=help,
            excerpt=excerpt,
            dated=dated,
        )

    def source_at(self, span: Span) -> Source:
        """The file in which `span` lies."""
        lender = self.borrowed.get(span.origin)
        return lender.source if lender else self.source

    def all(self) -> tuple[Diagnostic, ...]:
        """Every finding in the order of the file."""
        found = sorted(self.found.values(), key=_by_place)
        if self.left_out_count:
            found.append(loose("J015", self.source.name, f"这个文件还有 {self.left_out_count} 处问题没有列出"))
        return tuple(found)


def loose(rule: str, file: str, message: str, *, help: str = "") -> Diagnostic:
    """A finding about a file as a whole, or about one that is not there."""
    return Diagnostic(
        rule=rule,
        severity=RULES[rule].severity,
        file=file,
        line=START.line,
        column=START.column,
        end_column=START.end_column,
        message=message,
        help=help,
    )


def _by_place(one: Diagnostic) -> tuple[str, int, int, str]:
    return one.file, one.line, one.column, one.rule
