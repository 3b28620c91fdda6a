"""Webhooks and bookings in tests: answered by `mocks`, and by what a step says."""

from pathlib import Path

import pytest

from .stage import Played, build, play

JOURNEY = """
dsl: 1
journey: round
name: 建档
channel: oa
enter: [{keyword: [开始]}]
states:
  ask_crm:
    webhook: {call: crm.create_lead, body: {city: "'上海'"}, save: lead, fail: {goto: sorry}}
    then: thanks
  thanks:
    do: [{send: thanks}]
    then: done
  sorry:
    do: [{send: greet}]
    then: done
  done: {end: success}
"""


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world whose journey asks another system."""
    folder = tmp_path_factory.mktemp("crm")
    build(folder)
    (folder / "journeys" / "round.yaml").write_text(JOURNEY, encoding="utf-8")
    for content in ("ask-want", "ask-phone", "nudge"):
        (folder / "content" / f"{content}.md").unlink()
    return folder


def test_a_webhook_is_answered_well_unless_the_test_says_otherwise(crm: Path) -> None:
    assert (
        failures(
            crm, "[{customer: 开始}, {expect: {path: [ask_crm, thanks, done], effects: [webhook crm.create_lead]}}]"
        )
        == []
    )


def test_mocks_of_the_file_and_of_the_test_say_what_is_answered(crm: Path) -> None:
    steps = "[{customer: 开始}, {expect: {path: [ask_crm, sorry, done], sent: greet, reason: webhook.4xx}}]"
    assert failures(crm, steps, mocks="{crm.create_lead: {fail: 404}}") == []
    assert failures(crm, steps, head="defaults: {mocks: {crm.create_lead: {fail: 404}}}") == []
    well = "[{customer: 开始}, {expect: {path: [ask_crm, thanks, done]}}]"
    head = "defaults: {mocks: {crm.create_lead: {fail: 404}}}"
    assert failures(crm, well, head=head, mocks="{crm.create_lead: {ok: {id: L1}}}") == []


def test_a_silence_is_tried_again_until_it_is_answered(crm: Path) -> None:
    steps = (
        "[{effect: {webhook: crm.create_lead, timeout: true, times: 1}}, {customer: 开始}, {expect: {state: ask_crm}},"
        " {wait: 10s}, {expect: {path: [ask_crm, thanks, done]}}]"
    )
    assert failures(crm, steps) == []


@pytest.mark.parametrize(
    ("mocks", "rule", "message"),
    [
        ("{crm.create_laed: {ok: 1}}", "J213", "没有旅程调用 webhook crm.create_laed，是否指 “crm.create_lead”？"),
        ("{crm.create_lead: {}}", "J014", "回答要写 ok、fail、timeout 其中一个"),
        ("{crm.create_lead: {ok: 1, fail: 500}}", "J016", "回答要写 ok、fail、timeout 其中一个"),
        ("{crm.create_lead: {fail: 200}}", "J008", "需要 300 到 599 的 HTTP 状态码"),
        ("{crm.create_lead: {timeout: false}}", "J008", "只能写 true"),
        ("{crm.create_lead: {ok: 1, tims: 2}}", "J006", "是否指 “times”？"),
    ],
)
def test_an_answer_that_is_none_is_told(crm: Path, mocks: str, rule: str, message: str) -> None:
    found = trial(crm, "[{customer: 开始}]", mocks=mocks).diagnostics
    assert found[0].rule == rule
    assert message in found[0].message


def trial(folder: Path, steps: str, *, mocks: str = "", head: str = "") -> Played:
    own = f"    mocks: {mocks}\n" if mocks else ""
    text = f"journey: round\n{head}\ntests:\n  - name: 一个\n{own}    steps: {steps}\n"
    return play(folder, {"round.test.yaml": text})


def failures(folder: Path, steps: str, *, mocks: str = "", head: str = "") -> list[str]:
    return trial(folder, steps, mocks=mocks, head=head).failures
