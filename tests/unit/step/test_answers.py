"""What becomes of an answer: taken, confirmed, skipped, asked for again, given up, timed out."""

from datetime import timedelta

from tests.unit.step.play import Play

ASKING = """
dsl: 1
journey: asking
name: 提问
channel: oa
enter: [{event: oa.follow}, {keyword: [咨询]}]
slots:
  need: {type: choice, options: {看车: [选车], 养车: [保养]}, ask: ask-need, retry: {max: 2, say: need-again}}
  nick: {type: text, ask: ask-nick, check: length(value) <= 4, optional: true, retry: {max: 1}, save: customer.nick}
  phone: {type: phone_cn, ask: ask-phone, consent: 电话联系, confirm: true, retry: {max: 1, say: phone-bad},
          save: customer.phone}
goal: {name: 已留资, when: has(customer.phone), within: 14d}
states:
  need:
    ask: need
    timeout: {after: 20h, goto: silent}
    give_up: {goto: lost}
    then: nick
  nick:
    ask: nick
    timeout: {after: 2h, goto: grant}
    give_up: {goto: grant}
    then: grant
  grant:
    do: [{consent: {grant: 电话联系, text: ask-consent}}]
    then: agree
  agree:
    branch:
      - when: customer.nick == '不同意'
        goto: back
      - else: phone
  back:
    do: [{consent: {withdraw: 电话联系}}]
    then: phone
  phone:
    ask: phone
    timeout: {after: 4h, goto: silent}
    give_up: {goto: lost}
    then: done
  silent: {end: silent}
  lost: {end: lost}
  done: {end: done}
errors:
  - {error: consent.missing, goto: lost}
"""
CONFIRMED_NAME = """
dsl: 1
journey: named
name: 称呼
channel: oa
enter: [{event: oa.follow}]
slots:
  nick: {type: text, ask: ask-nick, confirm: true, save: customer.nick}
states:
  nick:
    ask: nick
    timeout: {after: 2h, goto: done}
    give_up: {goto: done}
    then: done
  done: {end: done}
"""


def at_phone() -> Play:
    play = Play(ASKING)
    play.follow()
    play.say("看车")
    assert play.say("王先生") == ["ask-phone"]
    return play


def test_an_answer_is_taken_and_the_next_question_is_asked() -> None:
    play = Play(ASKING)
    assert play.follow() == ["ask-need"]
    assert play.say("选车") == ["ask-nick"]
    assert play.run("asking").slots["need"] == "看车"
    assert play.say("王先生") == ["ask-phone"]
    assert play.customer.attributes["nick"] == "王先生"


def test_a_wrong_answer_is_asked_for_again_as_often_as_the_slot_says() -> None:
    play = Play(ASKING)
    play.follow()
    assert play.say("天气不错") == ["need-again@again"]
    assert play.say("嗯嗯") == ["need-again@again"]
    assert play.say("哈哈") == []
    assert play.ended("asking") == "lost"


def test_a_value_that_fails_its_check_counts_as_a_wrong_answer() -> None:
    play = Play(ASKING)
    play.follow()
    play.say("看车")
    assert play.say("住在静安的王先生") == ["ask-nick@again"]
    assert play.turn.traced("unparsed", why="check", failures=1)
    assert play.say("住在静安的王先生") == ["ask-phone"]
    assert "nick" not in play.customer.attributes


def test_an_optional_question_can_be_skipped() -> None:
    play = Play(ASKING)
    play.follow()
    play.say("看车")
    assert play.say("跳过") == ["ask-phone"]
    assert play.run("asking").slots["nick"] is None


def test_a_question_that_is_not_optional_cannot_be_skipped() -> None:
    play = Play(ASKING)
    play.follow()
    assert play.say("跳过") == ["need-again@again"]


def test_a_picture_is_no_answer() -> None:
    play = Play(ASKING)
    play.follow()
    assert play.show("image") == ["这个我这边还看不了，麻烦您打字告诉我。"]
    assert play.turn.traced("unparsed", failures=1)


def test_a_proposed_value_is_saved_only_on_yes() -> None:
    play = at_phone()
    assert play.say("13800138000") == ["confirm=138****8000"]
    assert "phone" not in play.customer.attributes
    assert not play.turn.traced("goal")
    assert play.say("对的") == []
    assert play.customer.attributes["phone"] == "13800138000"
    assert play.ended("asking") == "done"
    assert play.turn.traced("goal") == [{"goal": "已留资"}]


def test_the_buttons_of_the_confirmation_say_yes_and_no() -> None:
    play = at_phone()
    play.say("13800138000")
    assert play.tap("不对，改一下") == ["ask-phone@again"]
    play.say("13900139000")
    assert play.tap("对") == []
    assert play.customer.attributes["phone"] == "13900139000"


def test_another_valid_value_replaces_the_proposal_and_is_confirmed_again() -> None:
    play = at_phone()
    play.say("13800138000")
    assert play.say("不对，是13900139000") == ["confirm=139****9000"]
    play.say("嗯")
    assert play.customer.attributes["phone"] == "13900139000"


def test_the_same_value_again_is_a_yes() -> None:
    play = at_phone()
    play.say("13800138000")
    assert play.say("138 0013 8000") == []
    assert play.ended("asking") == "done"


def test_a_no_asks_again_and_is_no_wrong_answer() -> None:
    play = at_phone()
    for _ in range(3):
        play.say("13800138000")
        assert play.say("不对") == ["ask-phone@again"]
    pending = play.run("asking").pending
    assert pending is not None and (pending.failures, pending.proposal) == (0, None)


def test_anything_else_at_a_confirmation_is_one_wrong_answer() -> None:
    play = at_phone()
    play.say("13800138000")
    assert play.say("你们在哪") == ["confirm@again=138****8000"]
    assert play.say("几点关门") == []
    assert play.ended("asking") == "lost"


def test_a_name_can_be_confirmed_though_any_words_are_a_name() -> None:
    play = Play(CONFIRMED_NAME)
    play.follow()
    assert play.say("王先生") == ["confirm=王先生"]
    assert play.say("不对") == ["ask-nick@again"]
    assert play.say("李女士") == ["confirm=李女士"]
    play.say("对")
    assert play.customer.attributes["nick"] == "李女士"


def test_without_consent_the_question_is_not_sent_and_the_journey_hears_of_it() -> None:
    play = Play(ASKING)
    play.follow()
    play.say("看车")
    assert play.say("不同意") == []
    assert play.turn.traced("not_sent", reason="no_consent", purpose="电话联系")
    assert play.turn.traced("error", error="consent.missing", outcome="handled")
    assert play.ended("asking") == "lost"


def test_the_timeout_counts_from_the_last_question_that_was_sent() -> None:
    play = Play(ASKING)
    play.follow()
    play.wait("19h")
    play.say("随便看看")
    assert play.due("timeout") == timedelta(hours=20)
    play.wait("19h59m")
    assert play.at() == {"asking": "need"}
    play.wait("1m")
    assert play.ended("asking") == "silent"


def test_an_answer_stops_the_clock_of_its_question() -> None:
    play = Play(ASKING)
    play.follow()
    play.wait("19h")
    play.say("看车")
    assert play.due("timeout") == timedelta(hours=2)


def test_an_ask_entered_by_a_message_takes_the_value_that_stands_in_it() -> None:
    play = Play(ASKING)
    play.follow()
    play.say("看车")
    assert play.say("我叫小王，电话13800138000") == ["ask-nick@again"], "a name of four characters at most"
    assert play.say("跳过") == ["ask-phone"]


def test_a_keyword_that_begins_a_journey_may_answer_its_first_question() -> None:
    journey = """
dsl: 1
journey: booking
name: 预约
channel: oa
enter: [{keyword: [预约保养]}]
slots:
  what: {type: choice, options: {保养: [首保], 维修: [修车]}, ask: ask-what}
states:
  what:
    ask: what
    timeout: {after: 2h, goto: done}
    give_up: {goto: done}
    then: noted
  noted:
    do: [{send: noted}]
    then: done
  done: {end: done}
"""
    assert Play(journey).say("预约保养") == ["noted"]


def test_words_answer_only_one_question() -> None:
    journey = """
dsl: 1
journey: twice
name: 两问
channel: oa
enter: [{event: oa.follow}]
slots:
  one: {type: choice, options: {保养: [首保], 维修: [修车]}, ask: ask-one}
  two: {type: choice, options: {保养: [首保], 维修: [修车]}, ask: ask-two}
states:
  one: {ask: one, timeout: {after: 2h, goto: done}, give_up: {goto: done}, then: two}
  two: {ask: two, timeout: {after: 2h, goto: done}, give_up: {goto: done}, then: done}
  done: {end: done}
"""
    play = Play(journey)
    play.follow()
    assert play.say("保养") == ["ask-two"]


def test_a_check_that_cannot_be_evaluated_is_the_journeys_error_and_no_wrong_answer() -> None:
    play = Play(ASKING.replace("length(value) <= 4", "event.text < 4"))
    play.follow()
    play.say("看车")
    assert play.say("王先生") == ["fallback"]
    assert play.turn.traced("error", error="expr.type", outcome="stuck")
    assert play.at() == {"asking": "!nick"}


CALLING = """
dsl: 1
journey: calling
name: 留言
channel: oa
enter: [{keyword: [留言]}]
slots: {phone: {type: phone_cn, ask: ask-phone, pii: true}}
states:
  ph: {ask: phone, timeout: {after: 1h, goto: done}, give_up: {goto: done}, then: c}
  c: {call: {journey: called, with: {tel: "{{ slots.phone }}", why: 看车}, save: r}, then: d}
  d: {branch: [{when: has(r.tel), goto: done}, {else: done}]}
  done: {end: done}
"""
CALLED = """
dsl: 1
journey: called
name: 被调用
channel: oa
vars: {tel: {type: text}, why: {type: text}, words: {type: text}, n: {type: number, default: 3}}
slots: {need: {type: choice, options: {看车: [], 养车: []}, ask: ask-need}}
states:
  a: {branch: [{when: "length(vars.tel) > vars.n and vars.why == '看车'", goto: w}, {else: e}]}
  w: {wait: {for: 1h}, events: [{event: message, set: {vars.words: event.text}, goto: e}], then: e}
  e: {end: {label: ok, return: {tel: vars.tel}}}
"""


def test_copies_of_personal_data_are_masked_in_the_journal_and_texts_of_files_are_not() -> None:
    play = Play(CALLING, CALLED)
    play.say("留言")
    play.say("13800138000")
    seen = list(play.turn.journal)
    guard = play.turn.traced("guard")[0]
    assert guard["values"] == {"vars.tel": "•••", "vars.n": 3, "vars.why": "看车"}
    play.say("静安寺路88号")
    seen += play.turn.journal
    assert play.turn.traced("set")[0]["value"] == "•••"
    assert "13800138000" not in str(seen)
    assert "88号" not in str(seen)


KEEPING = """
dsl: 1
journey: keeping
name: 记下
channel: oa
enter: [{event: oa.follow}]
vars: {told: {type: list}, n: {type: number, default: 1}}
slots: {tel: {type: phone_cn, ask: ask-tel, pii: true}}
states:
  a: {ask: tel, timeout: {after: 4h, goto: e}, give_up: {goto: e}, then: b}
  b: {do: [{set: {vars.told: "[slots.tel]"}}, {set: {vars.n: 2}}], then: c}
  c: {branch: [{when: "'无' in vars.told", goto: e}, {else: e}]}
  e: {end: ok}
"""


def test_lists_of_what_she_said_are_masked_in_the_journal() -> None:
    play = Play(KEEPING)
    play.follow()
    play.say("13800138000")
    assert [detail["value"] for detail in play.turn.traced("set")] == ["•••", 2]
    assert play.turn.traced("guard")[0]["values"] == {"vars.told": "•••"}
    assert "13800138000" not in str(play.turn.journal)


def test_what_is_no_name_at_all_is_not_told_to_be_too_long_a_name() -> None:
    """Before: a bare phone number at the question for a name heard the words that explain its check."""
    play = Play(ASKING.replace("optional: true, retry: {max: 1}", "retry: {max: 2, say: nick-bad}"))
    play.follow()
    play.say("看车")
    assert play.say("13800138000") == ["ask-nick@again"]
    assert play.turn.traced("unparsed", slot="nick", why="not_understood", failures=1)
    assert play.say("欧阳小红女士") == ["nick-bad@again"]
    assert play.turn.traced("unparsed", slot="nick", why="check", failures=2)
    assert play.say("王先生") == ["ask-phone"]
