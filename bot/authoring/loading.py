"""From the folders that marketers edit to a library, or to everything that is wrong with them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Literal

from bot.authoring.canonical import hashed, release_of
from bot.authoring.checks import check
from bot.authoring.checks.contents import RESERVED
from bot.authoring.diagnostics import Diagnostic
from bot.authoring.drafts import Drafts
from bot.authoring.nodes import Node, Table
from bot.authoring.page import Page
from bot.authoring.read_bookings import read_bookings
from bot.authoring.read_catalogue import read_catalogue
from bot.authoring.read_content import FAQ_FOLDER, ContentDraft, read_content
from bot.authoring.read_fragments import Expander, FragmentDraft, read_fragment
from bot.authoring.read_holidays import HolidaysDraft, read_holidays, together
from bot.authoring.read_journey import JourneyDraft, read_journey
from bot.authoring.read_people import read_attributes, read_staff
from bot.authoring.read_rules import read_rules
from bot.authoring.read_schema import SegmentDraft, read_events_file, read_intents_file, read_segment
from bot.authoring.shelf import (
    ATTRIBUTES,
    BOOKINGS,
    EVENTS,
    GLOBAL,
    HOLIDAYS,
    INTENTS,
    MODELS,
    SHIPPED,
    STAFF,
    Files,
    Found,
    Shelf,
    look,
    shipped,
)
from bot.core.catalogue import Catalogue
from bot.core.journey import Journey
from bot.core.library import Faq, Library

Fragments = Mapping[str, FragmentDraft | None]
_PURPOSES = {GLOBAL: "全局规则：时区、频控、打断词", STAFF: "门店与成员", ATTRIBUTES: "客户属性的声明"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """`library` is None when there is any error. `diagnostics` in the order of files, lines, columns.

    `drafts`: the files as far as they could be read, for those who read more beside them.
    """

    library: Library | None
    diagnostics: tuple[Diagnostic, ...]
    drafts: Drafts


def load(
    journeys: Path,
    content: Path,
    *,
    templates: Collection[str] | None = None,
    webhooks: Mapping[str, str] | None = None,
    today: date | None = None,
) -> Loaded:
    """Everything under the two folders, checked, with what comes with the product where they have nothing of their own.

    `templates`: names of template messages that config.toml registers; `webhooks`: its webhooks by name, each with
    whom it says to receive the data, or an empty text. None: not checked. `today`: the day on which the files
    are to be in force; None: what depends on the day is not checked. Never raises for what stands in the files, only
    tells. Files beyond a limit are told as well (J015).
    """
    shelf = Shelf()
    found = look(journeys, content, shelf)
    drafts = replace(_drafts(found, shelf), templates=templates, webhooks=webhooks, today=today)
    for name, purpose in _PURPOSES.items():
        if journeys.is_dir() and name not in found.single:
            help = "从随产品附带的 journeys/ 复制一份"
            shelf.tell("J018", journeys / name, f"缺少 {(journeys / name).as_posix()}（{purpose}）", help=help)
    check(drafts)
    _reserved(content, drafts, shelf)
    diagnostics = _all(shelf)
    broken = any(one.severity == "error" for one in diagnostics)
    return Loaded(library=None if broken else _library(drafts), diagnostics=diagnostics, drafts=drafts)


def _all(shelf: Shelf) -> tuple[Diagnostic, ...]:
    found = [*shelf.loose, *(finding for one in shelf.pages for finding in one.findings.all())]
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.file, one.line, one.column, one.rule)))


def _drafts(found: Found, shelf: Shelf) -> Drafts:
    single = found.single
    rules = shelf.read(single[GLOBAL], read_rules) if GLOBAL in single else None
    staff = shelf.read(single[STAFF], read_staff) if STAFF in single else None
    attributes = shelf.read(single[ATTRIBUTES], read_attributes) if ATTRIBUTES in single else None
    fragments = {name: _fragment(name, path, shelf) for name, path in found.fragments.items()}
    repairs = {**shipped("_repair", ".yaml"), **found.repairs}
    journeys, contents = _journeys({**repairs, **found.journeys}, fragments, shelf), _contents(found, shelf)
    dealers = staff.dealers if staff else {}
    own_days = shelf.read(single[HOLIDAYS], read_holidays) if HOLIDAYS in single else None
    years = _shipped_years(shelf)
    drafts = Drafts(
        journeys=journeys,
        contents=contents,
        journey_names=frozenset({**repairs, **found.journeys}),
        content_names=frozenset(
            {*shipped("content", ".md"), *found.contents, *(f"{FAQ_FOLDER}/{name}" for name in found.faqs)}
        ),
        rules=rules,
        staff=staff,
        attributes=attributes,
        templates=None,
        segments={name: _segment(name, path, shelf) for name, path in found.segments.items()},
        fragments=fragments,
        events=shelf.read(single[EVENTS], read_events_file) if EVENTS in single else None,
        intents=shelf.read(single[INTENTS], read_intents_file) if INTENTS in single else None,
        catalogue=shelf.read(single[MODELS], read_catalogue) if MODELS in single else None,
        bookings=shelf.read(single[BOOKINGS], partial(read_bookings, dealers)) if BOOKINGS in single else None,
        holidays=own_days,
        calendar=together(years.years if years else {}, own_days.years if own_days else {}),
    )
    read = {
        EVENTS: drafts.events,
        INTENTS: drafts.intents,
        MODELS: drafts.catalogue,
        BOOKINGS: drafts.bookings,
    }
    return replace(drafts, unread=frozenset(name for name, draft in read.items() if name in single and draft is None))


def _shipped_years(shelf: Shelf) -> HolidaysDraft | None:
    return shelf.read(SHIPPED / "holidays.yaml", read_holidays)


def _journeys(files: Files, fragments: Fragments, shelf: Shelf) -> dict[str, JourneyDraft]:
    drafts = {name: shelf.read(path, partial(_journey, fragments)) for name, path in files.items()}
    return {name: draft for name, draft in drafts.items() if draft}


def _journey(fragments: Fragments, page: Page, root: Node) -> JourneyDraft | None:
    expanded = Expander(page=page, known=fragments).expand(root) if isinstance(root, Table) else root
    return read_journey(page, expanded, shipped=Path(page.source.name).is_relative_to(SHIPPED))


def _fragment(name: str, path: Path, shelf: Shelf) -> FragmentDraft | None:
    return shelf.read(path, lambda page, root: read_fragment(page, root, name))


def _segment(name: str, path: Path, shelf: Shelf) -> SegmentDraft | None:
    return shelf.read(path, lambda page, root: read_segment(page, root, name))


def _contents(found: Found, shelf: Shelf) -> dict[str, ContentDraft]:
    drafts: dict[str, ContentDraft] = {}
    ours = {name: path for name, path in shipped("content", ".md").items() if name not in found.contents}
    faqs, shipped_ones = frozenset(found.faqs.values()), frozenset(ours.values())
    for path in (*ours.values(), *found.contents.values(), *found.faqs.values()):
        source = shelf.source(path)
        if source is None:
            continue
        kind: Literal["content", "faq"] = "faq" if path in faqs else "content"
        draft, page = read_content(source, kind=kind, shipped=path in shipped_ones)
        shelf.pages.append(page)
        if draft:
            drafts[draft.content.content] = draft
    return drafts


def _reserved(folder: Path, drafts: Drafts, shelf: Shelf) -> None:
    for name, purpose in RESERVED.items():
        if name not in drafts.content_names and folder.is_dir():
            shown = folder / f"{name}.md"
            message = f"{shown.as_posix()} 不存在：引擎用它来{purpose}"
            shelf.tell("J301", shown, message, help=f"新建 {shown.as_posix()}")


def _library(drafts: Drafts) -> Library:
    if drafts.rules is None or drafts.staff is None or drafts.attributes is None:
        raise AssertionError("without findings there is no file missing")
    segments = {name: draft.segment for name, draft in sorted(drafts.segments.items()) if draft and draft.segment}
    library = Library(
        release="",
        journeys={name: _governed(drafts, draft) for name, draft in sorted(drafts.journeys.items())},
        contents={name: hashed(draft.content) for name, draft in sorted(drafts.contents.items())},
        rules=replace(drafts.rules.rules, holidays=drafts.calendar),
        attributes=drafts.attributes.attributes,
        members=drafts.staff.members,
        dealers=drafts.staff.dealers,
        segments=segments,
        events=drafts.events.events if drafts.events else {},
        faqs=_faqs(drafts),
        intents=drafts.intents.intents if drafts.intents else {},
        catalogue=drafts.catalogue.catalogue if drafts.catalogue else Catalogue(),
        resources=drafts.bookings.resources if drafts.bookings else (),
    )
    return replace(library, release=release_of(library))


def _governed(drafts: Drafts, draft: JourneyDraft) -> Journey:
    """The journey, with what everybody's rules say where it says nothing itself."""
    if drafts.rules is None or draft.root.entry("migrate"):
        return draft.journey
    return replace(draft.journey, migrate=drafts.rules.migrate)


def _faqs(drafts: Drafts) -> tuple[Faq, ...]:
    asked = {name: draft.questions for name, draft in sorted(drafts.contents.items()) if draft.questions}
    return tuple(
        Faq(faq=name.removeprefix(f"{FAQ_FOLDER}/"), questions=questions, content=name)
        for name, questions in asked.items()
    )
