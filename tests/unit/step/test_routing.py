"""Who gets what the customer writes, step by step of journey-language.md 2.4."""

import pytest

from tests.unit.step.play import Play
from tests.unit.step.worlds import ASK_HUMAN, DRIVE, HANDOFF, NUDGE

SHOP = """
dsl: 1
journey: shop
name: 导购
channel: oa
enter: [{keyword: [咨询]}]
focus: {priority: 50}
slots:
  need: {type: choice, options: {看车: [选车], 养车: [保养]}, ask: ask-need}
  nick: {type: text, ask: ask-nick}
states:
  need: {ask: need, timeout: {after: 20h, goto: done}, give_up: {goto: done}, then: nick}
  nick: {ask: nick, timeout: {after: 20h, goto: done}, give_up: {goto: done}, then: noted}
  noted: {do: [{send: noted}], then: done}
  done: {end: done}
"""
SOON = "好的，我记下了。我们先把眼前这件说完，马上接着办。"
"""What is said to her when she has asked for what has to wait for the floor."""
LOW = (
    DRIVE.replace("journey: drive", "journey: low").replace("[试驾]", "[资料]").replace("priority: 70", "priority: 30")
)
VIEWED = """
dsl: 1
journey: viewed
name: 看过文章
channel: oa
enter: [{event: oa.view}]
slots:
  need: {type: choice, options: {看车: [选车], 养车: [保养]}, ask: ask-need}
states:
  need: {ask: {slot: need, class: service}, timeout: {after: 20h, goto: done}, give_up: {goto: done}, then: noted}
  noted: {do: [{send: noted}], then: done}
  done: {end: done}
"""


def test_a_tap_answers_the_question_it_stands_below() -> None:
    play = Play(SHOP)
    play.say("咨询")
    assert play.tap("养车") == ["ask-nick"]
    assert play.run("shop").slots["need"] == "养车"


def test_a_tap_reaches_its_journey_even_without_the_floor() -> None:
    play = Play(SHOP, DRIVE)
    play.say("咨询")
    menu = play.latest_menu()
    play.say("试驾")
    assert play.tap("养车", of=menu) == []
    assert play.at() == {"shop": "nick", "drive": "day"}
    assert play.tap("周末") == ["drive-noted", "ask-nick"]


def test_a_late_tap_is_told_so_and_the_open_question_is_shown_again() -> None:
    play = Play(SHOP)
    play.say("咨询")
    menu = play.latest_menu()
    play.tap("看车")
    assert play.tap("养车", of=menu) == ["expired-choice", "ask-nick@resume"]
    assert play.run("shop").slots["need"] == "看车"


def test_a_tap_on_an_option_that_has_moved_since_goes_by_its_words() -> None:
    play = Play(SHOP)
    play.say("咨询")
    menu = play.latest_menu()
    play.reload(SHOP.replace("{看车: [选车], 养车: [保养]}", "{金融: [贷款], 看车: [选车]}"))
    assert play.tap("养车", of=menu) == ["expired-choice", "ask-need@resume"]
    play.tap("看车", of=menu)
    assert play.run("shop").slots["need"] == "看车"


@pytest.mark.parametrize("menu_id", ["a.b.c", "X.1.99999999999999999999999999999999", "..", "X.1.-1"])
def test_a_tap_that_names_nothing_of_ours_is_expired(menu_id: str) -> None:
    play = Play(SHOP)
    play.say("咨询")
    run = play.run("shop")
    assert play.tap_id(menu_id.replace("X", run.enrolment_id)) == ["expired-choice", "ask-need@resume"]


def test_a_menu_line_of_somebody_else_is_read_as_words() -> None:
    play = Play(SHOP)
    play.say("咨询")
    assert play.tap_id("s:menu_101", "看车") == ["ask-nick"]


@pytest.mark.parametrize(
    "words",
    [
        "退订",
        "td",
        "ＴＤ",
        "退订。",
        "请退订",
        "我要退订",
        "请帮我退订",
        "您好，退订",
        "麻烦给我退订",
        "请帮我退订谢谢",
    ],
)
def test_a_hard_interrupt_is_heard_before_any_question(words: str) -> None:
    play = Play(SHOP)
    play.say("咨询")
    play.say("看车")
    assert play.say(words) == ["optout-ok"]
    assert (play.ended("shop"), set(play.customer.opt_outs)) == ("opt_out", {"all"})


@pytest.mark.parametrize("words", ["不退订", "怎么退订", "我要不退订", "退订吗怎么弄", "退定", "退订单"])
def test_a_hard_interrupt_is_not_heard_in_other_words(words: str) -> None:
    play = Play(SHOP)
    play.say("咨询")
    play.say("看车")
    assert play.say(words) == ["noted"], "it is what she answers"


def test_an_open_question_that_knows_its_values_hears_before_triggers() -> None:
    maintenance = SHOP.replace("journey: shop", "journey: care").replace("[咨询]", "[保养]").replace("50", "60")
    play = Play(SHOP, maintenance)
    play.say("咨询")
    assert play.say("保养") == ["ask-nick"]
    assert play.at() == {"shop": "nick"}


def test_a_question_of_free_text_hears_after_triggers() -> None:
    play = Play(SHOP, DRIVE)
    play.say("咨询")
    play.say("看车")
    assert play.say("试驾") == ["ask-day"]
    assert play.run("shop").slots["nick"] is None


def test_a_question_of_free_text_hears_before_triggers_when_it_says_so() -> None:
    play = Play(SHOP.replace("ask: ask-nick}", "ask: ask-nick, capture: first}"), DRIVE)
    play.say("咨询")
    play.say("看车")
    assert play.say("试驾") == ["noted"]


def test_an_interrupting_entry_pushes_and_the_old_question_is_repeated_afterwards() -> None:
    play = Play(SHOP, DRIVE)
    play.say("咨询")
    assert play.say("试驾") == ["ask-day"]
    pending = play.run("shop").pending
    assert pending is not None and pending.phase == "paused"
    assert play.say("周六") == ["drive-noted", "ask-need@resume"]
    assert play.say("选车") == ["ask-nick"]


def test_an_entry_of_lower_rank_does_not_interrupt_but_waits_for_the_floor() -> None:
    play = Play(SHOP, LOW)
    play.say("咨询")
    assert play.say("资料") == [SOON, "ask-need@resume"], "she wrote, so she hears that it comes"
    assert play.turn.traced("floor", outcome="queued", behind="shop")
    assert play.say("看车") == ["ask-nick"]
    assert play.say("王先生") == ["noted", "ask-day"]


def test_an_entry_interrupts_only_by_its_exact_keyword() -> None:
    play = Play(SHOP, DRIVE.replace("interrupt: true", "match: contains, interrupt: true"))
    play.say("咨询")
    play.say("看车")
    assert play.say("我不想试驾") == ["noted"], "it is what she answers"


def test_a_soft_interrupt_is_heard_when_the_message_is_no_answer() -> None:
    play = Play(SHOP, HANDOFF, rules=ASK_HUMAN)
    play.say("咨询")
    assert play.say("人工") == ["human-coming"]
    assert play.at() == {"shop": "need", "human": "hand"}


def test_an_answer_comes_before_a_soft_interrupt() -> None:
    play = Play(SHOP.replace("养车: [保养]", "养车: [人工]"), HANDOFF, rules=ASK_HUMAN)
    play.say("咨询")
    assert play.say("人工") == ["ask-nick"]


@pytest.mark.parametrize(("priority", "said"), [(60, ["ask-day"]), (40, [SOON, "ask-need@resume"])])
def test_an_entry_by_an_event_interrupts_only_what_it_outranks(priority: int, said: list[str]) -> None:
    scanned = DRIVE.replace("keyword: [试驾], interrupt: true", "event: oa.scan, interrupt: true")
    play = Play(SHOP, scanned.replace("priority: 70", f"priority: {priority}"))
    play.say("咨询")
    assert play.scan("x") == said


def test_a_tap_opens_the_short_window_of_a_menu_click() -> None:
    play = Play(SHOP)
    play.say("咨询")
    play.wait("3d")
    menu = play.latest_menu()
    play.tap("看车", of=menu)
    assert [(bucket.kind, bucket.max) for bucket in play.talk.buckets] == [("menu_click", 3)]


def test_a_message_goes_to_a_state_that_waits_for_it() -> None:
    play = Play(NUDGE)
    play.follow()
    assert play.say("继续") == ["go-on"]
    assert play.ended("nudge") == "done"


def test_a_reaction_without_a_goal_stays_where_it_is() -> None:
    play = Play(NUDGE)
    play.follow()
    assert play.show("image") == ["nice-picture"]
    assert play.at() == {"nudge": "rest"}


def test_a_menu_click_reaches_the_state_that_waits_for_it() -> None:
    play = Play(NUDGE)
    play.follow()
    assert play.menu("cars") == ["clicked"]


def test_waiting_enrolments_hear_in_the_order_of_their_rank() -> None:
    other = NUDGE.replace("journey: nudge", "journey: other").replace("priority: 40", "priority: 45")
    other = other.replace("event: oa.follow", "event: oa.scan").replace("go-on", "go-on-higher")
    play = Play(NUDGE, other)
    play.follow()
    play.scan("a")
    assert play.say("继续") == ["go-on-higher"]
    assert play.say("继续") == ["go-on"]


def test_what_nobody_understands_gets_the_fallback() -> None:
    play = Play(SHOP)
    assert play.say("你好呀") == ["fallback"]
    assert play.turn.traced("unheard", why="no_match")


def test_what_nobody_understands_is_a_wrong_answer_when_a_question_is_open() -> None:
    play = Play(SHOP)
    play.say("咨询")
    assert play.say("天气不错") == ["ask-need@again"]


def test_the_better_match_wins_then_the_rank_then_the_order_of_the_files() -> None:
    def journey(name: str, way: str, priority: int) -> str:
        return f"""
dsl: 1
journey: {name}
name: {name}
channel: oa
enter: [{{{way}}}]
reentry: {{allow: always}}
focus: {{priority: {priority}}}
states:
  hello: {{do: [{{send: hello-{name}}}], then: done}}
  done: {{end: done}}
"""

    play = Play(
        journey("a-contains", "keyword: [报价], match: contains", 90),
        journey("b-prefix", "keyword: [报价], match: prefix", 20),
        journey("c-exact", "keyword: [报价]", 10),
        journey("d-contains", "keyword: [价], match: contains", 90),
    )
    assert play.say("报价") == ["hello-a-contains"], "exact quality for both, and the higher rank"
    assert play.say("报价单") == ["hello-b-prefix"]
    assert play.say("新车报价") == ["hello-a-contains"]
    assert play.say("价格") == ["hello-d-contains"]


def test_an_entry_whose_condition_does_not_hold_leaves_the_message_to_the_next() -> None:
    play = Play(SHOP.replace("keyword: [咨询]", "keyword: [咨询], when: \"customer.city == '上海'\""))
    assert play.say("咨询") == ["fallback"]
    assert play.turn.traced("guard", holds=False)


def test_a_journey_may_be_entered_by_any_message() -> None:
    play = Play(SHOP.replace("{keyword: [咨询]}", "{event: message}"))
    assert play.say("在吗") == ["ask-need"]


def test_a_conversational_event_enters_only_the_first_that_admits() -> None:
    second = NUDGE.replace("journey: nudge", "journey: second").replace("priority: 40", "priority: 30")
    play = Play(NUDGE, second)
    assert play.follow() == ["hello"]
    assert play.at() == {"nudge": "rest"}
    play.unfollow()
    assert play.ended("nudge") == "unreachable"


def test_any_other_event_enters_all_that_want_it() -> None:
    play = Play(VIEWED, VIEWED.replace("viewed", "second"))
    play.say("在吗")
    assert play.event("oa.view", url="https://example.com/") == ["ask-need"]
    assert play.at() == {"second": "need", "viewed": "need"}


def test_a_journey_begun_by_such_an_event_talks_in_the_latest_conversation() -> None:
    play = Play(VIEWED)
    play.say("在吗")
    assert play.event("oa.view", url="https://example.com/") == ["ask-need"]
    assert play.say("看车") == ["noted"], "her answer finds the question"


def test_without_any_conversation_there_is_nobody_to_talk_to() -> None:
    play = Play(VIEWED)
    assert play.event("oa.view", url="https://example.com/") == []
    assert play.turn.traced("error", error="send.no_identity", outcome="stuck")
