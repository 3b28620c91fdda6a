"""Attributes of every type that a value of the storage can hold: kept, read back as what they are, compared."""

import pytest

from bot.core.audiences import audiences_of
from bot.core.library import Attribute
from tests.unit.step.play import Play
from tests.unit.step.worlds import journey

ATTRIBUTES = """dsl: 1
attributes:
  nick: {type: text, pii: true}
  drives_on: {type: date}
  seen: {type: datetime}
  budget: {type: money}
  opens: {type: time}
  town: {type: city}
  plate: {type: plate_cn}
  vin: {type: vin, pii: false}
  level: {type: choice, options: [普通, 金卡, 黑金], default: 普通}
  visits: {type: number, default: 2.5}
  keen: {type: bool, default: true, label: 想买, source: CRM}
  handover: {type: date, default: 2026-12-03}
  called: {type: text, pii: true, default: 您}
  home: {type: location, pii: false}
  photo: {type: image}
"""
FILES = (("schema/customer.yaml", ATTRIBUTES),)
ASKS = """
slots:
  day: {type: date, ask: ask-day, save: customer.drives_on}
states:
  day: {ask: day, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: wait}
  wait: {wait: {until: customer.seen + hours(2)}, then: done}
  done: {end: done}
"""
SEES = journey(
    "sees",
    "states:\n  go: {do: [{set: {customer.seen: now}}], then: done}\n  done: {end: done}\n",
    enter="event: oa.follow",
)


def played(*more: str) -> Play:
    play = Play(journey("asks", ASKS, enter="keyword: [试驾]"), SEES, *more, files=FILES)
    play.follow()
    return play


def test_an_answer_that_is_a_day_is_kept_as_a_day_and_counted_with() -> None:
    soon = journey(
        "soon",
        "audience: customer.drives_on <= today + days(3)\nstates:\n"
        "  go: {do: [{tag: 快了}], then: done}\n  done: {end: done}\n",
        enter="keyword: [看看]",
    )
    play = played(soon)
    play.say("看看")
    assert play.turn.traced("entry_refused", into="soon", reason="audience"), "nothing is known yet"
    play.say("试驾")
    play.say("12月3号")
    assert play.customer.attributes["drives_on"] == "2026-12-03"
    play.say("看看")
    assert "快了" in play.customer.tags


def test_a_moment_that_was_kept_can_be_waited_for() -> None:
    play = played()
    play.say("试驾")
    play.say("12月3号")
    assert play.at() == {"asks": "wait"}
    play.wait("1h59m")
    assert play.at() == {"asks": "wait"}
    play.wait("1m")
    assert play.at() == {}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("customer.budget / 2 >= 100000", True),
        ("customer.town in ['上海', '杭州']", True),
        ("customer.opens < '10:00'", True),
        ("customer.drives_on == today", False),
        ("has(customer.plate)", False),
    ],
)
def test_every_type_is_compared_as_what_it_is(condition: str, holds: bool) -> None:
    sets = "{set: {customer.budget: 200000, customer.town: \"'上海'\", customer.opens: \"'09:30'\"}}"
    body = f"""
states:
  go: {{do: [{sets}], then: judge}}
  judge: {{branch: [{{when: "{condition}", goto: yes_state}}, {{else: done}}]}}
  yes_state: {{do: [{{tag: 是}}], then: done}}
  done: {{end: done}}
"""
    play = Play(journey("judging", body), files=FILES)
    play.follow()
    assert ("是" in play.customer.tags) == holds


def test_what_names_a_person_or_her_car_is_personal_unless_the_file_says_otherwise() -> None:
    declared = played().program.library.attributes
    assert declared["plate"] == Attribute(name="plate", type="plate_cn", pii=True)
    assert [name for name, one in declared.items() if one.pii] == ["nick", "plate", "called", "photo"]


def judging(condition: str, *before: str) -> str:
    acts = ", ".join(["{score: 0}", *before])
    return journey(
        "judging",
        f"""
states:
  go: {{do: [{acts}], then: judge}}
  judge: {{branch: [{{when: "{condition}", goto: yes_state}}, {{else: done}}]}}
  yes_state: {{do: [{{tag: 是}}], then: done}}
  done: {{end: done}}
""",
        enter="event: oa.follow",
    )


@pytest.mark.parametrize(
    "condition",
    [
        "customer.level == '普通' and has(customer.level)",
        "customer.visits * 2 == 5",
        "customer.keen",
        "customer.handover == today + days(2)",
        "customer.called ~ '好' == '您好'",
        "not has(customer.home) and customer.home.lat == null",
    ],
)
def test_what_is_not_stored_reads_as_it_was_declared(condition: str) -> None:
    play = Play(judging(condition), files=FILES)
    play.follow()
    assert "是" in play.customer.tags
    assert play.customer.attributes == {}, "a default is read and never written"


def test_what_is_stored_wins_over_the_default_until_it_is_taken_back() -> None:
    play = Play(judging("customer.level == '黑金'", "{set: {customer.level: \"'黑金'\"}}"), files=FILES)
    play.follow()
    assert "是" in play.customer.tags
    play = Play(
        judging("customer.level == '普通'", "{set: {customer.level: \"'黑金'\"}}", "{set: {customer.level: null}}"),
        files=FILES,
    )
    play.follow()
    assert "是" in play.customer.tags


def test_what_is_no_option_is_not_written() -> None:
    play = Play(judging("true", "{set: {customer.level: customer.town ~ '会员'}}"), files=FILES)
    play.follow()
    assert "level" not in play.customer.attributes
    assert play.turn.traced("error", error="expr.type")


def test_a_place_is_kept_with_its_fields_and_the_journal_does_not_tell_where_it_is() -> None:
    asks = """
slots:
  where: {type: location, ask: ask-day, save: customer.home}
states:
  where: {ask: where, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: near}
  near:
    branch:
      - when: slots.where.lat > 31 and customer.home.name == '人民广场' and customer.home.lng < 122
        goto: yes_state
      - else: done
  yes_state: {do: [{tag: 近}], then: done}
  done: {end: done}
"""
    play = Play(journey("asks", asks, enter="keyword: [试驾]"), files=FILES)
    play.follow()
    play.say("试驾")
    play.event("message", kind="location", lat=31.230416, lng=121.473701, name="人民广场")
    assert play.customer.attributes["home"] == {"lat": 31.230416, "lng": 121.473701, "name": "人民广场"}
    assert "近" in play.customer.tags
    guard = play.turn.traced("guard", holds=True)[-1]
    values = guard["values"]
    assert isinstance(values, dict) and set(values.values()) == {"•••"}


def test_a_picture_is_kept_as_what_the_platform_knows_it_by() -> None:
    asks = """
slots:
  seen: {type: image, ask: ask-day, save: customer.photo}
states:
  seen: {ask: seen, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: judge}
  judge: {branch: [{when: has(customer.photo), goto: yes_state}, {else: done}]}
  yes_state: {do: [{tag: 有照片}], then: done}
  done: {end: done}
"""
    play = Play(journey("asks", asks, enter="keyword: [试驾]"), files=FILES)
    play.follow()
    play.say("试驾")
    play.show("image")
    assert play.customer.attributes["photo"] == "m"
    assert "有照片" in play.customer.tags


def test_another_default_makes_another_segment_so_that_it_enters_nobody() -> None:
    body = "states:\n  go: {do: [{tag: 进来了}], then: done}\n  done: {end: done}\n"
    segment = "dsl: 1\nsegment: 普通客户\nwhen: customer.level == '普通'\n"

    def key(default: str) -> str:
        schema = ATTRIBUTES.replace("default: 普通", f"default: {default}")
        files = (("schema/customer.yaml", schema), ("segments/普通客户.yaml", segment))
        play = Play(journey("seg", body, enter="segment: 普通客户"), files=files)
        (watched,) = audiences_of(play.program.library).watched
        assert watched.reads == {"customer.level"}
        return watched.key

    assert key("普通") == key("普通")
    assert key("普通") != key("金卡")


def test_what_a_database_knows_of_a_place_is_that_it_is_there_and_its_fields() -> None:
    body = "states:\n  go: {do: [{tag: 进来了}], then: done}\n  done: {end: done}\n"
    when = "has(customer.home) and customer.home.lat > 31 and has(customer.photo) and customer.visits == 2.5"
    play = Play(
        journey("seg", f"audience: {when}\n{body}", enter='schedule: "0 10 * * tue"'),
        files=FILES,
    )
    searched = audiences_of(play.program.library).searched
    assert dict(searched.values) == {"home.lat": "number", "visits": "number"}
    assert searched.present == {"home", "photo"}
