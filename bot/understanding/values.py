"""What a text may say for one expected slot, by the slot's type."""

from typing import assert_never

from bot.core.understood import Expected, Reading
from bot.understanding.agreement import bool_candidates
from bot.understanding.amounts import money_candidates, number_candidates
from bot.understanding.choice import choice_candidates, spellings_of
from bot.understanding.cities import city_candidates
from bot.understanding.hearing import HEAD_MAX, Hearing
from bot.understanding.index import entity_candidates
from bot.understanding.listing import place_named
from bot.understanding.moments import date_candidates, datetime_candidates, listed_candidates, time_candidates
from bot.understanding.papers import identity_candidates, plate_candidates, vin_candidates
from bot.understanding.phone import phone_candidates


def candidates(hearing: Hearing, expected: Expected) -> tuple[Reading, ...]:
    """The different values that the text may mean for `expected`: none, one, or several to ask back about."""
    if expected.listed:
        return _listed(hearing, expected)
    # What is asked for, or taken back, may be said in fewer words than what comes along by the way.
    is_answer = expected.asked or (expected.answered and hearing.change)
    match expected.type:
        case "phone_cn":
            return phone_candidates(hearing.folded)
        case "choice":
            return _chosen(hearing, expected)
        case "number":
            return number_candidates(hearing.head) if is_answer else ()
        case "money":
            return money_candidates(hearing.head, bare=is_answer)
        case "bool":
            return bool_candidates(hearing.folded) if expected.asked else ()
        case "date":
            return date_candidates(hearing.folded, hearing.told(is_answer=is_answer))
        case "time":
            return time_candidates(hearing.folded, hearing.told(is_answer=is_answer))
        case "datetime":
            return datetime_candidates(hearing.folded, hearing.told(is_answer=is_answer))
        case "plate_cn":
            return plate_candidates(hearing.head)
        case "vin":
            return vin_candidates(hearing.head)
        case "id_cn":
            return identity_candidates(hearing.head, hearing.today)
        case "city":
            return city_candidates(hearing.compact.head(HEAD_MAX), hearing.forms)
        case "entity":
            return entity_candidates(
                hearing.index, hearing.forms, hearing.compact, kind=expected.of, today=hearing.today
            )
        case "text" | "image" | "location" | "file":
            return ()  # texts are read last, and what comes in a message of its own not at all
        case _:
            assert_never(expected.type)


def _chosen(hearing: Hearing, expected: Expected) -> tuple[Reading, ...]:
    found = choice_candidates(hearing.forms, hearing.compact, spellings_of(tuple(expected.options.items())))
    return found or (_by_place(hearing, expected) if expected.asked else ())


def _listed(hearing: Hearing, expected: Expected) -> tuple[Reading, ...]:
    """Of options that were shown as a numbered list: by number, by name, or by the day and time they are."""
    found = _by_place(hearing, expected)
    if not found and expected.type in ("date", "time", "datetime", "text", "choice"):
        found = listed_candidates(hearing.folded, hearing.told(is_answer=True), expected.options)
    return found or choice_candidates(hearing.forms, hearing.compact, spellings_of(tuple(expected.options.items())))


def _by_place(hearing: Hearing, expected: Expected) -> tuple[Reading, ...]:
    place = place_named(hearing.forms, expected.options, listed=expected.listed)
    if place is None:
        return ()
    start, end = hearing.folded.span(0, len(hearing.folded.chars))
    return (Reading(value=tuple(expected.options)[place], start=start, end=end),)
