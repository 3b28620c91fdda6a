"""Journeys that call others, take them back, and speak to each other within a step."""

from dataclasses import replace
from itertools import pairwise

from bot.core.journey import Journey
from bot.core.program import compile_library
from bot.core.states import CallJourney
from bot.core.step.calls import CALL_DEPTH_MAX
from bot.core.step.emitting import EMITTED_MAX
from tests.unit.step.play import Play
from tests.unit.step.worlds import journey

FILES = (
    (
        "schema/events.yaml",
        "dsl: 1\nevents: {loan.applied: {fields: {sum: number}}, loan.closed: {}, loan.again: {}}\n",
    ),
)
CHILD = """
vars: {who: {type: text}, n: {type: number}}
states:
  go: {wait: {for: 5h}, events: [{event: oa.click, goto: good}], then: bad}
  good: {end: {label: good, return: {sum: vars.n + 1, who: vars.who}}}
  bad: {end: bad}
"""
CALLER = """
states:
  go:
    call: {journey: child, with: {who: "{{ customer.city }}", n: "3"}, save: found}
    events: [{event: oa.scan, goto: away}]
    timers: [{id: t, after: 1h, do: [{tag: 久等}]}]
    timeout: {after: 4h, goto: late}
    then: judge
  judge: {branch: [{when: found.end == 'good' and found.sum == 4, goto: won}, {else: lost}]}
  won: {end: won}
  lost: {end: lost}
  away: {wait: {for: 1h}, then: lost}
  late: {end: late}
"""


def called() -> Play:
    play = Play(journey("caller", CALLER), journey("child", CHILD, enter="keyword: [没人说]"))
    play.follow()
    assert play.at() == {"caller": "go", "child": "go"}
    return play


def test_a_call_brings_back_what_was_returned_and_how_it_ended() -> None:
    play = called()
    assert play.run("child").values == {"who": None, "n": 3}
    play.menu("x")
    assert play.ended("caller") == "won"


def test_the_reactions_of_the_caller_stay_live_and_leaving_ends_the_called_journey() -> None:
    play = called()
    play.scan("x")
    assert play.at() == {"caller": "away"}
    assert play.turn.traced("ended", end="cancelled")


def test_the_timers_and_the_timeout_of_the_caller_stay_live() -> None:
    play = called()
    play.wait("1h")
    assert "久等" in play.customer.tags
    assert play.at() == {"caller": "go", "child": "go"}
    play.wait("3h")
    assert play.ended("caller") == "late" and play.at() == {}


def test_a_call_too_deep_is_an_error_of_the_one_that_calls() -> None:
    names = [f"level{number}" for number in range(CALL_DEPTH_MAX + 2)]
    enter = ["event: oa.follow", *(f"keyword: [没人说{name}]" for name in names[1:])]
    play = Play(*(journey(name, RESTING, enter=way) for name, way in zip(names, enter, strict=True)))
    library = play.program.library
    # The checker refuses such a chain; an older library may hold one all the same.
    deeper = {name: _calling(library.journeys[name], below) for name, below in pairwise(names)}
    play.program = compile_library(replace(library, journeys={**library.journeys, **deeper}))
    play.follow()
    assert play.turn.traced("error", error="call.depth", outcome="raised_in_caller")
    assert play.at() == {"level0": "!rest"}


def _calling(one: Journey, below: str) -> Journey:
    rest = replace(one.states["rest"], doing=CallJourney(journey=below))
    return replace(one, states={**one.states, "rest": rest})


RESTING = "states:\n  rest: {wait: {for: 9h}, then: done}\n  done: {end: done}\n"


def cancelling(action: str = "{cancel_journey: other}") -> str:
    return journey(
        "cancels", f"states:\n  go: {{do: [{action}], then: done}}\n  done: {{end: done}}\n", enter="keyword: [停]"
    )


def test_a_journey_may_take_back_others() -> None:
    other = journey(
        "other", 'key: "{{ event.key }}"\nreentry: {while_active: queue}\n' + RESTING, enter="event: oa.click"
    )
    play = Play(other, cancelling())
    play.menu("a")
    play.menu("b")
    play.menu("b")
    play.say("停")
    assert play.at() == {} and play.customer.queued == {}
    assert len(play.turn.traced("ended", end="cancelled")) == 2


def test_whoever_called_what_is_taken_back_goes_on() -> None:
    caller = """
states:
  go: {call: {journey: other, save: x}, then: judge}
  judge: {branch: [{when: x.end == 'cancelled', goto: cut}, {else: done}]}
  cut: {end: cut}
  done: {end: done}
"""
    play = Play(journey("caller", caller), journey("other", RESTING, enter="keyword: [没人说]"), cancelling())
    play.follow()
    play.say("停")
    assert play.ended("caller") == "cut"


def test_nobody_takes_back_what_it_stands_in() -> None:
    play = Play(cancelling("{cancel_journey: cancels}, {tag: 到此}"))
    play.say("停")
    assert play.ended("cancels") == "done" and "到此" in play.customer.tags
    assert play.turn.traced("cancel_refused", journey="cancels")


LISTENING = """
states:
  rest:
    wait: {for: 9h}
    events:
      - event: loan.applied
        when: event.sum > 100
        goto: heard
    then: done
  heard: {do: [{send: {content: thanks, class: service}}, {note: "借 {{ event.sum }}"}], wait: {for: 9h}, then: done}
  done: {end: done}
"""


def emitting(fields: str = "{sum: 50 + 60}") -> str:
    return journey(
        "emits",
        f"states:\n  go: {{do: [{{emit: {{event: loan.applied, fields: {fields}}}}}, {{send: sent}}], then: done}}\n"
        "  done: {end: done}\n",
        enter="keyword: [借]",
    )


def test_what_one_journey_emits_the_others_hear_in_the_same_step() -> None:
    entered = journey(
        "entered", "states:\n  rest: {wait: {for: 1h}, then: done}\n  done: {end: done}\n", enter="event: loan.applied"
    )
    play = Play(journey("listens", LISTENING), emitting(), entered, files=FILES)
    play.follow()
    assert play.say("借") == ["sent", "thanks"]
    assert play.at() == {"listens": "heard", "entered": "rest"}
    assert play.customer.notes == ("借 110",)


def test_what_is_emitted_is_an_event_like_any_other() -> None:
    play = Play(journey("listens", LISTENING), emitting("{sum: 7}"), files=FILES)
    play.follow()
    assert play.say("借") == ["sent"]
    assert play.at() == {"listens": "rest"}


def test_after_our_own_events_guards_read_the_message_again() -> None:
    ear = journey("ear", LISTENING.replace("when: event.sum > 100", "when: event.type == 'loan.applied'"))
    play = Play(ear, emitting(), files=FILES)
    play.follow()
    play.say("借")
    assert play.turn.traced("goal") == []
    assert play.at() == {"ear": "heard"}


def test_journeys_that_answer_each_other_without_end_are_stopped() -> None:
    def echo(name: str, hears: str, emits: str, enter: str) -> str:
        reaction = f"{{event: {hears}, do: [{{emit: {{event: {emits}}}}}]}}"
        body = f"states:\n  rest: {{wait: {{for: 9h}}, events: [{reaction}], then: done}}\n  done: {{end: done}}\n"
        return journey(name, body, enter=enter)

    one, two = (
        echo("one", "loan.closed", "loan.again", "event: oa.follow"),
        echo("two", "loan.again", "loan.closed", "event: oa.scan"),
    )
    play = Play(one, two, files=FILES)
    play.follow()
    play.scan("x")
    play.event("loan.closed")
    assert len(play.turn.traced("internal")) == EMITTED_MAX
    assert len(play.turn.traced("error", error="loop", outcome="stuck")) == 1


def test_a_new_lead_is_an_event() -> None:
    lead = journey(
        "lead",
        "states:\n  go: {do: [{lead: {need: \"'看车'\"}}], then: done}\n  done: {end: done}\n",
        enter="keyword: [留资]",
    )
    ear = "states:\n  rest: {wait: {for: 9h}, events: [{event: lead.opened, goto: heard}], then: heard}\n"
    ear += "  heard: {end: heard}\n"
    play = Play(lead, journey("ear", ear))
    play.follow()
    play.say("留资")
    assert play.ended("ear") == "heard"
