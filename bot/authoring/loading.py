"""From the folders that marketers edit to a library, or to everything that is wrong with them."""

import os
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.authoring.canonical import hashed, release_of
from bot.authoring.checks import check
from bot.authoring.checks.contents import RESERVED
from bot.authoring.diagnostics import Diagnostic, loose
from bot.authoring.drafts import Drafts
from bot.authoring.nodes import Node
from bot.authoring.page import Page, page
from bot.authoring.read_content import ContentDraft, read_content
from bot.authoring.read_journey import JourneyDraft, read_journey
from bot.authoring.read_people import AttributesDraft, StaffDraft, read_attributes, read_staff
from bot.authoring.read_rules import RulesDraft, read_rules
from bot.authoring.source import Unreadable, read_source
from bot.authoring.suggest import meant
from bot.authoring.vocabulary import FILES_UNBUILT, FOLDERS_UNBUILT
from bot.authoring.yaml_tree import compose
from bot.core.library import Library

FILES_MAX = 2_000
"""Files of one folder that are read; more is J015."""
GLOBAL, STAFF, ATTRIBUTES = "_global.yaml", "_staff.yaml", "schema/customer.yaml"
_ID_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """`library` is None when there is any error. `diagnostics` in the order of files, lines, columns."""

    library: Library | None
    diagnostics: tuple[Diagnostic, ...]


@dataclass(slots=True, kw_only=True)
class _Shelf:
    """What has been read so far; one bad file never hides the others."""

    pages: list[Page] = field(default_factory=list)
    loose: list[Diagnostic] = field(default_factory=list)
    journeys: dict[str, JourneyDraft] = field(default_factory=dict)
    contents: dict[str, ContentDraft] = field(default_factory=dict)
    rules: RulesDraft | None = None
    staff: StaffDraft | None = None
    attributes: AttributesDraft | None = None


def load(journeys: Path, content: Path, *, templates: Collection[str] | None = None) -> Loaded:
    """Everything under the two folders, checked.

    `templates`: names of template messages that config.toml registers; None: not checked. Never raises for what
    stands in the files, only tells. Files beyond a limit are told as well (J015).
    """
    shelf = _Shelf()
    journey_files = _journey_files(journeys, shelf)
    content_files = _content_files(content, shelf)
    _read_rules(journeys, shelf)
    for name, path in journey_files.items():
        _read_journey(name, path, shelf)
    for name, path in content_files.items():
        _read_content(name, path, shelf)
    drafts = Drafts(
        journeys=shelf.journeys,
        contents=shelf.contents,
        journey_names=frozenset(journey_files),
        content_names=frozenset(content_files),
        rules=shelf.rules,
        staff=shelf.staff,
        attributes=shelf.attributes,
        templates=templates,
    )
    check(drafts)
    _reserved(content, drafts, shelf)
    diagnostics = _all(shelf)
    broken = any(one.severity == "error" for one in diagnostics)
    return Loaded(library=None if broken else _library(drafts), diagnostics=diagnostics)


def _all(shelf: _Shelf) -> tuple[Diagnostic, ...]:
    found = [*shelf.loose, *(finding for one in shelf.pages for finding in one.findings.all())]
    return tuple(sorted(found, key=lambda one: (one.file, one.line, one.column, one.rule)))


def _files(folder: Path, shelf: _Shelf) -> list[Path]:
    """Every visible file below `folder`, relative to it, in a fixed order."""
    if not folder.is_dir():
        shelf.loose.append(loose("J018", folder.as_posix(), f"没有这个文件夹：{folder.as_posix()}"))
        return []
    found: list[Path] = []
    for path in _walk(folder):
        if len(found) >= FILES_MAX:
            shelf.loose.append(loose("J015", folder.as_posix(), f"一个文件夹最多 {FILES_MAX} 个文件"))
            break
        found.append(path.relative_to(folder))
    return sorted(found, key=lambda path: path.as_posix())


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in sorted(files) if not name.startswith(".") and name != "README.md")


def _journey_files(folder: Path, shelf: _Shelf) -> Mapping[str, Path]:
    found: dict[str, Path] = {}
    for path in _files(folder, shelf):
        name, shown = path.as_posix(), (folder / path).as_posix()
        first = path.parts[0] if len(path.parts) > 1 else ""
        if name in (GLOBAL, STAFF, ATTRIBUTES):
            continue
        if name in FILES_UNBUILT or first in FOLDERS_UNBUILT:
            what = FILES_UNBUILT.get(name) or FOLDERS_UNBUILT[first]
            shelf.loose.append(loose("J090", shown, f"{what}（{name}）尚未实现", help="这一版请先移走这个文件"))
        elif first or path.suffix != ".yaml" or name.startswith("_"):
            hint = meant(name, (GLOBAL, STAFF, ATTRIBUTES))
            message = f"不认识的文件 {name}{hint}"
            shelf.loose.append(loose("J007", shown, message, help="旅程文件直接放在这个文件夹里，扩展名 .yaml"))
        else:
            _named(path, folder, found, shelf)
    return found


def _content_files(folder: Path, shelf: _Shelf) -> Mapping[str, Path]:
    found: dict[str, Path] = {}
    for path in _files(folder, shelf):
        name, shown = path.as_posix(), (folder / path).as_posix()
        if path.parts[0] == "faq" or name == "models.yaml":
            what = "常见问题" if path.parts[0] == "faq" else "车型目录"
            shelf.loose.append(loose("J090", shown, f"{what}（{name}）尚未实现", help="这一版请先移走这个文件"))
        elif len(path.parts) > 1 or path.suffix != ".md":
            message = f"不认识的文件 {name}"
            shelf.loose.append(loose("J007", shown, message, help="内容文件直接放在这个文件夹里，扩展名 .md"))
        else:
            _named(path, folder, found, shelf)
    return found


def _named(path: Path, folder: Path, found: dict[str, Path], shelf: _Shelf) -> None:
    name = unicodedata.normalize("NFC", path.stem)
    if not name.replace("-", "_").isidentifier() or name.startswith("_") or len(name) > _ID_MAX:
        message = f"文件名 “{path.name}” 不能作为 id"
        help = f"只用文字、字母、数字、- 和 _，不以数字或符号开头，最长 {_ID_MAX} 字"
        shelf.loose.append(loose("J007", (folder / path).as_posix(), message, help=help))
    else:
        found[name] = folder / path


def _opened(path: Path, shelf: _Shelf) -> tuple[Page, Node] | None:
    """The page and the tree of a YAML file, None after findings."""
    try:
        opened = page(read_source(path))
    except Unreadable as fault:
        shelf.loose.append(loose(fault.rule, path.as_posix(), fault.why))
        return None
    shelf.pages.append(opened)
    root = compose(opened.source, opened.findings)
    if root is None:
        if not opened.findings.found:
            shelf.loose.append(loose("J014", path.as_posix(), "文件是空的"))
        return None
    return opened, root


def _read_rules(folder: Path, shelf: _Shelf) -> None:
    if not folder.is_dir():
        return
    opened = {
        name: _opened(folder / name, shelf) for name in (GLOBAL, STAFF, ATTRIBUTES) if _required(folder, name, shelf)
    }
    if rules := opened.get(GLOBAL):
        shelf.rules = read_rules(*rules)
    if staff := opened.get(STAFF):
        shelf.staff = read_staff(*staff)
    if attributes := opened.get(ATTRIBUTES):
        shelf.attributes = read_attributes(*attributes)


def _required(folder: Path, name: str, shelf: _Shelf) -> bool:
    if (folder / name).exists():
        return True
    purposes = {GLOBAL: "全局规则：时区、频控、打断词", STAFF: "门店与成员", ATTRIBUTES: "客户属性的声明"}
    message = f"缺少 {(folder / name).as_posix()}（{purposes[name]}）"
    shelf.loose.append(loose("J018", (folder / name).as_posix(), message, help="从随产品附带的 journeys/ 复制一份"))
    return False


def _read_journey(name: str, path: Path, shelf: _Shelf) -> None:
    opened = _opened(path, shelf)
    draft = read_journey(*opened) if opened else None
    if draft:
        shelf.journeys[name] = draft


def _read_content(name: str, path: Path, shelf: _Shelf) -> None:
    try:
        source = read_source(path)
    except Unreadable as fault:
        shelf.loose.append(loose(fault.rule, path.as_posix(), fault.why))
        return
    draft, opened = read_content(source)
    shelf.pages.append(opened)
    if draft:
        shelf.contents[name] = draft


def _reserved(folder: Path, drafts: Drafts, shelf: _Shelf) -> None:
    for name, purpose in RESERVED.items():
        if name not in drafts.content_names and folder.is_dir():
            shown = (folder / f"{name}.md").as_posix()
            shelf.loose.append(loose("J301", shown, f"{shown} 不存在：引擎用它来{purpose}", help=f"新建 {shown}"))


def _library(drafts: Drafts) -> Library:
    if drafts.rules is None or drafts.staff is None or drafts.attributes is None:
        raise AssertionError("without findings there is no file missing")
    library = Library(
        release="",
        journeys={name: draft.journey for name, draft in sorted(drafts.journeys.items())},
        contents={name: hashed(draft.content) for name, draft in sorted(drafts.contents.items())},
        rules=drafts.rules.rules,
        attributes=drafts.attributes.attributes,
        members=drafts.staff.members,
        dealers=drafts.staff.dealers,
    )
    return replace(library, release=release_of(library))
