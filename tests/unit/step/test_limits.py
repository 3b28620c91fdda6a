"""What one customer, and one enrolment, may carry at most, and what happens there."""

from dataclasses import replace

from bot.core.ids import EnrolmentId
from bot.core.step.entry import STUCK_MAX
from bot.core.step.refusals import ACTIVE_MAX
from tests.unit.step.play import Play
from tests.unit.step.worlds import ASK_HUMAN, HANDOFF, journey

REST = "states:\n  rest: {wait: {for: 9h}, then: done}\n  done: {end: done}\n"
STUCK = """
states:
  go: {branch: [{when: event.type, goto: done}, {else: done}]}
  done: {end: done}
"""


def crowded(play: Play, count: int) -> None:
    """As many more enrolments as the first one, all in its state."""
    first = next(iter(play.customer.enrolments.values()))
    more = {EnrolmentId(f"R{n}"): replace(first, enrolment_id=EnrolmentId(f"R{n}"), key=f"k{n}") for n in range(count)}
    timers = tuple(replace(timer, owner=name) for name in more for timer in play.customer.timers)
    play.customer = replace(
        play.customer,
        enrolments={**play.customer.enrolments, **more},
        timers=play.customer.timers + timers,
    )


def test_enrolments_that_are_stuck_take_no_room_from_those_that_can_go_on() -> None:
    play = Play(journey("stuck", STUCK), journey("rest", REST, enter="keyword: [留资]"))
    play.follow()
    crowded(play, ACTIVE_MAX)
    play.say("留资")
    assert play.run("rest").status == "active"


def test_as_many_as_may_go_on_at_once_refuse_another_with_the_reason() -> None:
    play = Play(journey("rest", REST), journey("late", REST, enter="keyword: [留资]"))
    play.follow()
    crowded(play, ACTIVE_MAX - 1)
    play.say("留资")
    assert play.turn.traced("entry_refused", into="late", reason="too_many_active")


def test_the_oldest_stuck_enrolments_end_when_another_journey_begins() -> None:
    play = Play(journey("stuck", STUCK), journey("rest", REST, enter="keyword: [留资]"))
    play.follow()
    crowded(play, STUCK_MAX + 4)
    play.say("留资")
    assert sum(run.status == "stuck" for run in play.customer.enrolments.values()) == STUCK_MAX


def test_a_long_key_is_kept_as_a_short_one_that_still_tells_runs_apart() -> None:
    body = 'key: "{{ event.text }}"\nreentry: {allow: never}\n' + REST.replace("9h", "1m")
    play = Play(journey("keyed", body, enter="event: message"))
    long = "长" * 500
    play.say(f"{long}一")
    play.say(f"{long}二")
    assert len({run.key for run in play.customer.enrolments.values()}) == 2
    play.wait("2m")
    assert max(len(name) for name in play.customer.past) < 64
    play.say(f"{long}一")
    assert play.turn.traced("entry_refused", into="keyed", reason="only_once")


GROWING = """
vars: {all: {type: text, default: ''}, other: {type: text, default: ''}}
states:
  rest:
    wait: {for: 9h}
    events:
      - {event: message, set: {vars.all: "vars.all ~ event.text", vars.other: "vars.all"}}
    then: done
  full: {do: [{send: full}], then: done}
  done: {end: done}
errors: [{error: expr.size, goto: full}]
"""


def test_variables_that_grow_beyond_all_bounds_are_an_error_of_their_journey() -> None:
    play = Play(journey("growing", GROWING))
    play.follow()
    said: list[str] = []
    for _ in range(80):
        said = play.say("长" * 600)
        if said:
            break
        held = play.run("growing").values
        assert sum(len(str(value).encode()) for value in held.values()) <= 64 * 1024
    assert said == ["full"]
    assert play.turn.traced("error", error="expr.size", outcome="handled")


def test_a_state_that_hears_of_an_unfollow_decides_before_its_handoff_counts_as_done() -> None:
    hearing = HANDOFF.replace(
        "fallback: {goto: away}}\n", "fallback: {goto: away}}\n    events: [{event: oa.unfollow, goto: gone}]\n"
    ).replace("  away:", "  gone: {do: [{tag: left-us}], then: missed}\n  away:")
    play = Play(hearing, rules=ASK_HUMAN)
    play.say("人工")
    play.click("accept", by="zhangmin")
    play.unfollow()
    assert "left-us" in play.customer.tags
    assert play.ended("human") == "missed"
    assert play.turn.to("zhangmin") == ["客户1 已取消关注，会话结束。"]
