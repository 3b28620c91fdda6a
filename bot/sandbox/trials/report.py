"""What became of the tests: for people, for programs, for build servers (JUnit). Source: journey-language.md 5.1."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Any  # Any: JSON of any form

from rich.cells import cell_len

from bot.sandbox.trials.coverage import Coverage
from bot.sandbox.trials.play import Failure
from bot.sandbox.trials.run import Case, Outcome, Report

FAILURES_SHOWN = 20
"""Failed cases of one file that are told whole; of further ones only the number."""
MISSING_SHOWN = 12
_NAME_CELLS = 22


def as_text(outcome: Outcome) -> str:
    """A line for each file, its failures below it, and what was covered."""
    lines = [line for report in outcome.reports for line in _file(report)]
    lines += ["", *(line for name, coverage in outcome.coverage.items() for line in covered(name, coverage))]
    total = sum(len(report.cases) for report in outcome.reports)
    tests = sum(report.tests for report in outcome.reports)
    took_s = sum(report.took_s for report in outcome.reports)
    verdict = f"✗ {outcome.failed} 个没有通过" if outcome.failed else "✓ 全部通过"
    return "\n".join([*lines, "", f"{tests} 个测试，{total} 种情形：{verdict}    {took_s:.2f} s"]) + "\n"


def _file(report: Report) -> Iterator[str]:
    passed = len(report.cases) - report.failed
    failed = f"  ✗ {report.failed}" if report.failed else ""
    name = report.file.file.rpartition("/")[2].removesuffix(".test.yaml")
    counted = _padded(f"{report.tests} 个测试，{len(report.cases)} 种情形")
    yield f"{_padded(name)}  {counted}  ✓ {passed}{failed}    {report.took_s:.2f} s"
    broken = [case for case in report.cases if not case.passed]
    for case in broken[:FAILURES_SHOWN]:
        yield from _case(report, case)
    if len(broken) > FAILURES_SHOWN:
        yield f"  … 还有 {len(broken) - FAILURES_SHOWN} 种情形没有通过"


def _padded(name: str) -> str:
    return name + " " * max(0, _NAME_CELLS - cell_len(name))


def _case(report: Report, case: Case) -> Iterator[str]:
    for failure in case.failures[:FAILURES_SHOWN]:
        yield f"  ✗ {title_of(case)}  {place_of(report, failure)}"
        yield f"    {failure.text}"
        yield from (f"      {line}" for line in failure.details)


def title_of(case: Case) -> str:
    """The name of the test, with what it was played for."""
    return f"{case.name} [{case.variant}]" if case.variant else case.name


def place_of(report: Report, failure: Failure) -> str:
    """`file:line:column`."""
    return f"{report.file.file}:{failure.span.line}:{failure.span.column}"


def covered(name: str, coverage: Coverage) -> Iterator[str]:
    """What the tests have seen of a journey, and what not."""
    missing = list(coverage.missing())
    states = f"状态 {len(coverage.states & coverage.journey.states.keys())}/{len(coverage.journey.states)}"
    ways = f"转移 {len(coverage.taken)}/{len(coverage.ways)}"
    guards = f"守卫真/假 {coverage.outcomes}/{2 * len(coverage.questions)}"
    told = "、".join(missing[:MISSING_SHOWN]) + ("…" if len(missing) > MISSING_SHOWN else "")
    yield f"覆盖 {name}: {states}  {ways}  {guards}" + (f"   未覆盖: {told}" if missing else "")


def as_json(outcome: Outcome) -> dict[str, Any]:  # Any: as above
    """The same for programs."""
    return {
        "failed": outcome.failed,
        "files": [
            {
                "file": report.file.file,
                "journey": report.file.journey,
                "tests": report.tests,
                "cases": [_case_json(report, case) for case in report.cases],
            }
            for report in outcome.reports
        ],
        "coverage": {name: _coverage_json(one) for name, one in outcome.coverage.items()},
    }


def _case_json(report: Report, case: Case) -> dict[str, Any]:  # Any: as above
    return {
        "name": case.name,
        "variant": case.variant,
        "line": case.span.line,
        "passed": case.passed,
        "plays": case.plays,
        "took_s": round(case.took_s, 6),
        "failures": [
            {
                "text": failure.text,
                "line": failure.span.line,
                "column": failure.span.column,
                "details": list(failure.details),
            }
            for failure in case.failures
        ],
    }


def _coverage_json(coverage: Coverage) -> dict[str, Any]:  # Any: as above
    return {
        "states": [len(coverage.states & coverage.journey.states.keys()), len(coverage.journey.states)],
        "transitions": [len(coverage.taken), len(coverage.ways)],
        "guards": [coverage.outcomes, 2 * len(coverage.questions)],
        "missing": list(coverage.missing()),
    }


def as_junit(outcome: Outcome) -> bytes:
    """An XML document as build servers read it: a suite for each file, a case for each case."""
    suites = ElementTree.Element("testsuites", name="zhitu test")
    for report in outcome.reports:
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=report.file.file,
            tests=str(len(report.cases)),
            failures=str(report.failed),
            errors="0",
            time=f"{report.took_s:.3f}",
        )
        for case in report.cases:
            _junit_case(suite, report, case)
    document: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    return document


def _junit_case(suite: ElementTree.Element, report: Report, case: Case) -> None:
    element = ElementTree.SubElement(
        suite,
        "testcase",
        name=_legal(title_of(case)),
        classname=report.file.journey,
        file=report.file.file,
        line=str(case.span.line),
        time=f"{case.took_s:.3f}",
    )
    for failure in case.failures:
        told = ElementTree.SubElement(element, "failure", message=_legal(failure.text))
        told.text = _legal("\n".join([place_of(report, failure), failure.text, *failure.details]))


def _legal(text: str) -> str:
    """`text` without what no XML document may hold."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)
