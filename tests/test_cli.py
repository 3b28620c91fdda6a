"""The command line as a person or a program meets it: what is printed where, and the exit code."""

import json
import os
import shutil
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from bot.cli import main
from bot.cli.failures import exit_code
from bot.cli.usage import in_chinese
from bot.errors import AuthoringError, ConfigError, OutOfDate

ROOT = Path(__file__).parents[1]

EVERY_YEAR = "dsl: 1\nyears:\n" + "".join(f"  {year}: {{off: []}}\n" for year in range(2020, 2100))
"""A table of holidays for any day on which these tests may run: without one `check` would warn (J413)."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with copies of the shipped files, and an environment without anything of ours."""
    for name in ("journeys", "content"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "config.toml", tmp_path)
    (tmp_path / "journeys" / "schema" / "holidays.yaml").write_text(EVERY_YEAR, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name in [name for name in os.environ if name.startswith(("ZHITU_", "OA_", "WECOM_"))]:
        monkeypatch.delenv(name)
    return tmp_path


def code_of(*arguments: str) -> int:
    """The exit code of `zhitu` with these arguments."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def break_journey(place: Path) -> None:
    journey = place / "journeys" / "oa-welcome.yaml"
    journey.write_text(journey.read_text(encoding="utf-8").replace("goto: sleep", "goto: slepp", 1), encoding="utf-8")


def test_the_module_and_the_command_tell_the_same_version() -> None:
    told = subprocess.run([sys.executable, "-m", "bot", "--version"], capture_output=True, text=True, check=True)
    assert told.stdout == f"zhitu {version('zhitu')}\n"


def test_without_a_command_the_help_lists_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of() == 2
    listed = capsys.readouterr().out
    assert [name for name in ("demo", "run", "talk", "check", "why", "migrate") if name not in listed] == []


def test_commands_that_are_not_built_do_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("simulate") == 2
    assert capsys.readouterr().err.startswith("错误：没有命令 simulate")


def test_the_shipped_journeys_are_clean_even_of_warnings(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("check", "--format", "json", "--fail-on", "warning") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_year_without_an_official_plan_is_a_warning_that_fails_no_build(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before: from 1 December on the same files failed `--fail-on warning`, and nobody could mend them."""
    unofficial = EVERY_YEAR.replace("{off: []}", "{off: [], official: false}")
    (place / "journeys" / "schema" / "holidays.yaml").write_text(unofficial, encoding="utf-8")
    assert code_of("check", "--format", "json", "--fail-on", "warning") == 0
    found = json.loads(capsys.readouterr().out)
    assert {(one["rule"], one["severity"], one["dated"]) for one in found} == {("J413", "warning", True)}
    assert code_of("check") == 0
    assert "warning[J413]" in capsys.readouterr().out


def test_a_warning_that_stands_in_the_files_fails_a_build_that_wants_none(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "content" / "nobody-says-it.md").write_text(
        "---\ncontent: nobody-says-it\nchannels: {oa: text}\n---\n没有人说\n", encoding="utf-8"
    )
    assert code_of("check", "--format", "json") == 0
    assert code_of("check", "--format", "json", "--fail-on", "warning") == 1
    assert '"J302"' in capsys.readouterr().out


def test_a_broken_journey_is_shown_with_its_place_and_exits_with_one(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    break_journey(place)
    assert code_of("check") == 1
    shown = capsys.readouterr()
    assert "journeys/oa-welcome.yaml:" in shown.out
    assert "J103" in shown.out
    assert "Traceback" not in shown.out + shown.err


def test_programs_get_findings_as_a_list_of_objects(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    break_journey(place)
    assert code_of("check", "--format", "json") == 1
    findings = json.loads(capsys.readouterr().out)
    assert {"rule", "severity", "file", "line", "column", "message", "help"} <= findings[0].keys()
    assert "J103" in {finding["rule"] for finding in findings}


def test_a_template_that_no_account_registered_is_found(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = place / "config.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("留资进度", "别的模板"), encoding="utf-8")
    assert code_of("check", "--format", "json") == 1
    assert {finding["rule"] for finding in json.loads(capsys.readouterr().out)} == {"J312"}


@pytest.mark.parametrize("option", ["--config", "--journeys", "--content"])
def test_a_file_that_is_not_there_is_named_and_exits_with_two(
    place: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of("check", option, "nowhere") == 2
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nope",), "没有命令 nope"),
        (("check", "--nope"), "没有选项 --nope"),
        (("check", "--format", "xx"), "--format: “xx” 不在可选的值里：'text', 'json'"),
        (("check", "--format"), "选项 --format 后面要写值"),
        (("why",), "缺少 CUSTOMER"),
        (("why", "1", "2"), "多余的参数：2"),
        (("why", "1", "--limit", "0"), "--limit: 不能小于 1"),
        (("why", "1", "--limit", "x"), "--limit: 要写整数"),
        (("paths", "oa-welcome"), "缺少 --to"),
        (("check", "--journeys", "nowhere"), "--journeys: 目录 “nowhere” 不存在"),
        (("why", "1", "--config", "nowhere"), "--config: 文件 “nowhere” 不存在"),
        (("talk", "--events"), "--journey 和 --events 要一起用"),
        (("why", "1"), "没有数据库 `zhitu.db`"),
    ],
)
def test_what_is_wrong_with_a_command_is_said_in_chinese_with_the_cure(
    place: Path, arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(*arguments) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"错误：{told}"
    assert second.startswith("  修复  ")


def test_words_of_the_parser_that_nobody_put_into_chinese_are_shown_as_they_are() -> None:
    assert in_chinese("Something  else.") == "Something else."


def test_a_configuration_that_is_no_toml_exits_with_two_without_a_traceback(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "config.toml").write_text("[server", encoding="utf-8")
    assert code_of("check") == 2
    told = capsys.readouterr()
    assert told.err.startswith("错误：config.toml:1:8: ")
    assert told.out == ""


def test_run_without_credentials_lists_every_one_that_is_missing(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of("run") == 2
    told = capsys.readouterr().err
    names = ("OA_APP_ID", "OA_SECRET", "OA_TOKEN", "OA_AES_KEY", "WECOM_CORP_ID", "WECOM_SECRET", "WECOM_AES_KEY")
    assert [name for name in names if f"`{name}` 没有设置" not in told] == []
    assert "修复  " in told
    assert not (place / "zhitu.db").exists()


def test_run_with_a_broken_journey_shows_all_findings_and_exits_with_one(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    break_journey(place)
    for name in ("OA_APP_ID", "OA_SECRET", "OA_TOKEN", "WECOM_CORP_ID", "WECOM_SECRET", "WECOM_TOKEN"):
        monkeypatch.setenv(name, "given")
    for name in ("OA_AES_KEY", "WECOM_AES_KEY"):
        monkeypatch.setenv(name, "a" * 43)
    monkeypatch.setenv("WECOM_AGENT_ID", "1000002")
    assert code_of("run") == 1
    assert "J103" in capsys.readouterr().err
    assert not (place / "zhitu.db").exists()


def test_migrate_makes_database_and_key_file_and_may_run_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("migrate") == 0
    assert code_of("migrate") == 0
    assert (place / "zhitu.db").exists()
    assert (place / "zhitu.db.key").exists()
    assert capsys.readouterr().out.count("up to date") == 2


def test_errors_in_files_of_marketers_exit_with_one_and_all_others_with_two() -> None:
    codes = [exit_code(error) for error in (AuthoringError("x"), ConfigError([]), OutOfDate("x"))]
    assert codes == [1, 2, 2]


def test_a_demo_whose_port_is_taken_says_which_and_how_to_choose_another(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "bot", "demo", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"端口 {command[-1]} 打不开" in done.stderr and "--port 0" in done.stderr
    assert "Traceback" not in done.stderr


def test_migrate_makes_no_database_for_keys_that_cannot_open_it(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before: the database was made, and the next command refused its keys."""
    monkeypatch.setenv("ZHITU_STORAGE__KEYS", "1:hush-hush")
    assert code_of("migrate") == 2
    assert "hush" not in capsys.readouterr().err
    assert not (place / "zhitu.db").exists()


GROUPED = """dsl: 1
journey: grouped
name: 分组
channel: oa
states:
  a: {do: [{tag: 新}], then: 问答}
  问答:
    group:
      states:
        b: {wait: {for: 1d}, then: c}
        c: {wait: {for: 1d}, then: z}
  z: {end: done}
"""


def test_ways_through_a_group_name_it_and_may_lead_to_it(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "journeys" / "grouped.yaml").write_text(GROUPED, encoding="utf-8")
    assert code_of("paths", "grouped", "--to", "z") == 0
    assert capsys.readouterr().out.splitlines() == ["a → 问答/b → 问答/c → z"]
    assert code_of("paths", "grouped", "--to", "问答") == 0
    assert capsys.readouterr().out.splitlines() == ["a → 问答/b"]
    assert code_of("paths", "grouped", "--to", "no") == 2
    assert "问答" in capsys.readouterr().err
