"""The tests that come with the product's journeys, and the one in the page for marketers."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.authoring import Loaded, LoadedTrials, load, load_trials
from bot.authoring.trials import TrialFile
from bot.core.program import compile_library
from bot.sandbox.trials.run import Outcome, play_all
from bot.sandbox.trials.ways import ways_of

ROOT = Path(__file__).parents[2]
DEAD_WAYS = {"test-drive": {"before.events[1]"}}
"""A goal with `exit` is looked at before what the state hears, so that nobody ever leaves by this reaction."""


@pytest.fixture(scope="module")
def shipped() -> Loaded:
    return load(ROOT / "journeys", ROOT / "content", templates=None)


@pytest.fixture(scope="module")
def trials(shipped: Loaded) -> LoadedTrials:
    return load_trials(ROOT / "journeys", shipped.drafts)


def played(shipped: Loaded, files: Sequence[TrialFile]) -> Outcome:
    assert shipped.library is not None
    return play_all(compile_library(shipped.library), files)


def test_nothing_is_wrong_with_the_files(trials: LoadedTrials) -> None:
    assert [(one.file, one.line, one.message) for one in trials.diagnostics] == []


def test_they_pass_and_cover_every_state_every_way_and_every_guard(shipped: Loaded, trials: LoadedTrials) -> None:
    outcome = played(shipped, trials.files)
    failed = [(case.name, case.variant, case.failures) for report in outcome.reports for case in report.cases]
    assert [one for one in failed if one[2]] == []
    for name, coverage in outcome.coverage.items():
        assert set(coverage.missing()) == DEAD_WAYS.get(name, set())


def test_every_journey_that_comes_with_the_product_has_tests(shipped: Loaded, trials: LoadedTrials) -> None:
    own = {path.stem for path in (ROOT / "journeys").glob("*.yaml") if not path.name.startswith("_")}
    assert own == {file.journey for file in trials.files}
    assert shipped.library is not None
    assert DEAD_WAYS["test-drive"] < {way.name for way in ways_of(shipped.library.journeys["test-drive"])}


def test_the_test_in_the_page_for_marketers_passes(shipped: Loaded, tmp_path: Path) -> None:
    page = (ROOT / "journeys" / "README.md").read_text(encoding="utf-8")
    (text,) = [one for one in re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL) if "\ntests:" in one]
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "page.test.yaml").write_text(text, encoding="utf-8")
    page_trials = load_trials(tmp_path, shipped.drafts)
    assert page_trials.diagnostics == ()
    assert played(shipped, page_trials.files).failed == 0
