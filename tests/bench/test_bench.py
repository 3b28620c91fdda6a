"""The harness itself: what voids a run, what a floor may import, and what the report says. No figure is judged here."""

import ast
import json
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.bench import dispatch, event, outside, processes, report, workload
from tests.bench.__main__ import arguments as options_of
from tests.bench.__main__ import main, settings_of
from tests.bench.machine import Load
from tests.bench.report import Report
from tests.bench.settings import Settings
from tests.contract.product_rig import product

BENCH = Path(__file__).parent
ROOT = BENCH.parents[1]
KEYS = {"name", "ratio", "floor", "base", "measured", "unit", "runs", "settings", "machine", "void_reason"}


def imported(file: Path) -> Iterator[str]:
    """Every module that a file names in an import, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a floor imports by whole names, so that this test can follow them"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reached(file: Path) -> set[str]:
    """What a file imports, and what the files of the bench that it imports do."""
    found: set[str] = set()
    waiting = [file]
    while waiting:
        for name in imported(waiting.pop()):
            ours = ROOT.joinpath(*name.split(".")).with_suffix(".py")
            if name not in found and name.startswith("tests.") and ours.is_file():
                waiting.append(ours)
            found.add(name)
    return found


@pytest.mark.parametrize("folder", ["floors", "load"])
def test_floors_and_loads_import_nothing_of_the_product(folder: str) -> None:
    files = sorted((BENCH / folder).glob("*.py"))
    assert len(files) > 1
    assert [(file.name, name) for file in files for name in reached(file) if name.split(".")[0] == "bot"] == []


def test_the_search_for_imports_follows_the_files_of_the_bench() -> None:
    assert "bot.app.composition" in reached(BENCH / "stage.py")
    assert "cryptography.hazmat.primitives.ciphers" in reached(BENCH / "floors" / "servers.py")
    assert "bot.app.composition" in reached(BENCH / "stepping.py")


def test_the_reader_from_outside_imports_nothing_of_the_product() -> None:
    assert {name.split(".")[0] for name in reached(BENCH / "outside.py")} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("hour", [2, 15])
@pytest.mark.parametrize("script", workload.SCRIPTS, ids=[script.name for script in workload.SCRIPTS])
async def test_the_numbers_of_a_script_are_those_of_the_journey(
    tmp_path: Path, script: workload.Script, hour: int
) -> None:
    at = datetime(2025, 10, 9, hour, tzinfo=UTC)
    async with product(tmp_path, at=at) as ours:
        for place, line in enumerate(script.lines, start=1):
            await (ours.does("follow") if line == workload.FOLLOW else ours.says(line))
            timers = ours.count("timers")
            assert workload.Owed(outbox=ours.count("outbox", "customer_id > 0"), timers=timers) == script.owed[place]


def test_the_mix_sends_every_line_of_every_buyer_once_and_in_order() -> None:
    said: dict[int, list[int]] = {}
    for act in workload.acts(range(5, 105), gap=7):
        said.setdefault(act.buyer, []).append(act.place)
    assert said == {buyer: [*range(len(workload.script_of(buyer).lines))] for buyer in range(5, 105)}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[event.Outcome, Path]:
    """One short run of the product: loaded, killed, started again, counted."""
    directory = tmp_path_factory.mktemp("bench")
    settings = Settings(directory=directory, rounds=1, seconds=1.0, warm_up_s=0.0, connections=4)
    return event.product_run(settings, "only", rate=20.0), directory / "only" / "zhitu.db"


def test_a_run_that_lost_nothing_differs_in_nothing(outcome: tuple[event.Outcome, Path]) -> None:
    run = outcome[0]
    assert run.differences == []
    assert run.run["counted"]["taken"] == run.run["result"]["answered"] > 0
    assert run.run["pragmas"]["synchronous"] == 2


@pytest.mark.parametrize("table", ["inbox", "outbox", "journal", "timers", "customers"])
def test_one_row_too_few_anywhere_is_a_difference(
    outcome: tuple[event.Outcome, Path], tmp_path: Path, table: str
) -> None:
    tampered = tmp_path / "zhitu.db"
    shutil.copy(outcome[1], tampered)
    with sqlite3.connect(tampered) as connection:
        connection.execute(f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
    connection.close()
    assert event.differences(outside.count(tampered), outcome[0].run["owed"]) != []


def test_an_event_that_was_not_stepped_is_a_difference(outcome: tuple[event.Outcome, Path], tmp_path: Path) -> None:
    tampered = tmp_path / "zhitu.db"
    shutil.copy(outcome[1], tampered)
    with sqlite3.connect(tampered) as connection:
        connection.execute("UPDATE inbox SET consumed_at = NULL WHERE seq = 1")
    connection.close()
    (difference,) = event.differences(outside.count(tampered), outcome[0].run["owed"])
    assert difference.startswith("consumed: ")


def test_the_raw_floor_writes_the_rows_of_a_real_run(outcome: tuple[event.Outcome, Path], tmp_path: Path) -> None:
    told = event.raw(Settings(directory=tmp_path), outcome[1], "raw")
    before, after = outside.count(outcome[1]), outside.count(tmp_path / "raw" / "raw.db")
    assert after == before
    assert told["events"] == before.taken and told["synchronous"] == 2


def test_a_message_that_came_twice_without_a_reason_is_a_difference() -> None:

    assert dispatch.differences({"sending": 1}, {"sent": 2}, Counter({"a": 2, "b": 1})) == []
    assert dispatch.differences({"sending": 0}, {"sent": 2}, Counter({"a": 2, "b": 1})) != []
    assert dispatch.differences({"sending": 1}, {"sent": 2}, Counter({"a": 1})) != []
    assert dispatch.differences({}, {"sent": 1, "ready": 1}, Counter({"a": 1, "b": 1})) != []


def whole() -> Report:
    """A report in which nothing voids the figure."""
    found = Report(name="event", unit="events/s", goal="> 0", ratio=1.0)
    found.settings = {"rounds": 5, "seconds": 30.0, "warm_up_s": 5.0}
    found.machine = {"file_system": "ext4"}
    return found


def test_a_whole_report_is_valid_and_has_every_key() -> None:
    found = whole()
    found.judge_settings()
    found.judge_load({"foreign_cpu": 0.1, "client_cpu": 0.9})
    told = json.loads(found.as_json())
    assert told.keys() >= KEYS
    assert told["void_reason"] is None


@pytest.mark.parametrize(
    ("settings", "machine", "run"),
    [
        ({"rounds": 4}, {}, {}),
        ({"seconds": 29.0}, {}, {}),
        ({"warm_up_s": 1.0}, {}, {}),
        ({}, {"file_system": "tmpfs"}, {}),
        ({}, {}, {"foreign_cpu": 0.11}),
        ({}, {}, {"client_cpu": 0.91}),
    ],
)
def test_a_run_against_the_rules_is_void_and_says_why(
    settings: dict[str, float], machine: dict[str, str], run: dict[str, float]
) -> None:
    found = whole()
    found.settings |= settings
    found.machine |= machine
    found.judge_settings()
    found.judge_load(run)
    assert json.loads(found.as_json())["void_reason"]


def test_the_processor_time_of_others_is_what_is_not_ours() -> None:
    before = Load(busy_s=10.0, total_s=100.0, ours_s=5.0)
    after = Load(busy_s=16.0, total_s=120.0, ours_s=9.0)
    assert after.foreign_since(before) == pytest.approx(0.1)


def test_a_quick_try_is_always_void() -> None:
    settings = settings_of(options_of(["event", "--quick"]), Path("x"))
    assert settings.rounds < report.ROUNDS_MIN and settings.seconds < report.SECONDS_MIN


def test_the_command_prints_one_object_writes_it_and_exits_with_one_when_void(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--json", "--rounds", "1", "--seconds", "0.05", "--work", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(["step", *options]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told.keys() >= KEYS
    assert told["name"] == "step" and "only 1 rounds" in told["void_reason"]
    assert told["ratio"] > 0 and told["measured"]["guard_us"] > 0
    assert json.loads((tmp_path / "out" / "step.json").read_text(encoding="utf-8")) == told


def test_an_installed_package_says_that_benchmarks_need_a_checkout(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "bot", tmp_path / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "bot", "bench", "event"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "要在源码目录里做" in done.stderr and "uv run zhitu bench" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_options_of_the_command_belong_to_the_harness() -> None:
    command = [sys.executable, "-m", "bot", "bench", "event", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "--quick" in done.stdout
    assert processes.ROOT == ROOT
