"""The test files beside the journeys, read with the names of what they test. Source: journey-language.md 5.1."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.authoring.diagnostics import Diagnostic
from bot.authoring.drafts import Drafts
from bot.authoring.nodes import Node
from bot.authoring.page import Page
from bot.authoring.read_trials import read_trials
from bot.authoring.shelf import FILES_MAX, Shelf, walk
from bot.authoring.trials import TrialFile

FOLDER = "tests"
SUFFIX = ".test.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedTrials:
    """`files` as far as they could be read; they may be played when no finding is an error."""

    files: tuple[TrialFile, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def broken(self) -> bool:
        """Whether anything is wrong with them."""
        return any(one.severity == "error" for one in self.diagnostics)


def load_trials(journeys: Path, drafts: Drafts) -> LoadedTrials:
    """Every `tests/*.test.yaml` below the folder of the journeys; none when there is no such folder.

    Never raises for what stands in the files, only tells.
    """
    shelf = Shelf()
    files = (shelf.read(path, partial(_read, drafts)) for path in _paths(journeys / FOLDER, shelf))
    read = tuple(file for file in files if file is not None)
    found = [*shelf.loose, *(finding for one in shelf.pages for finding in one.findings.all())]
    ordered = sorted(dict.fromkeys(found), key=lambda one: (one.file, one.line, one.column, one.rule))
    return LoadedTrials(files=read, diagnostics=tuple(ordered))


def _read(drafts: Drafts, page: Page, root: Node) -> TrialFile | None:
    return read_trials(page, root, drafts)


def _paths(folder: Path, shelf: Shelf) -> list[Path]:
    """The test files in a fixed order; what else lies in the folder is told."""
    paths = sorted(walk(folder), key=lambda path: path.as_posix()) if folder.is_dir() else []
    if len(paths) > FILES_MAX:
        shelf.tell("J015", folder, f"一个文件夹最多 {FILES_MAX} 个文件")
    strays = [path for path in paths if not path.name.endswith(SUFFIX) or path.parent != folder]
    for path in strays:
        help = f"测试文件直接放在 {folder.as_posix()} 里，名字以 {SUFFIX} 结尾"
        shelf.tell("J007", path, f"不认识的文件 {path.name}", help=help)
    return [path for path in paths[:FILES_MAX] if path not in strays]
