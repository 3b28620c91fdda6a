"""What is wrong with a test file is told where it stands, as in any other file."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .stage import Play, of_steps, play

BAD = [
    ("stat: bye", "J006", "未知的键 “stat”，是否指 “state”？", "expect"),
    ("state: want2", "J103", "state: want2 不存在，是否指 “want”？", "expect"),
    ("path: [want, hlep]", "J103", "path: hlep 不存在，是否指 “help”？", "expect"),
    ("sent: grete", "J301", "content/grete.md 不存在，是否指 “greet”？", "expect"),
    ("sent: ask-phone@agian", "J301", "内容 ask-phone 没有变体 agian，是否指 “again”？", "expect"),
    ("effects: [send grete]", "J301", "content/grete.md 不存在，是否指 “greet”？", "expect"),
    ("effects: [sned greet]", "J008", "不认识的动作 “sned”，是否指 “send”？", "expect"),
    ("slot: {wnat: 买车}", "J203", "slots.wnat 未声明，是否指 “want”？", "expect"),
    ("vars: {trise: 1}", "J203", "vars.trise 未声明，是否指 “tries”？", "expect"),
    ("vars: {tries: 一次}", "J008", "需要数字，得到 “一次”", "expect"),
    ("customer: {nikc: x}", "J206", "customer.nikc 不在 schema/customer.yaml，是否指 “nick”？", "expect"),
    ("customer: {level: 金咔}", "J214", "customer.level 没有 “金咔”，是否指 “金卡”？", "expect"),
    ("customer: {home: {lat: 北}}", "J008", "需要数字，得到 “北”", "expect"),
    ("sent_count: 两条", "J008", "sent_count 需要整数，得到 “两条”", "expect"),
    ("goal: yes", "J008", "goal 需要 true 或 false，得到 “yes”", "expect"),
    ("window: {kind: follwo}", "J008", "“follwo” 不是可用的值，是否指 “follow”？", "expect"),
    ("no_sends_after: {class: marketing}", "J014", "no_sends_after 缺少 “for”", "expect"),
    ("no_sends_after: {class: maketing, for: 1d}", "J008", "“maketing” 不是可用的值，是否指 “marketing”？", "expect"),
]


@pytest.mark.parametrize(("line", "rule", "message", "_key"), BAD, ids=[case[0] for case in BAD])
def test_a_slip_in_an_expectation_is_told_where_it_stands(
    played: Play, line: str, rule: str, message: str, _key: str
) -> None:
    (found,) = played(of_steps(f"event: oa.follow\nexpect: {{{line}}}")).diagnostics
    assert (found.rule, found.line) == (rule, 6)
    assert message in found.message
    assert found.file.endswith("journeys/tests/round.test.yaml")


@pytest.mark.parametrize(
    ("step", "rule", "message"),
    [
        ("custmer: 你好", "J006", "未知的键 “custmer”，是否指 “customer”？"),
        ("event: oa.folow", "J213", "未声明的事件：oa.folow，是否指 “oa.follow”？"),
        ("event: card.clicked", "J213", "由系统自己产生"),
        ("event: {key: GO}", "J014", "event 缺少 “type”"),
        ("wait: 三天", "J008", "需要一段时长"),
        ("at: 明天", "J008", "需要时刻，例如 2026-12-01 22:30，或 22:30"),
        ("at: 2026-13-01 10:00", "J008", "没有这一天"),
        ("advisor: acept", "J008", "“acept” 不是可用的值，是否指 “accept”？"),
        ("effect: {send: greet}", "J014", "effect 要写 send 和 refused、unknown、later 其中一个"),
        ("effect: {send: greet, refused: widnow}", "J008", "“widnow” 不是可用的值，是否指 “window”？"),
        ("effect: {webhook: crm.make, ok: 1}", "J213", "没有旅程调用 webhook crm.make"),
        ("customer： 你好", "J003", "全角冒号"),
        ("{customer: 你好, wait: 1h}", "J016", "其中一个"),
        ("expect: {}", "J014", "expect 里什么也没有写"),
    ],
)
def test_a_slip_in_a_step_is_told_where_it_stands(played: Play, step: str, rule: str, message: str) -> None:
    found = played(of_steps(step)).diagnostics
    assert [(one.rule, one.line) for one in found[:1]] == [(rule, 5)]
    assert message in found[0].message


@pytest.mark.parametrize(
    ("head", "rule", "message"),
    [
        ("journey: rond", "J113", "旅程 rond 不存在，是否指 “round”？"),
        ("journey: round\ndefaults: {start: 今天}", "J008", "需要时刻"),
        ("journey: round\ndefaults: {mocks: {crm.make: {ok: {}}}}", "J213", "没有旅程调用 webhook crm.make"),
        ("journey: round\ndefualts: {}", "J006", "是否指 “defaults”？"),
        ("journey: round\nrules: [{never: sned greet}]", "J017", "不认识 “sned”，是否指 “send”？"),
        ("journey: round\nrules: [{never: send where clas == 'x'}]", "J017", "send 没有 “clas”，是否指 “class”？"),
        ("journey: round\nrules: [{nevr: send}]", "J006", "未知的键 “nevr”，是否指 “never”？"),
    ],
)
def test_a_slip_at_the_head_of_a_file_is_told(played: Play, head: str, rule: str, message: str) -> None:
    found = played(f"{head}\ntests:\n  - {{name: 一个, steps: [{{event: oa.follow}}]}}\n").diagnostics
    assert found[0].rule == rule
    assert message in found[0].message


@pytest.mark.parametrize(
    ("trial", "rule", "message"),
    [
        ("{name: 一个}", "J014", "测试缺少 “steps”"),
        ("{name: 一个, steps: [{wait: 1h}], repeat: 一个}", "J014", "crash 和 repeat 要一起写"),
        ("{name: 一个, crash: {at: C9}, repeat: 二}", "J008", "“C9” 不是可用的值"),
        ("{name: 一个, crash: {at: C1}, repeat: 二}", "J203", "没有叫 “二” 的测试"),
        ("{name: 一个, for_each_state: true, given: {state: want}, steps: [{wait: 1h}]}", "J016", "for_each_state"),
        ("{name: 一个, given: {vars: {tries: 1}}, steps: [{wait: 1h}]}", "J016", "given.vars 要和 given.state 一起写"),
        ("{name: 一个, given: {sate: want}, steps: [{wait: 1h}]}", "J006", "是否指 “state”？"),
        ("{name: 一个, given: {state: wnat}, steps: [{wait: 1h}]}", "J103", "是否指 “want”？"),
    ],
)
def test_a_test_that_makes_no_sense_is_told(played: Play, trial: str, rule: str, message: str) -> None:
    found = played(f"journey: round\ntests:\n  - {trial}\n").diagnostics
    assert rule in {one.rule for one in found}
    assert any(message in one.message for one in found)


def test_a_name_that_is_used_twice_is_told(played: Play) -> None:
    one = "  - {name: 一个, steps: [{wait: 1h}]}\n"
    (found,) = played(f"journey: round\ntests:\n{one}{one}").diagnostics
    assert (found.rule, found.line) == ("J002", 4)


def test_files_that_are_no_tests_are_told_and_do_not_hide_the_others(world: Path) -> None:
    files = {"notes.txt": "x", "round.test.yaml": of_steps("stap: 1"), "broken.test.yaml": "a: [1"}
    found = play(world, files).diagnostics
    assert sorted({one.rule for one in found}) == ["J006", "J007", "J013"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_text_makes_the_reader_fail(world: Path, data: st.DataObject) -> None:
    whole = of_steps("event: oa.follow\nexpect: {sent: greet, window: {kind: follow, left: 1}}", given="{state: want}")
    place = data.draw(st.integers(0, len(whole)))
    length = data.draw(st.integers(0, 12))
    put = data.draw(st.text(alphabet="：{}[]: -\n\t,'\"&*#!|>@0a买\u3000\x00😀", max_size=6))
    text = whole[:place] + put + whole[place + length :]
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        return
    found = play(world, {"round.test.yaml": encoded.decode()})
    assert found.library is not None
