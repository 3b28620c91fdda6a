"""What a text says, seen from what we hoped to hear."""

from collections.abc import Sequence
from typing import assert_never

from bot.core.understood import Expectation, Expected, Reading, Understanding
from bot.understanding.choice import choice_candidates
from bot.understanding.folding import TEXT_MAX, Folded, fold
from bot.understanding.free_text import free_text
from bot.understanding.normal import normal_of
from bot.understanding.phone import phone_candidates
from bot.understanding.polite import bare_forms, forms
from bot.understanding.whole import begins_with_correction, says_no, says_skip, says_yes, spoken


def read(text: str, expectation: Expectation) -> Understanding:
    """What `text` says, with a value for every expected slot that it names exactly one for.

    Never raises, whatever the text. At most `TEXT_MAX` code points are read, in time that grows with their
    number; the spans of readings refer to them. A slot expected twice is read as the first of the two.
    `no` and `skip` may both hold (不用了). `skip` does not when the text names an option of a question that is
    open: 不要 is then an answer. A `text` slot has no value when the text is a skip, or only a phone number that
    another slot is waiting for.
    """
    text = text[:TEXT_MAX]
    folded = fold(text)
    normal = normal_of(folded)
    all_forms = tuple(forms(normal))
    said = spoken(folded, normal)
    readings: dict[str, Reading] = {}
    ambiguous: set[str] = set()
    is_skip = says_skip(said)
    for expected in expectation.expected:
        if expected.slot in readings or expected.slot in ambiguous:
            continue
        candidates = _candidates(all_forms, folded, expected)
        if len(candidates) > 1:
            ambiguous.add(expected.slot)
        elif candidates:
            readings[expected.slot] = candidates[0]
    open_slots = _open_text_slots(expectation)
    value = free_text(text) if open_slots and not is_skip else None
    if value is not None and not _is_only_phone(text, value, expectation, readings):
        for slot in open_slots:
            readings.setdefault(slot, value)
    return Understanding(
        text=text,
        normal=normal,
        bare=bare_forms(all_forms),
        readings=readings,
        ambiguous=frozenset(ambiguous),
        yes=says_yes(said),
        no=says_no(said),
        skip=is_skip and not _names_open_option(expectation, readings),
        change=begins_with_correction(normal),
    )


def _candidates(all_forms: Sequence[str], folded: Folded, expected: Expected) -> tuple[Reading, ...]:
    match expected.type:
        case "phone_cn":
            return phone_candidates(folded)
        case "choice":
            return choice_candidates(all_forms, folded.compact(), expected.options)
        case "text":
            return ()  # read last: it takes whatever the others did not
        case _:
            assert_never(expected.type)


def _is_only_phone(text: str, value: Reading, expectation: Expectation, readings: dict[str, Reading]) -> bool:
    """Whether `value` is nothing but the number that another slot was read from."""
    phones = [readings[e.slot] for e in expectation.expected if e.type == "phone_cn" and e.slot in readings]
    rests = (text[value.start : phone.start] + text[phone.end : value.end] for phone in phones)
    return any(not any(char.isalpha() for char in rest) for rest in rests)


def _open_text_slots(expectation: Expectation) -> tuple[str, ...]:
    return tuple(e.slot for e in expectation.expected if e.type == "text" and e.asked)


def _names_open_option(expectation: Expectation, readings: dict[str, Reading]) -> bool:
    return any(e.asked and e.type == "choice" and e.slot in readings for e in expectation.expected)
