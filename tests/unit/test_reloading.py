"""Files that are changed while the product runs: in force when they are clean, and never when they are not."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PosixPath
from typing import ClassVar

import pytest

from bot.app.programs import program_of, reload_program
from bot.authoring import load
from bot.config import declared
from bot.core.program import Program
from bot.errors import AuthoringError
from bot.runtime.live import Live
from bot.runtime.reloading import Outcome, Reloading, stamp_of
from tests.unit.test_config import ACCOUNTS, read
from tests.unit.test_config_webhooks import CRM

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


async def test_a_bug_while_reading_is_said_and_the_next_save_is_looked_at(folders: tuple[Path, Path]) -> None:
    """Before: an exception that nobody expected ended the looking for good, and saves were ignored in silence."""
    live, _ = _reloading(folders)
    before, bugs = live.program, [RuntimeError("ours")]

    def read() -> Program:
        if bugs:
            raise bugs.pop()
        return program_of(load(*folders, templates=["进度"]))

    reloading = Reloading(live, folders, read)
    _hello(folders, "第一次")
    assert await reloading.look(settled=True) == "refused"
    assert "RuntimeError" in reloading.refused and live.program is before
    assert await reloading.look(settled=True) == "same"
    _hello(folders, "第二次")
    assert await reloading.look(settled=True) == "taken"
    assert reloading.refused == ""
    assert live.program.library.content("hello").variants["normal"].source == "第二次"


class Hidden(PosixPath):
    """A folder that cannot be looked at while `away` holds anything."""

    away: ClassVar[set[str]] = set()

    def __fspath__(self) -> str:
        if Hidden.away:
            raise PermissionError("ours")
        return super().__fspath__()


@pytest.fixture
def away() -> Iterator[set[str]]:
    """Why folders cannot be looked at; empty at first, and after the test."""
    yield Hidden.away
    Hidden.away.clear()


@pytest.mark.parametrize("said", ["", "{{ nobody }}"], ids=["clean files", "refused files"])
async def test_files_that_could_not_be_looked_at_for_a_moment_are_what_they_were(
    folders: tuple[Path, Path], away: set[str], said: str
) -> None:
    """Before: the failure was told for ever, though the files were there again and nobody had anything to mend."""
    _, reloading = _reloading((folders[0], Hidden(folders[1])))
    if said:
        _hello(folders, said)
        await reloading.look(settled=True)
    before = reloading.refused
    assert ("J308" in before) == bool(said)
    away.add("a share that is gone for a moment")
    assert [await reloading.look(), await reloading.look()] == ["refused", "refused"]
    assert "PermissionError" in reloading.refused
    away.clear()
    assert await reloading.look() == "same"
    assert reloading.refused == before


async def test_whoever_is_told_of_a_new_program_and_fails_ends_no_later_look(folders: tuple[Path, Path]) -> None:
    calls: list[int] = []

    def told() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("ours")

    live, _ = _reloading(folders)
    reloading = Reloading(live, folders, lambda: program_of(load(*folders, templates=["进度"])), taken=told)
    stop = asyncio.Event()
    task = reloading.begin(stop)
    _hello(folders, "第一次")
    assert await reloading.look(settled=True) == "refused"
    _hello(folders, "第二次")
    assert await reloading.look(settled=True) == "taken"
    stop.set()
    await task
    assert len(calls) == 2


async def test_whoever_looks_on_is_told_of_a_refusal_and_of_its_end(folders: tuple[Path, Path]) -> None:
    """Before: only of a new program, so that the page of the demo was silent about a save that had errors."""
    _, reloading = _reloading(folders)
    stop, heard = asyncio.Event(), asyncio.Queue[tuple[Outcome, bool]]()
    task = reloading.begin(stop, told=lambda outcome: heard.put_nowait((outcome, bool(reloading.refused))))
    _hello(folders, "{{ nobody }}")
    assert await heard.get() == ("refused", True)
    _hello(folders, "您好")
    assert await heard.get() == ("taken", False)
    stop.set()
    await task
    assert heard.empty()


def test_a_webhook_that_the_configuration_got_since_the_start_is_said_to_need_one(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """Before: only `not registered in config.toml` was said, to somebody who had just registered it there."""
    file = tmp_path / "config.toml"
    accounts = ACCOUNTS.replace("[channels.oa.main]", "[channels.oa.main]\ntemplates = {'进度' = 'T1'}", 1)
    settings = read(file, accounts)
    asking = (
        "dsl: 1\njourney: asking\nname: 问\nchannel: oa\nstates:\n  a:\n    webhook: {call: crm.x, fail: {goto: b}}\n"
    )
    _write(folders[0] / "asking.yaml", asking + "    then: b\n  b:\n    end: done\n")
    with pytest.raises(AuthoringError) as refused:
        reload_program(*folders, settings, now=lambda: declared(file, {}))
    assert "J213" in refused.value.what and "重启" not in refused.value.what
    file.write_text(accounts + CRM, encoding="utf-8")
    with pytest.raises(AuthoringError) as refused:
        reload_program(*folders, settings, now=lambda: declared(file, {}))
    assert refused.value.what.endswith("config.toml 在启动之后多了 [webhooks.crm]：重启 zhitu run 才生效\n")
    started_again = reload_program(*folders, read(file, accounts + CRM), now=lambda: declared(file, {}))
    assert "asking" in started_again.library.journeys
