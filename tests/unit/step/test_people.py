"""Advisors: offers accepted, passed on or left lying, the floor that a colleague holds, tasks and their deadlines."""

from datetime import timedelta

import pytest

from bot.core.effects import AssignAdvisor, CloseDesk, OpenDesk
from tests.unit.step.play import Play
from tests.unit.step.worlds import ASK_HUMAN, HANDOFF, STAFF

SHOP = """
dsl: 1
journey: shop
name: 导购
channel: oa
enter: [{event: oa.follow}, {event: oa.click, interrupt: true}]
focus: {priority: 50}
slots: {need: {type: choice, options: {看车: [], 养车: []}, ask: ask-need}}
states:
  need: {ask: need, timeout: {after: 20h, goto: done}, give_up: {goto: done}, then: lead}
  lead:
    do:
      - lead: {need: slots.need}
      - task: {to: advisor, title: "新线索 {{ slots.need }}", due: 30m, overdue: {to: role:店长}}
      - send: thanks
    then: done
  done: {end: done}
"""


def with_task() -> Play:
    play = Play(SHOP, HANDOFF, rules=ASK_HUMAN)
    play.follow()
    assert play.say("看车") == ["thanks"]
    return play


def waiting_for_help() -> Play:
    play = Play(SHOP, HANDOFF, rules=ASK_HUMAN)
    play.follow()
    assert play.say("人工") == ["human-coming"]
    assert play.turn.to("zhangmin") == ["要找人工 [accept busy]"]
    return play


def in_conversation() -> Play:
    play = waiting_for_help()
    assert play.click("accept", by="zhangmin") == []
    return play


def test_an_accepted_handoff_opens_the_conversation_and_the_bot_is_silent() -> None:
    play = in_conversation()
    assert play.turn.to("zhangmin") == [
        "您现在和 客户1 对话，您发的话会直接发给 客户1",
        "要找人工 [open close done]",
    ]
    assert [type(e) for e in play.turn.effects if isinstance(e, AssignAdvisor | OpenDesk)] == [AssignAdvisor, OpenDesk]
    assert play.say("看车") == []
    assert play.turn.to("zhangmin") == ["客户1：看车"]
    assert play.show("image") == []
    assert play.turn.to("zhangmin") == ["客户1：[图片]"]


def test_the_advisors_words_go_to_the_customer() -> None:
    play = in_conversation()
    assert play.advisor("您好，我是<张敏>", by="zhangmin") == ["您好，我是＜张敏>"]


def test_opting_out_is_heard_while_a_colleague_talks_and_she_reads_it_too() -> None:
    play = in_conversation()
    assert play.say("退订") == ["optout-ok"]
    assert play.turn.to("zhangmin") == ["客户1：退订"]
    assert play.at() == {}


def test_a_tap_is_heard_while_a_colleague_talks() -> None:
    play = waiting_for_help()
    menu = play.latest_menu()
    play.click("accept", by="zhangmin")
    play.tap("看车", of=menu)
    assert play.customer.lead is not None and play.customer.lead.fields == {"need": "看车"}


def test_the_customer_brings_the_bot_back_and_the_question_is_repeated() -> None:
    play = in_conversation()
    assert play.say("/bot") == ["ask-need@resume"]
    assert play.turn.to("zhangmin") == ["客户1 已回到自助服务，会话结束。"]
    assert any(isinstance(effect, CloseDesk) for effect in play.turn.effects)
    assert (play.at(), play.ended("human")) == ({"shop": "need"}, "success")


def test_closing_the_conversation_brings_the_bot_back() -> None:
    play = in_conversation()
    assert play.click("close", by="zhangmin") == ["ask-need@resume"]
    assert play.turn.to("zhangmin") == ["会话已结束"]
    assert play.ended("human") == "success"


def test_going_back_to_a_conversation_makes_it_her_desk_and_tells_her() -> None:
    play = in_conversation()
    play.click("open", by="zhangmin")
    assert any(isinstance(effect, OpenDesk) for effect in play.turn.effects)
    assert play.turn.to("zhangmin")[0] == "您现在和 客户1 对话，您发的话会直接发给 客户1"


def test_she_who_follows_several_customers_reads_to_whom_her_words_went() -> None:
    play = in_conversation()
    assert play.event("advisor.said", text="优惠", staff_id="zhangmin", several=True) == ["优惠"]
    assert play.turn.to("zhangmin") == ["您刚才的话发给了 客户1"]
    play.advisor("您好", by="zhangmin")
    assert play.turn.to("zhangmin") == []


LISTENING = """
dsl: 1
journey: listening
name: 等点击
channel: oa
enter: [{event: oa.follow}]
states:
  a: {wait: {for: 20h}, events: [{event: oa.click, goto: b}, {event: oa.scan, goto: b}], then: done}
  b: {do: [{send: promo}], wait: {for: 1h}, then: done}
  done: {end: done}
"""


def test_clicks_and_scans_go_to_the_colleague_alone_while_she_talks() -> None:
    play = Play(LISTENING, HANDOFF, rules=ASK_HUMAN)
    play.follow()
    play.say("人工")
    play.click("accept", by="zhangmin")
    assert play.menu("X") == []
    assert play.turn.to("zhangmin") == ["客户1：[点了菜单 X]"]
    assert play.scan("展厅") == []
    assert play.turn.to("zhangmin") == ["客户1：[扫了码 展厅]"]
    assert play.at()["listening"] == "a"


@pytest.mark.parametrize("reason", ["gone", "invaliduser"])
def test_a_colleague_who_cannot_be_reached_is_released_and_the_next_is_asked(reason: str) -> None:
    play = in_conversation()
    play.say("在吗")
    play.receipt("send.refused", play.planned("@forward"), reason)
    assert play.talk.human is None
    assert play.turn.to("lilei") == ["要找人工 [accept busy]"]
    assert play.turn.traced("handoff", outcome="unreachable", staff_id="zhangmin")


def test_when_nobody_is_left_after_a_colleague_was_lost_the_fallback_is_taken() -> None:
    play = waiting_for_help()
    play.click("busy", by="zhangmin")
    play.click("accept", by="lilei")
    play.say("在吗")
    assert "human-away" in play.receipt("send.refused", play.planned("@forward"), "gone")
    assert play.ended("human") == "missed"


def test_a_lost_colleagues_task_is_offered_to_the_next() -> None:
    play = with_task()
    play.click("accept", by="zhangmin")
    play.say("在吗")
    play.receipt("send.refused", play.planned("@forward"), "gone")
    assert play.talk.human is None
    assert play.turn.to("lilei") == ["新线索 看车 [accept busy]"]


def test_a_forward_that_is_refused_for_another_reason_leaves_her_the_floor() -> None:
    play = in_conversation()
    play.say("在吗")
    play.receipt("send.refused", play.planned("@forward"), "45009")
    assert play.talk.human is not None


def test_an_accepted_handoff_without_a_word_is_passed_on_when_the_hold_runs_out() -> None:
    play = in_conversation()
    play.wait("20m")
    play.click("open", by="zhangmin")
    play.wait("30m")
    assert play.turn.to("lilei") == ["要找人工 [accept busy]"]
    assert play.turn.traced("handoff", outcome="never_spoke", staff_id="zhangmin")
    assert play.ended("human") is None
    assert "human-away" in play.wait("5m")
    assert play.ended("human") == "missed"


def test_a_colleague_who_says_nothing_loses_the_floor() -> None:
    play = in_conversation()
    play.wait("29m")
    play.advisor("请稍等", by="zhangmin")
    play.wait("29m")
    assert play.say("好") == []
    assert play.wait("1m") == ["ask-need@resume"]
    assert play.turn.to("zhangmin") == ["与 客户1 的会话已自动结束：30 分钟没有您的发言。"]
    assert play.at() == {"shop": "need"}


def test_her_words_after_that_do_not_reach_the_customer() -> None:
    play = in_conversation()
    play.wait("31m")
    assert play.advisor("在吗", by="zhangmin") == []
    assert "没有发出" in play.turn.to("zhangmin")[0]


def test_a_busy_advisor_passes_the_customer_to_the_next() -> None:
    play = waiting_for_help()
    play.click("busy", by="zhangmin")
    assert play.turn.to("zhangmin") == ["已转同事"]
    assert play.turn.to("lilei") == ["要找人工 [accept busy]"]
    play.click("accept", by="lilei")
    assert play.customer.advisor == "lilei"


def test_when_everybody_is_busy_the_fallback_is_taken() -> None:
    play = waiting_for_help()
    play.click("busy", by="zhangmin")
    assert play.click("busy", by="lilei") == ["human-away", "ask-need@resume"]
    assert play.turn.traced("handoff", outcome="nobody_on_duty")


def test_a_card_that_does_not_arrive_is_offered_to_the_next() -> None:
    play = waiting_for_help()
    play.receipt("send.refused", next(s for s in play.sent if s.to == "zhangmin"), "invaliduser")
    assert play.turn.to("lilei") == ["要找人工 [accept busy]"]


def test_a_click_on_an_offer_that_is_over_says_so() -> None:
    play = waiting_for_help()
    play.wait("5m")
    play.click("accept", by="zhangmin")
    assert play.turn.to("zhangmin") == ["任务已结束或已转出"]
    assert play.talk.human is None


def test_nobody_can_click_on_the_card_of_another() -> None:
    play = waiting_for_help()
    card = play.cards("zhangmin")[-1]
    play.click_id(card.task_id, "accept", by="lilei")
    assert play.turn.traced("task", outcome="click_too_late")
    assert play.customer.advisor is None


def test_while_she_waits_for_help_the_bot_does_not_guess() -> None:
    play = waiting_for_help()
    assert play.say("快点") == []
    assert play.turn.traced("unheard", why="waiting_for_human")


def test_a_colleague_who_is_no_longer_in_the_list_does_not_swallow_messages() -> None:
    play = in_conversation()
    without_her = "\n".join(line for line in STAFF.splitlines() if "zhangmin" not in line)
    play.reload(SHOP, HANDOFF, rules=ASK_HUMAN, staff=without_her)
    assert play.say("你好") == ["ask-need@resume"]
    assert play.say("看车") == ["thanks"]


def test_words_after_the_window_is_shut_come_back_to_the_advisor() -> None:
    play = with_task()
    play.wait("48h")
    play.click("accept", by="zhangmin")
    assert play.advisor("您好", by="zhangmin") == []
    assert "48 小时" in play.turn.to("zhangmin")[0]
    assert not play.turn.traced("task", outcome="contacted")


def test_words_that_the_platform_refuses_come_back_to_the_advisor() -> None:
    play = in_conversation()
    play.refusals = ["window"]
    play.advisor("您好", by="zhangmin")
    assert any("没有送达 客户1" in note for note in play.turn.to("zhangmin"))


def test_a_colleague_who_takes_over_replaces_the_first_and_she_is_told() -> None:
    play = with_task()
    play.loads = {"zhangmin": 5}
    play.say("人工")
    play.click("accept", by="lilei", card="要找人工")
    play.click("accept", by="zhangmin", card="新线索")
    assert play.turn.to("lilei") == ["客户1 的会话已由 张敏 接手。"]
    assert play.at() == {}, "the handoff is over: somebody talks to her"
    assert play.say("你好") == []
    assert play.turn.to("zhangmin") == ["客户1：你好"]


def test_reminders_wait_for_a_colleague_to_finish() -> None:
    reminding = SHOP.replace("do:\n", "do:\n      - send: {content: remind, class: reminder}\n", 1)
    play = Play(reminding, HANDOFF, rules=ASK_HUMAN)
    play.follow()
    menu = play.latest_menu()
    play.say("人工")
    play.click("accept", by="zhangmin")
    assert play.tap("看车", of=menu) == ["稍后 remind", "thanks"]


def test_every_word_of_hers_keeps_reminders_waiting_longer() -> None:
    reminding = SHOP.replace("do:\n", "do:\n      - send: {content: remind, class: reminder}\n", 1)
    play = Play(reminding, HANDOFF, rules=ASK_HUMAN)
    play.follow()
    menu = play.latest_menu()
    play.say("人工")
    play.click("accept", by="zhangmin")
    play.wait("20m")
    play.advisor("请稍等", by="zhangmin")
    play.tap("看车", of=menu)
    assert play.turn.sends()[0].not_before == play.now + timedelta(minutes=30)


def test_a_menu_click_while_a_colleague_talks_is_shown_to_her_and_begins_nothing() -> None:
    play = in_conversation()
    assert play.menu("cars") == []
    assert play.turn.to("zhangmin") == ["客户1：[点了菜单 cars]"]


def test_unfollowing_ends_the_conversation_and_tells_the_colleague() -> None:
    play = in_conversation()
    play.unfollow()
    assert play.turn.to("zhangmin") == ["客户1 已取消关注，会话结束。"]
    assert play.talk.human is None
