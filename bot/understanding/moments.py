"""Dates, times, and both together as answers. The same text may name several: then she is asked which."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

from bot.core.understood import Reading
from bot.understanding.clock import MASK, Clock, clocks
from bot.understanding.days import Day, days, moved_to, settled
from bot.understanding.folding import Folded

_KEPT_OF_A_DAY = "早晚夜"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """What a text says of time: the possible days and times of day. `now` on the customer's clock."""

    days: tuple[Day, ...]
    clocks: tuple[Clock, ...]
    now: datetime
    zone: tzinfo


def moments(chars: str, now: datetime, zone: tzinfo, *, is_answer: bool) -> Moments:
    """The days and times that folded `chars` names. `is_answer`: it answers a question, so that 12/1 is a day."""
    local = now.astimezone(zone)
    if not chars:
        return Moments(days=(), clocks=(), now=local, zone=zone)
    named = days(chars, local.date(), is_answer=is_answer)
    told = clocks(_masked(chars, named), local)
    moved = moved_to(chars)
    if moved:
        told = tuple(clock for clock in told if clock.start >= moved)
        behind = tuple(day for day in named if day.start >= moved)
        # 明天的改到3点 keeps its day, 明天的改到别的时间 has none.
        named = behind if behind or not told else named
    return Moments(days=settled(named), clocks=told, now=local, zone=zone)


def date_candidates(folded: Folded, told: Moments) -> tuple[Reading, ...]:
    """The different days of a text that are possible, as `2026-12-01`."""
    return tuple(_reading(folded, day.dates[0].isoformat(), day.start, day.end) for day in _days(told))


def time_candidates(folded: Folded, told: Moments) -> tuple[Reading, ...]:
    """The different times of day that are possible, as `15:30`."""
    found: dict[time, Reading] = {}
    for clock in told.clocks:
        for one in clock.times:
            found.setdefault(one, _reading(folded, f"{one:%H:%M}", clock.start, clock.end))
    return tuple(found.values())


def datetime_candidates(folded: Folded, told: Moments) -> tuple[Reading, ...]:
    """The different moments still to come that a text names by day and time, in ISO 8601 on the customer's clock."""
    found: dict[str, Reading] = {}
    for moment, start, end in _moments(told):
        written = moment.isoformat()
        found.setdefault(written, _reading(folded, written, start, end))
    return tuple(found.values())


def listed_candidates(folded: Folded, told: Moments, options: Mapping[str, tuple[str, ...]]) -> tuple[Reading, ...]:
    """Of the `options` those that fit all that a text says of day and time, by what they or their spellings name.

    None of them when the text names neither.
    """
    if not told.clocks and not told.days:
        return ()
    dates = {one for day in _days(told) for one in day.dates}
    times = {one for clock in told.clocks for one in clock.times}
    if (told.clocks and not times) or (told.days and not dates):
        return ()
    start = min([*(day.start for day in told.days), *(clock.start for clock in told.clocks)])
    end = max([*(day.end for day in told.days), *(clock.end for clock in told.clocks)])
    fitting = [option for option, others in options.items() if _fits((option, *others), dates, times, told.zone)]
    return tuple(_reading(folded, option, start, end) for option in fitting)


def _fits(spellings: Sequence[str], dates: set[date], times: set[time], zone: tzinfo) -> bool:
    day, clock = max(
        (_parts(one, zone) for one in spellings), key=lambda parts: sum(part is not None for part in parts)
    )
    if day is None and clock is None:
        return False
    # A list of times is about one day: which, was settled before.
    return (not dates or day is None or day in dates) and (not times or clock is None or clock in times)


def _parts(option: str, zone: tzinfo) -> tuple[date | None, time | None]:
    """The day and the time that an option names, each None when it names none."""
    try:
        if len(option) <= 5:
            return None, time.fromisoformat(option)
        if len(option) == 10:
            return date.fromisoformat(option), None
        moment = datetime.fromisoformat(option)
    except ValueError:
        return None, None
    local = moment.astimezone(zone) if moment.tzinfo else moment
    return local.date(), local.time().replace(second=0, microsecond=0)


def _days(told: Moments) -> tuple[Day, ...]:
    """The possible days. A time that is over today leaves 周六, said on a Saturday, the next one only."""
    times = {one for clock in told.clocks for one in clock.times}
    today = told.now.date()
    if len(told.days) < 2 or not times or any(one > told.now.time() for one in times):
        return told.days
    return tuple(day for day in told.days if day.dates[0] != today)


def _moments(told: Moments) -> Iterator[tuple[datetime, int, int]]:
    for clock in told.clocks:
        if clock.at is not None:
            yield clock.at, clock.start, clock.end
        for day in _days(told):
            for one in clock.times if clock.at is None else ():
                moment = datetime.combine(day.dates[0], one, tzinfo=told.zone)
                if moment.astimezone(UTC) > told.now.astimezone(UTC):
                    yield moment, min(day.start, clock.start), max(day.end, clock.end)


def _masked(chars: str, named: Sequence[Day]) -> str:
    if not named:
        return chars
    pieces = list(chars)
    for day in named:
        end = day.end - (chars[day.end - 1] in _KEPT_OF_A_DAY)
        pieces[day.start : end] = MASK * (end - day.start)
    return "".join(pieces)


def _reading(folded: Folded, value: str, start: int, end: int) -> Reading:
    first, last = folded.span(start, end)
    return Reading(value=value, start=first, end=last)
