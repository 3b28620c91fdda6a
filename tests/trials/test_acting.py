"""The steps of a test, and how things stand before the first."""

import pytest

from .stage import Play, of_steps


@pytest.mark.parametrize(
    ("steps", "given"),
    [
        ("event: oa.follow\nexpect: {state: want, sent: [greet, ask-want]}", ""),
        ("event: {type: oa.click, key: GO}\nexpect: {state: want}", ""),
        ("event: {type: oa.click, key: STAY}\nexpect: {sent_count: 0}", ""),
        ("customer: 开始\nexpect: {state: want, window: {kind: message, left: 3}}", ""),
        ("event: oa.follow\ncustomer: {kind: image}\nexpect: {state: want, sent: ask-want}", ""),
        ("event: oa.follow\ntap: 养车\nexpect: {state: help, effects: [handoff]}", ""),
        ("event: oa.follow\ntap: {text: 养车, of: ask-want}\nexpect: {state: help}", ""),
        ("event: oa.follow\nwait: 1h59m\nexpect: {state: want}\nwait: 1m\nexpect: {state: bye}", ""),
        ("event: oa.follow\nat: 11:59\nexpect: {state: want}\nat: 2026-12-01 12:00\nexpect: {state: bye}", ""),
        ("advisor: accept\nadvisor: 'text 您好'\nexpect: {sent: '@advisor', sent_contains: 您好}", "{state: help}"),
        ("advisor: accept\nadvisor: {text: 您好}\nadvisor: close\nexpect: {ended: success}", "{state: help}"),
        ("advisor: busy\nexpect: {state: bye, ended: gone}", "{state: help}"),
        ("advisor: accept\nadvisor: done\nexpect: {ended: success}", "{state: help}"),
    ],
)
def test_steps_do_what_they_say(played: Play, steps: str, given: str) -> None:
    assert played(of_steps(steps, given=given)).failures == []


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("tap: 养车", "聊天里没有可以点的 “养车”，最新的选项：（没有）"),
        ("advisor: accept", "没有顾问收到带按钮 accept 的卡片"),
        ("advisor: {text: 您好}", "没有顾问收到这位客户的卡片"),
        ("at: 2026-11-30 10:00", "2026-11-30 10:00 已经过去了，时间只能往前"),
    ],
)
def test_a_step_that_cannot_be_done_fails_the_test_and_says_why(played: Play, steps: str, told: str) -> None:
    (failure,) = played(of_steps(steps)).case.failures
    assert failure.text == told
    assert failure.span.line == 5


def test_an_attribute_is_expected_as_conditions_read_it(played: Play) -> None:
    given = "{state: phone, customer: {home: {lat: 31.5, lng: 121, name: 人民广场}}}"
    steps = "expect: {customer: {level: 普通, home: {lat: 31.5, lng: 121, name: 人民广场}}}"
    assert played(of_steps(steps, given=given)).failures == []
    given = "{state: phone, customer: {level: 金卡}}"
    (failure,) = played(of_steps("expect: {customer: {level: 普通}}", given=given)).case.failures
    assert failure.text.startswith("期望 customer.level = 普通，实际 金卡")


def test_a_run_may_begin_in_the_middle_with_what_it_would_carry(played: Play) -> None:
    given = "{state: phone, vars: {tries: 3, word: 三}, slots: {want: 买车}, tags: [老客], customer: {nick: 王先生}}"
    steps = (
        "expect: {state: phone, vars: {tries: 3, word: 三}, slot: {want: 买车}, tags: 老客, customer: {nick: 王先生}}"
    )
    assert played(of_steps(steps, given=given)).failures == []


def test_scores_points_and_consents_are_as_given(played: Play) -> None:
    given = "{state: want, score: 7, points: 30, consent: [电话联系]}"
    steps = "expect: {score: 7, points: 30}\ncustomer: 看车\nexpect: {state: phone}"
    assert played(of_steps(steps, given=given)).failures == []


def test_a_stranger_has_no_conversation_that_could_be_written_into(played: Play) -> None:
    steps = "expect: {sent_count: 0, reason: send.no_identity}"
    assert played(of_steps(steps, given="{state: greet, window: stranger}")).failures == []


def test_the_question_of_the_state_is_put_as_it_begins(played: Play) -> None:
    steps = 'expect: {window: {kind: message, left: 4}}\ncustomer: "13800138000"\nexpect: {sent: confirm}'
    assert played(of_steps(steps, given="{state: phone}")).failures == []


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("{kind: message, ago: 47h}", "{window: {kind: message, left: 4}}"),
        ("{kind: message, ago: 49h}", "{window: closed}"),
        ("{kind: message, left: 3}", "{window: {kind: message, left: 2}}"),
        ("follow", "{window: {kind: follow, left: 2}}"),
        ("none", "{window: closed}"),
    ],
)
def test_the_window_is_as_given(played: Play, window: str, expected: str) -> None:
    assert played(of_steps(f"expect: {expected}", given=f"{{state: want, window: {window}}}")).failures == []


def test_a_moment_without_a_day_is_the_next_one(played: Play) -> None:
    steps = "event: oa.follow\nexpect: {state: want}"
    assert played(of_steps(steps, given="{at: 22:30}", head="defaults: {start: 2026-12-24 10:00}")).failures == []


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("refused: window", "{never_sent: thanks, reason: window, ended: success}"),
        ("refused: '40003'", "{never_sent: thanks, reason: '40003', ended: success}"),
        ("unknown: true", "{never_sent: thanks, ended: success}"),
    ],
)
def test_the_platform_says_what_the_test_decides(played: Play, verdict: str, expected: str) -> None:
    steps = f"effect: {{send: thanks, {verdict}}}\ncustomer: '13800138000'\ncustomer: 对\nexpect: {expected}"
    assert played(of_steps(steps, given="{state: phone}")).failures == []


def test_a_platform_that_asks_for_patience_gets_the_message_a_little_later(played: Play) -> None:
    steps = "effect: {send: thanks, later: true}\ncustomer: '13800138000'\ncustomer: 对\nexpect: {never_sent: thanks}"
    assert played(of_steps(f"{steps}\nwait: 30s\nexpect: {{sent: thanks}}", given="{state: phone}")).failures == []


def test_a_test_for_each_state_is_played_once_in_every_state_that_waits(played: Play) -> None:
    text = """journey: round
tests:
  - name: 退订
    for_each_state: true
    steps: [{customer: 退订}, {expect: {ended: opt_out}}]
"""
    outcome = played(text).outcome
    assert outcome is not None
    assert [(case.variant, case.passed) for case in outcome.reports[0].cases] == [
        ("want", True),
        ("phone", True),
        ("rest", True),
        ("help", True),
    ]


def test_the_defaults_of_a_file_hold_where_a_test_says_nothing(played: Play) -> None:
    head = "defaults: {start: 2026-12-05 09:00, customer: {nick: 李女士}}"
    assert played(of_steps("expect: {customer: {nick: 李女士}}", given="{state: want}", head=head)).failures == []
    given = "{state: want, customer: {nick: 王先生}}"
    assert played(of_steps("expect: {customer: {nick: 王先生}}", given=given, head=head)).failures == []
