"""A small run of `zhitu bench survive`: killed at labelled points and at random, cut off from power, and judged."""

import sqlite3
from pathlib import Path

import pytest

from tests.survival import power
from tests.survival.__main__ import arguments, main, shortfall, survive
from tests.survival.checker.judging import Verdict
from tests.survival.checker.report import as_text
from tests.survival.mines import POINTS
from tests.survival.plan import EACH_POINT_MIN, Options, plan

SMALL = Options(events=1_000, kills=9, cuts=3, seed=7, at_once=120)


def test_a_product_that_dies_again_and_again_loses_nothing_it_took_in_and_says_nothing_twice(tmp_path: Path) -> None:
    """Not every column is asked for here: a request that outlives its process may arrive late on a slow machine, and
    whoever writes every second may find her window used. `zhitu bench survive` tells all of them."""
    verdict, broken = survive(SMALL, tmp_path)
    assert broken == ""
    assert sum(verdict.deaths.values()) > 0
    assert (verdict.columns["lost in"], verdict.columns["duplicate"]) == (0, 0), as_text(verdict)


def test_a_whole_run_dies_at_every_labelled_point_often_enough_and_is_cut_off_fifty_times() -> None:
    blows = plan(Options())
    deaths = [blow.point for blow in blows if blow.kind == "mine"]
    assert {point: deaths.count(point) for point in POINTS} == dict.fromkeys(POINTS, EACH_POINT_MIN)
    assert sum(1 for blow in blows if blow.kind in ("mine", "kill")) == 100
    assert sum(1 for blow in blows if blow.kind == "cut") == 50


def test_the_same_seed_plans_the_same_blows() -> None:
    assert plan(Options(seed=3)) == plan(Options(seed=3))
    assert plan(Options(seed=3)) != plan(Options(seed=4))


def test_a_run_that_spared_the_product_proves_nothing() -> None:
    verdict = Verdict()
    verdict.deaths = {"mine C1": 5, "cut C2": 1}
    verdict.figures = {"events": 20_000.0}
    assert shortfall(Options(kills=8, cuts=1), verdict) == ["kills: 5 of 8 hit something"]


@pytest.mark.parametrize(
    ("figures", "why"),
    [
        ({"events": 19_999.0}, "events: 19999 of 20000 taken in"),
        ({"events": 20_000.0, "turned away": 300.0}, "300 events were never answered in time"),
        ({"events": 20_000.0, "platforms_standstill_s": 7.0}, "the platforms stood still for 7.0 s"),
    ],
)
def test_a_run_on_a_starved_machine_proves_nothing(figures: dict[str, float], why: str) -> None:
    verdict = Verdict()
    verdict.figures = figures
    (told,) = shortfall(Options(kills=0, cuts=0), verdict)
    assert told.startswith(why)


def test_a_run_is_never_written_over_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "platforms.jsonl").touch()
    assert main(["--work", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_options_without_a_value_are_those_of_the_record() -> None:
    given = arguments([])
    assert (given.events, given.kills, given.cuts) == (20_000, 100, 50)


def test_the_library_that_python_uses_is_found_or_refused_in_words() -> None:
    try:
        version = power.library().sqlite3_libversion().decode()
    except power.NoPowerSwitch as refused:
        version = str(refused)
    assert version == sqlite3.sqlite_version or "power cuts need" in version
