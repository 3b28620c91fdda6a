"""One journey that a program drives, a JSON object a line in and out."""

from pathlib import Path

import orjson
import pytest

from bot.errors import AuthoringError
from bot.sandbox.driving import Drive, Told, program_of

ROOT = Path(__file__).parents[1]
SWITCH = """
dsl: 1
journey: switch
name: 开关
channel: oa
enter: [{event: switch.made}]
vars: {n: {type: number, default: 0}}
states:
  off:
    wait: {for: 30d}
    events: [{event: switch.pressed, when: event.force > 3, goto: on}]
    then: gone
  on:
    do: [{set: {vars.n: vars.n + 1}}]
    wait: {for: 2h}
    events: [{event: switch.pressed, goto: off}]
    then: off
  gone: {end: gone}
"""


def driven(tmp_path: Path, text: str = SWITCH) -> Drive:
    file = tmp_path / "switch.yaml"
    file.write_text(text, encoding="utf-8")
    return Drive.begin(program_of(file, ROOT / "journeys", ROOT / "content"), "switch")


def states(told: Told) -> list[object]:
    listed = told["states"]
    assert isinstance(listed, list)
    return [one["state"] for one in listed if isinstance(one, dict)]


def test_events_and_time_drive_the_journey_and_its_states_are_told(tmp_path: Path) -> None:
    drive = driven(tmp_path)
    assert states(drive.take('{"event": "switch.made"}')) == ["off"]
    assert states(drive.take('{"event": "switch.pressed", "fields": {"force": 1}}')) == ["off"]
    told = drive.take('{"event": "switch.pressed", "fields": {"force": 5}}')
    assert states(told) == ["on"]
    assert told["happened"] == [{"kind": "moved", "journey": "switch", "state": "off", "to": "on"}]
    assert states(drive.take('{"advance": "1h59m"}')) == ["on"]
    back = drive.take('{"advance": "1m"}')
    assert states(back) == ["off"] and back["at"] == "2026-12-01T04:00:00+00:00"
    assert states(drive.take('{"advance": "30d"}')) == []


def test_nothing_else_of_the_folder_is_entered(tmp_path: Path) -> None:
    drive = driven(tmp_path)
    assert states(drive.take('{"event": "oa.follow"}')) == []


@pytest.mark.parametrize(
    "line", ["", "x", "[]", "{}", '{"event": 1}', '{"event": "a.b", "fields": 2}', '{"advance": "soon"}', '{"a": 1}']
)
def test_a_line_that_asks_for_nothing_is_told_and_changes_nothing(tmp_path: Path, line: str) -> None:
    drive = driven(tmp_path)
    drive.take('{"event": "switch.made"}')
    told = drive.take(line)
    assert told["error"] and states(told) == ["off"]
    assert orjson.dumps(told)


def test_a_journey_that_cannot_be_applied_is_told_with_every_finding(tmp_path: Path) -> None:
    with pytest.raises(AuthoringError, match="J103"):
        driven(tmp_path, SWITCH.replace("goto: on", "goto: onn"))


def test_an_event_that_nobody_knows_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    """Before: a misspelt event was taken, and nothing happened, without a word."""
    drive = driven(tmp_path)
    told = drive.take('{"event": "switch.mad"}')
    error = str(told["error"])
    assert "没有事件 “switch.mad”，是否指 “switch.made”？" in error
    assert "switch.pressed" in error and "oa.follow" in error
    assert states(drive.take('{"event": "switch.made"}')) == ["off"]


def test_a_line_that_is_no_json_is_told_in_chinese_with_the_place(tmp_path: Path) -> None:
    told = driven(tmp_path).take('{"event": "x')
    assert str(told["error"]).startswith("不是 JSON：从第 13 个字符起读不懂；")
    assert str(told["error"]).isascii() is False and "unexpected" not in str(told["error"])
