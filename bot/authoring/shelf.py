"""The files of the folders, found, opened and named; one bad file never hides the others."""

import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bot.authoring.diagnostics import Diagnostic, loose
from bot.authoring.nodes import Node
from bot.authoring.page import Page, page
from bot.authoring.source import Source, Unreadable, read_source
from bot.authoring.suggest import meant
from bot.authoring.vocabulary import FILES_UNBUILT, FOLDERS_UNBUILT
from bot.authoring.yaml_tree import compose

FILES_MAX = 2_000
"""Files of one folder that are read; more is J015."""
GLOBAL, STAFF, ATTRIBUTES = "_global.yaml", "_staff.yaml", "schema/customer.yaml"
EVENTS, INTENTS, HOLIDAYS = "schema/events.yaml", "schema/intents.yaml", "schema/holidays.yaml"
BOOKINGS = "_bookings.yaml"
MODELS = "models.yaml"
SHIPPED = Path(__file__).parent / "shipped"
"""What comes with the product, and what marketers put their own in the place of."""
_ID_MAX = 60
_FOLDERS = ("_repair", "_fragments", "segments")
"""Folders beside the journeys whose files are read one by one."""
_TESTS = "tests"
"""Journey tests are read by whoever runs them."""
_SINGLE = (GLOBAL, STAFF, ATTRIBUTES, EVENTS, INTENTS, HOLIDAYS, BOOKINGS)

T = TypeVar("T")
Files = Mapping[str, Path]


@dataclass(slots=True, kw_only=True)
class Shelf:
    """What has been opened so far, and what was wrong with files that give no page."""

    pages: list[Page] = field(default_factory=list)
    loose: list[Diagnostic] = field(default_factory=list)

    def tell(self, rule: str, path: Path, message: str, *, help: str = "") -> None:
        """Report something about a file as a whole."""
        self.loose.append(loose(rule, path.as_posix(), message, help=help))

    def source(self, path: Path) -> Source | None:
        """The text of a file, None after a finding."""
        try:
            return read_source(path)
        except Unreadable as fault:
            self.tell(fault.rule, path, fault.why)
            return None

    def opened(self, path: Path) -> tuple[Page, Node] | None:
        """The page and the tree of a YAML file, None after findings."""
        source = self.source(path)
        if source is None:
            return None
        opened = page(source)
        self.pages.append(opened)
        root = compose(opened.source, opened.findings)
        if root is None:
            if not opened.findings.found:
                self.tell("J014", path, "文件是空的", help="写上内容，从 dsl: 1 开始；用不到就删掉这个文件")
            return None
        return opened, root

    def read(self, path: Path, reader: Callable[[Page, Node], T | None]) -> T | None:
        """What `reader` makes of a YAML file, None after findings."""
        opened = self.opened(path)
        return reader(*opened) if opened else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The files of both folders by what they are, each by its id. `single`: those that stand alone, by their name."""

    journeys: Files
    repairs: Files
    fragments: Files
    segments: Files
    contents: Files
    faqs: Files
    single: Files


def look(journeys: Path, content: Path, shelf: Shelf) -> Found:
    """Every file that is read, under its id; what does not belong is told."""
    by_folder: dict[str, dict[str, Path]] = {"": {}, **{name: {} for name in _FOLDERS}}
    single: dict[str, Path] = {}
    for path in _files(journeys, shelf):
        _sort_journey_file(path, journeys, shelf, (by_folder, single))
    # A folder in the place of one of these files is told by whoever opens it.
    single.update({name: journeys / name for name in (GLOBAL, STAFF, ATTRIBUTES) if (journeys / name).exists()})
    contents: dict[str, Path] = {}
    faqs: dict[str, Path] = {}
    for path in _files(content, shelf):
        if path.as_posix() == MODELS:
            single[MODELS] = content / path
        elif path.suffix == ".md" and (len(path.parts) == 1 or path.parts[:-1] == ("faq",)):
            _name(path, content, contents if len(path.parts) == 1 else faqs, shelf)
        else:
            help = "内容文件放在这个文件夹或它的 faq 里，扩展名 .md"
            shelf.tell("J007", content / path, f"不认识的文件 {path.as_posix()}", help=help)
    return Found(
        journeys=by_folder[""],
        repairs=by_folder["_repair"],
        fragments=by_folder["_fragments"],
        segments=by_folder["segments"],
        contents=contents,
        faqs=faqs,
        single=single,
    )


def _sort_journey_file(
    path: Path, folder: Path, shelf: Shelf, into: tuple[dict[str, dict[str, Path]], dict[str, Path]]
) -> None:
    by_folder, single = into
    name, first = path.as_posix(), path.parts[0] if len(path.parts) > 1 else ""
    if name in _SINGLE:
        single[name] = folder / path
    elif name in FILES_UNBUILT or first in FOLDERS_UNBUILT:
        what = FILES_UNBUILT.get(name) or FOLDERS_UNBUILT[first]
        shelf.tell("J090", folder / path, f"{what}（{name}）尚未实现", help="这一版请先移走这个文件")
    elif first == _TESTS:
        return
    elif path.suffix == ".yaml" and first in by_folder and len(path.parts) <= 2 and not path.name.startswith("_"):
        _name(path, folder, by_folder[first], shelf)
    else:
        hint = meant(name, _SINGLE)
        help = "旅程文件直接放在这个文件夹里，扩展名 .yaml"
        shelf.tell("J007", folder / path, f"不认识的文件 {name}{hint}", help=help)


def _files(folder: Path, shelf: Shelf) -> list[Path]:
    """Every visible file below `folder`, relative to it, in a fixed order."""
    if not folder.is_dir():
        shelf.tell("J018", folder, f"没有这个文件夹：{folder.as_posix()}")
        return []
    found: list[Path] = []
    for path in walk(folder):
        if len(found) >= FILES_MAX:
            shelf.tell("J015", folder, f"一个文件夹最多 {FILES_MAX} 个文件")
            break
        found.append(path.relative_to(folder))
    return sorted(found, key=lambda path: path.as_posix())


def walk(folder: Path) -> Iterator[Path]:
    """Every file below `folder` but the hidden ones and the page for marketers."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in sorted(files) if not name.startswith(".") and name != "README.md")


def _name(path: Path, folder: Path, found: dict[str, Path], shelf: Shelf) -> None:
    name = unicodedata.normalize("NFC", path.stem)
    if not name.replace("-", "_").isidentifier() or name.startswith("_") or len(name) > _ID_MAX:
        help = f"只用文字、字母、数字、- 和 _，不以数字或符号开头，最长 {_ID_MAX} 字"
        shelf.tell("J007", folder / path, f"文件名 “{path.name}” 不能作为 id", help=help)
    else:
        found[name] = folder / path


def shipped(folder: str, suffix: str) -> dict[str, Path]:
    """The files of one kind that come with the product, by id."""
    return {path.stem: path for path in sorted((SHIPPED / folder).glob(f"*{suffix}"))}
