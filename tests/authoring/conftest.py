"""A small world of files in which a case is checked."""

import shutil
from collections.abc import Callable, Mapping
from contextlib import chdir
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from bot.authoring import Loaded, load

from .casefiles import WORLD, Check, files_of, text_of


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Loads the world with some files put over it; an empty text takes the file away."""
    shutil.copytree(WORLD, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return lambda files: _checked(tmp_path, files)


@pytest.fixture(scope="session")
def fired(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Loaded]:
    """What is told of a firing case: each is loaded once, however many tests look at it."""

    @cache
    def found(case: str) -> Loaded:
        folder = tmp_path_factory.mktemp("fired")
        shutil.copytree(WORLD, folder, dirs_exist_ok=True)
        with chdir(folder):
            return _checked(folder, files_of(text_of(case)))

    return found


def _checked(folder: Path, files: Mapping[str, str]) -> Loaded:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.strip():
            path.write_bytes(text.encode())
        else:
            path.unlink(missing_ok=True)
    return load(
        Path("journeys"),
        Path("content"),
        templates=["进度"],
        webhooks={"crm": "客户系统", "ads": ""},
        today=date(2026, 6, 1),
    )
