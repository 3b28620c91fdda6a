"""Tasks of advisors: who gets one, its deadline, and what her buttons do."""

from datetime import timedelta

import pytest

from bot.core.effects import SaveLead
from tests.unit.step.play import Play
from tests.unit.step.test_people import SHOP, in_conversation, with_task
from tests.unit.step.worlds import ASK_HUMAN, HANDOFF, STAFF

ALONE = "\n".join(line for line in STAFF.splitlines() if "lilei" not in line)


def test_the_customers_own_advisor_gets_her_tasks() -> None:
    play = in_conversation()
    play.click("close", by="zhangmin")
    play.loads = {"zhangmin": 9}
    play.say("看车")
    assert play.turn.to("zhangmin") == ["新线索 看车 [accept busy]"]


def test_her_own_advisor_gets_her_tasks_even_off_duty_but_no_waiting_customer() -> None:
    play = in_conversation()
    play.click("close", by="zhangmin")
    at_night = STAFF.replace(
        "张敏, roles: [顾问], dealer: one, account: main, hours: 工作时间",
        "张敏, roles: [顾问], dealer: one, account: main, hours: 夜班",
    )
    rules = ASK_HUMAN.replace("working_hours: {", "working_hours: {夜班: {days: 每天, hours: 19:00-23:00}, ")
    play.reload(SHOP, HANDOFF, rules=rules, staff=at_night)
    play.say("看车")
    assert play.turn.to("zhangmin") == ["新线索 看车 [accept busy]"]
    play.say("人工")
    assert play.turn.to("lilei") == ["要找人工 [accept busy]"]


def test_otherwise_the_least_loaded_advisor_gets_it() -> None:
    play = Play(SHOP)
    play.loads = {"zhangmin": 3, "lilei": 2}
    play.follow()
    play.say("看车")
    assert play.turn.to("lilei") == ["新线索 看车 [accept busy]"]


def test_a_task_that_is_overdue_is_told_to_whom_it_names() -> None:
    play = with_task()
    play.wait("30m")
    assert play.turn.to("chenjing") == ["超时未完成：新线索 看车（负责人 张敏）"]
    assert play.turn.tasks() == [("overdue", "zhangmin", "新线索 看车")]


def test_accepting_alone_does_not_meet_the_deadline() -> None:
    play = with_task()
    play.click("accept", by="zhangmin")
    play.wait("29m")
    assert play.due(play.cards("zhangmin")[0].task_id) == timedelta(minutes=1)


def test_the_first_words_to_the_customer_meet_the_deadline() -> None:
    play = with_task()
    play.click("accept", by="zhangmin")
    assert play.advisor("您好", by="zhangmin") == ["您好"]
    assert play.turn.traced("task", outcome="contacted")
    play.wait("2h")
    assert play.turn.to("chenjing") == []


def test_a_task_that_is_done_is_gone() -> None:
    play = with_task()
    play.click("accept", by="zhangmin")
    play.click("done", by="zhangmin")
    assert play.turn.to("zhangmin") == ["已完成"]
    assert (play.customer.tasks, play.customer.timers) == ({}, ())


def test_a_task_stays_open_when_its_conversation_is_closed() -> None:
    play = with_task()
    play.click("accept", by="zhangmin")
    play.click("close", by="zhangmin")
    assert play.turn.to("zhangmin") == ["新线索 看车 [open done]"]
    play.click("open", by="zhangmin")
    assert play.talk.human is not None


def test_a_busy_advisor_passes_a_task_on_with_its_deadline() -> None:
    play = with_task()
    play.wait("10m")
    play.click("busy", by="zhangmin")
    assert play.turn.to("lilei") == ["新线索 看车 [accept busy]"]
    assert play.due(play.cards("lilei")[0].task_id) == timedelta(minutes=20)


def test_a_task_that_all_advisors_pass_on_goes_to_whom_it_escalates_to() -> None:
    play = with_task()
    play.click("busy", by="zhangmin")
    play.click("busy", by="lilei")
    assert play.turn.to("chenjing") == ["新线索 看车 [accept busy]"]


def test_a_task_that_nobody_else_can_take_stays_where_it_is() -> None:
    play = Play(SHOP.replace(", overdue: {to: role:店长}", ""), staff=ALONE)
    play.follow()
    play.say("看车")
    play.click("busy", by="zhangmin")
    assert play.turn.to("zhangmin") == ["新线索 看车 [accept busy]", "没有其他同事可以接手，请您跟进：新线索 看车"]
    assert len(play.customer.tasks) == 1


def test_many_tasks_never_push_out_a_handoff_that_somebody_waits_in() -> None:
    busy = """
dsl: 1
journey: busy
name: 忙
channel: oa
enter: [{event: oa.click}]
states:
  task: {do: [{task: {to: advisor, title: 再一个, due: 1d}}], then: done}
  done: {end: done}
"""
    play = Play(HANDOFF, busy, rules=ASK_HUMAN)
    play.say("人工")
    for _ in range(25):
        play.menu("x")
    kinds = [task.kind for task in play.customer.tasks.values()]
    assert (kinds.count("handoff"), len(kinds)) == (1, 20)
    assert play.turn.traced("task", outcome="withdrawn", task_kind="task")


def test_a_lead_is_written_again_when_somebody_takes_it() -> None:
    play = with_task()
    play.click("accept", by="zhangmin")
    leads = [effect for effect in play.turn.effects if isinstance(effect, SaveLead)]
    assert [(lead.advisor, lead.dealer) for lead in leads] == [("zhangmin", "one")]


@pytest.mark.parametrize("key", ["", "explode"])
def test_a_button_that_we_do_not_know_is_taken_off(key: str) -> None:
    play = with_task()
    play.click(key, by="zhangmin")
    assert play.turn.to("zhangmin") == ["任务已结束或已转出"]
    assert len(play.customer.tasks) == 1


def test_a_task_beside_a_handoff_is_done_without_ending_it() -> None:
    both = """
dsl: 1
journey: both
name: 都要
channel: oa
enter: [{event: oa.follow}]
states:
  go:
    do: [{task: {to: role:店长, title: 看一眼, due: 1h}}]
    handoff: {to: advisor, accept_within: 5m, fallback: {goto: done}}
    then: done
  done: {end: done}
"""
    play = Play(both)
    play.follow()
    play.click("accept", by="chenjing")
    play.click("done", by="chenjing")
    assert play.at() == {"both": "go"}
    assert play.due("accept") == timedelta(minutes=5)
