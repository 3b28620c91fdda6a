"""Which wording of a content is sent, and what is not said twice."""

from tests.unit.step.play import Play
from tests.unit.step.worlds import RULES

OFFER = (
    "offer",
    """---
content: offer
channels: {oa: text}
variants: [normal, 甲, 乙]
---
平常
{% variant 甲 %}
甲话
{% variant 乙 %}
乙话
""",
)
TRIED = """
dsl: 1
journey: tried
name: 试
channel: oa
enter: [{event: oa.follow}]
vars: {which: {type: text, default: %s}}
states:
  say: {do: [{send: {content: offer, variant_by: vars.which}}], wait: {for: 1h}, then: done}
  done: {end: done}
"""
KEYED = """
dsl: 1
journey: keyed
name: 键
channel: oa
enter: [{event: oa.follow}]
vars: {n: {type: number, default: 0}}
states:
  say:
    do:
      - set: {vars.n: vars.n + 1}
      - send: {content: hello, key: "%s"}
    wait: {for: 1h}
    events: [{event: message, goto: say}]
    then: done
  done: {end: done}
"""
SHUT = """
dsl: 1
journey: shut
name: 关
channel: oa
enter: [{event: oa.follow}]
states:
  hello: {do: [{tag: x}], wait: {for: 2m}, then: later}
  later:
    do: [{send: {content: news, class: service, outside: [sms:S1, group_send, task]}}]
    wait: {for: 1h}
    then: done
  done: {end: done}
"""


def test_the_variant_that_an_expression_names_is_sent() -> None:
    play = Play(TRIED % "乙", contents=(OFFER,))
    assert play.follow() == ["乙话"]
    assert play.turn.traced("planned", variant="乙")


def test_a_variant_that_the_content_has_not_is_the_normal_one() -> None:
    assert Play(TRIED % "丙", contents=(OFFER,)).follow() == ["平常"]


def test_what_was_said_under_a_key_is_not_said_again_in_the_same_run() -> None:
    play = Play(KEYED % "once")
    assert play.follow() == ["hello"]
    assert play.say("在吗") == []
    assert play.turn.traced("not_sent", reason="said_already")


def test_another_key_is_another_thing_to_say() -> None:
    play = Play(KEYED % "{{ vars.n }}")
    assert play.follow() == ["hello"]
    assert play.say("在吗") == ["hello"]


def test_ways_that_have_no_account_are_passed_over_for_the_next() -> None:
    play = Play(SHUT)
    play.follow()
    assert play.wait("2m") == []
    assert play.turn.traced("not_sent", reason="way_without_account", way="sms")
    assert play.turn.traced("not_sent", reason="way_without_account", way="group_send")
    assert play.turn.to("zhangmin") == ["请联系客户（news 未能送达） [accept busy]"]


def test_an_interrupt_may_change_the_score() -> None:
    praised = RULES.replace(
        "class_rules:", "  - {id: praise, keyword: [真好], effect: answer, do: [{score: 3}]}\nclass_rules:"
    )
    play = Play(KEYED % "once", rules=praised)
    play.follow()
    play.say("真好")
    assert play.customer.score == 3


def test_ways_without_an_account_are_passed_over_as_well_when_the_platform_refuses() -> None:
    play = Play(SHUT.replace("hello: {do: [{tag: x}], wait: {for: 2m}", "hello: {do: [{tag: x}], wait: {for: 2s}"))
    play.refusals = ["window"]
    play.follow()
    play.wait("2s")
    assert play.turn.traced("not_sent", reason="way_without_account", way="sms")
    assert [task.title for task in play.customer.tasks.values()] == ["请联系客户（news 未能送达）"]
