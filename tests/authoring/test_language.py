"""What the newer constructs mean once they are read: values of the core, with nothing lost on the way."""

from datetime import date, time, timedelta

import pytest

from bot.core import actions as say
from bot.core.entries import (
    ApiEntry,
    EventEntry,
    Exit,
    IntentEntry,
    JourneyCap,
    KeywordEntry,
    Limits,
    ScheduleEntry,
    SegmentEntry,
)
from bot.core.journey import Journey, Watch
from bot.core.rules import QuietHours
from bot.core.states import Book, Split, SplitArm, State, Wait, Webhook
from bot.core.times import WallClock, Working

from .casefiles import Check

HEAD = "dsl: 1\njourney: case\nname: 例\nchannel: oa\n"
END = "  z:\n    end: done\n"
FILES = {
    "journeys/schema/events.yaml": "dsl: 1\nevents: {visit.checked_in: {}, finance.apply: {fields: {amount: money}}}\n",
    "journeys/schema/intents.yaml": "dsl: 1\nintents: {想试驾: {patterns: [试驾, 想*试车], without: [不试]}}\n",
    "journeys/_bookings.yaml": "dsl: 1\nresources: [{resource: 试驾车, hours: 工作时间, each: 1h, capacity: 2}]\n",
    "journeys/segments/高意向.yaml": "dsl: 1\nsegment: 高意向\nwhen: customer.score > 60\n",
}


def _journey(check: Check, text: str) -> Journey:
    loaded = check({**FILES, "journeys/case.yaml": HEAD + text})
    assert [(one.rule, one.line, one.message) for one in loaded.diagnostics if one.severity == "error"] == []
    assert loaded.library is not None
    return loaded.library.journeys["case"]


def _state(check: Check, text: str, head: str = "") -> State:
    return _journey(check, f"{head}states:\n  a:\n    {text}\n{END}").states["a"]


def test_every_kind_of_entry_is_read(check: Check) -> None:
    enter = """vars: {from: {type: text}}
enter:
  - {event: visit.checked_in, when: event.dealer == 'x', with: {from: 到店}, channels: [kf]}
  - {keyword: 试驾, match: fuzzy, interrupt: true}
  - {intent: [想试驾], min: 0.9}
  - {segment: 高意向, spread: 20m}
  - {schedule: "5  10 * * tue", timezone: Asia/Shanghai, spread: 1h}
  - {api: start}
"""
    forms = "---\ncontent: hello\nchannels: {oa: text, kf: text}\n---\n您好\n"
    loaded = check(
        {
            **FILES,
            "content/hello.md": forms,
            "journeys/case.yaml": f"{HEAD}{enter}states:\n  a:\n    do: [{{send: hello}}]\n    then: z\n{END}",
        }
    )
    assert loaded.library is not None, [one.message for one in loaded.diagnostics]
    event, keyword, intent, segment, schedule, api = loaded.library.journeys["case"].enter
    assert isinstance(event, EventEntry)
    assert event.channels == ("kf",)
    assert [name for name, _ in event.arguments] == ["from"]
    assert isinstance(keyword, KeywordEntry)
    assert (keyword.match, keyword.interrupt) == ("fuzzy", True)
    assert intent == IntentEntry(intents=("想试驾",), min=90)
    assert segment == SegmentEntry(segment="高意向", spread=timedelta(minutes=20))
    assert schedule == ScheduleEntry(cron="5 10 * * tue", timezone="Asia/Shanghai", spread=timedelta(hours=1))
    assert api == ApiEntry(api="start")


def test_limits_holdout_goal_and_exits_are_read(check: Check) -> None:
    journey = _journey(
        check,
        """limits:
  quiet: 20:30-09:00
  days: 工作日
  cap: {max: 2, per: 7d, scope: all, count: [marketing]}
  max_age: 60d
holdout: {percent: 10, salt: q4, unit: customer.id}
goal: {name: 申请, event: finance.apply, within: 30d, exit: z}
exit:
  - {when: customer.opted_out, goto: z}
  - {event: handoff.accepted, when: event.journey != journey.id, goto: z}
reentry: {allow: goal_missed, while_active: queue}
focus: {priority: 30, floor: shared}
moved: [{from: old, to: a}]
rules:
  - never: send where class == 'marketing' after opt_out
states:
  a:
    do: [{tag: 试}]
    then: z
"""
        + END,
    )
    assert journey.limits == Limits(
        quiet=QuietHours(begins=time(20, 30), ends=time(9)),
        days="working",
        cap=JourneyCap(max=2, per=timedelta(days=7), scope="all", classes=frozenset({"marketing"})),
        max_age=timedelta(days=60),
    )
    assert journey.holdout is not None
    assert (journey.holdout.percent, journey.holdout.salt, journey.holdout.unit) == (10, "q4", None)
    assert journey.goal is not None
    assert (journey.goal.event, journey.goal.exit) == ("finance.apply", "z")
    assert [(type(one), one.goto, one.event) for one in journey.exits] == [
        (Exit, "z", ""),
        (Exit, "z", "handoff.accepted"),
    ]
    assert (journey.reentry.allow, journey.reentry.while_active) == ("goal_missed", "queue")
    assert journey.focus.floor == "shared"
    assert journey.moved == {"old": "a"}
    assert journey.rules == (Watch(kind="never", text="send where class == 'marketing' after opt_out"),)


def test_a_release_is_a_name_of_the_journey_and_makes_another_library(check: Check) -> None:
    state = f"states:\n  a:\n    do: [{{tag: 试}}]\n    then: z\n{END}"
    assert _journey(check, f"release: 双11 大促\n{state}").label == "双11 大促"
    assert _journey(check, state).label == ""
    texts = [HEAD + state, f"{HEAD}release: 双11\n{state}", f"{HEAD}release: 双12\n{state}"]
    found = [check({**FILES, "journeys/case.yaml": text}).library for text in texts]
    assert len({library.release for library in found if library is not None}) == 3
    refused = check({**FILES, "journeys/case.yaml": f"{HEAD}release: {'长' * 61}\n{state}"})
    assert [(one.rule, one.line) for one in refused.diagnostics] == [("J008", 5)]


@pytest.mark.parametrize(
    ("written", "wait"),
    [
        ("{for: 2d}", Wait(span=timedelta(days=2))),
        ("{for: 4h working}", Wait(span=Working(hours=timedelta(hours=4)))),
        ("{for: 2天 working}", Wait(span=Working(days=2))),
        ("{until: 10:00}", Wait(until=WallClock(at=time(10)))),
        ("{until: tomorrow 9:05}", Wait(until=WallClock(at=time(9, 5), day="tomorrow"))),
        ("{until: next sat 10:00}", Wait(until=WallClock(at=time(10), day="weekday", weekday=5))),
        ("{until: month_end 18:00}", Wait(until=WallClock(at=time(18), day="month_end"))),
        (
            "{until: 10:00, spread: 20m, late: skip if later than 2h}",
            Wait(
                until=WallClock(at=time(10)),
                spread=timedelta(minutes=20),
                late="skip",
                skip_after=timedelta(hours=2),
            ),
        ),
        ("{for: 1h, late: fire}", Wait(span=timedelta(hours=1), late="fire")),
    ],
)
def test_a_wait_means_what_is_written(check: Check, written: str, wait: Wait) -> None:
    assert _state(check, f"wait: {written}\n    then: z").doing == wait


@pytest.mark.parametrize("written", ["forever", "{forever: true}"])
def test_a_wait_for_ever_has_neither_span_nor_moment(check: Check, written: str) -> None:
    state = _state(check, f"wait: {written}\n    events: [{{event: message, goto: z}}]")
    assert state.doing == Wait()


@pytest.mark.parametrize(
    "written",
    [
        "{until: next funday 10:00}",
        "{until: tomorrow 25:00}",
        "{until: today 10:00}",
        "{for: 1d12h working}",
        "{for: 500d working}",
        "{for: 2d, until: 10:00}",
        "{for: 2d, late: skip}",
        "{for: 2d, late: skip if later than 1h}",
        "{until: now + hours(2), late: skip if later than 1h}",
        "{for: 2d, late: sometimes}",
        "{until: customer.nick}",
        "{spread: 20m}",
        "{forever: no}",
    ],
)
def test_what_is_no_wait_is_refused_where_it_stands(check: Check, written: str) -> None:
    loaded = check({"journeys/case.yaml": f"{HEAD}states:\n  a:\n    wait: {written}\n    then: z\n{END}"})
    errors = [one for one in loaded.diagnostics if one.severity == "error"]
    assert {one.rule for one in errors} <= {"J008", "J014", "J016", "J017", "J203", "J207", "J102"}
    assert {one.line for one in errors} <= {6, 7}
    assert errors


def test_timers_and_reactions_are_read(check: Check) -> None:
    state = _state(
        check,
        """wait: {for: 9d}
    timers:
      - {id: d1, at: vars.day - hours(24), past: fire, late: skip if later than 1h, when: customer.score > 1, goto: z}
      - {id: d2, after: 2d working, do: [{tag: 提醒}]}
    events:
      - {event: message, intent: 想试驾, set: {vars.n: vars.n + 1}, do: [{tag: 问}], reenter: true}
      - {event: visit.checked_in, since: 2h, stay: true}
      - {event: message, keyword: [好], goto: z}
    timeout: {after: 8d, goto: z}
    fail: {goto: z}
    then: z""",
        "vars: {day: {type: datetime}, n: {type: number, default: 0}}\n",
    )
    first, second = state.timers
    assert (first.timer_id, first.past, first.late, first.skip_after, first.goto) == (
        "d1",
        "fire",
        "skip",
        timedelta(hours=1),
        "z",
    )
    assert second.after == Working(days=2)
    assert second.do == (say.Tag(tag="提醒"),)
    asked, came, said = state.events
    assert (asked.intents, asked.reenter, [name for name, _ in asked.set]) == (("想试驾",), True, ["vars.n"])
    assert (came.since, came.goto) == (timedelta(hours=2), "")
    assert (said.keywords, said.goto) == (("好",), "z")
    assert state.timeout is not None
    assert state.fail == "z"


def test_a_split_a_booking_and_a_webhook_are_read(check: Check) -> None:
    arms = "{unit: customer.source, salt: s, arms: [{name: A, percent: 30, goto: z}, {name: B, percent: 70, goto: z}]}"
    split = _state(check, f"split: {arms}").doing
    assert isinstance(split, Split)
    assert split.unit is not None
    assert split.arms == (SplitArm(name="A", percent=30, goto="z"), SplitArm(name="B", percent=70, goto="z"))
    book = _state(
        check,
        "book: {resource: 试驾车, what: \"'S5'\", start: now + days(1), hold: 10m, save: booked}\n"
        "    fail: {goto: z}\n    then: z",
    ).doing
    assert isinstance(book, Book)
    assert (book.resource, book.save, book.full, book.fail, book.hold) == (
        "试驾车",
        "booked",
        "z",
        "z",
        timedelta(minutes=10),
    )
    hook = _state(
        check, "webhook: {call: crm.create_lead, body: {n: customer.score}, save: lead, fail: {goto: z}}\n    then: z"
    ).doing
    assert isinstance(hook, Webhook)
    assert (hook.target, hook.operation, hook.save, hook.fail) == ("crm", "create_lead", "lead", "z")
    assert [name for name, _ in hook.body] == ["n"]


def test_the_newer_actions_are_read(check: Check) -> None:
    state = _state(
        check,
        """do:
      - coupon: {grant: 礼, once_per: customer}
      - cancel_journey: base
      - emit: {event: finance.apply, fields: {amount: customer.score}}
      - emit: visit.checked_in
      - stage: contacted
      - send:
          content: hello
          class: reminder
          variant_by: customer.source
          key: "k{{ customer.id }}"
          outside: [sms:S1, group_send, task]
    then: z""",
    )
    coupon, cancelled, emitted, bare, stage, send = state.do
    assert coupon == say.GrantCoupon(coupon="礼", once_per="customer")
    assert cancelled == say.CancelJourney(journey="base")
    assert isinstance(emitted, say.Emit)
    assert [name for name, _ in emitted.fields] == ["amount"]
    assert bare == say.Emit(event="visit.checked_in")
    assert stage == say.SetStage(stage="contacted")
    assert isinstance(send, say.Send)
    assert send.variant_by is not None
    assert send.key is not None
    assert [(one.way, one.name) for one in send.outside] == [("sms", "S1"), ("group_send", ""), ("task", "")]


def test_a_group_is_flattened_and_keeps_what_its_states_share(check: Check) -> None:
    journey = _journey(
        check,
        """states:
  start:
    do: [{tag: 试}]
    then: talk
  talk:
    group:
      resume: last
      exit: [{when: customer.opted_out, goto: z}]
      events: [{event: visit.checked_in, goto: z}]
      fail: {goto: z}
      states:
        one:
          wait: {for: 1d}
          then: two
        two:
          wait: {for: 1d}
          then: z
"""
        + END,
    )
    assert list(journey.states) == ["start", "one", "two", "z"]
    assert [journey.states[name].group for name in journey.states] == ["", "talk", "talk", ""]
    group = journey.groups["talk"]
    assert (group.initial, group.resume, group.fail) == ("one", "last", "z")
    assert [one.goto for one in group.exits] == ["z"]
    assert [one.event for one in group.events] == ["visit.checked_in"]


def test_slots_of_every_type_and_their_newer_keys_are_read(check: Check) -> None:
    loaded = check(
        {
            **FILES,
            "journeys/case.yaml": HEAD
            + """slots:
  day: {type: date, ask: ask-name, check: value >= today, prefill: event.day, ttl: 1d}
  car: {type: entity, of: 车型, ask: ask-name}
  slot: {type: datetime, ask: ask-name, options_from: "dealer.open_slots(slots.day)"}
  plate: {type: plate_cn, ask: ask-name}
states:
"""
            + "".join(
                f"  {name}:\n    ask: {name}\n    timeout: {{after: 1h, goto: z}}\n"
                f"    give_up: {{goto: z}}\n    then: {then}\n"
                for name, then in (("day", "car"), ("car", "slot"), ("slot", "plate"), ("plate", "z"))
            )
            + END,
        }
    )
    assert loaded.library is not None, [one.message for one in loaded.diagnostics]
    slots = loaded.library.journeys["case"].slots
    assert (slots["day"].type, slots["day"].ttl, slots["day"].capture) == ("date", timedelta(days=1), "first")
    assert slots["day"].prefill is not None
    assert slots["car"].of == "车型"
    assert slots["slot"].options_from is not None
    assert slots["plate"].type == "plate_cn"


def test_variables_have_the_default_that_their_type_has_in_json(check: Check) -> None:
    journey = _journey(
        check,
        """vars:
  n: {type: number, default: 1.5}
  m: {type: money, default: 99.50}
  d: {type: date, default: 2026-10-01}
  t: {type: time, default: "9:30"}
  c: {type: choice, options: [甲, 乙], default: 乙}
  l: {type: list, default: [a, b]}
  b: {type: bool, default: true}
states:
  a:
    do: [{tag: 试}]
    then: z
"""
        + END,
    )
    assert {name: one.default for name, one in journey.vars.items()} == {
        "n": 1.5,
        "m": 99.5,
        "d": "2026-10-01",
        "t": "09:30",
        "c": "乙",
        "l": ["a", "b"],
        "b": True,
    }


def test_events_intents_segments_and_cars_stand_in_the_library(check: Check) -> None:
    models = """dsl: 1
models:
  星澜 S5:
    aliases: [S5]
    trims: {标准版: [标准]}
    prices: {model: {amount: 159800, basis: 指导价, as_of: 2026-10-01}}
    valid_to: 2027-01-31
"""
    faq = "---\nfaq: price\nquestions: [多少钱, 价格]\nchannels: {oa: text}\n---\n看配置，十五万起。\n"
    loaded = check({**FILES, "content/models.yaml": models, "content/faq/price.md": faq})
    library = loaded.library
    assert library is not None, [one.message for one in loaded.diagnostics]
    assert library.events["finance.apply"].fields == {"amount": "money"}
    assert library.intents["想试驾"].patterns == ("试驾", "想*试车")
    assert library.segments["高意向"].condition.source == "customer.score > 60"
    car = library.catalogue.models["星澜 S5"]
    assert car.prices[""].amount == 159800
    assert car.valid_to == date(2027, 1, 31)
    assert [(one.faq, one.questions, one.content) for one in library.faqs] == [
        ("price", ("多少钱", "价格"), "faq/price")
    ]
    assert "faq/price" in library.contents


def test_the_holidays_of_the_product_hold_and_a_year_of_ones_own_takes_their_place(check: Check) -> None:
    shipped = check({}).library
    assert shipped is not None
    assert date(2026, 2, 14) in shipped.rules.holidays.work
    assert date(2025, 10, 8) in shipped.rules.holidays.off
    assert shipped.rules.holidays.official >= {2024, 2025, 2026}
    own = "dsl: 1\nyears: {2026: {off: [2026-03-01..2026-03-03], work: [2026-03-07], official: false}}\n"
    changed = check({"journeys/schema/holidays.yaml": own}).library
    assert changed is not None
    assert date(2026, 3, 2) in changed.rules.holidays.off
    assert date(2026, 2, 16) not in changed.rules.holidays.off
    assert date(2025, 10, 8) in changed.rules.holidays.off
    assert 2026 not in changed.rules.holidays.official
