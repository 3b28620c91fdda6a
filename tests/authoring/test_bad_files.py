"""Files that nobody should have written: told, bounded, and never in the way of the others."""

from pathlib import Path

import pytest

from bot.authoring import load
from bot.authoring.diagnostics import PER_FILE_MAX
from bot.authoring.source import FILE_BYTES_MAX

from .casefiles import Check

GOOD = """dsl: 1
journey: case
name: 例
channel: oa
states:
  a:
    do: [{send: hello}]
    then: z
  z:
    end: done
"""


def test_one_bad_file_does_not_hide_what_is_wrong_with_the_others(check: Check) -> None:
    files = {"journeys/a.yaml": "{", "journeys/case.yaml": GOOD.replace("then: z", "then: zz")}
    found = {(one.file, one.rule) for one in check(files).diagnostics}
    assert {("journeys/a.yaml", "J013"), ("journeys/case.yaml", "J103")} <= found


def test_a_reference_to_a_file_that_cannot_be_read_is_not_called_missing(check: Check) -> None:
    loaded = check({"journeys/other.yaml": "{", "journeys/case.yaml": GOOD.replace("send: hello", "start: other")})
    assert {one.rule for one in loaded.diagnostics} == {"J013"}


def test_aliases_are_never_expanded(check: Check) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    loaded = check({"journeys/case.yaml": "\n".join(lines) + "\n"})
    assert {one.rule for one in loaded.diagnostics} >= {"J010"}
    assert loaded.library is None


def test_a_file_beyond_the_size_limit_is_not_read(check: Check) -> None:
    loaded = check({"journeys/case.yaml": GOOD + "#" * FILE_BYTES_MAX})
    assert [(one.rule, one.file) for one in loaded.diagnostics] == [("J015", "journeys/case.yaml")]


def test_too_many_nodes_stop_the_reading(check: Check) -> None:
    loaded = check({"journeys/case.yaml": "labels: [" + "a," * 30_000 + "]\n"})
    assert {one.rule for one in loaded.diagnostics} == {"J015"}


def test_findings_of_one_file_are_bounded_and_the_rest_is_counted(check: Check) -> None:
    bad = "".join(f"  s{n}: 完\n" for n in range(PER_FILE_MAX + 50))
    loaded = check({"journeys/case.yaml": GOOD + bad})
    mine = [one for one in loaded.diagnostics if one.file == "journeys/case.yaml"]
    assert len(mine) == PER_FILE_MAX + 1
    assert "没有列出" in next(one for one in mine if one.rule == "J015").message


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe\x00",
        b"name: \x00\n",
        b"a: \xed\xa0\x80\n",
        "name: \u200b\ufeff\n".encode(),
        b"",
        b"\n\n",
        b"# only\n",
        b"- a\n",
    ],
)
def test_bytes_that_are_no_journey_are_told_with_their_file(raw: bytes, tmp_path: Path, check: Check) -> None:
    check({})
    (tmp_path / "journeys" / "case.yaml").write_bytes(raw)
    loaded = load(Path("journeys"), Path("content"))
    assert loaded.library is None
    assert {one.file for one in loaded.diagnostics} == {"journeys/case.yaml"}


def test_a_byte_order_mark_and_windows_line_ends_are_welcome(tmp_path: Path, check: Check) -> None:
    check({})
    (tmp_path / "journeys" / "case.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load(Path("journeys"), Path("content")).diagnostics == ()


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path: Path, check: Check) -> None:
    check({"journeys/_global.yaml": ""})
    (tmp_path / "journeys" / "_global.yaml").mkdir()
    assert [one.rule for one in load(Path("journeys"), Path("content")).diagnostics] == ["J013"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    loaded = load(tmp_path / "nowhere", tmp_path / "nothing")
    assert loaded.library is None
    assert [one.rule for one in loaded.diagnostics] == ["J018", "J018"]
    assert "nowhere" in loaded.diagnostics[0].message + loaded.diagnostics[1].message


def test_hidden_files_and_the_readme_are_left_alone(check: Check) -> None:
    loaded = check({"journeys/.case.yaml.swp": "x", "journeys/README.md": "# 说明", "content/.DS_Store": "x"})
    assert loaded.diagnostics == ()


def test_file_names_are_compared_in_their_composed_form(check: Check) -> None:
    decomposed, composed = "cafe\u0301", "caf\u00e9"
    text = GOOD.replace("journey: case", f"journey: {composed}")
    assert check({f"journeys/{decomposed}.yaml": text}).diagnostics == ()
