"""The file that says for whom a content is previewed: a customer, and where she stands in a journey.

Its words are those of `given:` in journey tests (journey-language.md 5.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bot.authoring import literals, trial_keys
from bot.authoring.diagnostics import Diagnostic
from bot.authoring.drafts import Drafts
from bot.authoring.fields import Fields, fields_of
from bot.authoring.nodes import Node
from bot.authoring.page import Page
from bot.authoring.read_trial_steps import read_moment
from bot.authoring.shelf import Shelf
from bot.authoring.trial_names import Names
from bot.authoring.trials import WallMoment
from bot.core.events import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitter:
    """`journey` empty: none is written. `at` None: now. `value`: what the content `confirm` reads back to her."""

    journey: str = ""
    customer: Mapping[str, Json] = field(default_factory=dict)
    slots: Mapping[str, Json] = field(default_factory=dict)
    values: Mapping[str, Json] = field(default_factory=dict)
    saved: Mapping[str, Json] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    score: int = 0
    points: int = 0
    at: WallMoment | None = None
    value: str = ""


def read_sitter(path: Path, drafts: Drafts, *, journey: str) -> tuple[Sitter | None, tuple[Diagnostic, ...]]:
    """What stands in the file, None when nothing could be read, and everything that is wrong with it.

    `journey`: the one that is meant where the file names none; empty: what it says of slots is not looked up.
    """
    shelf = Shelf()
    found = shelf.read(path, partial(_read, drafts, journey))
    told = [*shelf.loose, *(finding for one in shelf.pages for finding in one.findings.all())]
    return found, tuple(sorted(dict.fromkeys(told), key=lambda one: (one.line, one.column, one.rule)))


def _read(drafts: Drafts, journey: str, page: Page, root: Node) -> Sitter | None:
    fields = fields_of(page, root, trial_keys.CUSTOMER)
    if fields is None:
        return None
    names = Names(page=page, drafts=drafts)
    scalar = fields.scalar("journey")
    chosen = names.journey_of_test(scalar) if scalar is not None else journey
    return _sitter(fields, names.of(chosen), chosen)


def _sitter(fields: Fields, names: Names, journey: str) -> Sitter:
    for key in ("slots", "vars"):
        if fields.has(key) and not journey:
            fields.page.say("J014", fields.key(key), f"没有旅程说这条内容：{key} 不知道是谁的", help="journey: 旅程")
    values = {names.var(entry.key): names.value_of_var(entry.key.text, entry.value) for entry in fields.entries("vars")}
    declared = names.journey.journey.vars if names.journey is not None else {}
    return Sitter(
        journey=journey,
        customer={
            names.attribute(entry.key): names.value_of_attribute(entry.key.text, entry.value)
            for entry in fields.entries("customer")
        },
        slots={
            names.slot(entry.key): names.value_of_slot(entry.key.text, entry.value) for entry in fields.entries("slots")
        },
        values={name: value for name, value in values.items() if name in declared},
        saved={name: value for name, value in values.items() if name not in declared},
        tags=fields.texts("tags"),
        score=fields.parsed("score", literals.whole, 0),
        points=fields.parsed("points", literals.whole, 0),
        at=read_moment(fields, "at"),
        value=fields.text("value"),
    )
