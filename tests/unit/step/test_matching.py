"""Which entries a text fits, and which of them best."""

from dataclasses import replace

from bot.core.entries import Focus, IntentEntry, KeywordEntry, KeywordMatch
from bot.core.journey import Journey
from bot.core.states import End, State
from bot.core.step.matching import matches, tied
from bot.core.triggers import Spoken, triggers_of
from bot.core.understood import Understanding
from tests.unit.step.worlds import journey, world

NOBODY = world(journey("nobody", "states: {done: {end: done}}"))


def by_word(name: str, *words: str, match: KeywordMatch = "exact", priority: int = 50, channel: str = "oa") -> Journey:
    return _journey(name, KeywordEntry(keywords=words, match=match), priority, channel)


def by_intent(name: str, intent: str, *, min: int = 80, priority: int = 50) -> Journey:
    return _journey(name, IntentEntry(intents=(intent,), min=min), priority, "oa")


def _journey(name: str, way: KeywordEntry | IntentEntry, priority: int, channel: str) -> Journey:
    states = {"done": State(name="done", doing=End(label="done"))}
    return Journey(
        journey=name, name=name, channel=channel, states=states, enter=(way,), focus=Focus(priority=priority)
    )


def spoken(*journeys: Journey, channel: str = "oa") -> Spoken:
    library = replace(NOBODY.library, journeys={one.journey: one for one in journeys})
    return triggers_of(library).on(channel)


def found(said: Spoken, text: str, **intents: int) -> list[str]:
    heard = Understanding(text=text, normal=text, intents=intents)
    return [match.journey.journey for match in matches(said, heard)]


def test_the_whole_text_comes_before_its_beginning_before_a_part_of_it_before_nearly_it() -> None:
    said = spoken(
        by_word("part", "报价", match="contains"),
        by_word("begins", "报价", match="prefix"),
        by_word("nearly", "报价丹", match="fuzzy"),
        by_word("whole", "报价单"),
    )
    assert found(said, "报价单") == ["whole", "begins", "part", "nearly"]


def test_a_sure_intent_comes_behind_an_exact_keyword_and_a_likely_one_behind_a_part() -> None:
    said = spoken(by_word("whole", "试驾"), by_word("part", "驾", match="contains"), by_intent("meant", "想试驾"))
    assert found(said, "试驾", 想试驾=95) == ["whole", "meant", "part"]
    assert found(said, "试驾", 想试驾=80) == ["whole", "part", "meant"]
    assert found(said, "试驾", 想试驾=79) == ["whole", "part"]


def test_of_one_quality_the_more_important_journey_comes_first() -> None:
    said = spoken(
        by_word("less", "报价单", match="contains", priority=10), by_word("more", "价", match="contains", priority=20)
    )
    assert found(said, "新报价单") == ["more", "less"]


def test_of_one_quality_and_priority_the_longer_keyword_comes_first_and_there_is_no_tie() -> None:
    said = spoken(by_word("short", "价", match="contains"), by_word("long", "报价", match="contains"))
    assert found(said, "新报价") == ["long", "short"]
    assert tied(matches(said, Understanding(text="新报价", normal="新报价"))) == ()


def test_what_fits_equally_well_is_tied_and_the_rest_is_not() -> None:
    said = spoken(
        by_word("one", "电车", match="contains"),
        by_word("two", "油车", match="contains"),
        by_word("three", "车", match="contains"),
    )
    heard = Understanding(text="电车油车", normal="电车油车")
    assert [match.journey.journey for match in tied(matches(said, heard))] == ["one", "two"]


def test_a_journey_counts_once_by_its_best_entry() -> None:
    both = Journey(
        journey="both",
        name="both",
        channel="oa",
        states={"done": State(name="done", doing=End(label="done"))},
        enter=(KeywordEntry(keywords=("报价",), match="contains"), KeywordEntry(keywords=("报价单",))),
    )
    said = spoken(both)
    assert found(said, "报价单") == ["both"]
    assert tied(matches(said, Understanding(text="报价单", normal="报价单"))) == ()


def test_words_on_another_channel_are_not_heard() -> None:
    journeys = (by_word("oa", "报价"), by_word("kf", "报价", channel="kf"))
    assert found(spoken(*journeys), "报价") == ["oa"]
    assert found(spoken(*journeys, channel="kf"), "报价") == ["kf"]
    assert found(spoken(*journeys, channel="wecom"), "报价") == []


def test_what_a_repair_is_called_by_is_no_ordinary_entry() -> None:
    assert found(spoken(by_word("cancel", "算了")), "算了") == []


def test_a_short_keyword_is_nearly_said_only_by_what_sounds_the_same() -> None:
    short = spoken(by_word("short", "报价", match="fuzzy"))
    assert found(short, "报架") == ["short"]
    assert found(short, "报名") == []
