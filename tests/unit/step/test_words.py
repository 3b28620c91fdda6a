"""Words and numbers of actions that are made when the action is done, and what they must not come to."""

import pytest

from bot.core.effects import RunErrand
from bot.core.errands import BookPoints, HandOutCoupon
from tests.unit.step.play import Play
from tests.unit.step.test_global_actions import told
from tests.unit.step.worlds import journey

SCHEMA = """dsl: 1
attributes:
  nick: {type: text, pii: true}
  model: {type: text}
  worth: {type: number}
"""
FILES = (("schema/customer.yaml", SCHEMA),)


def played(*actions: str, model: str = "ES6") -> Play:
    """A customer who wants `model`, for whom `actions` were done; what fails leads to the tag 出错."""
    acts = "".join(f"      - {action}\n" for action in actions)
    body = f"""
states:
  go:
    do:
      - set: {{customer.model: "{model}", customer.worth: 3}}
    then: act
  act:
    do:
{acts}    then: done
  failed:
    do: [{{tag: 出错}}]
    end: failed
  done: {{end: done}}
errors:
  - {{error: expr.null, goto: failed}}
  - {{error: expr.size, goto: failed}}
  - {{error: expr.type, goto: failed}}
"""
    play = Play(journey("acts", body, enter="event: oa.follow"), files=FILES)
    play.follow()
    return play


def test_a_tag_is_made_of_what_she_wants_and_taken_away_by_the_same_words() -> None:
    play = played('tag: "想买 {{ customer.model }}"', "tag: 新关注", model="'ES6'")
    assert play.customer.tags == {"想买 ES6", "新关注"}
    traces = play.turn.traced("tag")
    assert [one["tag"] for one in traces] == ["想买 {{ customer.model }}", "新关注"], "what it came to may be personal"
    play = played("tag: 想买 ES6", '-tag: "想买 {{ customer.model }}"', model="'ES6'")
    assert play.customer.tags == frozenset()


def test_points_coupons_and_scores_are_worked_out() -> None:
    play = played(
        'score: "{{ customer.worth * 2 }}"',
        'points: {add: "{{ customer.worth }}", reason: "看了 {{ customer.model }}"}',
        'coupon: {grant: "{{ customer.model }} 礼", once_per: customer}',
        model="'ES6'",
    )
    assert (play.customer.score, play.customer.points) == (6, 3)
    errands = [one.errand for one in play.turn.effects if isinstance(one, RunErrand)]
    assert BookPoints(add=3, reason="看了 ES6", balance=3, written="看了 {{ customer.model }}") in errands
    assert [one.coupon for one in errands if isinstance(one, HandOutCoupon)] == ["ES6 礼"]


def test_a_lead_is_moved_to_the_stage_that_a_template_names() -> None:
    play = played("lead: {model: customer.model}", 'stage: "{{ customer.model }}"', model="'won'")
    assert play.customer.lead is not None
    assert play.customer.lead.stage == "won"


def test_what_is_for_everybody_makes_its_words_too() -> None:
    play = told('{tag: "说了 {{ event.text }}"}', '{score: "{{ 2 + 3 }}"}', '{tag: "{{ customer.city }}"}')
    assert (set(play.customer.tags), play.customer.score) == ({"说了 投诉"}, 5)
    assert play.turn.traced("error", error="expr.null")


@pytest.mark.parametrize(
    ("action", "model", "error"),
    [
        ('tag: "{{ customer.nick }}"', "'ES6'", "expr.null"),
        ('tag: " {{ customer.model }} "', "'  '", "expr.null"),
        ('-tag: "{{ customer.nick }}"', "'ES6'", "expr.null"),
        ('tag: "{{ customer.model }}"', f"'{'长' * 61}'", "expr.size"),
        ('points: {add: 1, reason: "{{ customer.nick }}"}', "'ES6'", "expr.null"),
        ('points: {add: "{{ customer.nick }}", reason: 送}', "'ES6'", "expr.null"),
        ('coupon: {grant: "{{ customer.nick }}", once_per: customer}', "'ES6'", "expr.null"),
        ('consent: {grant: "{{ customer.nick }}", text: hello}', "'ES6'", "expr.null"),
        ('score: "{{ customer.model }}"', "'ES6'", "expr.type"),
        ('score: "{{ customer.worth / 2 }}"', "'ES6'", "expr.type"),
        ('score: "{{ customer.worth }}000000000"', "'ES6'", "expr.size"),
        ('stage: "{{ customer.model }}"', "'ES6'", "expr.type"),
    ],
)
def test_what_comes_to_nothing_or_to_too_much_is_an_error_by_its_name(action: str, model: str, error: str) -> None:
    play = played("lead: {model: customer.model}", action, model=model)
    assert play.customer.tags == {"出错"}
    assert play.ended("acts") == "failed"
    assert [one["error"] for one in play.turn.traced("error")] == [error]
    assert (play.customer.score, play.customer.points, play.customer.consents) == (0, 0, {})
