"""How many messages one step says in a conversation (`burst`), and what becomes of questions that find no room."""

from datetime import timedelta

import pytest

from tests.unit.step.play import Play
from tests.unit.step.test_floor import A, B, asks
from tests.unit.step.worlds import RULES, journey

FAQ = "  - {id: hours, keyword: [几点], effect: answer, do: [{send: hours}]}\n"
QUIET_B = asks("b", "问乙", 20, interrupt="false")


def floors(play: Play) -> list[tuple[str, ...]]:
    """Who stands on the floor, in every conversation."""
    return [talk.floor for talk in play.customer.conversations.values()]


def rules(burst: int) -> str:
    return RULES.replace("class_rules:", f"{FAQ}class_rules:") + f"burst: {burst}\n"


def test_a_step_says_as_much_as_everybodys_rules_allow() -> None:
    more = "{send: {content: two, key: second}}, {send: {content: three, key: third}}"
    body = f"states:\n  go: {{do: [{{send: one}}, {more}], then: done}}\n  done: {{end: done}}\n"
    sorry = "errors: [{error: send.burst, goto: done}]\n"
    assert Play(journey("chatty", body + sorry), rules=rules(2)).follow() == ["one", "two"]
    assert Play(journey("chatty", body + sorry), rules=rules(3)).follow() == ["one", "two", "three"]


def test_an_open_question_is_not_repeated_below_an_answer_when_one_message_is_all() -> None:
    play = Play(A, rules=rules(1))
    play.say("问甲")
    assert play.say("几点") == ["hours"]
    assert play.turn.traced("not_sent", reason="send.burst")
    assert play.say("a甲") == ["a-done"], "it stands open all the same"
    more = Play(A, rules=rules(2))
    more.say("问甲")
    assert more.say("几点") == ["hours", "ask-a@resume"]


def test_a_question_whose_turn_comes_in_a_full_step_is_asked_a_little_later() -> None:
    play = Play(A, QUIET_B, rules=rules(1))
    play.say("问甲")
    play.say("问乙")
    assert play.say("a甲") == ["a-done"]
    assert play.at() == {"b": "q"}
    assert play.due("ask") == timedelta(seconds=5)
    assert play.wait("5s") == ["ask-b"]
    assert play.say("b甲") == ["b-done"]
    assert play.ended("b") == "done"


def test_a_question_that_was_put_off_is_asked_by_what_she_writes_before() -> None:
    play = Play(A, QUIET_B, rules=rules(1))
    play.say("问甲")
    play.say("问乙")
    play.say("a甲")
    assert "ask-b" in play.say("在吗")
    assert play.wait("1m") == [], "and not once more"


def test_a_journey_that_begins_in_a_full_step_asks_a_little_later() -> None:
    last = A.replace("{do: [{send: a-done}], then: done}", "{do: [{send: a-done}, {start: b}], then: done}")
    play = Play(last, B, rules=rules(1))
    play.say("问甲")
    assert play.say("a甲") == ["a-done"]
    assert play.wait("5s") == ["ask-b"]


def test_one_that_asks_beside_others_waits_for_room_as_well() -> None:
    last = A.replace("{do: [{send: a-done}], then: done}", "{do: [{send: a-done}, {start: b}], then: done}")
    shared = B.replace("focus: {priority: 20}", "focus: {priority: 20, floor: shared}")
    play = Play(last, shared, rules=rules(1))
    play.say("问甲")
    assert play.say("a甲") == ["a-done"]
    assert floors(play) == [()], "it never stands on the floor that it shares"
    assert play.wait("5s") == ["ask-b"]
    assert floors(play) == [()]


@pytest.mark.parametrize("burst", [1, 2, 3])
@pytest.mark.parametrize("pause", ["1s", "5s"])
def test_one_that_was_put_off_keeps_nobody_from_the_floor_it_only_shares(burst: int, pause: str) -> None:
    last = A.replace("{do: [{send: a-done}], then: done}", "{do: [{send: a-done}, {start: b}], then: done}")
    shared = B.replace("focus: {priority: 20}", "focus: {priority: 20, floor: shared}")
    play = Play(last, shared, asks("c", "问丙", 5, interrupt="false"), rules=rules(burst))
    play.say("问甲")
    play.say("a甲")
    said = [*play.wait(pause), *play.say("问丙")]
    assert floors(play) == [(play.run("c").enrolment_id,)]
    assert play.turn.traced("floor", outcome="queued") == []
    asked = [*said, *play.wait("10s")]
    assert set(asked) <= {"ask-b", "ask-c"}
    assert asked.count("ask-c") == 1, "while the other is still open beside it"
    assert play.run("b").pending is not None
    assert play.say("c甲") == ["c-done"]


@pytest.mark.parametrize("burst", [1, 2, 3])
def test_what_a_journey_says_too_much_itself_is_its_own_error(burst: int) -> None:
    sends = ", ".join(f"{{send: {{content: s{n}, key: k{n}}}}}" for n in range(burst))
    slot = "slots: {q: {type: choice, options: {是: []}, ask: ask-q}}\n"
    ask = "ask: q, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: done"
    body = f"{slot}states:\n  go: {{do: [{sends}], {ask}}}\n  done: {{end: done}}\n"
    play = Play(journey("chatty", body), rules=rules(burst))
    assert len(play.follow()) == burst
    assert play.turn.traced("error", error="send.burst", outcome="stuck")
