"""Every key of `expect`, once where it is so and once where it is not."""

import pytest

from bot.authoring import trial_keys
from bot.sandbox.trials.judge import KEYS

from .stage import Play, of_steps

ANSWERED = """event: oa.follow
customer: 看车"""
NIGHT = "{state: rest, at: 2026-12-01 22:30}"
SAVED = f"""{ANSWERED}
customer: "13800138000"
customer: 对"""

CASES = [
    ("sent", "event: oa.follow", "{sent: greet}", "{sent: thanks}", "期望发送 thanks，实际发送 greet、ask-want"),
    ("sent in order", "event: oa.follow", "{sent: [greet, ask-want]}", "{sent: [ask-want, greet]}", "实际发送"),
    (
        "then_sent",
        "event: oa.follow",
        "{sent: greet, then_sent: ask-want}",
        "{sent: ask-want, then_sent: greet}",
        "之后",
    ),
    ("sent_contains", "event: oa.follow", "{sent_contains: 您好}", "{sent_contains: 再见}", "“再见”"),
    ("never_sent", "event: oa.follow", "{never_sent: thanks}", "{never_sent: greet}", "从未发送 greet"),
    ("sent_once", ANSWERED, "{sent_once: greet}", "{sent_once: thanks}", "正好发一次，实际 0 次"),
    ("sent_count", "event: oa.follow", "{sent_count: 2}", "{sent_count: 3}", "实际 2 条：greet、ask-want"),
    ("state", ANSWERED, "{state: phone}", "{state: want}", "期望 state want，实际 phone"),
    ("path", ANSWERED, "{path: [agree, phone]}", "{path: [want, phone]}", "greet → want → route → agree → phone"),
    ("slot", ANSWERED, "{slot: {want: 买车}}", "{slot: {want: 养车}}", "期望 slot want = 养车，实际 买车"),
    ("vars", ANSWERED, "{vars: {tries: 1, word: null}}", "{vars: {tries: 2}}", "期望 vars tries = 2，实际 1"),
    ("customer", SAVED, '{customer: {phone: "13800138000"}}', "{customer: {phone: null}}", "实际 13800138000"),
    ("tags", ANSWERED, "{tags: [新人, -旧人]}", "{tags: [旧人]}", "期望有标签 旧人，实际 新人"),
    ("tags away", ANSWERED, "{tags: -旧人}", "{tags: -新人}", "期望没有标签 新人"),
    ("score", ANSWERED, "{score: 5}", "{score: 6}", "期望 score 6，实际 5"),
    ("points", SAVED, "{points: 50}", "{points: 0}", "期望 points 0，实际 50"),
    (
        "effects",
        SAVED,
        "{effects: [tag 新人, -tag 旧人, score 5, set vars.tries, consent 电话联系, task advisor, points 50, note]}",
        "{effects: [task advisor, tag 新人]}",
        "期望动作 tag 新人",
    ),
    ("goal", SAVED, "{goal: true}", "{goal: false}", "期望目标未达成，实际已达成"),
    ("window", "event: oa.follow", "{window: {kind: follow, left: 1}}", "{window: {kind: message}}", "follow 剩 1"),
    ("window closed", "event: oa.follow\nwait: 2m", "{window: closed}", "{window: open}", "期望 window open"),
    ("answered", "customer: 退订", "{answered: opt_out}", "{answered: faq}", "期望由 faq 回答，实际 opt_out"),
    ("ended", "event: oa.follow\nwait: 2h", "{ended: gone}", "{ended: success}", "期望结束为 success，实际 gone"),
    ("reason", "event: oa.follow\nwait: 2h", "{reason: window closed}", "{reason: quiet hours}", "window closed"),
    (
        "no_sends_after",
        "event: oa.follow\ncustomer: 看车",
        "{no_sends_after: {class: reminder, for: 3h}}",
        "{no_sends_after: {class: [reminder, marketing], for: 5h}}",
        "T+4h10s 发了 nudge（reminder）",
    ),
]


@pytest.mark.parametrize(("key", "steps", "right", "wrong", "told"), CASES, ids=[case[0] for case in CASES])
def test_every_key_passes_where_it_is_so_and_fails_where_it_is_not(
    played: Play, key: str, steps: str, right: str, wrong: str, told: str
) -> None:
    assert played(of_steps(f"{steps}\nexpect: {right}")).failures == []
    (failure,) = played(of_steps(f"{steps}\nexpect: {wrong}")).failures
    assert told in failure


def test_there_is_a_case_for_every_key_of_the_language() -> None:
    tried = {case[0].split()[0] for case in CASES}
    assert tried == KEYS == trial_keys.EXPECT.built


def test_a_failed_state_tells_the_guard_its_values_and_what_it_was_asked_for(played: Play) -> None:
    steps = "event: oa.follow\nwait: 2h\nexpect: {state: rest}"
    (failure,) = played(of_steps(steps)).case.failures
    assert failure.text == "期望 state rest，实际 bye（T+2h）"
    assert failure.details[0] == "rest: window.open and counts.rest < 1 → 假"
    assert "window.open = false" in failure.details[1]
    assert "← T+2h 定时器 timeout 到点" in failure.details[1]


def test_a_failed_send_tells_what_was_held_back_and_why(played: Play) -> None:
    steps = "expect: {sent: ask-phone}"
    (failure,) = played(of_steps(steps, given="{state: phone, window: none}")).case.failures
    assert failure.text == "期望发送 ask-phone，实际发送 （没有）（T+0）"
    assert failure.details == ("没有发送 ask-phone：window_closed",)
    assert played(of_steps("expect: {sent_count: 0, reason: quiet hours}", given=NIGHT)).failures == []


def test_what_is_expected_counts_from_the_last_look(played: Play) -> None:
    steps = "event: oa.follow\nexpect: {sent_count: 2}\ncustomer: 看车\nexpect: {sent: ask-phone, sent_count: 1}"
    assert played(of_steps(steps)).failures == []


def test_a_variant_is_told_apart_from_the_normal_words(played: Play) -> None:
    steps = f'{ANSWERED}\ncustomer: "13800138000"\ncustomer: 不对\nexpect: {{sent: ask-phone@again}}'
    assert played(of_steps(steps)).failures == []
    looked = steps.replace("@again", "@normal").replace("看车", "看车\nexpect: {sent: ask-phone@normal}")
    (failure,) = played(of_steps(looked)).failures
    assert "实际发送 confirm、ask-phone@again" in failure


def test_a_test_stops_at_its_first_failure(played: Play) -> None:
    steps = "event: oa.follow\nexpect: {state: bye}\nexpect: {state: done}"
    assert len(played(of_steps(steps)).failures) == 1


def test_what_follows_from_one_cause_is_told_once_with_it(played: Play) -> None:
    """Before: each key of the same `expect` failed by itself, out of the order of the file."""
    steps = "event: oa.follow\nexpect: {sent: thanks, state: bye, sent_contains: 再见, ended: gone}"
    (failure,) = played(of_steps(steps)).case.failures
    assert failure.text.startswith("期望 state bye")
    told = [line for line in failure.details if line.startswith("同一个原因：")]
    assert [line.split("期望")[1][:3].strip() for line in told] == ["发送", "收到的", "结束为"]


def test_failures_of_one_expect_stand_in_the_order_of_the_file(played: Play) -> None:
    steps = "event: oa.follow\nexpect: {score: 99, points: 98, customer: {nick: 小王}, sent_count: 7}"
    failures = played(of_steps(steps)).failures
    assert [one.split(" ")[1] for one in failures] == ["score", "points", "customer.nick", "7"]
