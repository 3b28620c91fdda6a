"""Booking a place from a journey: held, taken, moved, given back."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.effects import RunErrand, SettlePlace
from bot.core.errands import BookPlace, GiveBack
from bot.core.events import Json
from tests.unit.step.play import Play
from tests.unit.step.test_errands import done, errands, failed
from tests.unit.step.worlds import journey

CALENDAR = (
    (
        "_bookings.yaml",
        "dsl: 1\nresources:\n  - {resource: 试驾车, hours: 工作时间, each: 1h, capacity: 1}\n",
    ),
)
DRIVE = journey(
    "drive",
    """
vars: {at: {type: datetime}}
states:
  book:
    do: [{set: {vars.at: now + hours(26)}}]
    book:
      {resource: 试驾车, what: "'E6'", start: vars.at, hold: 10m, save: booking, full: {goto: full}, fail: {goto: fail}}
    then: booked
  booked:
    do: [{send: booked}]
    timers: [{id: h2, at: booking.start - hours(2), past: skip, do: [{tag: 提醒}]}]
    wait: {until: booking.start}
    events:
      - {event: message, keyword: [改约], goto: book}
      - {event: message, keyword: [取消], goto: cancel}
      - {event: booking.moved, reenter: true}
    then: over
  cancel: {do: [{cancel_booking: booking}, {send: cancelled}], end: cancelled}
  full: {do: [{send: full}], end: full}
  fail: {do: [{send: fail}], end: fail}
  over: {end: over}
""",
)


def drive(*others: str) -> Play:
    return Play(DRIVE, *others, files=CALENDAR)


def result(errand: RunErrand, booking: str = "B1") -> dict[str, Json]:
    wanted = errand.errand
    assert isinstance(wanted, BookPlace), "a place is booked"
    return {
        "id": wanted.booking_id or booking,
        "resource": wanted.resource,
        "what": wanted.what,
        "start": wanted.start_at.isoformat(),
        "dealer": wanted.dealer,
        "status": "booked",
    }


def settled(play: Play) -> list[tuple[str, bool]]:
    return [(effect.effect_id, effect.keep) for effect in play.turn.effects if isinstance(effect, SettlePlace)]


def hold(play: Play, minutes: int = 10) -> str:
    return (play.now + timedelta(minutes=minutes)).isoformat()


def booked(play: Play) -> RunErrand:
    """She follows, and gets her place."""
    play.follow()
    (errand,) = errands(play)
    assert done(play, errand, result(errand), hold_until=hold(play)) == ["booked"]
    return errand


def test_a_place_is_asked_for_at_her_dealers() -> None:
    play = drive()
    play.follow()
    (errand,) = errands(play)
    wanted = errand.errand
    assert isinstance(wanted, BookPlace)
    assert (wanted.resource, wanted.dealer, wanted.what, wanted.hold_s) == ("试驾车", "one", "E6", 600)
    assert wanted.start_at == play.now + timedelta(hours=26)
    assert wanted.booking_id == ""


def test_the_step_that_hears_of_the_place_takes_it() -> None:
    play = drive()
    errand = booked(play)
    assert settled(play) == [(errand.effect_id, True)]
    assert play.at() == {"drive": "booked"}


def test_timers_count_from_the_start_of_the_booking() -> None:
    play = drive()
    booked(play)
    play.wait("24h")
    assert play.customer.tags == {"提醒"}


def test_a_full_slot_goes_where_the_state_says() -> None:
    play = drive()
    play.follow()
    assert failed(play, errands(play)[0], "book.full") == ["full"]


def test_any_other_failure_goes_to_fail() -> None:
    play = drive()
    play.follow()
    assert failed(play, errands(play)[0], "book.no_slot") == ["fail"]


def test_a_hold_that_is_over_is_no_booking() -> None:
    play = drive()
    play.follow()
    (errand,) = errands(play)
    assert done(play, errand, result(errand), hold_until=hold(play, 0)) == ["fail"]
    assert settled(play) == [(errand.effect_id, False)]
    assert play.turn.traced("error", error="book.lapsed") != []


def test_a_place_that_comes_after_the_visit_is_over_is_given_back() -> None:
    play = drive()
    play.follow()
    (errand,) = errands(play)
    play.say("退订")
    done(play, errand, result(errand), hold_until=hold(play))
    assert settled(play) == [(errand.effect_id, False)]
    assert play.turn.traced("result", late=True) != []


def test_booking_again_moves_the_booking_that_is_still_to_come() -> None:
    play = drive()
    booked(play)
    play.wait("1h")
    play.say("改约")
    (errand,) = errands(play)
    assert isinstance(errand.errand, BookPlace) and errand.errand.booking_id == "B1"
    done(play, errand, result(errand), hold_until=hold(play))
    assert settled(play) == [(errand.effect_id, True)]
    assert play.run("drive").saved["booking"] == result(errand)
    assert play.run("drive").counts["booked"] == 1


def test_a_booking_that_is_over_is_not_moved() -> None:
    play = Play(DRIVE.replace("  over: {end: over}", "  over: {wait: {for: 1h}, then: book}"), files=CALENDAR)
    booked(play)
    play.wait("27h")
    assert [one.errand.booking_id for one in errands(play) if isinstance(one.errand, BookPlace)] == [""]


def test_a_move_that_fails_keeps_the_old_place() -> None:
    back = DRIVE.replace("full: {goto: full}", "full: {goto: booked}").replace(
        "  full: {do: [{send: full}], end: full}\n", ""
    )
    play = Play(back, files=CALENDAR)
    errand = booked(play)
    play.say("改约")
    failed(play, errands(play)[0], "book.full")
    assert settled(play) == []
    assert play.run("drive").saved["booking"] == result(errand)


def test_a_cancelled_booking_is_given_back_and_may_still_be_named() -> None:
    said = (
        (
            "cancelled",
            "---\ncontent: cancelled\nchannels: {oa: text}\nvars: [booking.start]\n---\n{{ booking.start }} 取消\n",
        ),
    )
    play = Play(DRIVE, files=CALENDAR, contents=said)
    booked(play)
    (text,) = play.say("取消")
    assert text.endswith("取消")
    assert [one.errand for one in errands(play)] == [GiveBack(booking_id="B1")]


def test_cancelling_without_a_booking_is_an_error_of_the_journey() -> None:
    body = DRIVE.replace("fail: {do: [{send: fail}]", "fail: {do: [{cancel_booking: booking}]").replace(
        "vars:", "errors: [{error: book.no_booking, goto: over}]\nvars:", 1
    )
    play = Play(body, files=CALENDAR)
    play.follow()
    failed(play, errands(play)[0], "book.no_slot")
    assert play.ended("drive") == "over"


LISTENS = journey(
    "listens",
    """
states:
  wait:
    wait: {for: 30d}
    events:
      - {event: booking.created, do: [{tag: 有预约}]}
      - {event: booking.cancelled, do: [{tag: 取消预约}]}
    then: end
  end: {end: done}
""",
    enter="event: oa.scan",
)


def test_other_journeys_hear_of_a_booking_and_of_its_end() -> None:
    play = drive(LISTENS)
    play.scan("展厅")
    booked_of(play)
    assert play.customer.tags == {"有预约"}
    play.say("取消")
    (errand,) = errands(play)
    done(play, errand, {"id": "B1"})
    assert play.customer.tags == {"有预约", "取消预约"}


def booked_of(play: Play) -> None:
    play.follow()
    (errand,) = errands(play)
    done(play, errand, result(errand), hold_until=hold(play))


ACTS = ("follow", "改约", "取消", "退订", "done", "late", "full", "1h", "30h")


@settings(max_examples=60, deadline=None)
@given(acts=st.lists(st.sampled_from(ACTS), max_size=25))
def test_every_place_that_is_found_is_taken_or_given_back_once(acts: list[str]) -> None:
    """Whatever she does meanwhile: no place is forgotten, and only a living visit that waits for it takes one."""
    play = drive()
    wanted: list[RunErrand] = []
    found: dict[str, bool] = {}
    for act in ("follow", *acts):
        awaited = {run.awaiting for run in play.customer.enrolments.values()}
        asked = [one for one in wanted if isinstance(one.errand, BookPlace)]
        match act:
            case "follow":
                play.follow()
            case "done" | "late" | "full" if not asked:
                continue
            case "full":
                wanted.remove(asked[0])
                failed(play, asked[0], "book.full")
            case "done" | "late":
                errand = asked[0]
                wanted.remove(errand)
                done(play, errand, result(errand, errand.effect_id), hold_until=hold(play, 10 if act == "done" else 0))
                assert settled(play) == [(errand.effect_id, act == "done" and errand.effect_id in awaited)]
                found[errand.effect_id] = settled(play)[0][1]
            case "1h" | "30h":
                play.wait(act)
            case _:
                play.say(act)
        wanted += errands(play)
    kept = [run.saved["booking"] for run in play.customer.enrolments.values() if "booking" in run.saved]
    assert all(isinstance(one, dict) and any(found.values()) for one in kept)
