"""Which ways into journeys an event opens: of a conversational one the first that admits, of any other all.

Words are matched elsewhere (`matching`). Source: journey-language.md 2.4 step 10, 3.11 "Which conversation".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from bot.core.entries import ApiEntry, Entry, EventEntry, IntentEntry, KeywordEntry, ScheduleEntry, SegmentEntry
from bot.core.events import CONVERSATIONAL, Event
from bot.core.journey import Journey
from bot.core.library import Library
from bot.core.making import maker
from bot.core.step import floor
from bot.core.step.copies import Run, Talk
from bot.core.step.draft import Draft
from bot.core.step.entry import admit, make_opening
from bot.core.step.scope import guard_holds_safely
from bot.core.step.splitting import jitter

SEGMENT_ENTERED, SCHEDULE_DUE, API = "segment.entered", "schedule.due", "api"

EventWay: TypeAlias = EventEntry | SegmentEntry | ScheduleEntry | ApiEntry


@dataclass(frozen=True, slots=True)
class EventWays:
    """The ways in, by type of event: journeys by priority, then the order of the files; ways as their file has them."""

    by_type: Mapping[str, tuple[tuple[Journey, tuple[EventWay, ...]], ...]]


def event_ways(library: Library) -> EventWays:
    """The ways in of all journeys of `library` that need no words."""
    found: dict[str, list[tuple[Journey, tuple[EventWay, ...]]]] = {}
    for journey in sorted(library.journeys.values(), key=lambda journey: -journey.focus.priority):
        own: dict[str, list[EventWay]] = {}
        for way in journey.enter:
            if not isinstance(way, KeywordEntry | IntentEntry):
                own.setdefault(_type_of(way), []).append(way)
        for kind, ways in own.items():
            found.setdefault(kind, []).append((journey, tuple(ways)))
    return EventWays({kind: tuple(ways) for kind, ways in found.items()})


def _type_of(way: EventWay) -> str:
    match way:
        case EventEntry(event=event):
            return event
        case SegmentEntry():
            return SEGMENT_ENTERED
        case ScheduleEntry():
            return SCHEDULE_DUE
        case ApiEntry():
            return API


def is_conversational(event: Event) -> bool:
    """Whether by this event the customer speaks to us."""
    return event.type in CONVERSATIONAL and not event.is_reconciled


def enter_by_event(draft: Draft, event: Event, talk: Talk | None) -> bool:
    """Begin what the event leads into. False: nothing, or nothing that admits her."""
    by_customer, entered = is_conversational(event), False
    for journey, ways in draft.program.kept(EventWays, event_ways).by_type.get(event.type, ()):
        way = next((one for one in ways if _fits(draft, journey, one, event)), None)
        entered = (way is not None and _enter(draft, journey, way, talk, event.type)) or entered
        if entered and by_customer:
            return True
    return entered


def _fits(draft: Draft, journey: Journey, way: EventWay, event: Event) -> bool:
    """Whether the event is the one that `way` waits for. What is said on another channel is not heard here."""
    if event.channel not in (journey.channel, *way.channels) and is_conversational(event):
        return False
    match way:
        case SegmentEntry(segment=segment) if event.fields.get("segment") != segment:
            return False
        case ScheduleEntry(cron=cron) if not _is_of(event, journey, "cron", cron):
            return False
        case ApiEntry(api=api) if not _is_of(event, journey, "entry", api):
            return False
    return way.when is None or guard_holds_safely(draft, None, way.when)


def _is_of(event: Event, journey: Journey, field: str, value: str) -> bool:
    """Whether the event names this journey and this way in, as far as it names them."""
    return event.fields.get("journey") in (None, journey.journey) and event.fields.get(field) in (None, value)


def _enter(draft: Draft, journey: Journey, way: EventWay, talk: Talk | None, cause: str) -> bool:
    spread = way.spread if isinstance(way, SegmentEntry | ScheduleEntry) else None
    return enter(draft, make_door(journey=journey, way=way, cause=cause, spread=spread), talk) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A way in that was found. `may_push`: it is sure enough to interrupt, where its journey outranks the holder's."""

    journey: Journey
    way: Entry
    cause: str
    may_push: bool = True
    spread: timedelta | None = None


make_door = maker(Door)


def enter(draft: Draft, door: Door, talk: Talk | None) -> Run | None:
    """Begin by this door, in the conversation `talk` if the journey talks there. None: not admitted, or later."""
    journey, way = door.journey, door.way
    here = talk if talk is not None and talk.channel in (journey.channel, *way.channels) else None
    wants = door.may_push and not isinstance(way, SegmentEntry | ScheduleEntry) and way.interrupt
    there = here or draft.latest_talk(journey.channel)  # where the run will talk
    opening = make_opening(
        journey=journey,
        conversation_id=here.conversation_id if here else None,
        given=way.arguments,
        interrupt=wants and journey.focus.priority > (floor.priority_of(draft, there.holder) if there else -1),
        cause=door.cause,
        put_off=jitter(draft.base.customer_id, f"spread|{journey.journey}", door.spread)
        if door.spread
        else timedelta(0),
    )
    return admit(draft, opening)
