"""All files as far as they could be read: what the checks look at."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from bot.authoring.nodes import Node, Table
from bot.authoring.page import Page
from bot.authoring.read_content import ContentDraft
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.read_people import AttributesDraft, StaffDraft
from bot.authoring.read_rules import RulesDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """`journey_names`, `content_names`: every file there is, those that could not be read too.

    `templates`: the template messages that are registered; None: not known, not checked. `rules`, `staff`,
    `attributes` are None when their file is missing or unreadable; what refers to them is then not checked,
    for that file's own finding says enough.
    """

    journeys: Mapping[str, JourneyDraft]
    contents: Mapping[str, ContentDraft]
    journey_names: frozenset[str]
    content_names: frozenset[str]
    rules: RulesDraft | None
    staff: StaffDraft | None
    attributes: AttributesDraft | None
    templates: Collection[str] | None

    def pages(self) -> Iterator[Page]:
        """The pages of all files that were read."""
        yield from (draft.page for draft in self.journeys.values())
        yield from (draft.page for draft in self.contents.values())
        yield from (draft.page for draft in (self.rules, self.staff, self.attributes) if draft)


def state_node(draft: JourneyDraft, state: str) -> Node | None:
    """What stands under the state's name in the file."""
    states = draft.root.entry("states")
    entry = states.value.entry(state) if states and isinstance(states.value, Table) else None
    return entry.value if entry else None


def state_names(draft: JourneyDraft) -> tuple[str, ...]:
    """The states as the file names them, those that could not be read too."""
    states = draft.root.entry("states")
    return tuple(entry.key.text for entry in states.value.entries) if states and isinstance(states.value, Table) else ()


def slot_names(draft: JourneyDraft) -> tuple[str, ...]:
    """The slots as the file names them, those that could not be read too."""
    return _keys(draft, "slots")


def var_names(draft: JourneyDraft) -> tuple[str, ...]:
    """The variables as the file names them, those that could not be read too."""
    return _keys(draft, "vars")


def _keys(draft: JourneyDraft, key: str) -> tuple[str, ...]:
    entry = draft.root.entry(key)
    return tuple(one.key.text for one in entry.value.entries) if entry and isinstance(entry.value, Table) else ()
