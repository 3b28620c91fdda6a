"""The journal is not sealed: no line of it has what a template came to, whatever an action makes of it."""

import pytest

from bot.core.errands import BookPoints, HandOutCoupon
from tests.unit.step.play import Play
from tests.unit.step.test_errands import done, errands, failed
from tests.unit.step.worlds import journey

SECRET = "王小明"
ACTIONS = """
      - coupon: {grant: "礼 {{ slots.called }}", once_per: customer}
      - coupon: {grant: "礼 {{ slots.called }}", once_per: customer}
      - points: {add: 5, reason: "推荐 {{ slots.called }}"}
      - tag: "认识 {{ slots.called }}"
      - -tag: "认识 {{ slots.called }}"
      - note: "说她叫 {{ slots.called }}"
      - task: {to: "role:店长", title: "请致电 {{ slots.called }}", due: 1h}
      - consent: {grant: "{{ slots.called }}", text: hello}
      - lead: {called: slots.called}
      - stage: "{{ 'won' if has(slots.called) else 'lost' }}"
      - set: {vars.kept: slots.called}
      - emit: {event: own.told, fields: {called: slots.called}}
      - send: {content: hello, key: "{{ slots.called }}"}
      - send: {content: hello, key: "{{ slots.called }}"}
      - start: {journey: other, with: {who: "{{ slots.called }}"}}
"""
ASKING = journey(
    "asking",
    f"""
vars: {{kept: {{type: text}}}}
slots: {{called: {{type: text, ask: ask-called, pii: true}}}}
states:
  q: {{ask: called, timeout: {{after: 4h, goto: over}}, give_up: {{goto: over}}, then: act}}
  act:
    do:{ACTIONS}    then: rest
  rest: {{wait: {{for: 9h}}, then: short}}
  short: {{do: [{{points: {{add: -50, reason: "换 {{{{ slots.called }}}}"}}}}], then: over, fail: {{goto: over}}}}
  over: {{end: done}}
errors: [{{error: "*", goto: over}}]
""",
)
OTHER = journey(
    "other",
    "vars: {who: {type: text}}\nstates:\n  rest: {wait: {for: 9h}, then: done}\n  done: {end: done}\n",
).replace("event: oa.follow", "keyword: [别的]")
FILES = (("schema/events.yaml", "dsl: 1\nevents:\n  own.told: {fields: {called: text}}\n"),)
CONTENTS = (("hello", "---\ncontent: hello\nchannels: {oa: text}\n---\n您好\n"),)


def told() -> Play:
    """She has said what she is called, and everything is done with it that can be."""
    play = Play(ASKING, OTHER, files=FILES, contents=CONTENTS)
    play.follow()
    play.say(SECRET)
    assert play.at()["asking"] == "rest", "all of it was done"
    return play


def told_of(play: Play) -> list[str]:
    """Lines of the whole journal in which it stands."""
    lines = [line for made in play.steps for line in made.journal]
    assert {line.kind for line in lines} >= {"errand", "coupon", "points", "tag", "note", "task", "consent", "set"}
    return [f"{line.kind} {dict(line.detail)}" for line in lines if SECRET in str(line.detail)]


def test_what_actions_make_of_personal_values_stands_in_no_line() -> None:
    play = told()
    made = {one.errand.name for one in errands(play)}
    assert made == {f"礼 {SECRET}", f"推荐 {SECRET}"}, "and it was made all the same"
    play.wait("9h")
    assert play.turn.traced("points", outcome="short")
    assert told_of(play) == []


@pytest.mark.parametrize("outcome", ["done", "failed", "failed in vain"])
def test_nor_does_it_when_the_errands_come_back(outcome: str) -> None:
    play = told()
    begun = errands(play)
    if outcome == "failed in vain":
        play.wait("9h")
    for errand in begun:
        made = errand.errand
        assert isinstance(made, HandOutCoupon | BookPoints)
        more = {"written": made.written, "add": 5} if isinstance(made, BookPoints) else {"written": made.written}
        done(play, errand, **more) if outcome == "done" else failed(play, errand, f"{made.kind}.timeout", **more)
        assert [line["name"] for line in play.turn.traced("result")] == [made.written]
    assert told_of(play) == []


def test_what_was_written_for_everybody_stands_there_as_it_is() -> None:
    actions = "{coupon: {grant: 礼}}, {points: {add: 5, reason: 签到}}"
    body = f"states:\n  go: {{do: [{actions}], then: over}}\n  over: {{end: done}}\n"
    play = Play(journey("plain", body))
    play.follow()
    assert [line["name"] for line in play.turn.traced("errand")] == ["礼", "签到"]
    assert [one.errand for one in errands(play)] == [
        HandOutCoupon(coupon="礼"),
        BookPoints(add=5, reason="签到", balance=5),
    ]


def test_a_purpose_that_a_question_needs_is_told_by_its_name() -> None:
    slot = "slots: {phone: {type: phone_cn, ask: ask-called, consent: 电话联系, pii: true}}"
    grant = '{consent: {grant: "{{ vars.purpose }}", text: hello}}'
    body = f"""
vars: {{purpose: {{type: text, default: 电话联系}}}}
{slot}
states:
  go: {{do: [{grant}], then: over}}
  over: {{end: done}}
"""
    play = Play(journey("plain", body), contents=CONTENTS)
    play.follow()
    assert play.turn.traced("consent", purpose="电话联系", granted=True)
