"""Whose words go where: one advisor, several customers, one conversation open at a time."""

from dataclasses import replace

from bot.core.ids import ConversationId, StaffId
from bot.core.step.floor import FLOOR_OWNER
from tests.unit.step.play import Play
from tests.unit.step.test_people import in_conversation, waiting_for_help

OTHER = ConversationId("oa:main:somebody")
UNOPENED = "客户1（未打开会话）：周末有车吗\n回复前请先在 客户1 的任务卡片上点“打开会话”，否则您的话不会发给 客户1。"


def open_elsewhere(play: Play, conversation: ConversationId | None) -> None:
    """The advisor has opened another customer's conversation, or none is open at all."""
    play.desks[StaffId("zhangmin")] = conversation


def test_what_comes_from_the_open_conversation_is_passed_on_as_it_is() -> None:
    play = in_conversation()
    play.say("周末有车吗")
    assert play.turn.to("zhangmin") == ["客户1：周末有车吗"]


def test_what_comes_from_another_than_the_open_conversation_says_so_and_how_to_open_it() -> None:
    play = in_conversation()
    open_elsewhere(play, OTHER)
    play.say("周末有车吗")
    assert play.turn.to("zhangmin") == [UNOPENED]
    assert play.turn.traced("floor", outcome="forwarded", open=False)


def test_what_comes_while_no_conversation_is_open_says_so_as_well() -> None:
    play = in_conversation()
    open_elsewhere(play, None)
    play.say("周末有车吗")
    assert play.turn.to("zhangmin") == [UNOPENED]


def test_opening_the_conversation_again_ends_the_hints() -> None:
    play = in_conversation()
    open_elsewhere(play, OTHER)
    play.say("周末有车吗")
    play.click("open", by="zhangmin", card="要找人工")
    play.say("周末有车吗")
    assert play.turn.to("zhangmin") == ["客户1：周末有车吗"]


def test_words_go_to_the_conversation_on_the_desk_where_she_holds_two_of_one_customer() -> None:
    play = in_conversation()
    play.say("你好", openid="second")
    first, second = play.customer.conversations.values()
    both = {first.conversation_id: first, second.conversation_id: replace(second, human=first.human)}
    hold = next(timer for timer in play.customer.timers if timer.owner == FLOOR_OWNER)
    again = replace(hold, timer_id=second.conversation_id)
    play.customer = replace(play.customer, conversations=both, timers=(*play.customer.timers, again))
    for conversation in both:
        play.said_into(conversation, "您好", by="zhangmin")
        assert [send.conversation_id for send in play.turn.sends() if send.to != "zhangmin"] == [conversation]


def test_what_she_asks_while_she_waits_is_read_by_whoever_was_asked_to_help() -> None:
    play = waiting_for_help()
    assert play.say("周末有车吗") == []
    assert play.turn.to("zhangmin") == ["客户1（等待接入）：周末有车吗\n接受任务卡片后即可回复。"]
    assert play.turn.to("lilei") == []


def test_after_the_first_was_busy_the_next_one_reads_it() -> None:
    play = waiting_for_help()
    play.click("busy", by="zhangmin")
    play.say("周末有车吗")
    assert play.turn.to("zhangmin") == []
    assert play.turn.to("lilei") == ["客户1（等待接入）：周末有车吗\n接受任务卡片后即可回复。"]
