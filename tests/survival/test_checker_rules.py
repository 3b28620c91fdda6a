"""What a buyer may see after a death or a rest without anybody having done wrong, and what is wrong all the same."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.survival.scenes import Scene, clean, columns, micros

THANKS = "记下了"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def her_answer_never_came_in_and_the_next_words_were_taken_for_it(scene: Scene) -> None:
    scene.wrote(3, "q:3.1", 10)
    scene.got(3, "q:3.1.1", 11)
    scene.wrote(3, "a:3.2", 12, acked=None)
    scene.wrote(3, "h:3.3", 20)
    scene.got(3, "h:3.3.1", 21, words=THANKS)


def her_answer_came_in_after_other_words(scene: Scene) -> None:
    scene.wrote(3, "q:3.1", 10, acked=6.0)
    scene.got(3, "q:3.1.1", 17)
    scene.wrote(3, "m:3.2", 18)
    scene.got(3, "m:3.2.1", 19, words=THANKS)
    scene.wrote(3, "a:3.2", 20)


def her_next_question_was_taken_for_the_answer_to_the_first(scene: Scene) -> None:
    scene.wrote(3, "q:3.1", 10)
    scene.got(3, "q:3.1.1", 11)
    scene.wrote(3, "a:3.2", 12, acked=None)
    scene.wrote(3, "q:3.3", 20)
    scene.got(3, "q:3.3.1", 21, words=THANKS)
    scene.wrote(3, "a:3.4", 30)


def words_taken_for_an_answer_are_no_offer(scene: Scene) -> None:
    her_answer_never_came_in_and_the_next_words_were_taken_for_it(scene)
    scene.wrote(3, "q:3.4", 30)
    scene.got(3, "q:3.4.1", 31)
    scene.wrote(3, "a:3.5", 32, acked=None)
    for number, words in ((6, THANKS), (7, "活动"), (8, "活动")):
        scene.wrote(3, f"m:3.{number}", 34 + number)
        scene.got(3, f"m:3.{number}.1", 34.5 + number, words=words)


def the_thanks_for_other_words_fell_to_a_death(scene: Scene) -> None:
    scene.wrote(3, "q:3.1", 10)
    scene.got(3, "q:3.1.1", 11)
    scene.wrote(3, "a:3.2", 12, acked=None)
    scene.wrote(3, "t:3.3", 20)
    scene.row(3, "thanks", "unknown", 20.2, effect_id="R")
    scene.died(20.5, sending=("R",))


def the_advisor_had_closed_before_her_words_came(scene: Scene) -> None:
    scene.wrote(3, "h:3.1", 10)
    scene.card("h:3.1", "T2", 11)
    scene.clicked("T2", "accept", 12)
    scene.advised(3, "s:3.2.1", 13.8)
    scene.clicked("T2", "close", 13.9)
    scene.wrote(3, "t:3.3", 60)
    scene.got(3, "t:3.3.1", 61)


def a_request_outlived_its_process(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.wrote(3, "t:3.2", 11)
    scene.row(3, "echo", "unknown", 11.5, effect_id="R")
    scene.died(12, sending=("R",))
    scene.got(3, "t:3.2.1", 14)
    scene.got(3, "t:3.1.1", 15, reply_sent=False)


def she_looked_round_the_menu_before_it_left(scene: Scene) -> None:
    scene.wrote(3, "w:3.1", 10)
    scene.got(3, "w:3.1.1", 10.5)
    scene.row(3, "later-then", "suppressed", 12.5, reason="left_state", settled_at=micros(14))
    scene.looked(3, 13)


def her_minute_was_over_when_the_account_had_rested(scene: Scene) -> None:
    scene.wrote(3, "g:3.1", 10)
    scene.row(3, "greet", "suppressed", 10.2, reason="window_closed", settled_at=micros(70))
    scene.died(12, until=14)


def the_question_did_not_fit_into_the_window_so_nothing_was_answered(scene: Scene) -> None:
    for number in range(1, 6):
        scene.wrote(3, f"t:3.{number}", 10 + number * 0.1, acked=0.01)
    scene.died(11.5, until=12)
    scene.wrote(3, "q:3.6", 13)
    scene.withheld(3, "ask", "window_used", 13.1)
    for number in range(1, 6):
        scene.got(3, f"t:3.{number}.1", 14 + number * 0.1)
    scene.wrote(3, "a:3.7", 50)


def its_journey_ended_at_a_message_that_found_no_window(scene: Scene) -> None:
    for number in range(1, 6):
        scene.wrote(3, f"t:3.{number}", 10 + number * 0.1, acked=0.01)
        scene.got(3, f"t:3.{number}.1", 12 + number * 0.1)
    scene.wrote(3, "w:3.6", 11.9, acked=0.05)
    scene.row(3, "later-now", "suppressed", 12, reason="window_used", settled_at=micros(13))


def a_question_waits_behind_an_advisor_who_never_comes(scene: Scene) -> None:
    scene.wrote(3, "h:3.1", 10)
    scene.card("h:3.1", "T2", 11)
    scene.wrote(3, "q:3.2", 20)
    scene.wrote(3, "a:3.3", 60)


def a_question_is_asked_when_the_advisor_has_closed(scene: Scene) -> None:
    scene.wrote(3, "h:3.1", 10)
    scene.card("h:3.1", "T2", 11)
    scene.clicked("T2", "accept", 12)
    scene.wrote(3, "q:3.2", 20)
    scene.clicked("T2", "close", 119)
    scene.heard_click("T2", "close", 120)
    scene.got(3, "q:3.2.1", 121)


def _asked(scene: Scene, advisor: str, *, times: int) -> None:
    """So many messages to an advisor, and as many changed cards."""
    words = {"touser": advisor, "msgtype": "text", "text": {"content": "说"}}
    for number in range(times):
        scene.line("in", "POST /cgi-bin/message/send", 10 + number / 1000, request={"body": words})
        card = {"userids": [advisor], "response_code": "R"}
        scene.line("in", "POST /cgi-bin/message/update_template_card", 10 + number / 1000, request={"body": card})


def _waits_for_the_hour(scene: Scene, *, asked: int) -> None:
    """Two messages to an advisor wait, the first as if she had been sent enough."""
    _asked(scene, "s01", times=asked)
    waiting = {"conversation_id": "app:main:s01", "settled_at": None}
    scene.row(3, "@handoff", "ready", 12, **waiting, reason="rate", not_before=micros(9000), attempts=0)
    scene.row(3, "@forward", "ready", 13, **waiting)


def an_advisor_has_had_her_thousand(scene: Scene) -> None:
    _waits_for_the_hour(scene, asked=480)


def the_cards_of_two_customers_wait_for_two_advisors_hours(scene: Scene) -> None:
    for customer, advisor, at in ((3, "s02", 20), (4, "s01", 30)):
        _asked(scene, advisor, times=480)
        scene.wrote(customer, f"h:{customer}.1", at)
    # The rows do not stand in the order in which the customers wrote: a later one must not be taken for the earlier.
    for customer, advisor, at in ((4, "s01", 30), (3, "s02", 20)):
        waiting = {"conversation_id": f"app:main:{advisor}", "settled_at": None, "not_before": micros(9000)}
        scene.row(customer, "@handoff", "ready", at + 0.2, **waiting, reason="rate", attempts=0)


def _waited_for_the_hour(scene: Scene, *, asked: int) -> None:
    """Her card comes to an advisor, s00, an hour and five minutes after the first of so many messages to her."""
    _asked(scene, "s00", times=asked)
    scene.wrote(3, "h:3.1", 20)
    scene.card("h:3.1", "T2", 3920)


def a_card_came_when_the_hour_was_over(scene: Scene) -> None:
    _waited_for_the_hour(scene, asked=480)


def a_card_came_as_late_with_room_in_the_hour(scene: Scene) -> None:
    _waited_for_the_hour(scene, asked=200)


def an_advisor_was_said_to_have_had_enough_and_had_not(scene: Scene) -> None:
    _waits_for_the_hour(scene, asked=200)


@pytest.mark.parametrize(
    "happens",
    [
        a_question_waits_behind_an_advisor_who_never_comes,
        a_question_is_asked_when_the_advisor_has_closed,
        her_answer_never_came_in_and_the_next_words_were_taken_for_it,
        her_answer_came_in_after_other_words,
        her_next_question_was_taken_for_the_answer_to_the_first,
        words_taken_for_an_answer_are_no_offer,
        the_thanks_for_other_words_fell_to_a_death,
        the_advisor_had_closed_before_her_words_came,
        a_request_outlived_its_process,
        she_looked_round_the_menu_before_it_left,
        her_minute_was_over_when_the_account_had_rested,
        the_question_did_not_fit_into_the_window_so_nothing_was_answered,
        its_journey_ended_at_a_message_that_found_no_window,
        an_advisor_has_had_her_thousand,
        a_card_came_when_the_hour_was_over,
        the_cards_of_two_customers_wait_for_two_advisors_hours,
    ],
    ids=lambda happens: happens.__name__,
)
def test_what_nobody_did_wrong_leaves_every_column_at_zero(scene: Scene, happens: Callable[[Scene], None]) -> None:
    clean(scene)
    happens(scene)
    assert columns(scene.judged()) == {}


def her_card_was_never_planned_and_anothers_fell_to_a_death(scene: Scene) -> None:
    scene.wrote(3, "h:3.1", 10)
    scene.wrote(4, "h:4.1", 20)
    scene.row(4, "@handoff", "unknown", 20.2, effect_id="R", conversation_id="app:main:s00")
    scene.died(20.5, sending=("R",))
    scene.card("h:4.1", "T4", 20.4)


def thanked_without_a_question(scene: Scene) -> None:
    scene.wrote(3, "h:3.1", 10)
    scene.got(3, "h:3.1.1", 11, words=THANKS)


def thanked_twice_for_one_question(scene: Scene) -> None:
    her_answer_never_came_in_and_the_next_words_were_taken_for_it(scene)
    scene.wrote(3, "t:3.4", 30)
    scene.got(3, "t:3.4.1", 31, words=THANKS)


def answered_and_taken_for_an_answer(scene: Scene) -> None:
    scene.wrote(3, "q:3.1", 10)
    scene.got(3, "q:3.1.1", 11)
    scene.wrote(3, "a:3.2", 12, acked=None)
    scene.wrote(3, "t:3.3", 20)
    scene.got(3, "t:3.3.1", 21, words=THANKS)
    scene.got(3, "t:3.3.1", 22)


def a_request_came_long_after_its_process_had_died(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.wrote(3, "t:3.2", 11)
    scene.row(3, "echo", "unknown", 11.5, effect_id="R")
    scene.died(12, sending=("R",))
    scene.got(3, "t:3.2.1", 14)
    scene.got(3, "t:3.1.1", 40, reply_sent=False)


def her_minute_was_over_without_any_outage(scene: Scene) -> None:
    scene.wrote(3, "g:3.1", 10)
    scene.row(3, "greet", "suppressed", 10.2, reason="window_closed", settled_at=micros(70))


def a_question_is_forgotten_once_the_advisor_has_closed(scene: Scene) -> None:
    scene.wrote(3, "h:3.1", 10)
    scene.card("h:3.1", "T2", 11)
    scene.clicked("T2", "accept", 12)
    scene.clicked("T2", "close", 19)
    scene.heard_click("T2", "close", 20)
    scene.wrote(3, "q:3.2", 60)


def given_up_though_she_had_done_nothing_since(scene: Scene) -> None:
    scene.looked(3, 9)
    scene.wrote(3, "w:3.1", 10)
    scene.got(3, "w:3.1.1", 10.5)
    scene.row(3, "later-then", "suppressed", 12.5, reason="left_state", settled_at=micros(14))


def the_thanks_for_an_answer_stand_in_for_nothing_else(scene: Scene) -> None:
    """Her question was answered, so that no thanks that fell to a death explain why other words got no answer."""
    scene.wrote(3, "t:3.1", 10)
    scene.row(3, "thanks", "unknown", 10.2, effect_id="R")
    scene.died(10.5, sending=("R",))


@pytest.mark.parametrize(
    ("happens", "expected"),
    [
        (an_advisor_was_said_to_have_had_enough_and_had_not, {"stuck": 1}),
        (a_card_came_as_late_with_room_in_the_hour, {"late": 1}),
        (her_card_was_never_planned_and_anothers_fell_to_a_death, {"lost out": 1}),
        (thanked_without_a_question, {"forbidden": 1}),
        (thanked_twice_for_one_question, {"forbidden": 1}),
        (answered_and_taken_for_an_answer, {"forbidden": 1}),
        (a_request_came_long_after_its_process_had_died, {"out of order": 1}),
        (her_minute_was_over_without_any_outage, {"lost out": 1}),
        (a_question_is_forgotten_once_the_advisor_has_closed, {"lost out": 1}),
        (given_up_though_she_had_done_nothing_since, {"lost out": 1}),
        (the_thanks_for_an_answer_stand_in_for_nothing_else, {"lost out": 1}),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_what_only_looks_like_it_is_found(
    scene: Scene, happens: Callable[[Scene], None], expected: dict[str, int]
) -> None:
    clean(scene)
    happens(scene)
    assert columns(scene.judged()) == expected


def test_an_event_is_turned_away_by_a_living_product_alone(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10, acked=None)
    scene.wrote(3, "t:3.2", 60, acked=None)
    scene.wrote(3, "t:3.3", 100, acked=None)
    scene.died(9, until=11)
    scene.died(57, until=66)
    assert scene.judged().figures["turned away"] == 2
