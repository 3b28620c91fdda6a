"""What rules of `_global.yaml` do about errors: the same whether an interrupt, an old errand or a journey failed."""

import pytest

from bot.core.errands import GiveBack
from tests.unit.step.play import Play
from tests.unit.step.test_bookings import CALENDAR, DRIVE, booked
from tests.unit.step.test_errands import errands, failed
from tests.unit.step.test_global_effects import rules
from tests.unit.step.worlds import journey

BAD = journey("bad", "states:\n  go: {do: [{stage: won}], then: done}\n  done: {end: done}\n", enter="keyword: [坏]")
SAY = "{send: {content: hint, class: service, key: once}}"


def of_journeys(*actions: str) -> str:
    """Rules under which an error of the journey `bad` has `actions` done."""
    return rules("{tag: x}", errors=f"{{error: stage.no_lead, do: [{', '.join(actions)}]}}")


@pytest.mark.parametrize("add", [50, -50])
def test_a_rule_gives_back_her_only_booking_for_an_error_that_comes_late_too(add: int) -> None:
    errors = "{error: '*', do: [{cancel_booking: booking}]}"
    play = Play(DRIVE, rules=rules(f"{{points: {{add: {add}, reason: 签到}}}}", errors=errors), files=CALENDAR)
    booked(play)
    play.say("兑换")
    if add > 0:
        (points,) = errands(play)
        failed(play, points, "points.timeout", add=add)
    assert [errand.errand for errand in errands(play)] == [GiveBack(booking_id="B1")]
    assert play.turn.traced("error", error="book.no_booking") == []


def test_a_rule_gives_it_back_for_a_message_that_was_refused_later() -> None:
    errors = "{error: 'send.*', do: [{cancel_booking: booking}]}"
    hint = ("hint", "---\ncontent: hint\nchannels: {oa: text}\n---\nhint\n")
    play = Play(DRIVE, rules=rules("{send: hint}", errors=errors), files=CALENDAR, contents=(hint,))
    booked(play)
    play.refusals = ["45047x"]
    play.say("兑换")
    assert [errand.errand for errand in errands(play)] == [GiveBack(booking_id="B1")]


def test_a_rule_finds_the_only_booking_of_hers_for_an_error_of_another_journey() -> None:
    play = Play(DRIVE, BAD, rules=of_journeys("{cancel_booking: booking}"), files=CALENDAR)
    booked(play)
    play.say("坏")
    assert play.ended("bad") == "error:stage.no_lead"
    (errand,) = errands(play)
    assert (errand.errand, errand.enrolment_id, errand.cause) == (
        GiveBack(booking_id="B1"),
        None,
        "error:stage.no_lead",
    )
    assert "drive" in play.at(), "and the journey that kept it goes on"


def test_what_a_rule_cannot_do_for_a_journey_keeps_it_from_nothing_else() -> None:
    play = Play(DRIVE, BAD, rules=of_journeys("{cancel_booking: booking}", SAY, "{tag: 以后}"), files=CALENDAR)
    assert play.say("坏") == ["hint"]
    assert play.customer.tags == {"以后"}
    assert play.ended("bad") == "error:stage.no_lead"
    cause = "error:stage.no_lead"
    assert play.turn.traced("error", error="book.no_booking", cause=cause, outcome="journalled")
    assert play.turn.traced("error", outcome="overtaken") == []


def test_a_key_of_a_rule_is_remembered_with_the_customer_whatever_journey_failed() -> None:
    play = Play(BAD, BAD.replace("bad", "worse").replace("坏", "更坏"), rules=of_journeys(SAY))
    assert [play.say("坏"), play.say("坏"), play.say("更坏")] == [["hint"], [], []]
    assert play.turn.traced("not_sent", reason="said_already_to_her")


def test_a_rule_reads_which_error_it_was_and_whose() -> None:
    play = Play(BAD, rules=of_journeys("{note: '{{ journey.id }} {{ error.code }}'}"))
    play.say("坏")
    assert play.customer.notes == ("bad stage.no_lead",)


def test_a_rule_that_ends_the_journey_itself_ends_it_once() -> None:
    play = Play(BAD, rules=of_journeys("{cancel_journey: bad}", "{tag: 完}"))
    play.say("坏")
    assert [line["end"] for line in play.turn.traced("ended")] == ["cancelled"]
    assert play.customer.tags == {"完"}
