"""When a conversation stumbles: the repair journeys that come with the product, and those put in their place."""

from datetime import timedelta

import pytest

from tests.unit.step.play import Play
from tests.unit.step.worlds import ASK_HUMAN, HANDOFF, RULES

FORM = """
dsl: 1
journey: form
name: 预约
channel: oa
enter: [{keyword: [预约]}]
focus: {priority: 50}
slots:
  what: {type: choice, options: {保养: [首保], 维修: [修车]}, ask: ask-what}
  day: {type: choice, options: {周末: [周六], 平日: [工作日]}, ask: ask-day}
  nick: {type: text, ask: ask-nick, check: length(value) <= 4, retry: {max: 2}}
states:
  what: {ask: what, timeout: {after: 4h, goto: silent}, give_up: {goto: lost}, then: day}
  day: {ask: day, timeout: {after: 4h, goto: silent}, give_up: {goto: lost}, then: nick}
  nick: {ask: nick, timeout: {after: 4h, goto: silent}, give_up: {goto: lost}, then: noted}
  noted: {do: [{send: noted}], then: done}
  done: {end: done}
  lost: {end: lost}
  silent: {end: silent}
"""
CANCELLED = "好的，那就先到这里。想继续的时候，随时跟我说。"
SURE = "好的。“预约”您已经说了一些，是“先不办了”，还是“继续”？"
WAITS = "好的，您先忙，我等您。"
UNREADABLE = "这个我这边还看不了，麻烦您打字告诉我。"


def begun(*answers: str, rules: str = RULES, files: tuple[tuple[str, str], ...] = ()) -> Play:
    play = Play(FORM, HANDOFF, rules=rules, files=files)
    play.say("预约")
    for answer in answers:
        play.say(answer)
    return play


# 算了


def test_giving_up_early_ends_the_journey_at_once() -> None:
    play = begun()
    assert play.say("算了") == [CANCELLED]
    assert (play.at(), play.ended("form")) == ({}, "cancelled")
    assert play.turn.traced("taken", step=7, by="interrupt")


def test_giving_up_after_two_answers_is_confirmed_first() -> None:
    play = begun("保养", "周末")
    assert play.say("算了") == [SURE]
    assert play.say("先不办了") == [CANCELLED]
    assert play.ended("form") == "cancelled"


def test_saying_it_again_is_a_yes() -> None:
    play = begun("保养", "周末")
    play.say("算了")
    assert play.say("算了") == [CANCELLED]


def test_who_goes_on_after_all_is_asked_the_same_question_again() -> None:
    play = begun("保养", "周末")
    play.say("算了")
    assert play.say("继续") == ["ask-nick@resume"]
    assert play.at() == {"form": "nick"}
    assert play.due("timeout") == timedelta(hours=4)


def test_the_clock_of_the_question_stops_while_she_is_asked_whether_she_means_it() -> None:
    play = begun("保养", "周末")
    play.wait("3h")
    play.say("算了")
    play.wait("29m")
    assert play.say("继续") == ["ask-nick@resume"]


def test_who_says_nothing_more_has_given_up() -> None:
    play = begun("保养", "周末")
    play.say("算了")
    assert play.wait("30m") == []
    assert play.ended("form") == "cancelled"


def test_giving_up_needs_no_fourth_place_on_the_floor() -> None:
    others = [
        FORM.replace("journey: form", f"journey: form{rank}").replace("[预约]", f"[插队{rank}], interrupt: true")
        for rank in (1, 2)
    ]
    others = [text.replace("priority: 50", f"priority: {60 + n}") for n, text in enumerate(others)]
    play = Play(FORM, *others)
    for words in ("预约", "插队1", "插队2", "保养", "周末"):
        play.say(words)
    assert len(play.talk.floor) == 3
    assert play.say("算了") == [SURE]
    assert play.say("算了") == [CANCELLED, "ask-what@resume"]
    assert play.ended("form2") == "cancelled"


def test_giving_up_in_a_called_journey_ends_whoever_called_it() -> None:
    calling = """
dsl: 1
journey: outer
name: 外层
channel: oa
enter: [{keyword: [外层]}]
states:
  inner: {call: {journey: form}, then: done}
  done: {end: done}
"""
    play = Play(FORM, calling)
    play.say("外层")
    assert play.say("算了") == [CANCELLED]
    assert (play.at(), play.ended("outer")) == ({}, "cancelled")


def test_when_nobody_asks_anything_there_is_nothing_to_give_up() -> None:
    play = Play(FORM)
    assert play.say("算了") == ["fallback"]


def test_an_optional_question_is_passed_over_instead() -> None:
    play = Play(FORM.replace("check: length(value) <= 4,", "optional: true,"))
    for words in ("预约", "保养", "周末"):
        play.say(words)
    assert play.say("算了") == ["noted"]


# 等一下


def test_who_asks_for_a_moment_gets_twice_the_time_once() -> None:
    play = begun()
    play.wait("1h")
    assert play.say("等一下") == [WAITS]
    assert play.due("timeout") == timedelta(hours=7)
    play.say("等一下")
    assert play.due("timeout") == timedelta(hours=7)
    assert play.say("保养") == ["ask-day"]


def test_a_moment_that_was_asked_for_ends_as_every_other() -> None:
    play = begun()
    play.say("等一下")
    play.wait("7h59m")
    assert play.at() == {"form": "what"}
    play.wait("1m")
    assert play.ended("form") == "silent"


# 骂人, 图片, 没听懂


def test_abuse_is_answered_calmly_and_the_question_is_not_pressed() -> None:
    play = begun()
    assert play.say("骗子") == ["抱歉让您不愉快了。想找人直接处理，回复“人工”，我马上请同事来。"]
    pending = play.run("form").pending
    assert pending is not None and (pending.phase, pending.failures) == ("asked", 0)


def test_a_picture_is_said_to_be_unreadable_and_counts_as_a_wrong_answer() -> None:
    play = begun()
    assert play.show("image") == [UNREADABLE]
    assert play.turn.traced("taken", step=11, by="media")
    assert play.show("voice") == ["语音我这边还听不了，麻烦您打字告诉我。"]
    assert play.show("image") == []
    assert play.ended("form") == "lost"


def test_a_picture_while_nobody_asks_is_not_understood() -> None:
    assert Play(FORM).show("image") == ["fallback"]


SPARE = "---\ncontent: ask-what\nchannels: {oa: menu}\n---\n做什么？\n"


def test_a_question_without_words_for_a_second_try_is_explained_and_repeated() -> None:
    play = Play(FORM, contents=(("ask-what", SPARE),))
    play.say("预约")
    assert play.say("天气") == ["抱歉，这句我没太明白。", "做什么？"]
    assert play.say("天气") == ["还是没能听懂，麻烦换个说法；想直接找人聊，回复“人工”就行。", "做什么？"]
    assert play.say("天气") == []
    assert play.ended("form") == "lost"


# 几个旅程都像


def about(name: str, words: str, priority: int = 50) -> str:
    return f"""
dsl: 1
journey: {name}
name: {name}介绍
channel: oa
enter: [{{keyword: [{words}], match: contains}}]
focus: {{priority: {priority}}}
states:
  say: {{do: [{{send: about-{name}}}], then: done}}
  done: {{end: done}}
"""


WHICH = "您是想了解哪一个？点一下，或者回复序号："


def test_words_that_fit_two_journeys_equally_are_asked_about() -> None:
    play = Play(about("ev", "电车"), about("gas", "油车"))
    assert play.say("电车油车怎么选") == [WHICH]
    assert play.turn.traced("taken", step=10, by="clarify")
    assert play.tap("gas介绍") == ["about-gas"]


def test_the_number_of_the_line_chooses_as_well() -> None:
    play = Play(about("ev", "电车"), about("gas", "油车"))
    play.say("电车油车怎么选")
    assert play.say("1") == ["about-ev"]
    assert play.at() == {}


def test_the_more_important_of_two_is_not_asked_about() -> None:
    play = Play(about("ev", "电车"), about("gas", "油车", priority=60))
    assert play.say("电车油车怎么选") == ["about-gas"]


def test_a_journey_that_she_is_in_is_not_what_she_asks_for() -> None:
    waiting = about("ev", "电车").replace("then: done}", "wait: {for: 1d}, then: done}")
    play = Play(waiting, about("gas", "油车"))
    play.say("电车")
    assert play.say("电车油车怎么选") == ["about-gas"]
    assert play.turn.traced("entry_refused", into="ev", reason="already_active")


def test_a_choice_that_does_not_admit_her_is_owned_up_to() -> None:
    never = about("ev", "电车").replace("enter:", "reentry: {allow: never}\nenter:")
    play = Play(never, about("gas", "油车"))
    play.say("电车")
    assert play.say("电车油车怎么选") == [WHICH]
    assert play.say("1") == ["fallback"]


def test_who_cannot_say_which_gets_a_colleague() -> None:
    play = Play(about("ev", "电车"), about("gas", "油车"))
    play.say("电车油车怎么选")
    assert play.say("嗯") == ["抱歉，这句我没太明白。", WHICH]
    assert play.say("不知道") == ["好的，我请顾问过来，请稍等。"]
    assert play.at() == {"clarify": "human", "human-handoff": "hand"}


# 换成自己的


def repair(name: str, says: str, end: str, *, more: str = "") -> str:
    return f"""
dsl: 1
journey: {name}
name: 自己的{name}
channel: oa
{more}
states:
  say: {{do: [{{send: {says}}}], then: over}}
  over: {{end: {end}}}
"""


def content(name: str) -> tuple[str, str]:
    return (name, f"---\ncontent: {name}\nchannels: {{oa: text}}\n---\n{name}\n")


def test_a_file_in_the_repair_folder_takes_the_place_of_the_shipped_one() -> None:
    own = repair("cancel", "bye", "cancelled", more="enter: [{keyword: [不要了]}]")
    play = Play(FORM, files=(("_repair/cancel.yaml", own),), contents=(content("bye"),))
    play.say("预约")
    play.say("保养")
    play.say("周末")
    assert play.say("不要了") == ["bye"]
    assert play.ended("form") == "cancelled"


def test_a_file_beside_the_journeys_takes_the_place_of_both() -> None:
    first, second = repair("fallback", "first", "said"), repair("fallback", "second", "said")
    files = (("_repair/fallback.yaml", first), ("fallback.yaml", second))
    play = Play(FORM, files=files, contents=(content("first"), content("second")))
    assert play.say("天气") == ["second"]


@pytest.mark.parametrize(
    ("end", "said", "ended"),
    [
        ("give_up", [], "lost"),
        ("stay", [], None),
        ("any_other", ["ask-what@resume"], None),
        ("cancelled", [], "cancelled"),
    ],
)
def test_the_label_of_its_end_says_what_becomes_of_the_question(end: str, said: list[str], ended: str | None) -> None:
    files = (("_repair/media.yaml", repair("media", "seen", end)),)
    play = Play(FORM, files=files, contents=(content("seen"),))
    play.say("预约")
    assert play.show("image") == ["seen", *said]
    assert play.ended("form") == ended


def test_an_interrupt_may_call_a_repair_by_its_name() -> None:
    rules = RULES.replace("class_rules:", "  - {id: stop, keyword: [停], effect: pause, call: cancel}\nclass_rules:")
    play = begun(rules=rules)
    assert play.say("停") == [CANCELLED]
    assert play.ended("form") == "cancelled"


def test_what_goes_wrong_in_a_repair_leaves_the_question_as_it_was() -> None:
    broken = repair("media", "seen", "stay").replace("{send: seen}", "{set: {vars.n: vars.n + 'x'}}")
    broken = broken.replace("states:", "vars: {n: {type: number, default: 1}}\nstates:")
    play = Play(FORM, files=(("_repair/media.yaml", broken.replace("vars.n + 'x'", "vars.n + event.text")),))
    play.say("预约")
    play.show("image")
    assert play.at()["form"] == "what"
    assert play.say("保养") == ["ask-day"]


def test_a_colleague_who_takes_over_in_between_leaves_the_question_paused() -> None:
    play = begun("保养", "周末", rules=ASK_HUMAN)
    play.say("算了")
    play.say("人工")
    play.click("accept", by="zhangmin")
    pending = play.run("form").pending
    assert pending is not None and pending.phase == "paused"
    assert play.say("看看") == []
