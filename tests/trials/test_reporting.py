"""What is told of the tests: to people, to programs, to build servers; and what was covered."""

import xml.etree.ElementTree as ElementTree

import pytest

from bot.authoring.trials import TrialFile
from bot.sandbox.trials.choose import NothingToTest, chosen
from bot.sandbox.trials.paths import as_line, shortest
from bot.sandbox.trials.report import as_json, as_junit, as_text
from bot.sandbox.trials.run import Outcome
from bot.sandbox.trials.ways import questions_of, ways_of

from .stage import Play, of_steps

TWO = """journey: round
tests:
  - name: 会过
    steps: [{event: oa.follow}, {expect: {state: want}}]
  - name: 不会过 <&>
    steps:
      - event: oa.follow
      - wait: 2h
      - expect: {state: rest}
"""


@pytest.fixture
def outcome(played: Play) -> Outcome:
    found = played(TWO).outcome
    assert found is not None
    return found


def test_people_read_what_failed_where_and_why(outcome: Outcome) -> None:
    lines = as_text(outcome).splitlines()
    assert lines[0].startswith("round                   2 个测试，2 种情形      ✓ 1  ✗ 1 ")
    assert lines[1].startswith("  ✗ 不会过 <&>  ")
    assert lines[1].endswith("round.test.yaml:9:18")
    assert lines[2] == "    期望 state rest，实际 bye（T+2h）"
    assert lines[3] == "      rest: window.open and counts.rest < 1 → 假"
    assert any(line.startswith("覆盖 round: 状态 4/10  转移 ") for line in lines)
    assert lines[-1].startswith("2 个测试，2 种情形：✗ 1 个没有通过")


def test_programs_read_the_same(outcome: Outcome) -> None:
    told = as_json(outcome)
    assert told["failed"] == 1
    (file,) = told["files"]
    assert [(case["name"], case["passed"]) for case in file["cases"]] == [("会过", True), ("不会过 <&>", False)]
    assert file["cases"][1]["failures"][0]["line"] == 9
    assert told["coverage"]["round"]["states"] == [4, 10]


def test_build_servers_read_junit(outcome: Outcome) -> None:
    (suite,) = ElementTree.fromstring(as_junit(outcome))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite] == ["会过", "不会过 <&>"]
    (failure,) = suite[1]
    assert failure.get("message") == "期望 state rest，实际 bye（T+2h）"


def test_a_control_character_does_not_spoil_the_document(played: Play) -> None:
    text = of_steps('event: oa.follow\nexpect: {sent_contains: "a\\x01b"}')
    found = played(text).outcome
    assert found is not None
    assert ElementTree.fromstring(as_junit(found))[0].get("failures") == "1"


EVERY_WAY = """journey: round
tests:
  - {name: 到底, steps: [{event: oa.follow}, {customer: 看车}, {customer: "13800138000"}, {customer: 对}]}
  - {name: 养车, steps: [{event: {type: oa.click, key: GO}}, {customer: 保养}, {advisor: accept}, {advisor: done}]}
  - {name: 没人, steps: [{event: {type: oa.click, key: NO}}, {customer: 开始}, {customer: 保养}, {wait: 10m}]}
  - {name: 不回, steps: [{event: oa.follow}, {wait: 2h}]}
  - {name: 答错, given: {state: want}, steps: [{customer: 啊}, {customer: 哦}]}
  - {name: 号错, given: {state: phone}, steps: [{customer: 啊}, {customer: 哦}, {customer: 哦}]}
  - {name: 不留, given: {state: phone}, steps: [{wait: 4h}, {wait: 20h}]}
  - {name: 又来, given: {state: rest}, steps: [{customer: 在}]}
  - {name: 发不出, given: {state: rest}, steps: [{effect: {send: ask-want, refused: window}}, {customer: 在}]}
"""


def test_what_was_covered_is_counted_and_what_was_not_is_named(played: Play) -> None:
    whole = played(EVERY_WAY).outcome
    assert whole is not None
    coverage = whole.coverage["round"]
    assert list(coverage.missing()) == []
    assert len(coverage.taken) == len(coverage.ways)
    part = played(EVERY_WAY.replace("  - {name: 没人", "  # - {name: 没人")).outcome
    assert part is not None
    assert "help.fallback" in list(part.coverage["round"].missing())
    part = played(EVERY_WAY.replace("  - {name: 不留", "  # - {name: 不留")).outcome
    assert part is not None
    assert "phone.timeout" in list(part.coverage["round"].missing())


def test_every_way_and_every_guard_of_a_journey_is_known(played: Play) -> None:
    library = played(TWO).library
    assert library is not None
    journey = library.journeys["round"]
    names = {way.name for way in ways_of(journey)}
    assert {"want.timeout", "want.give_up", "route.branch[1]", "route.branch.else", "rest.else"} <= names
    assert {"rest.events[1]", "help.fallback", "help.closed", "errors.send.window_closed"} <= names
    assert {question.source for question in questions_of(journey)} == {
        "event.key == 'GO'",
        "slots.want == '养车'",
        "window.open and counts.rest < 1",
    }


def test_the_shortest_ways_come_first_and_say_how_each_state_is_left(played: Play) -> None:
    library = played(TWO).library
    assert library is not None
    journey = library.journeys["round"]
    told = [as_line(journey, steps) for steps in shortest(journey, "bye")]
    assert told[:2] == ["greet → want —give_up→ help —fallback→ bye", "greet → want —timeout→ rest —else→ bye"]
    assert len(told) > 3
    assert list(shortest(journey, "greet")) == [()]


def test_tests_are_chosen_by_journey_by_file_and_by_name() -> None:
    files = [TrialFile(file="journeys/tests/a.test.yaml", journey="one")]
    assert chosen(files, []) == files
    assert chosen(files, ["one"]) == files
    assert chosen(files, ["a"]) == files
    with pytest.raises(NothingToTest):
        chosen(files, ["b"])
    with pytest.raises(NothingToTest):
        chosen([], [])


def test_only_the_tests_that_are_named_are_played(played: Play) -> None:
    found = played(TWO).outcome
    assert found is not None
    file = found.reports[0].file
    assert [trial.name for trial in chosen([file], ["不会"])[0].trials] == ["不会过 <&>"]
    assert [trial.name for trial in chosen([file], ["不会", "会过"])[0].trials] == ["会过", "不会过 <&>"]
