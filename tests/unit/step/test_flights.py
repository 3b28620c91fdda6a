"""What happens while a message is under way: reserved, `sending`, and nobody knows yet what becomes of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest

from bot.core.arrival import EventArrived
from bot.core.events import Event
from bot.core.ids import EventId
from tests.unit.step.play import MORNING, Play
from tests.unit.step.test_sends import later
from tests.unit.step.worlds import RULES

ASKING = """
dsl: 1
journey: asking
name: 问
channel: oa
enter: [{event: oa.follow}, {keyword: [咨询]}]
reentry: {allow: always}
slots: {need: {type: choice, options: {看车: [], 养车: []}, ask: ask-need}}
states:
  need: {ask: need, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: noted}
  noted: {do: [{send: noted}], then: done}
  done: {end: done}
errors: [{error: "*", goto: done}]
"""


def test_what_follows_waits_until_the_fate_of_the_first_is_known() -> None:
    play = Play(later("1h").replace("{send: hello}", "{send: hello}, {send: hello2}"))
    play.hold("hello")
    play.follow()
    assert [send.content for send in play.sent] == ["hello"]
    play.settle("hello")
    assert [send.content for send in play.sent] == ["hello", "hello2"]


@pytest.mark.parametrize("verdict", ["sent", "unknown"])
def test_a_message_under_way_keeps_its_place_in_the_window(verdict: Literal["sent", "unknown"]) -> None:
    play = Play(later("1h"))
    play.hold("hello")
    play.follow()
    assert [bucket.used for bucket in play.talk.buckets] == [1]
    play.settle("hello", verdict)
    assert [bucket.used for bucket in play.talk.buckets] == [1]


def test_a_message_that_was_refused_gives_its_place_back() -> None:
    play = Play(later("1h"))
    play.hold("hello")
    play.follow()
    play.settle("hello", "refused", "45008")
    assert [bucket.used for bucket in play.talk.buckets] == [0]


@pytest.mark.parametrize("why", ["window", "count"])
def test_a_refusal_says_nothing_of_the_window_that_she_opened_meanwhile(why: str) -> None:
    play = Play(ASKING)
    play.hold("ask-need")
    play.follow()
    play.wait("5s")
    play.say("看车")
    play.settle("ask-need", "refused", why)
    assert play.planned("noted").content == "noted"
    assert [(bucket.kind, bucket.used) for bucket in play.talk.buckets if bucket.kind == "message"] == [("message", 1)]


@pytest.mark.parametrize("why", ["window", "count"])
def test_a_refusal_of_the_window_that_is_still_open_leaves_nothing_in_it(why: str) -> None:
    play = Play(ASKING)
    play.hold("ask-need")
    play.follow()
    play.settle("ask-need", "refused", why)
    assert all(bucket.used == bucket.max for bucket in play.talk.buckets)


def test_who_followed_again_meanwhile_is_not_lost_by_an_old_refusal() -> None:
    play = Play(ASKING)
    play.hold("ask-need")
    play.follow()
    play.unfollow()
    play.wait("10s")
    play.follow()
    play.settle("ask-need", "refused", "gone")
    assert play.talk.reachable
    assert play.at() == {"asking": "need"}


def test_who_did_nothing_since_is_lost_by_the_refusal() -> None:
    play = Play(ASKING)
    play.hold("ask-need")
    play.follow()
    play.settle("ask-need", "refused", "gone")
    assert not play.talk.reachable
    assert play.ended("asking") == "unreachable"


def test_what_is_under_way_at_an_opt_out_may_arrive_and_what_waits_behind_it_may_not() -> None:
    play = Play(later("1h").replace("{send: hello}", "{send: hello}, {send: {content: hello2, class: reminder}}"))
    play.hold("hello")
    play.follow()
    assert play.say("退订") == ["optout-ok"]
    play.settle("hello")
    assert [send.content for send in play.sent] == ["hello", "optout-ok"]


def test_a_refused_reminder_is_not_replaced_once_its_journey_has_moved_on() -> None:
    waiting = later("1s", "reminder", outside="[template:通知]").replace(
        "wait: {for: 1h}, then: done", "wait: {for: 1h}, events: [{event: oa.click, goto: rest}], then: done"
    )
    play = Play(waiting.replace("  done:", "  rest: {wait: {for: 9h}, then: done}\n  done:"))
    play.follow()
    play.hold("news")
    play.wait("1m")
    play.menu("x")
    assert play.at() == {"later": "rest"}
    assert play.settle("news", "refused", "window") == []
    assert play.turn.traced("not_sent", reason="left_state")


def test_a_refused_reminder_of_a_state_that_only_sends_is_replaced_while_its_journey_rests() -> None:
    sending = later("1s", "reminder", outside="[template:通知]").replace(
        "wait: {for: 1h}, then: done}", "then: rest}", 1
    )
    play = Play(sending.replace("  done:", "  rest: {wait: {for: 9h}, then: done}\n  done:"))
    play.follow()
    play.hold("news")
    play.wait("1s")
    assert play.settle("news", "refused", "window") == ["template:通知"]


def test_a_message_that_ignores_the_window_ignores_it_when_it_leaves_too() -> None:
    play = Play(later("2m").replace("class: service", "class: service, window: ignore"))
    play.follow()
    assert play.wait("2m") == ["news"]
    assert play.planned("news").window == "ignore"


def test_a_reminder_for_the_morning_leaves_a_reply_all_its_room() -> None:
    one_answer = RULES.replace("message: {max: 5", "message: {max: 1")
    asking = ASKING.replace("{event: oa.follow}, ", "")
    play = Play(later("1m", "reminder"), asking, at=MORNING.replace(hour=15), rules=one_answer)
    play.follow()
    assert play.wait("2m") == ["稍后 news"]
    assert play.say("咨询") == ["ask-need"]


def test_a_fallback_is_planned_as_a_template_in_the_ledger() -> None:
    play = Play(later("2m", outside="[template:通知]"))
    play.hold("hello")
    play.follow()
    play.wait("2m")
    assert [one.form for one in play.talk.unsent] == ["template"]


@pytest.mark.parametrize(("send_class", "hours"), [("service", 6), ("transactional", 24), ("reminder", 24)])
def test_a_message_that_says_nothing_else_is_too_late_after_the_hours_of_its_class(send_class: str, hours: int) -> None:
    play = Play(later("1s", send_class))
    play.follow()
    play.wait("1s")
    assert play.planned("news").expires_at == play.now + timedelta(hours=hours)


def test_a_message_put_off_until_the_morning_has_its_hours_from_then() -> None:
    play = Play(later("1m", "reminder"), at=MORNING.replace(hour=15))
    play.follow()
    play.wait("1m")
    found = next(send for send in play.turn.sends() if send.content == "news")
    assert found.not_before is not None
    assert found.expires_at == found.not_before + timedelta(hours=24)


def test_what_waits_too_long_behind_another_message_expires_and_its_journey_may_hear_of_it() -> None:
    hearing = (
        later("1h")
        .replace("{send: hello}", "{send: hello}, {send: hello2}")
        .replace(
            "wait: {for: 1h}, then: later",
            "wait: {for: 9h}, events: [{event: send.expired, goto: sorry}], then: later",
            1,
        )
    )
    play = Play(hearing)
    play.hold("hello")
    play.follow()
    play.wait("6h")
    assert play.turn.traced("send.expired", content="hello2")
    assert play.ended("later") == "done"
    assert [send.content for send in play.sent] == ["hello"]


def test_a_journey_that_does_not_listen_goes_on_when_its_message_expires() -> None:
    play = Play(later("9h").replace("{send: hello}", "{send: hello}, {send: hello2}"))
    play.hold("hello")
    play.follow()
    play.wait("6h")
    assert play.at() == {"later": "hello"}
    assert not play.turn.traced("error")


def test_what_stands_in_for_a_message_must_leave_as_early_as_the_message_itself() -> None:
    play = Play(later("1s", outside="[template:通知]").replace("class: service", "class: service, expire: 30m"))
    play.follow()
    play.hold("news")
    play.wait("1s")
    deadline = play.now + timedelta(minutes=30)
    play.wait("10m")
    play.settle("news", "refused", "window")
    assert play.planned("news").expires_at == deadline


def test_a_platform_whose_clock_is_ahead_opens_no_window_beyond_our_own_clock() -> None:
    play = Play(ASKING)
    play.hold("ask-need")
    ahead = play.now + timedelta(seconds=20)
    play.arrive(EventArrived(event=replace(FOLLOWED, occurred_at=ahead)))
    assert play.talk.last_inbound_at == play.now
    assert [bucket.closes_at for bucket in play.talk.buckets] == [play.now + timedelta(seconds=55)]
    assert play.customer.caught_up_to == play.now


FOLLOWED = Event(
    event_id=EventId("followed"), type="oa.follow", channel="oa", account="main", sender="openid", occurred_at=MORNING
)
