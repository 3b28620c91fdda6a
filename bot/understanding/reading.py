"""What a text says, seen from what we hoped to hear."""

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo

from bot.core.understood import Expectation, Reading, Understanding
from bot.understanding.folding import TEXT_MAX
from bot.understanding.free_text import free_text
from bot.understanding.hearing import Hearing
from bot.understanding.index import NOTHING_KNOWN, Index, faq_of, intents_of
from bot.understanding.polite import bare_forms
from bot.understanding.values import candidates
from bot.understanding.whole import says_no, says_skip, says_yes

_NAMED = re.compile(r"先生|女士|小姐|老师|师傅|[叫姓]|名字|称呼")
_LEADING_UP = re.compile(
    r"^[^\w]*(?:不对|不是|错了|[写打说发填输]错了|不好意思|抱歉|更正一下|(?:我的?)?(?:名字|姓名|称呼)[^,，。\s]{0,4}?错了?)?"
    r"[\s,，。:：!！~]*(?:(?:应该|其实|正确的?)?(?:是|叫做?|为)|改[成为]|换[成为])?[\s:：]*"
)
_ASKS = re.compile(r"\?|[吗么谁哪]|多少")
_MOVED = re.compile(r"(?:改|换|挪|推迟?|延|调)(?:成|到|为|至)")
_SAYS_NOTHING_MORE = frozenset({"phone_cn", "plate_cn", "vin", "id_cn"})
"""Types whose values are never a name: a text that is nothing else leaves nothing for an open question."""


def read(
    text: str, expectation: Expectation, *, now: datetime, zone: tzinfo, index: Index = NOTHING_KNOWN
) -> Understanding:
    """What `text` says, with a value for every expected slot that it names exactly one for.

    `now`: when it was said, aware. `zone`: the customer's, in which 明天 and 下午3点 are meant. Never raises, whatever
    the text. At most `TEXT_MAX` code points are read, in time that grows with their number; the spans of readings refer
    to them. A slot expected twice is read as the first of the two. `no` and `skip` may both hold (不用了). `skip` does
    not when the text answers the question that is open: 不要 is then an answer. A `text` slot has no value when the
    text is a skip, or only a phone number or the like that another slot is waiting for.
    """
    hearing = Hearing(text[:TEXT_MAX], now=now, zone=zone, index=index)
    readings, ambiguous = _values(hearing, expectation)
    is_skip = says_skip(hearing.said)
    _read_open_text(hearing, expectation, readings, is_skip=is_skip)
    change = hearing.change or _moves_an_answer(hearing, expectation, readings)
    if change:
        _read_corrected_name(hearing, expectation, readings)
    return Understanding(
        text=hearing.text,
        normal=hearing.normal,
        bare=bare_forms(hearing.forms),
        readings=readings,
        ambiguous=ambiguous,
        yes=says_yes(hearing.said),
        no=says_no(hearing.said),
        skip=is_skip and not _answers_open_question(expectation, readings),
        change=change,
        intents=intents_of(index, hearing.forms, hearing.compact) if index.meanings else {},
        faq=faq_of(index, hearing.forms),
    )


def _values(hearing: Hearing, expectation: Expectation) -> tuple[dict[str, Reading], frozenset[str]]:
    """The one value of each slot, and the slots that may have several."""
    readings: dict[str, Reading] = {}
    ambiguous: set[str] = set()
    for expected in expectation.expected if hearing.normal else ():
        if expected.slot in readings or expected.slot in ambiguous:
            continue
        found = candidates(hearing, expected)
        if len(found) > 1:
            ambiguous.add(expected.slot)
        elif found:
            readings[expected.slot] = found[0]
    return readings, frozenset(ambiguous)


def _read_open_text(hearing: Hearing, expectation: Expectation, readings: dict[str, Reading], *, is_skip: bool) -> None:
    open_slots = [e.slot for e in expectation.expected if e.type == "text" and e.asked and not e.listed]
    value = free_text(hearing.text) if open_slots and not is_skip else None
    if value is not None and not _says_nothing_more(hearing.text, value, expectation, readings):
        for slot in open_slots:
            readings.setdefault(slot, value)


def _says_nothing_more(text: str, value: Reading, expectation: Expectation, readings: Mapping[str, Reading]) -> bool:
    """Whether `value` is nothing but the number that another slot was read from."""
    numbers = [readings[e.slot] for e in expectation.expected if e.type in _SAYS_NOTHING_MORE and e.slot in readings]
    rests = (text[value.start : number.start] + text[number.end : value.end] for number in numbers)
    return any(not any(char.isalpha() for char in rest) for rest in rests)


def _moves_an_answer(hearing: Hearing, expectation: Expectation, readings: Mapping[str, Reading]) -> bool:
    """Whether an answer is changed in the middle of the text: 明天的试驾改到下周六."""
    answered = [readings[e.slot] for e in expectation.expected if e.answered and e.slot in readings]
    if not answered:
        return False
    moved = _MOVED.search(hearing.text)
    return moved is not None and any(reading.start >= moved.end() for reading in answered)


def _read_corrected_name(hearing: Hearing, expectation: Expectation, readings: dict[str, Reading]) -> None:
    """A free text that was answered is only corrected by what surely is a name: 不对，是汪先生."""
    slots = [e.slot for e in expectation.expected if e.type == "text" and e.answered and e.slot not in readings]
    if not slots or not _NAMED.search(hearing.text) or _ASKS.search(hearing.folded.chars):
        return
    leading = _LEADING_UP.match(hearing.text)
    begins = leading.end() if leading else 0
    value = free_text(hearing.text[begins:])
    asked = {e.slot for e in expectation.expected if e.asked}
    if value is None or not readings.keys() <= asked:
        return
    moved = Reading(value=value.value, start=begins + value.start, end=begins + value.end)
    for slot in slots:
        readings[slot] = moved


def _answers_open_question(expectation: Expectation, readings: Mapping[str, Reading]) -> bool:
    return any(e.asked and e.type != "text" and e.slot in readings for e in expectation.expected)
