"""What an interrupt of `_global.yaml` may do besides answering: no journey stands behind it."""

from datetime import timedelta

import pytest

from bot.core.ids import ConversationId
from tests.unit.step.play import Play
from tests.unit.step.worlds import RULES, journey

COMPLAINED = "keyword: [投诉]"
EVENTS = ("schema/events.yaml", "dsl: 1\nevents: {she.complained: {fields: {what: text}}}\n")
REST = journey(
    "rest",
    """
states:
  rest: {wait: {for: 9h}, events: [{event: she.complained, when: event.what == '投诉', goto: heard}], then: done}
  heard: {do: [{tag: 听见}], wait: {for: 9h}, then: done}
  done: {end: done}
""",
)
CALM = journey(
    "calm",
    "vars: {why: {type: text}}\nstates:\n  go: {do: [{note: '{{ vars.why }}'}], wait: {for: 1h}, then: z}\n"
    "  z: {end: z}\n",
    enter="",
)


def told(*actions: str, effect: str = "answer") -> Play:
    """She complains, and the interrupt does `actions`."""
    one = f"  - {{id: complaint, {COMPLAINED}, effect: {effect}, do: [{', '.join(actions)}]}}\n"
    play = Play(REST, CALM, rules=RULES.replace("class_rules:", f"{one}class_rules:"), files=(EVENTS,))
    play.follow()
    play.say("投诉")
    return play


def test_an_interrupt_gives_a_task_about_the_conversation_in_which_she_wrote() -> None:
    play = told("{task: {to: 'role:店长', title: '{{ event.text }}', due: 1h, overdue: {to: 'role:运营值班'}}}")
    (task,) = play.customer.tasks.values()
    assert (task.title, task.staff_id, task.journey) == ("投诉", "chenjing", "")
    assert task.conversation_id == ConversationId("oa:main:openid")
    assert play.wait("1h") == []
    assert "超时" in play.turn.to("zhouning")[0]


def test_an_interrupt_emits_what_journeys_hear_in_the_same_step() -> None:
    play = told("{emit: {event: she.complained, fields: {what: event.text}}}")
    assert play.at() == {"rest": "heard"}


def test_an_interrupt_starts_a_journey_and_hands_it_what_she_wrote() -> None:
    play = told("{start: {journey: calm, with: {why: '{{ event.text }}'}}}")
    assert play.at() == {"rest": "rest", "calm": "go"}
    assert play.customer.notes == ("投诉",)
    assert play.turn.traced("entered", cause="interrupt:complaint")


def test_an_interrupt_takes_a_journey_back_whoever_began_it() -> None:
    play = told("{cancel_journey: rest}")
    assert play.ended("rest") == "cancelled"


def test_an_interrupt_keeps_a_note_an_attribute_and_a_consent_with_where_they_come_from() -> None:
    play = told(
        "{note: 有投诉}", "{set: {customer.city: \"'上海'\", customer.visits: 3}}", "{consent: {withdraw: 营销}}"
    )
    assert play.customer.notes == ("有投诉",)
    assert play.customer.attributes == {"city": "上海", "visits": 3}
    consent = play.customer.consents["营销"]
    assert (consent.granted, consent.source) == (False, "interrupt:complaint")


def test_an_interrupt_opens_a_lead_and_moves_it_to_a_stage() -> None:
    play = told("{lead: {need: event.text}}", "{stage: contacted}")
    lead = play.customer.lead
    assert lead is not None and (lead.fields, lead.stage) == ({"need": "投诉"}, "contacted")


def test_an_answer_of_an_interrupt_is_of_use_as_long_as_it_says() -> None:
    play = told("{send: {content: sorry, expire: 10m}}")
    send = play.planned("sorry")
    assert send.expires_at is not None and send.expires_at - play.now == timedelta(minutes=10)


def test_what_cannot_be_done_is_told_and_the_rest_is_done() -> None:
    play = told("{stage: won}", "{note: '{{ error.code }}怎么了'}", "{tag: 说完了}")
    assert play.turn.traced("error", error="stage.no_lead")
    assert "说完了" in play.customer.tags
    play = told("{set: {customer.visits: event.text * 2}}", "{tag: 有投诉}")
    assert play.turn.traced("error", error="expr.type", cause="interrupt:complaint", outcome="journalled")
    assert "有投诉" in play.customer.tags


def test_after_everything_has_ended_the_interrupt_still_does_what_it_says() -> None:
    play = told("{start: calm}", "{task: {to: 'role:店长', title: 请回电, due: 1h}}", effect="end_all")
    assert play.ended("rest") == "complaint"
    assert play.at() == {"calm": "go"}
    assert [task.title for task in play.customer.tasks.values()] == ["请回电"]


@pytest.mark.parametrize(
    ("action", "rule"),
    [
        ("set: {vars.n: 1}", "J008"),
        ("coupon: {grant: 券, once_per: journey}", "J016"),
        ("cancel_booking: booking", "J203"),
    ],
)
def test_what_only_a_journey_can_do_is_refused(action: str, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        told(f"{{{action}}}")
