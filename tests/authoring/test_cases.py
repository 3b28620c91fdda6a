"""One firing case and one near miss for every rule, with the report as a marketer sees it, places and all."""

import re
from collections.abc import Callable

import pytest

from bot.authoring import RULES, Loaded, as_text

from .casefiles import HERE, Check, files_of, text_of

Fired = Callable[[str], Loaded]

CASES = HERE / "cases"
FIRING = sorted(path.stem for path in (CASES / "err").glob("*.yaml"))
NEAR_MISSES = sorted(path.stem for path in (CASES / "ok").glob("*.yaml"))


def _rule(case: str) -> str:
    return case.partition("-")[0]


@pytest.mark.parametrize("case", FIRING)
def test_a_rule_fires_at_the_place_that_is_wrong_and_says_how_to_mend_it(case: str, fired: Fired) -> None:
    loaded = fired(case)
    expected = (CASES / "err" / f"{case}.out").read_text(encoding="utf-8")
    assert as_text(loaded.diagnostics) == expected
    assert f"[{_rule(case)}]" in expected


@pytest.mark.parametrize("case", NEAR_MISSES)
def test_a_near_miss_is_left_alone(case: str, check: Check) -> None:
    text = (CASES / "ok" / f"{case}.yaml").read_text(encoding="utf-8")
    loaded = check(files_of(text))
    assert [(one.rule, one.line, one.message) for one in loaded.diagnostics] == []
    assert loaded.library is not None


def test_every_rule_has_a_firing_case_and_a_near_miss() -> None:
    assert {_rule(case) for case in FIRING} == set(RULES)
    assert {_rule(case) for case in NEAR_MISSES} >= set(RULES) - {"J018", "J090"}


@pytest.mark.parametrize("case", FIRING)
def test_an_error_leaves_no_library_and_a_warning_does(case: str, fired: Fired) -> None:
    loaded = fired(case)
    broken = any(one.severity == "error" for one in loaded.diagnostics)
    assert (loaded.library is None) == broken


@pytest.mark.parametrize("case", FIRING)
def test_every_place_lies_in_its_file(case: str, fired: Fired) -> None:
    files = files_of(text_of(case))
    for one in fired(case).diagnostics:
        assert one.line >= 1
        assert 1 <= one.column < one.end_column
        if one.excerpt and one.file in files:
            assert one.excerpt in re.split("\r\n|[\n\r\x85\u2028\u2029]", files[one.file])
