"""Files that are changed while the product runs: in force when they are clean, and never when they are not."""

import os
import shutil
from pathlib import Path

import pytest

from bot.app import program_of
from bot.authoring import load
from bot.core.program import Program
from bot.runtime.live import Live
from bot.runtime.reloading import Reloading, stamp_of

WORLD = Path(__file__).parents[1] / "authoring" / "world"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    shutil.copytree(WORLD, tmp_path, dirs_exist_ok=True)
    return tmp_path / "journeys", tmp_path / "content"


def _reloading(folders: tuple[Path, Path]) -> tuple[Live, Reloading]:
    def read() -> Program:
        return program_of(load(*folders, templates=["进度"]))

    live = Live(program=read())
    return live, Reloading(live, folders, read)


def _write(path: Path, text: str) -> None:
    """Write, with a time of change that no clock's grain can hide."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))


def _hello(folders: tuple[Path, Path], said: str) -> None:
    _write(folders[1] / "hello.md", f"---\ncontent: hello\nchannels: {{oa: text}}\n---\n{said}\n")


async def test_nothing_is_read_again_while_nothing_changes(folders: tuple[Path, Path]) -> None:
    live, reloading = _reloading(folders)
    before = live.program
    assert [await reloading.look(), await reloading.look()] == ["same", "same"]
    assert live.program is before


async def test_a_clean_change_is_taken_over_once_it_stands_still(folders: tuple[Path, Path]) -> None:
    live, reloading = _reloading(folders)
    before = live.program
    _hello(folders, "新的话")
    assert await reloading.look() == "changing"
    assert live.program is before
    assert await reloading.look() == "taken"
    assert live.program.library.content("hello").variants["normal"].source == "新的话"
    assert await reloading.look() == "same"


async def test_a_change_with_an_error_leaves_the_old_program_and_says_what_is_wrong(folders: tuple[Path, Path]) -> None:
    live, reloading = _reloading(folders)
    before = live.program
    _hello(folders, "{{ nobody }}")
    assert await reloading.look(settled=True) == "refused"
    assert live.program is before
    assert "content/hello.md" in reloading.refused
    assert "J308" in reloading.refused
    assert await reloading.look(settled=True) == "same"
    assert reloading.refused


async def test_what_was_refused_is_taken_over_when_it_is_mended(folders: tuple[Path, Path]) -> None:
    live, reloading = _reloading(folders)
    _hello(folders, "{{ nobody }}")
    await reloading.look(settled=True)
    _hello(folders, "改好了")
    assert await reloading.look(settled=True) == "taken"
    assert reloading.refused == ""
    assert live.program.library.content("hello").variants["normal"].source == "改好了"


async def test_a_new_file_and_a_file_that_goes_away_are_changes(folders: tuple[Path, Path]) -> None:
    live, reloading = _reloading(folders)
    new = folders[0] / "extra.yaml"
    _write(new, "dsl: 1\njourney: extra\nname: 新\nchannel: oa\nstates:\n  a:\n    end: done\n")
    assert await reloading.look(settled=True) == "taken"
    assert "extra" in live.program.library.journeys
    new.unlink()
    assert await reloading.look(settled=True) == "taken"
    assert "extra" not in live.program.library.journeys


async def test_a_folder_that_goes_away_is_refused_and_nothing_else_happens(folders: tuple[Path, Path]) -> None:
    live, reloading = _reloading(folders)
    before = live.program
    shutil.rmtree(folders[1])
    assert await reloading.look(settled=True) == "refused"
    assert live.program is before


def test_half_a_save_and_the_files_of_editors_leave_no_mark(folders: tuple[Path, Path]) -> None:
    before = stamp_of(folders)
    (folders[0] / ".base.yaml.swp").write_text("x", encoding="utf-8")
    assert stamp_of(folders) == before
