"""What a journey limits its own messages to: its quiet hours, working days, its cap; at planning and at dispatch."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from bot.core.program import Program, compile_library
from bot.core.rules import Holidays
from tests.unit.step.play import SHANGHAI, Play
from tests.unit.step.worlds import RULES, journey, world


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def pushing(name: str, limits: str, *, word: str, send_class: str = "reminder", content: str = "") -> str:
    """A journey that says one thing when it hears `word`, and ends."""
    send = f"{{send: {{content: {content or name}, class: {send_class}, outside: [drop]}}}}"
    top = f"limits: {limits}\n" if limits else ""
    return journey(
        name, f"{top}states:\n  go: {{do: [{send}], then: done}}\n  done: {{end: done}}\n", enter=f"keyword: [{word}]"
    )


def with_holidays(program: Program) -> Program:
    closed = Holidays(off=frozenset({date(2026, 12, 4)}), work=frozenset({date(2026, 12, 6)}))
    library = program.library
    return compile_library(replace(library, rules=replace(library.rules, holidays=closed)))


@pytest.mark.parametrize(
    ("limits", "at", "said"),
    [
        ("", "2026-12-01 22:00", "稍后 a"),
        ("{quiet: 22:30-08:00}", "2026-12-01 22:00", "a"),
        ("{quiet: 22:30-08:00}", "2026-12-01 23:00", "稍后 a"),
        ("{quiet: 12:00-14:00}", "2026-12-01 13:00", "稍后 a"),
    ],
)
def test_the_quiet_hours_of_a_journey_stand_in_the_place_of_everybodys(limits: str, at: str, said: str) -> None:
    assert Play(pushing("a", limits, word="甲"), at=local(at)).say("甲") == [said]


def test_quiet_hours_are_those_where_the_customer_lives() -> None:
    play = Play(pushing("a", "", word="甲"), at=local("2026-12-01 12:00"))
    play.customer = replace(play.customer, attributes={"timezone": "America/New_York"})  # 23:00 there
    assert play.say("甲") == ["稍后 a"]
    not_before = play.outbox[0].not_before
    assert not_before is not None
    assert local("2026-12-01 22:00") <= not_before < local("2026-12-01 22:10")


def test_the_reason_names_the_journey_whose_quiet_hours_they_are() -> None:
    play = Play(pushing("a", "{quiet: 12:00-14:00}", word="甲"), at=local("2026-12-01 13:00"))
    play.say("甲")
    planned = play.turn.traced("planned", deferred="quiet_hours")[0]
    assert planned["values"] == {
        "until": "2026-12-01T06:00:00+00:00",
        "zone": "Asia/Shanghai",
        "journey": "a",
    }


@pytest.mark.parametrize(
    ("at", "send_class", "leaves"),
    [
        ("2026-12-01 12:00", "reminder", None),
        ("2026-12-04 12:00", "reminder", "2026-12-06 09:00"),  # a holiday, then a Saturday, then a make-up Sunday
        ("2026-12-05 12:00", "reminder", "2026-12-06 09:00"),
        ("2026-12-06 22:00", "reminder", "2026-12-07 09:00"),
        ("2026-12-11 22:00", "reminder", "2026-12-14 09:00"),  # a quiet Friday night
        ("2026-12-05 12:00", "service", None),
    ],
)
def test_reminders_wait_for_a_working_day(at: str, send_class: str, leaves: str | None) -> None:
    program = with_holidays(world(pushing("a", "{days: 工作日}", word="甲", send_class=send_class)))
    play = Play(program=program, at=local(at))
    said = play.say("甲")
    if leaves is None:
        assert said == ["a"]
        return
    not_before = play.outbox[0].not_before
    assert not_before is not None
    assert local(leaves) <= not_before < local(leaves) + timedelta(minutes=10)


def test_a_day_off_is_told_apart_from_a_quiet_hour() -> None:
    play = Play(pushing("a", "{days: 工作日}", word="甲"), at=local("2026-12-05 12:00"))
    play.say("甲")
    assert play.turn.traced("planned", deferred="day_off")[0]["values"] == {
        "until": "2026-12-07T01:00:00+00:00",
        "zone": "Asia/Shanghai",
        "journey": "a",
    }


def capped(cap: str, *, others: str = "") -> Play:
    """`a` is capped, `b` is not; both remind, `c` is marketing."""
    free = RULES[: RULES.index("caps:")] + others + RULES[RULES.index("interrupts:") :]
    files = (
        pushing("a", f"{{cap: {cap}}}", word="甲"),
        pushing("b", "", word="乙"),
        pushing("c", "", word="丙", send_class="marketing"),
        journey(
            "d",
            "states:\n  go: {do: [{consent: {grant: 营销, text: hello}}, {send: hello}], then: done}\n"
            "  done: {end: done}\n",
            enter="keyword: [丁]",
        ),
    )
    play = Play(*files, rules=free)
    play.say("丁")
    return play


def heard(play: Play, words: str) -> list[bool]:
    """Of which of the words something left at once."""
    return [bool(play.say(word)) and not play.outbox for word in words]


def test_a_cap_of_a_journey_counts_its_own_messages() -> None:
    assert heard(capped("{max: 2, per: 7d}"), "乙乙甲甲甲") == [True, True, True, True, False]


def test_a_cap_by_class_counts_that_class_everywhere() -> None:
    assert heard(capped("{max: 2, per: 7d, scope: class}"), "丙丙乙甲甲") == [True, True, True, True, False]


def test_a_cap_over_all_journeys_counts_what_it_names() -> None:
    play = capped("{max: 2, per: 7d, scope: all, count: [reminder, marketing]}")
    assert heard(play, "丙乙甲") == [True, True, False]


def test_a_cap_is_asked_only_of_classes_that_it_counts() -> None:
    play = capped("{max: 1, per: 7d, scope: all, count: [marketing]}")
    assert heard(play, "丙甲甲") == [True, True, True]


def test_a_cap_opens_again_when_its_time_is_over() -> None:
    play = capped("{max: 1, per: 2h}")
    assert heard(play, "甲甲") == [True, False]
    assert [send.content for send in play.sent].count("a") == 1
    play.wait("23h30m")  # put off by twelve hours, and then by the night
    assert [send.content for send in play.sent].count("a") == 2


def test_a_cap_for_everybody_may_count_other_classes_than_it_stops() -> None:
    other = "caps: [{name: 少打扰, class: marketing, count: [marketing, reminder], max: 2, per: 1d}]\n"
    assert heard(capped("{max: 9, per: 7d}", others=other), "乙乙丙") == [True, True, False]


def test_a_cap_for_everybody_may_count_by_journey() -> None:
    other = "caps: [{name: 每个旅程, class: reminder, max: 1, per: 1d, scope: journey}]\n"
    assert heard(capped("{max: 9, per: 7d}", others=other), "甲乙甲") == [True, True, False]


def test_a_cap_is_asked_again_when_the_message_is_about_to_leave() -> None:
    play = capped("{max: 1, per: 7d}")
    play.say("甲")
    # Planned while nothing had left yet, as two messages of one night are.
    play.outbox.append(replace(play.sent[-1], effect_id=type(play.sent[-1].effect_id)("E2"), not_before=play.now))
    play._planned_at[play.outbox[0].effect_id] = play.now
    play.wait("1m")
    assert [send.content for send in play.sent] == ["hello", "a"]
    assert play.outbox[0].not_before == play.now - timedelta(minutes=1) + timedelta(hours=12)


def test_the_reason_of_a_journeys_cap_says_whose_it_is() -> None:
    play = capped("{max: 1, per: 7d}")
    play.say("甲")
    play.say("甲")
    values = play.turn.traced("planned", deferred="cap")[0]["values"]
    assert values == {"cap": "旅程上限", "counted": 1, "max": 1, "per_s": 604_800}
