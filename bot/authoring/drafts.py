"""All files as far as they could be read: what the checks look at."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from bot.authoring.nodes import Node, Scalar, Table
from bot.authoring.page import Page
from bot.authoring.read_bookings import BookingsDraft
from bot.authoring.read_catalogue import CatalogueDraft
from bot.authoring.read_content import ContentDraft
from bot.authoring.read_fragments import FragmentDraft
from bot.authoring.read_holidays import HolidaysDraft
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.read_people import AttributesDraft, StaffDraft
from bot.authoring.read_rules import RulesDraft
from bot.authoring.read_schema import EventsDraft, IntentsDraft, SegmentDraft
from bot.core.rules import Holidays

_SAVING = ("call", "book", "webhook")
"""Kinds of states that bring something back, which `save` names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """`journey_names`, `content_names`: every file there is, those that could not be read too.

    `templates`, `webhooks` (name → who receives the data): what is registered; None: not known, not checked. `rules`,
    `staff`, `attributes` are None when their file is missing or unreadable; what refers to them is then not checked,
    for that file's own finding says enough. `events`, `intents`, `catalogue`, `holidays`, `bookings` are None when
    there is no such file; `unread` are files that are there and could not be read. `segments` by name, None for those
    not read. `today`: the day on which they are checked; None: what depends on the day is not checked.
    """

    journeys: Mapping[str, JourneyDraft]
    contents: Mapping[str, ContentDraft]
    journey_names: frozenset[str]
    content_names: frozenset[str]
    rules: RulesDraft | None
    staff: StaffDraft | None
    attributes: AttributesDraft | None
    templates: Collection[str] | None
    webhooks: Mapping[str, str] | None = None
    segments: Mapping[str, SegmentDraft | None] = field(default_factory=dict)
    fragments: Mapping[str, FragmentDraft | None] = field(default_factory=dict)
    events: EventsDraft | None = None
    intents: IntentsDraft | None = None
    catalogue: CatalogueDraft | None = None
    holidays: HolidaysDraft | None = None
    bookings: BookingsDraft | None = None
    calendar: Holidays = field(default_factory=Holidays)
    unread: frozenset[str] = frozenset()
    today: date | None = None

    def pages(self) -> Iterator[Page]:
        """The pages of all files that were read and that journeys are made of."""
        yield from (draft.page for draft in self.journeys.values())
        yield from (draft.page for draft in self.contents.values())
        yield from (draft.page for draft in self.segments.values() if draft)
        yield from (
            draft.page for draft in (self.rules, self.staff, self.attributes, self.events, self.bookings) if draft
        )


def state_node(draft: JourneyDraft, state: str) -> Node | None:
    """What stands under the state's name in the file."""
    entry = draft.places.get(state)
    return entry.value if entry else None


def state_names(draft: JourneyDraft) -> tuple[str, ...]:
    """The states as the file names them, those within groups and those that could not be read too."""
    return tuple(draft.places)


def target_names(draft: JourneyDraft) -> tuple[str, ...]:
    """What a `goto` may name: the states, and the groups."""
    return (*draft.places, *draft.group_places)


def slot_names(draft: JourneyDraft) -> tuple[str, ...]:
    """The slots as the file names them, those that could not be read too."""
    return _keys(draft, "slots")


def var_names(draft: JourneyDraft) -> tuple[str, ...]:
    """The variables as the file names them, those that could not be read too."""
    return _keys(draft, "vars")


def save_names(draft: JourneyDraft) -> tuple[str, ...]:
    """The names under which calls, bookings and webhooks keep what they bring back, of states not read too."""
    found: list[str] = []
    for entry in draft.places.values():
        for kind in _SAVING if isinstance(entry.value, Table) else ():
            doing = entry.value.entry(kind) if isinstance(entry.value, Table) else None
            save = doing.value.entry("save") if doing and isinstance(doing.value, Table) else None
            if save and isinstance(save.value, Scalar):
                found.append(save.value.text)
    return tuple(dict.fromkeys(found))


def _keys(draft: JourneyDraft, key: str) -> tuple[str, ...]:
    entry = draft.root.entry(key)
    return tuple(one.key.text for one in entry.value.entries) if entry and isinstance(entry.value, Table) else ()
