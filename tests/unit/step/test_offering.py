"""Answers worked out when the question is asked, filled in, remembered, and read back to be confirmed."""

from datetime import timedelta

import pytest

from bot.core.customer import Option
from bot.core.messages import Menu, Text
from tests.unit.step.play import Play

FAILED = "  failed: {do: [{send: failed}], then: done}"


def asking(slot: str, *, state: str = "", before: str = "", enter: str = "keyword: [开始]") -> str:
    """A journey that asks for `q` and says `noted`."""
    return f"""
dsl: 1
journey: asking
name: 提问
channel: oa
enter: [{{{enter}}}]
slots:
{before}
  q: {{ask: ask-q, {slot}}}
states:
{"  first: {ask: x, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: q}" if before else ""}
  q: {{ask: q, timeout: {{after: 4h, goto: done}}, give_up: {{goto: gone}}, then: noted{state}}}
  noted: {{do: [{{send: noted}}], then: done}}
  gone: {{do: [{{send: gone}}], then: done}}
{FAILED if "fail:" in state else ""}
  done: {{end: done}}
"""


COLOURS = """type: choice, options_from: "['红色', '蓝色', '白色']" """
TWO_WAYS = "  x: {type: choice, options: {甲: [], 乙: []}, ask: ask-x}"


def started(*texts: str) -> Play:
    play = Play(*texts)
    play.say("开始")
    return play


def answer_of(play: Play, name: str = "q") -> object:
    """What the last question was answered with, as the journal tells it."""
    return play.turn.traced("answered", slot=name)[-1].get("value")


def test_what_the_expression_comes_to_is_offered_to_tap() -> None:
    play = started(asking(COLOURS))
    menu = play.latest_menu().message
    assert isinstance(menu, Menu)
    assert [choice.text for choice in menu.choices] == ["红色", "蓝色", "白色"]
    assert play.tap("蓝色") == ["noted"]
    assert answer_of(play) == "蓝色"


@pytest.mark.parametrize(
    ("words", "value"), [("蓝色", "蓝色"), ("2", "蓝色"), ("第三个", "白色"), ("我要红色", "红色")]
)
def test_words_and_numbers_choose_as_well(words: str, value: str) -> None:
    play = started(asking(COLOURS))
    assert play.say(words) == ["noted"]
    assert answer_of(play) == value


def test_what_is_not_offered_is_no_answer() -> None:
    play = started(asking(COLOURS))
    assert play.say("绿色") == ["ask-q@again"]
    assert play.say("4") == ["ask-q@again"]


def test_a_question_in_plain_text_lists_its_options_with_numbers() -> None:
    head = "---\ncontent: ask-q\nchannels: {oa: text}\nvariants: [normal, again]\n---\n"
    text = f"{head}哪种颜色？\n{{% variant again %}}\n再选一次\n"
    play = Play(asking(COLOURS), contents=(("ask-q", text),))
    play.say("开始")
    said = play.planned("ask-q").message
    assert said == Text(text="哪种颜色？\n1. 红色\n2. 蓝色\n3. 白色")
    assert play.say("3") == ["noted"]


def test_options_are_worked_out_anew_whenever_the_question_is_put() -> None:
    early = """type: choice, options_from: "['早', '晚'] if now < state.entered_at + hours(1) else ['晚']" """
    play = started(asking(early))
    assert play.run("asking").pending is not None
    play.wait("2h")
    assert play.say("天气") == ["ask-q@again"]
    pending = play.run("asking").pending
    assert pending is not None
    assert pending.options == (Option(text="晚", value="晚"),)


@pytest.mark.parametrize(("way", "said"), [("", "gone"), (", fail: {goto: failed}", "failed")])
def test_with_nothing_to_choose_the_question_is_not_asked(way: str, said: str) -> None:
    none = """type: choice, options_from: "['红色'] if slots.x == '甲' else []" """
    play = started(asking(none, before=TWO_WAYS, state=way))
    assert play.say("乙") == [said]
    assert play.turn.traced("error", error="slot.no_options", outcome="handled")


def test_times_are_offered_in_the_customers_words_and_chosen_by_the_clock() -> None:
    play = started(asking("""type: datetime, options_from: "[now + hours(4), now + hours(28)]" """))
    menu = play.latest_menu().message
    assert isinstance(menu, Menu)
    assert [choice.text for choice in menu.choices] == ["12月1日 14:00", "12月2日 14:00"]
    assert play.tap("12月2日 14:00") == ["noted"]
    assert str(answer_of(play)).startswith("2026-12-02T")


def test_at_most_ten_are_offered_and_the_journal_tells_of_the_rest() -> None:
    many = ", ".join(f"'第{letter}款'" for letter in "甲乙丙丁戊己庚辛壬癸子丑")
    play = started(asking(f'type: choice, options_from: "[{many}]"'))
    menu = play.latest_menu().message
    assert isinstance(menu, Menu)
    assert len(menu.choices) == 10
    assert play.turn.traced("offered") == [{"slot": "q", "count": 10, "left_out": 2}] * 2


# prefill


def test_a_value_that_is_known_makes_the_question_needless() -> None:
    play = Play(asking("type: choice, options: {红色: [], 蓝色: []}, prefill: event.scene", enter="event: oa.scan"))
    assert play.scan("蓝色") == ["noted"]
    assert play.turn.traced("answered", outcome="prefilled", value="蓝色")


@pytest.mark.parametrize("scene", ["绿色", ""])
def test_what_is_no_answer_to_the_question_does_not_fill_it(scene: str) -> None:
    play = Play(asking("type: choice, options: {红色: [], 蓝色: []}, prefill: event.scene", enter="event: oa.scan"))
    assert play.scan(scene) == ["ask-q"]


def test_a_filled_value_that_fails_its_check_is_asked_for() -> None:
    play = Play(asking("type: text, prefill: event.scene, check: length(value) <= 2", enter="event: oa.scan"))
    assert play.scan("太长的称呼") == ["ask-q"]


def test_a_filled_value_is_confirmed_where_the_slot_says_so() -> None:
    play = Play(
        asking(
            "type: choice, options: {红色: [], 蓝色: []}, prefill: event.scene, confirm: true", enter="event: oa.scan"
        )
    )
    assert play.scan("蓝色") == ["confirm=蓝色"]
    assert play.say("对") == ["noted"]


# ttl


def test_an_answer_younger_than_its_time_is_not_asked_for_again_in_another_run() -> None:
    play = started(asking("type: city, save: customer.city, ttl: 30d"))
    assert play.say("上海") == ["noted"]
    play.wait("29d")
    assert play.say("开始") == ["noted"]
    assert play.turn.traced("answered", outcome="remembered", value="上海")


def test_an_older_answer_is_asked_for_anew() -> None:
    play = started(asking("type: city, save: customer.city, ttl: 30d"))
    play.say("上海")
    play.wait("31d")
    assert play.say("开始") == ["ask-q"]


def test_without_a_ttl_a_question_is_asked_every_time() -> None:
    play = started(asking("type: city, save: customer.city"))
    play.say("上海")
    assert play.say("开始") == ["ask-q"]


# confirm


@pytest.mark.parametrize(
    ("slot", "said", "shown"),
    [
        ("type: city", "上海", "上海"),
        ("type: choice, options: {红色: [], 蓝色: []}", "红色", "红色"),
        ("type: date", "12月5日", "12月5日 周六"),
        ("type: number", "3", "3"),
        ("type: text", "王先生", "王先生"),
        ("type: text, pii: true", "王先生", "王**"),
        ("type: plate_cn, pii: true", "沪A12345", "沪**"),
        ("type: phone_cn", "13800138000", "138****8000"),
    ],
)
def test_any_type_is_read_back_to_be_confirmed_and_masked_where_it_is_personal(
    slot: str, said: str, shown: str
) -> None:
    play = started(asking(f"{slot}, confirm: true"))
    assert play.say(said) == [f"confirm={shown}"]
    assert play.say("对") == ["noted"]


def test_a_date_is_a_date_in_its_check() -> None:
    play = started(asking("type: date, check: value >= today and value <= today + days(14)"))
    assert play.say("12月25日") == ["ask-q@again"]
    assert play.say("12月5日") == ["noted"]
    assert answer_of(play) == "2026-12-05"


def test_a_picture_answers_a_question_for_a_picture() -> None:
    play = started(asking("type: image"))
    assert play.say("什么照片") == ["ask-q@again"]
    assert play.show("image") == ["noted"]


# floor: shared

SURVEY = (
    asking(COLOURS, enter="keyword: [问卷]").replace("journey: asking", "journey: survey").replace("ask-q", "ask-s")
)
SURVEY = SURVEY.replace("send: noted", "send: thanks").replace("slots:", "focus: {priority: 90, floor: shared}\nslots:")
HOLDER = asking("type: choice, options: {大: [], 小: []}")


def test_a_journey_that_shares_the_floor_asks_beside_its_holder() -> None:
    play = Play(HOLDER, SURVEY)
    play.say("开始")
    assert play.say("问卷") == ["ask-s"]
    assert play.talk.floor == (play.run("asking").enrolment_id,)
    pending = play.run("asking").pending
    assert pending is not None and pending.phase == "asked"


def test_each_answer_finds_its_question() -> None:
    play = Play(HOLDER, SURVEY)
    play.say("开始")
    play.say("问卷")
    assert play.say("红色") == ["thanks"]
    assert play.say("大") == ["noted"]


def test_what_fits_neither_is_a_wrong_answer_to_the_holder() -> None:
    play = Play(HOLDER, SURVEY)
    play.say("开始")
    play.say("问卷")
    assert play.say("天气") == ["ask-q@again"]


def test_alone_it_hears_wrong_answers_itself_and_times_out_itself() -> None:
    play = Play(SURVEY)
    play.say("问卷")
    assert play.say("天气") == ["ask-s@again"]
    assert play.talk.floor == ()
    play.wait("4h")
    assert play.at() == {}


def test_it_never_stands_in_the_way_of_another() -> None:
    play = Play(HOLDER, SURVEY)
    play.say("问卷")
    assert play.say("开始") == ["ask-q"]
    assert play.due("timeout") <= timedelta(hours=4)


def test_while_a_colleague_talks_it_waits_and_asks_when_she_has_gone() -> None:
    later = SURVEY.replace("enter: [{keyword: [问卷]}]", "enter: [{event: oa.view}]")
    later = later.replace("{ask: q,", "{ask: {slot: q, class: service},")
    task = """
dsl: 1
journey: calling
name: 派单
channel: oa
enter: [{keyword: [派单]}]
states:
  give: {do: [{task: {to: advisor, title: 请联系}}], then: done}
  done: {end: done}
"""
    play = Play(later, task)
    play.say("派单")
    play.click("accept", by="zhangmin")
    play.event("oa.view", url="https://example.com/")
    pending = play.run("survey").pending
    assert pending is not None and pending.phase == "queued"
    play.say("/bot")
    pending = play.run("survey").pending
    assert pending is not None and pending.phase == "asked"
