"""What a journey wants to say, and what becomes of it: windows, quiet hours, fallbacks, receipts, opting out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.customer import Consent
from bot.core.effects import Fallback, SendMessage
from bot.core.ids import CustomerId
from bot.core.messages import TemplateMessage
from tests.unit.step.play import MORNING, Play
from tests.unit.step.worlds import RULES

LATER = """
dsl: 1
journey: later
name: 后来
channel: oa
enter: [{event: oa.follow}]
states:
  hello: {do: [{send: hello}], wait: {for: %s}, then: later}
  later: {do: [{send: {content: news, class: %s%s}}], wait: {for: 1h}, then: done}
  sorry: {do: [{tag: window-was-shut}], then: done}
  done: {end: done}
errors: [{error: send.window_closed, goto: sorry}]
"""


def later(wait: str, send_class: str = "service", outside: str = "") -> str:
    return LATER % (wait, send_class, f", outside: {outside}" if outside else "")


def test_a_message_outside_the_window_with_no_fallback_is_the_journeys_error() -> None:
    play = Play(later("2m"))
    play.follow()
    assert play.wait("2m") == []
    assert "window-was-shut" in play.customer.tags
    assert play.turn.traced("not_sent", reason="window_closed")


def test_the_first_fallback_that_may_go_stands_in_for_it() -> None:
    play = Play(later("2m", outside="[template:通知, task]"))
    play.follow()
    assert play.wait("2m") == ["template:通知"]
    assert play.planned("news").fallbacks == (Fallback(way="task", title="请联系客户（news 未能送达）"),)


def test_a_task_may_stand_in_for_a_message() -> None:
    play = Play(later("2m", outside="[task]"))
    play.follow()
    assert play.wait("2m") == []
    assert play.turn.to("zhangmin") == ["请联系客户（news 未能送达） [accept busy]"]
    assert play.at() == {"later": "later"}


def test_a_message_may_be_dropped_and_the_journey_goes_on() -> None:
    play = Play(later("2m", outside="[drop]"))
    play.follow()
    assert play.wait("2m") == []
    assert play.turn.traced("not_sent", reason="dropped_outside_window")
    assert play.at() == {"later": "later"}


def test_a_question_outside_the_window_falls_back_and_still_waits_for_its_answer() -> None:
    asking = """
dsl: 1
journey: asking
name: 问
channel: oa
enter: [{event: oa.follow}]
slots: {need: {type: choice, options: {看车: [], 养车: []}, ask: ask-need}}
states:
  hello: {do: [{send: hello}], wait: {for: 2m}, then: need}
  need:
    ask: {slot: need, class: service, outside: [template:通知]}
    timeout: {after: 4h, goto: done}
    give_up: {goto: done}
    then: noted
  noted: {do: [{send: noted}], then: done}
  done: {end: done}
"""
    play = Play(asking)
    play.follow()
    assert play.wait("2m") == ["template:通知"]
    assert play.say("看车") == ["noted"]


def test_the_platforms_refusal_leads_to_the_next_fallback_as_a_new_message() -> None:
    play = Play(later("1s", outside="[template:通知, template:备用, task]"))
    play.follow()
    play.refusals = ["window", "43101"]
    assert play.wait("1s") == ["news", "template:通知", "template:备用"]
    sends = [send for send in play.turn.sends() if send.send_class != "staff"]
    assert len({send.effect_id for send in sends}) == 3
    assert [len(send.fallbacks) for send in sends] == [3, 2, 1]
    assert play.at() == {"later": "later"}


def test_a_refusal_with_nothing_left_to_try_is_the_journeys_error() -> None:
    play = Play(later("1s"))
    play.follow()
    play.refusals = ["window"]
    play.wait("1s")
    assert play.turn.traced("error", error="send.window_closed", outcome="handled")
    assert "window-was-shut" in play.customer.tags


def test_an_error_of_an_old_message_troubles_nobody_but_the_journal() -> None:
    play = Play(later("1s"))
    play.follow()
    play.wait("1s")
    old = play.planned("hello")
    play.receipt("send.refused", old, "40003")
    assert play.turn.traced("send.refused", content="hello")
    assert not play.turn.traced("error")
    assert play.at() == {"later": "later"}


def test_a_fallback_stands_in_even_when_the_journey_has_ended() -> None:
    short = """
dsl: 1
journey: short
name: 短
channel: oa
enter: [{event: oa.follow}]
states:
  thanks: {do: [{send: {content: thanks, outside: [template:通知]}}], then: done}
  done: {end: done}
"""
    play = Play(short)
    play.refusals = ["window"]
    assert play.follow() == ["thanks", "template:通知"]


def test_a_fallback_obeys_the_rules_of_the_message_it_stands_in_for() -> None:
    play = Play(later("1s", "reminder", outside="[template:通知]"), at=MORNING)
    play.wait_until(play.clock("20:30"))
    play.follow()
    play.hold("news")
    play.wait("45m")
    assert play.settle("news", "refused", "window") == ["稍后 template:通知"]


@pytest.mark.parametrize("reason", ["human_has_floor", "expired"])
def test_what_came_too_late_or_over_a_colleague_is_replaced_by_nothing(reason: str) -> None:
    play = Play(later("1s", outside="[template:通知]"))
    play.follow()
    play.wait("1s")
    kind = "send.expired" if reason == "expired" else "send.refused"
    assert play.receipt(kind, play.planned("news"), reason) == []
    assert not play.turn.traced("error")


def test_an_unknown_fate_changes_nothing() -> None:
    play = Play(later("1s", outside="[template:通知]"))
    play.follow()
    play.wait("1s")
    assert play.receipt("send.unknown", play.planned("news"), "no_verdict") == []
    assert play.at() == {"later": "later"}


def test_a_customer_who_is_gone_ends_what_talks_to_her() -> None:
    play = Play(later("1s", outside="[template:通知]"))
    play.follow()
    play.wait("1s")
    assert play.receipt("send.refused", play.planned("news"), "gone") == []
    assert play.ended("later") == "unreachable"
    assert not play.talk.reachable


def test_unfollowing_ends_her_journeys_and_following_again_enters_under_reentry() -> None:
    play = Play(later("1h").replace("states:", "reentry: {allow: after 1d}\nstates:"))
    play.follow()
    play.unfollow()
    assert (play.ended("later"), play.customer.timers) == ("unreachable", ())
    assert play.follow() == []
    assert play.turn.traced("entry_refused", reason="too_soon")
    play.unfollow()
    play.wait("1d")
    assert play.follow() == ["hello"]


def test_a_state_may_handle_that_she_unfollows() -> None:
    handling = later("1h").replace(
        "wait: {for: 1h}, then: later", "wait: {for: 1h}, events: [{event: oa.unfollow, goto: sorry}], then: later", 1
    )
    play = Play(handling)
    play.follow()
    play.unfollow()
    assert play.ended("later") == "done"


def test_what_waits_for_her_when_she_unfollows_is_held_back() -> None:
    play = Play(later("1m", "reminder"), at=MORNING.replace(hour=15))
    play.follow()
    assert play.wait("1m") == ["稍后 news"]
    play.unfollow()
    assert play.turn.suppressed()[0] == ("unreachable", 1)


def test_a_reminder_at_night_waits_for_the_morning_and_the_wait_behind_it_too() -> None:
    play = Play(later("1m", "reminder"), at=MORNING.replace(hour=15))
    play.follow()
    assert play.wait("1m") == ["稍后 news"]
    send = next(send for send in play.turn.sends() if send.content == "news")
    opening = play.clock("09:00")
    assert send.not_before is not None and opening <= send.not_before < opening + timedelta(minutes=10)
    assert play.now + play.due("wait") == send.not_before + timedelta(hours=1)


def test_customers_do_not_all_get_their_reminders_at_the_same_moment() -> None:
    moments = set()
    for number in range(1, 6):
        play = Play(later("1m", "reminder"), at=MORNING.replace(hour=15))
        play.customer = replace(play.customer, customer_id=CustomerId(number))
        play.follow()
        play.wait("1m")
        moments.add(play.turn.sends()[0].not_before)
    assert len(moments) == 5


def test_the_timeout_of_a_question_that_waits_for_the_morning_counts_from_then() -> None:
    asking = """
dsl: 1
journey: asking
name: 问
channel: oa
enter: [{event: oa.follow}]
slots: {need: {type: choice, options: {看车: [], 养车: []}, ask: ask-need}}
states:
  need: {ask: {slot: need, class: reminder}, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: done}
  done: {end: done}
"""
    play = Play(asking, at=MORNING.replace(hour=15))
    assert play.follow() == ["稍后 ask-need"]
    leaves_at = play.turn.sends()[0].not_before
    assert leaves_at is not None
    assert play.now + play.due("timeout") == leaves_at + timedelta(hours=4)


def test_the_window_is_asked_again_when_the_night_is_over() -> None:
    play = Play(later("1m", "reminder", outside="[task]"), at=MORNING.replace(hour=15))
    play.follow()
    play.wait("1m")
    play.wait("12h")
    assert play.turn.tasks() == [("open", "zhangmin", "请联系客户（news 未能送达）")]


def test_marketing_needs_consent_and_keeps_to_its_cap() -> None:
    play = Play(later("1m", "marketing", outside="[template:通知]"))
    play.follow()
    assert play.wait("1m") == []
    assert play.turn.traced("not_sent", reason="no_consent")


def test_a_capped_message_is_dropped_and_the_journey_goes_on() -> None:
    play = Play(
        later("1s", "marketing", outside="[template:通知]"),
        rules=RULES.replace("max: 2, per: 7d", "max: 1, per: 7d"),
    )
    agreed = Consent(granted=True, at=play.now, source="test", text="", text_hash="")
    play.customer = replace(play.customer, consents={"营销": agreed})
    play.follow()
    assert play.wait("1s") == ["news"]
    play.wait("2h")
    play.follow()
    assert play.wait("1s") == []
    assert play.turn.traced("not_sent", reason="cap")


def test_opting_out_holds_back_what_was_planned_and_is_still_acknowledged() -> None:
    play = Play(later("1m", "reminder"), at=MORNING.replace(hour=15))
    play.follow()
    play.wait("1m")
    assert play.say("退订") == ["optout-ok"]
    assert sum(number for _, number in play.turn.suppressed()) == 1
    assert play.wait("12h") == []


def test_the_acknowledgement_may_come_before_the_opt_out_in_the_file() -> None:
    turned = RULES.replace("[{opt_out: all}, {send: optout-ok}]", "[{send: optout-ok}, {opt_out: all}]")
    play = Play(later("1h"), rules=turned)
    play.follow()
    assert play.say("退订") == ["optout-ok"]
    assert "optout-ok" in [send.content for send in play.sent]


def test_after_opting_out_she_is_answered_but_never_written_to() -> None:
    play = Play(later("1m").replace("event: oa.follow", "keyword: [咨询]"))
    play.say("退订")
    assert play.say("咨询") == ["hello"]
    assert play.wait("1m") == []
    assert play.turn.traced("not_sent", reason="opted_out")


def test_a_fourth_message_of_one_step_is_an_error() -> None:
    chatty = later("1h").replace(
        "{send: hello}", "{send: one}, {send: two}, {send: three}, {send: {content: four, key: four}}"
    )
    play = Play(chatty)
    assert play.follow() == ["one", "two", "three"]
    assert play.turn.traced("error", error="send.burst", outcome="stuck")


def test_what_she_says_of_herself_makes_no_links() -> None:
    greeting = later("1h").replace("{send: hello}", "{set: {customer.city: \"'<a href=x>'\"}}, {send: hello}")
    content = "---\ncontent: hello\nchannels: {oa: text}\nvars: [customer.city]\n---\n<b>{{ customer.city }}</b>\n"
    assert Play(greeting, contents=(("hello", content),)).follow() == ["<b>＜a href=x></b>"]


def test_the_message_of_a_template_is_filled_when_it_is_planned() -> None:
    play = Play(later("2m", outside="[template:通知]"))
    play.follow()
    play.wait("2m")
    message = play.planned("news").message
    assert message == TemplateMessage(template="通知", fields=(("thing1", "news"),))


def test_equal_events_make_equal_messages() -> None:
    one, two = Play(later("1h")), Play(later("1h"))
    one.follow()
    two.follow()
    assert [send for send in one.turn.effects if isinstance(send, SendMessage)] == two.turn.effects
