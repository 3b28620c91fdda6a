"""An expression that cannot be evaluated is an error of the journey, wherever it stands; it never leaves the step."""

import pytest

from tests.unit.step.play import Play
from tests.unit.step.worlds import ASK_HUMAN, HANDOFF, RULES

FAULT = "(1 if event.type else 2)"
"""Passes the checker, which does not know the fields of events: a text stands where a condition should."""
TEXT = "'{{ " + FAULT + " }}'"
FAULTY = ("---\ncontent: {name}\nchannels: {{oa: {form}}}\nvars: [event.type]\n---\n{{{{ " + FAULT + " }}}}\n").format
BODY = """
dsl: 1
journey: faulty
name: 出错
channel: oa
enter: [{event: oa.follow}]
vars: {n: {type: number, default: 0}, why: {type: text}}
slots: {q: {type: choice, options: {是的: [], 不是: []}, ask: ask-q, confirm: true}}
states:
  go: {<state>}
  mended: {do: [{tag: mended}], then: done}
  done: {end: done}
errors: [{error: expr.type, goto: mended}]
"""
ASK = "ask: q, timeout: {after: 4h, goto: done}, give_up: {goto: done}, then: done"


def faulty(state: str) -> str:
    """The journey in such a state; `<fault>` stands for the expression, `<text>` for a template with it."""
    return BODY.replace("<state>", state).replace("<text>", TEXT).replace("<fault>", FAULT)


@pytest.mark.parametrize(
    "state",
    [
        "do: [{set: {vars.n: <fault>}}], then: done",
        "do: [{note: <text>}], then: done",
        "do: [{lead: {n: <fault>}}], then: done",
        "do: [{task: {to: advisor, due: 1h, title: <text>}}], then: done",
        "do: [{task: {to: advisor, due_at: event.type, title: t}}], then: done",
        "do: [{consent: {withdraw: <text>}}], then: done",
        "do: [{send: broken}], then: done",
        "when: event.type, else: done, do: [{tag: x}], then: done",
        "branch: [{when: event.type, goto: done}, {else: done}]",
        "handoff: {to: advisor, note: <text>, accept_within: 5m, fallback: {goto: done}}, then: done",
        "end: {label: end, return: {n: <fault>}}",
    ],
)
def test_in_a_state_it_is_handled_by_the_journeys_errors(state: str) -> None:
    play = Play(faulty(state), contents=(("broken", FAULTY(name="broken", form="text")),))
    play.follow()
    assert play.customer.tags == {"mended"}
    assert play.turn.traced("error", error="expr.type", outcome="handled")


def test_in_the_values_handed_to_a_call_it_is_the_callers_error() -> None:
    called = faulty(ASK).replace("journey: faulty", "journey: called").replace("enter: [{event: oa.follow}]\n", "")
    caller = faulty("call: {journey: called, with: {why: <text>}}, then: done")
    play = Play(caller, called)
    play.follow()
    assert play.customer.tags == {"mended"}


@pytest.mark.parametrize(
    "reaction",
    ["when: event.type, goto: done", "set: {vars.n: <fault>}, goto: done", "do: [{note: <text>}], goto: done"],
)
def test_in_a_reaction_it_is_the_journeys_error(reaction: str) -> None:
    play = Play(faulty("wait: {for: 1h}, events: [{event: oa.scan, <r>}], then: done".replace("<r>", reaction)))
    play.follow()
    assert play.at() == {"faulty": "go"}
    play.scan("x")
    assert play.customer.tags == {"mended"}


def test_in_a_question_it_is_the_journeys_error() -> None:
    play = Play(faulty(ASK), contents=(("ask-q", FAULTY(name="ask-q", form="menu")),))
    play.follow()
    assert play.customer.tags == {"mended"}


def test_in_a_confirmation_it_is_the_journeys_error() -> None:
    play = Play(faulty(ASK), contents=(("confirm", FAULTY(name="confirm", form="menu")),))
    play.follow()
    play.say("是的")
    assert play.customer.tags == {"mended"}


def test_in_the_note_of_a_handoff_that_is_passed_on_it_is_the_journeys_error() -> None:
    note = "'{{ 1 if event.response_code else 2 }}'"
    play = Play(
        faulty(
            "handoff: {to: advisor, note: <n>, accept_within: 5m, fallback: {goto: done}}, then: done".replace(
                "<n>", note
            )
        )
    )
    play.follow()
    play.click("busy", by="zhangmin", card="2")
    assert play.customer.tags == {"mended"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [("audience: event.type", "audience"), (f"key: {TEXT}", "expr.type")],
)
def test_at_the_door_it_keeps_everybody_out(line: str, reason: str) -> None:
    play = Play(faulty("do: [{tag: in}], then: done").replace("vars:", f"{line}\nvars:"))
    play.follow()
    assert play.turn.traced("entry_refused", reason=reason)
    assert play.customer.tags == frozenset()


def test_in_the_condition_of_an_entry_the_entry_is_passed_over() -> None:
    play = Play(
        faulty("do: [{tag: in}], then: done").replace("{event: oa.follow}", "{event: oa.follow, when: event.type}")
    )
    play.follow()
    assert play.turn.traced("error", error="expr.type", guard="event.type")
    assert play.at() == {}


def test_in_a_goal_it_counts_nothing() -> None:
    play = Play(faulty("wait: {for: 1h}, then: done").replace("vars:", "goal: {name: 达成, when: event.type}\nvars:"))
    play.follow()
    assert play.turn.traced("error", error="expr.type", guard="event.type")
    assert (play.at(), play.turn.traced("goal")) == ({"faulty": "go"}, [])


def test_in_the_answer_to_an_interrupt_nothing_is_said() -> None:
    play = Play(faulty("wait: {for: 1h}, then: done"), contents=(("optout-ok", FAULTY(name="optout-ok", form="text")),))
    play.follow()
    assert play.say("退订") == []
    assert play.turn.traced("not_sent", content="optout-ok", reason="expr.type")
    assert set(play.customer.opt_outs) == {"all"}


def test_in_the_rule_for_errors_it_does_not_keep_the_journey_from_going_on() -> None:
    broken = faulty("do: [{send: broken}], then: done").replace(
        "expr.type, goto", "expr.type, do: [{send: broken}], goto"
    )
    play = Play(broken, contents=(("broken", FAULTY(name="broken", form="text")),))
    play.follow()
    assert play.customer.tags == {"mended"}
    assert play.turn.traced("error", error="expr.type", outcome="overtaken")


def test_the_fallback_of_a_question_may_be_a_task() -> None:
    asked = faulty("wait: {for: 2m}, then: q").replace(
        "  mended", "  q: {ask: {slot: q, class: service, outside: [task]}, " + ASK.partition(", ")[2] + "}\n  mended"
    )
    play = Play(asked)
    play.follow()
    play.wait("2m")
    assert play.turn.to("zhangmin") == ["请联系客户（ask-q 未能送达） [accept busy]"]
    assert play.at() == {"faulty": "q"}


NAMES = """
dsl: 1
journey: names
name: 名字
channel: oa
enter: [{event: oa.follow}]
vars: {n: {type: number, default: 3}}
states:
  before: {do: [{score: 7}, {points: {add: 2, reason: r}}], then: now}
  now:
    do:
      - set: {vars.n: vars.n / 2, customer.visits: vars.n * 2}
      - note: "%s"
    wait: {for: 1h}
    then: done
  done: {end: done}
"""


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("customer.id", "1"),
        ("customer.score", "7"),
        ("customer.points", "2"),
        ("customer.source", "shop-3"),
        ("customer.opted_out", "否"),
        ("customer.advisor | default('没有')", "没有"),
        ("customer.city | default('没有')", "没有"),
        ("state.id", "now"),
        ("state.previous", "before"),
        ("state.visit", "2"),
        ("journey.id", "names"),
        ("window.left", "3"),
        ("counts.before", "1"),
        ("counts.now", "0"),
        ("event.scene", "shop-3"),
        ("vars.n", "1.5"),
        ("customer.visits", "6"),
        ("state.entered_at == now and journey.entered_at == now", "是"),
    ],
)
def test_names_have_the_values_of_this_very_moment(expression: str, shown: str) -> None:
    play = Play(NAMES % f"{{{{ {expression} }}}}")
    play.follow("shop-3")
    assert play.customer.notes == (shown,)


def test_a_number_with_a_fraction_stays_a_number() -> None:
    play = Play(NAMES % "x")
    play.follow()
    assert play.run("names").values == {"n": 1.5}


def test_the_name_of_the_advisor_can_be_said() -> None:
    words = "{{ customer.advisor | default('顾问') }}马上来"
    greeting = f"---\ncontent: human-coming\nchannels: {{oa: text}}\nvars: [customer.advisor]\n---\n{words}\n"
    play = Play(HANDOFF, rules=ASK_HUMAN, contents=(("human-coming", greeting),))
    assert play.say("人工") == ["顾问马上来"]
    play.click("accept", by="zhangmin")
    play.click("close", by="zhangmin")
    assert play.say("人工") == ["张敏马上来"]


def test_without_quiet_hours_nothing_waits_for_the_morning() -> None:
    reminding = faulty("do: [{send: {content: news, class: reminder}}], wait: {for: 1h}, then: done")
    play = Play(reminding, rules=RULES.replace(", quiet: 21:00-09:00", ""))
    play.wait_until(play.clock("23:00"))
    assert play.follow() == ["news"]
