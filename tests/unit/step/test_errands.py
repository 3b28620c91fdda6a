"""What a journey has done outside the conversation: webhooks, coupons, points, stages."""

from datetime import timedelta

import pytest

from bot.core.effects import RunErrand, SettlePlace, WithdrawErrands
from bot.core.errands import BookPoints, CallWebhook, HandOutCoupon
from bot.core.events import Json
from tests.unit.step.play import Play
from tests.unit.step.worlds import journey

TOLD = '  told: {do: [{send: {content: told, class: service}}, {note: "{{ crm.id }}"}], end: done}'
SORRY = "  sorry: {do: [{send: {content: sorry, class: service}}], end: sorry}\n"
ASKING = journey(
    "asking",
    """
vars: {n: {type: number, default: 7}}
states:
  ask:
    do: [{send: one-moment}]
    webhook: {call: crm.create_lead, body: {who: customer.id, number: vars.n}, save: crm, fail: {goto: sorry}}
    timeout: {after: 5m, goto: late}
    then: told
  told: {do: [{send: {content: told, class: service}}, {note: "{{ crm.id }}"}], end: done}
  sorry: {do: [{send: {content: sorry, class: service}}], end: sorry}
  late: {do: [{tag: 太晚}], end: late}
""",
)
PATIENT = ASKING.replace("    timeout: {after: 5m, goto: late}\n", "").replace(
    "  late: {do: [{tag: 太晚}], end: late}\n", ""
)
"""The same without a timeout of its own."""


def errands(play: Play) -> list[RunErrand]:
    """What was begun by the latest act."""
    return [effect for effect in play.turn.effects if isinstance(effect, RunErrand)]


def withdrawn(play: Play) -> list[str]:
    return [name for effect in play.turn.effects if isinstance(effect, WithdrawErrands) for name in effect.effect_ids]


def fields(errand: RunErrand) -> dict[str, Json]:
    return {
        "effect_id": errand.effect_id,
        "kind": errand.errand.kind,
        "name": errand.errand.name,
        "enrolment_id": errand.enrolment_id,
        "visit": errand.visit,
        "waited": errand.waited,
        "reply": errand.reply,
        **({"cause": errand.cause} if errand.cause else {}),
    }


def done(play: Play, errand: RunErrand, result: Json = None, **more: Json) -> list[str]:
    return play.event("effect.done", **fields(errand), result=result, **more)


def failed(play: Play, errand: RunErrand, error: str, **more: Json) -> list[str]:
    return play.event("effect.failed", **fields(errand), error=error, **more)


def test_a_webhook_is_asked_with_its_body_and_the_state_waits() -> None:
    play = Play(ASKING)
    assert play.follow() == ["one-moment"]
    (errand,) = errands(play)
    assert errand.errand == CallWebhook(target="crm", operation="create_lead", body={"who": 1, "number": 7})
    assert errand.waited and errand.reply
    assert play.at() == {"asking": "ask"}
    assert play.run("asking").awaiting == errand.effect_id


def test_the_answer_is_kept_and_the_journey_goes_on() -> None:
    play = Play(ASKING)
    play.follow()
    assert done(play, errands(play)[0], {"id": "L1"}) == ["told"]
    assert play.customer.notes == ("L1",)
    assert play.ended("asking") == "done"
    assert play.turn.traced("result", name="crm.create_lead", late=False) != []


def test_what_is_said_once_it_is_done_still_answers_her() -> None:
    play = Play(ASKING)
    play.follow()
    done(play, errands(play)[0], {})
    assert [send.reply for send in play.turn.sends()] == [True]


def test_an_errand_of_a_timer_answers_nobody() -> None:
    late = ASKING.replace("  ask:\n", "  first: {wait: {for: 1h}, then: ask}\n  ask:\n")
    play = Play(late.replace("{send: one-moment}", "{tag: 请求}"))
    play.follow()
    play.wait("1h")
    assert [errand.reply for errand in errands(play)] == [False]


def test_a_failure_goes_where_the_state_says() -> None:
    play = Play(ASKING)
    play.follow()
    assert failed(play, errands(play)[0], "webhook.5xx") == ["sorry"]
    assert play.turn.traced("error", error="webhook.5xx", outcome="handled") != []


def test_the_states_own_timeout_ends_the_waiting_and_withdraws_the_errand() -> None:
    play = Play(ASKING)
    play.follow()
    (errand,) = errands(play)
    assert errand.expires_at == play.now + timedelta(minutes=5, seconds=1)
    play.wait("5m")
    assert play.ended("asking") == "late"
    assert withdrawn(play) == [errand.effect_id]


def test_a_late_answer_is_journalled_and_counts_no_more() -> None:
    play = Play(ASKING)
    play.follow()
    (errand,) = errands(play)
    play.wait("5m")
    assert done(play, errand, {"id": "L1"}) == []
    assert play.turn.traced("result", late=True) != []
    assert play.ended("asking") == "late"


def test_an_answer_to_an_earlier_visit_does_not_count_in_a_later_one() -> None:
    again = ASKING.replace("fail: {goto: sorry}", "fail: {goto: ask}").replace(SORRY, "")
    play = Play(again)
    play.follow()
    (first,) = errands(play)
    failed(play, first, "webhook.5xx")
    (second,) = errands(play)
    assert second.effect_id != first.effect_id
    assert done(play, first, {}) == []
    assert play.at() == {"asking": "ask"}
    assert done(play, second, {}) == ["told"]


def test_a_second_answer_to_the_same_errand_changes_nothing() -> None:
    play = Play(ASKING.replace(TOLD, TOLD.replace("told: {do", "told: {wait: {for: 1h}, then: later}\n  later: {do")))
    play.follow()
    (errand,) = errands(play)
    done(play, errand, {"id": "L1"})
    before = play.at()
    assert done(play, errand, {"id": "L2"}) == []
    assert play.at() == before
    assert play.run("asking").saved == {"crm": {"id": "L1"}}


def test_an_answer_larger_than_an_enrolment_may_carry_is_an_error() -> None:
    play = Play(ASKING)
    play.follow()
    assert done(play, errands(play)[0], {"big": "x" * 70_000}) == ["sorry"]
    assert play.turn.traced("error", error="expr.size") != []


def test_an_answer_may_be_any_json() -> None:
    play = Play(ASKING.replace(TOLD, "  told: {wait: {for: 1h}, then: sorry}"))
    play.follow()
    done(play, errands(play)[0], [1, {"a": None}])
    assert play.run("asking").saved == {"crm": [1, {"a": None}]}


GIFTS = journey(
    "gifts",
    """
states:
  give:
    do:
      - points: {add: 50, reason: 完善资料}
      - coupon: {grant: 礼券, once_per: ONCE}
    end: done
""",
)


def test_points_count_at_once_and_are_booked() -> None:
    play = Play(GIFTS.replace("ONCE", "customer"))
    play.follow()
    assert play.customer.points == 50
    booked = errands(play)[0].errand
    assert booked == BookPoints(add=50, reason="完善资料", balance=50)
    assert not errands(play)[0].waited


def test_points_that_could_not_be_booked_are_taken_back() -> None:
    play = Play(GIFTS.replace("ONCE", "customer"))
    play.follow()
    failed(play, errands(play)[0], "points.refused", add=50)
    assert play.customer.points == 0


def test_points_that_she_does_not_have_are_not_taken() -> None:
    play = Play(
        GIFTS.replace("add: 50", "add: -50")
        .replace("ONCE", "customer")
        .replace("states:", "errors: [{error: points.short, goto: short}]\nstates:")
        + "  short: {end: short}\n"
    )
    play.follow()
    assert play.customer.points == 0
    assert errands(play) == []
    assert play.ended("gifts") == "short"


@pytest.mark.parametrize(("once", "given"), [("customer", 1), ("journey", 2)])
def test_a_coupon_is_given_as_often_as_it_may_be(once: str, given: int) -> None:
    play = Play(GIFTS.replace("ONCE", once))
    found: list[RunErrand] = []
    for _ in range(2):
        play.follow()
        found += [one for one in errands(play) if isinstance(one.errand, HandOutCoupon)]
    assert len(found) == given
    assert len({one.errand.once for one in found if isinstance(one.errand, HandOutCoupon)}) == given


def test_within_one_run_a_coupon_of_the_journey_is_given_once() -> None:
    twice = GIFTS.replace("ONCE}\n", "ONCE}\n      - coupon: {grant: 礼券, once_per: ONCE}\n").replace(
        "ONCE", "journey"
    )
    play = Play(twice)
    play.follow()
    assert len([one for one in errands(play) if isinstance(one.errand, HandOutCoupon)]) == 1
    assert play.turn.traced("coupon", outcome="had_already") != []


def test_a_coupon_that_was_not_given_after_all_may_be_given_later() -> None:
    play = Play(GIFTS.replace("ONCE", "customer"))
    play.follow()
    coupon = errands(play)[1]
    failed(play, coupon, "coupon.sold_out")
    play.follow()
    assert [one.errand.kind for one in errands(play)] == ["points", "coupon"]


def test_a_coupon_that_the_ledger_knows_is_no_error() -> None:
    play = Play(
        GIFTS.replace("ONCE}\n    end: done", "ONCE}\n    wait: {for: 1h}\n    then: end").replace("ONCE", "customer")
        + "  end: {end: done}\n"
    )
    play.follow()
    failed(play, errands(play)[1], "coupon.already")
    assert play.at() == {"gifts": "give"}
    assert play.turn.traced("error") == []


STAGES = journey(
    "stages",
    """
errors: [{error: stage.no_lead, goto: none}]
states:
  first: {do: [LEAD{stage: qualified}], end: done}
  none: {end: none}
""",
)
LISTENS = journey(
    "listens",
    """
states:
  wait: {wait: {for: 9d}, events: [{event: stage.changed, goto: heard}], then: heard}
  heard: {do: [{tag: 听见}], end: done}
""",
    enter="event: oa.scan",
)


def test_the_stage_of_a_lead_changes_and_other_journeys_hear_of_it() -> None:
    play = Play(STAGES.replace("LEAD", "{lead: {city: customer.city}}, "), LISTENS)
    play.scan("展厅")
    play.follow()
    assert play.customer.lead is not None and play.customer.lead.stage == "qualified"
    assert play.customer.tags == {"听见"}


def test_without_a_lead_there_is_no_stage() -> None:
    play = Play(STAGES.replace("LEAD", ""))
    play.follow()
    assert play.ended("stages") == "none"


OTHER = journey("other", "states:\n  done: {end: done}\n", enter="keyword: [别的]")


def test_an_errand_under_way_is_not_begun_again_by_a_release() -> None:
    play = Play(ASKING)
    play.follow()
    (errand,) = errands(play)
    play.reload(ASKING, OTHER)
    assert done(play, errand, {"id": "L1"}) == ["told"]
    assert (errands(play), withdrawn(play)) == ([], [])
    assert play.customer.notes == ("L1",)


def test_what_comes_back_to_a_state_that_waits_for_something_else_since_a_release_has_failed_there() -> None:
    play = Play(ASKING)
    play.follow()
    (errand,) = errands(play)
    play.reload(ASKING, OTHER)
    other = {**fields(errand), "kind": "book"}
    assert play.event("effect.done", **other, result={"id": "B1"}) == ["sorry"]
    assert [e.keep for e in play.turn.effects if isinstance(e, SettlePlace)] == [False]


def test_a_state_that_no_longer_waits_for_an_errand_takes_it_back() -> None:
    play = Play(ASKING)
    play.follow()
    (errand,) = errands(play)
    start, end = ASKING.index("    webhook:"), ASKING.index("    timeout:")
    resting = ASKING[:start] + "    wait: forever\n    events: [{event: oa.scan, goto: told}]\n" + ASKING[end:]
    resting = resting.replace("late}\n    then: told\n", "late}\n").replace(', {note: "{{ crm.id }}"}', "")
    resting = resting.replace(SORRY, "")
    play.reload(resting)
    play.say("在吗")
    assert withdrawn(play) == [errand.effect_id]
    assert done(play, errand, {}) == []
    assert play.at() == {"asking": "ask"}
