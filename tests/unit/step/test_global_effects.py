"""What `_global.yaml` has done outside the conversation, and the errors that belong to no journey."""

import pytest

from bot.core.effects import RunErrand, SaveTask
from bot.core.errands import BookPoints, GiveBack, HandOutCoupon
from tests.unit.step.play import Play
from tests.unit.step.test_bookings import CALENDAR, DRIVE, booked
from tests.unit.step.test_errands import done, errands, failed
from tests.unit.step.worlds import RULES, journey

REST = journey("rest", "states:\n  rest: {wait: {for: 9h}, then: done}\n  done: {end: done}\n")
POINTS = "{points: {add: -30, reason: 兑换}}"
TEXT = "---\ncontent: {name}\nchannels: {{oa: text}}\n{head}---\n{body}\n"


def rules(*actions: str, effect: str = "answer", errors: str = "", burst: int = 3) -> str:
    """The rules with an interrupt 兑换 that does `actions`."""
    one = f"  - {{id: swap, keyword: [兑换], effect: {effect}, do: [{', '.join(actions)}]}}\n"
    return RULES.replace("class_rules:", f"{one}class_rules:") + f"burst: {burst}\nerrors: [{errors}]\n"


def swapped(*actions: str, errors: str = "") -> Play:
    """She rests in a journey and says 兑换."""
    play = Play(REST, rules=rules(*actions, errors=errors))
    play.follow()
    play.say("兑换")
    return play


def operators(play: Play) -> list[str]:
    return [effect.title for effect in play.turn.effects if isinstance(effect, SaveTask)]


def test_points_of_an_interrupt_count_at_once_and_go_to_the_ledger() -> None:
    play = swapped("{points: {add: 50, reason: 签到}}")
    (errand,) = errands(play)
    assert errand.errand == BookPoints(add=50, reason="签到", balance=50)
    assert (errand.enrolment_id, errand.journey, errand.cause, errand.reply) == (None, "", "interrupt:swap", True)
    assert play.customer.points == 50


def test_a_coupon_of_an_interrupt_is_given_once_to_a_customer() -> None:
    play = swapped("{coupon: {grant: 礼, once_per: customer}}")
    assert [errand.errand for errand in errands(play)] == [HandOutCoupon(coupon="礼", once="customer")]
    play.say("兑换")
    assert errands(play) == []
    assert play.turn.traced("coupon", outcome="had_already")


def test_the_same_message_gives_the_same_errand_and_another_message_another() -> None:
    play = swapped("{coupon: {grant: 礼}}", "{coupon: {grant: 礼}}")
    first = {errand.effect_id for errand in errands(play)}
    assert len(first) == 2
    again = swapped("{coupon: {grant: 礼}}", "{coupon: {grant: 礼}}")
    assert {errand.effect_id for errand in errands(again)} == first
    play.say("兑换")
    assert first.isdisjoint(errand.effect_id for errand in errands(play))


def test_points_that_she_does_not_have_are_an_error_for_the_rules_of_everybody() -> None:
    play = swapped(POINTS, "{tag: 换过}", errors="{error: points.short, do: [{send: too-few}]}")
    assert [send.content for send in play.turn.sends()] == ["too-few"]
    assert play.turn.traced("error", error="points.short", cause="interrupt:swap", outcome="handled")
    assert errands(play) == []
    assert (play.customer.points, "换过" in play.customer.tags) == (0, True)


def test_without_a_rule_what_she_lacks_is_journalled_only() -> None:
    play = swapped(POINTS)
    assert play.turn.traced("error", error="points.short", outcome="journalled")
    assert operators(play) == []


def test_a_rule_for_errors_reads_which_one_it_was() -> None:
    rule = (
        "{error: '*', do: [{note: '{{ error.code }}'}, {task: {to: 'role:店长', title: '{{ error.code }}', due: 1h}}]}"
    )
    play = swapped(POINTS, errors=rule)
    assert play.customer.notes == ("points.short",)
    assert operators(play) == ["points.short"]


def test_what_a_rule_for_errors_does_raises_no_further_error() -> None:
    rule = f"{{error: '*', do: [{POINTS}, {{tag: 出错}}]}}"
    play = swapped(POINTS, errors=rule)
    outcomes = [trace["outcome"] for trace in play.turn.traced("error", error="points.short")]
    assert outcomes == ["handled", "journalled"]
    assert "出错" in play.customer.tags


def test_a_failed_errand_of_no_journey_is_taken_back_and_told_to_the_operators() -> None:
    play = swapped("{points: {add: 50, reason: 签到}}")
    failed(play, errands(play)[0], "points.timeout", add=50)
    assert play.customer.points == 0
    assert operators(play) == ["积分 签到 没有办成（interrupt:swap）：points.timeout"]
    assert play.at() == {"rest": "rest"}


def test_a_failed_errand_of_no_journey_goes_to_the_rule_of_everybody_that_names_it() -> None:
    rule = "{error: coupon.*, do: [{send: {content: sorry, class: service}}]}"
    play = swapped("{coupon: {grant: 礼, once_per: customer}}", errors=rule)
    assert failed(play, errands(play)[0], "coupon.timeout") == ["sorry"]
    assert operators(play) == []
    play.say("兑换")
    assert [errand.errand.kind for errand in errands(play)] == ["coupon"], "what failed may be given again"


def test_a_coupon_that_the_ledger_knows_already_is_no_error() -> None:
    play = swapped("{coupon: {grant: 礼, once_per: customer}}")
    failed(play, errands(play)[0], "coupon.already")
    assert operators(play) == []


def driving(effect: str = "answer", *others: str) -> Play:
    actions = rules("{cancel_booking: booking}", "{send: {content: given-back, class: service}}", effect=effect)
    return Play(DRIVE, *others, rules=actions, files=CALENDAR)


@pytest.mark.parametrize("effect", ["answer", "end_focus", "end_all"])
def test_an_interrupt_gives_back_the_booking_of_her_journey(effect: str) -> None:
    play = driving(effect)
    booked(play)
    assert play.say("兑换") == ["given-back"]
    (errand,) = errands(play)
    assert (errand.errand, errand.enrolment_id) == (GiveBack(booking_id="B1"), None)
    if effect != "end_all":
        assert play.run("drive").saved["booking"]["status"] == "cancelled"  # type: ignore[index, call-overload] # a record


def test_a_booking_given_back_by_an_interrupt_is_told_to_the_journey_that_kept_it() -> None:
    hearing = DRIVE.replace("{event: booking.moved, reenter: true}", "{event: booking.cancelled, goto: over}")
    play = Play(hearing, rules=rules("{cancel_booking: booking}"), files=CALENDAR)
    booked(play)
    play.say("兑换")
    done(play, errands(play)[0], {"id": "B1"})
    assert play.ended("drive") == "over"


def test_without_a_booking_there_is_nothing_to_give_back() -> None:
    play = driving()
    play.say("兑换")
    assert play.turn.traced("error", error="book.no_booking", outcome="journalled")
    assert errands(play) == []


def test_of_several_bookings_an_interrupt_gives_back_none() -> None:
    other = DRIVE.replace("journey: drive", "journey: other").replace("event: oa.follow", "keyword: [再约]")
    play = driving("answer", other)
    booked(play)
    play.say("再约")
    (errand,) = errands(play)
    held = {"id": "B2", "status": "booked", "start": errand.errand.start_at.isoformat()}  # type: ignore[union-attr] # a place
    done(play, errand, held, hold_until=(play.now.replace(hour=23)).isoformat())
    play.say("兑换")
    assert play.turn.traced("error", error="book.several")
    assert errands(play) == []


def test_what_stands_in_for_an_answer_that_cannot_be_sent_goes_instead() -> None:
    say = "{send: {content: hint, class: service, window: require, outside: [template:通知, task]}}"
    text = TEXT.format(name="hint", head="templates: {通知: {thing1: hint}}\n", body="hint")
    play = Play(REST, rules=rules(say), contents=(("hint", text),))
    play.refusals = ["window"]
    play.say("兑换")
    assert [send.message.kind for send in play.turn.sends()] == ["text", "template"]
    assert [send.cause for send in play.turn.sends()] == ["interrupt:swap", "interrupt:swap"]


def test_an_answer_with_nothing_to_stand_in_is_a_task_or_an_error_of_everybodys() -> None:
    text = TEXT.format(name="hint", head="", body="hint")
    task = Play(REST, rules=rules("{send: {content: hint, outside: [task]}}"), contents=(("hint", text),))
    task.refusals = ["window"]
    task.say("兑换")
    assert operators(task) == ["请联系客户（hint 未能送达）"]
    rule = "{error: send.*, do: [{send: other}, {tag: 没说成}]}"
    play = Play(REST, rules=rules("{send: hint}", errors=rule), contents=(("hint", text),))
    play.refusals = ["45047x", "45047x"]
    play.say("兑换")
    assert "没说成" in play.customer.tags
    outcomes = [trace["outcome"] for trace in play.turn.traced("error", error="send.rejected.45047x")]
    assert outcomes == ["handled", "journalled"], "what the rule itself says in vain is not told to it again"


def test_the_variant_of_an_answer_is_chosen_by_what_is_known_of_her() -> None:
    text = TEXT.format(name="hint", head="variants: [normal, 上海]\n", body="您好{% variant 上海 %}侬好")
    play = Play(REST, rules=rules("{send: {content: hint, variant_by: customer.city}}"), contents=(("hint", text),))
    assert play.say("兑换") == ["您好"]
    arrived = Play(
        REST,
        rules=rules("{set: {customer.city: \"'上海'\"}}", "{send: {content: hint, variant_by: customer.city}}"),
        contents=(("hint", text),),
    )
    assert arrived.say("兑换") == ["侬好"]


def test_an_answer_with_a_key_is_given_once_to_a_customer() -> None:
    play = Play(REST, rules=rules("{send: {content: hint, key: '{{ today }}'}}"))
    assert [play.say("兑换"), play.say("兑换")] == [["hint"], []]
    assert play.turn.traced("not_sent", reason="said_already_to_her")
    play.wait("24h")
    assert play.say("兑换") == ["hint"]


def test_errands_of_an_interrupt_are_named_by_the_customer_too() -> None:
    one, two = swapped(POINTS.replace("-30", "5")), swapped(POINTS.replace("-30", "5"))
    assert [e.effect_id for e in errands(one)] == [e.effect_id for e in errands(two)]
    assert all(isinstance(effect, RunErrand) for effect in errands(one))
