"""A small world of files in which a case is checked."""

import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from bot.authoring import Loaded, load

from .casefiles import WORLD, Check


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Loads the world with some files put over it; an empty text takes the file away."""
    shutil.copytree(WORLD, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)

    def run(files: Mapping[str, str]) -> Loaded:
        for name, text in files.items():
            path = tmp_path / name
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

    return run
