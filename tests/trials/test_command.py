"""`zhitu test`, `zhitu paths`, and what `zhitu check` says of tests: options in, exit codes out."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from bot.cli import main

from .stage import build, of_steps

CONFIG = '[channels.oa.main.templates]\n"进度" = ""\n'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a world, a configuration and one test that passes."""
    build(tmp_path)
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "journeys" / "tests").mkdir()
    write(tmp_path, "event: oa.follow\nexpect: {state: want}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(place: Path, steps: str) -> None:
    (place / "journeys" / "tests" / "round.test.yaml").write_text(of_steps(steps), encoding="utf-8")


def code_of(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return int(end.value.code or 0)


def test_tests_that_pass_end_with_0(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("test") == 0
    assert "1 个测试，1 种情形：✓ 全部通过" in capsys.readouterr().out


def test_a_test_that_fails_ends_with_1_and_is_written_for_build_servers(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(place, "event: oa.follow\nexpect: {state: bye}")
    assert code_of("test", "round", "--junit", "report.xml") == 1
    assert "journeys/tests/round.test.yaml:6:18\n    期望 state bye，实际 want" in capsys.readouterr().out
    assert ElementTree.parse(place / "report.xml").getroot()[0].get("failures") == "1"


def test_programs_get_json(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("test", "--json") == 0
    assert json.loads(capsys.readouterr().out)["failed"] == 0


def test_a_slip_in_a_test_file_ends_with_1_and_check_tells_it_too(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(place, "event: oa.follow\nexpect: {stat: bye}")
    for command in ("test", "check"):
        assert code_of(command) == 1
        assert "round.test.yaml:6:18: error[J006]: 未知的键 “stat”，是否指 “state”？" in capsys.readouterr().out


def test_nothing_to_test_ends_with_2(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("test", "没有这个") == 2
    assert "没有叫 “没有这个” 的旅程、测试文件或测试" in capsys.readouterr().err
    (place / "journeys" / "tests" / "round.test.yaml").unlink()
    assert code_of("test") == 2


def test_paths_lead_to_a_state(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("paths", "round", "--to", "phone") == 0
    assert capsys.readouterr().out == "greet → want → route —branch.else→ agree → phone\n"
    assert code_of("paths", "round", "--to", "nowhere") == 2
    assert code_of("paths", "rond", "--to", "phone") == 2
