"""A process that dies at every point, and products that do something wrong about it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from bot.authoring import load, load_trials
from bot.core.effects import SendMessage
from bot.core.program import compile_library
from bot.runtime.dispatch import Begun
from bot.sandbox.trials.house import LEASE_FOR, House
from bot.sandbox.trials.run import Outcome, play_all
from bot.storage import OutboxLine, Transaction
from bot.storage import Outcome as Settled

from .stage import Play, build

STORY = """
journey: round
tests:
  - name: 一圈
    steps:
      - event: oa.follow
      - customer: 看车
      - customer: "13800138000"
      - customer: 对
      - expect: {ended: success}
  - name: 提醒
    given: {state: rest, at: 2026-12-01 12:00}
    steps: [{expect: {sent: nudge}}, {wait: 20h}, {expect: {ended: gone}}]
  - name: 崩溃
    crash: {at: POINTS}
    repeat: REPEATED
    expect: {sent_once: [SENT]}
"""


class Repeating(House):
    """Sends everything again whose fate is unknown, whatever its class says."""

    def _settle_lost(self, tx: Transaction, lines: Iterable[OutboxLine]) -> None:
        for line in lines:
            tx.outbox.settle([Settled(effect_id=line.effect.effect_id, verdict="unknown", reason="lost")])
            tx.outbox.repeat(line.effect.effect_id, not_before=self._at.clock.now(), until=None)


class Doubling(House):
    """Sends the first message of its second life twice."""

    def _deliver(self, begun: Begun, under_way: Sequence[SendMessage]) -> None:
        if self.lives == 2 and begun.row.effect.content == "thanks":
            self._at.outside.take(begun.row.effect, self._at.clock.now())
        super()._deliver(begun, under_way)


class Forgetting(House):
    """Never sends what it was sending when it died."""

    def _settle_lost(self, tx: Transaction, lines: Iterable[OutboxLine]) -> None:
        for line in lines:
            tx.outbox.settle([Settled(effect_id=line.effect.effect_id, verdict="unknown", reason="lost")])


class Losing(House):
    """Loses what it has planned, but not sent, when it dies."""

    def _rise(self) -> None:
        super()._rise()
        if self.lives > 1:
            with self._at.database.writing() as tx:
                leased = tx.outbox.lease(self._at.clock.now(), worker="thief", hold=LEASE_FOR, limits=self._room)
                names = [row.effect.effect_id for row in leased]
                tx.outbox.settle([Settled(effect_id=name, verdict="suppressed", reason="lost") for name in names])


def outcome_of(folder: Path, product: type[House], *, repeated: str, sent: str) -> Outcome:
    build(folder)
    tests = folder / "journeys" / "tests"
    tests.mkdir(exist_ok=True)
    text = story(repeated, sent)
    (tests / "round.test.yaml").write_text(text, encoding="utf-8")
    loaded = load(folder / "journeys", folder / "content", templates=["进度"])
    assert loaded.library is not None
    trials = load_trials(folder / "journeys", loaded.drafts)
    assert trials.diagnostics == ()
    return play_all(compile_library(loaded.library), trials.files, product=product)


def story(repeated: str, sent: str) -> str:
    """The story, dying in the test `repeated`. Where nothing is planned in a step, C2 is never reached."""
    points = "[C1, C2, C3, C4]" if repeated == "一圈" else "[C1, C3, C4]"
    return STORY.replace("REPEATED", repeated).replace("SENT", sent).replace("POINTS", points)


def failed_points(outcome: Outcome) -> dict[str, str]:
    """Crash point → the first thing that went wrong there."""
    cases = [case for report in outcome.reports for case in report.cases if case.name == "崩溃" and case.failures]
    return {case.variant: case.failures[0].text for case in cases}


@pytest.mark.parametrize(("repeated", "sent"), [("一圈", "thanks"), ("提醒", "nudge")])
def test_the_product_passes_and_dies_at_every_point(tmp_path: Path, repeated: str, sent: str) -> None:
    outcome = outcome_of(tmp_path, House, repeated=repeated, sent=sent)
    assert failed_points(outcome) == {}
    plays = {case.variant: case.plays for case in outcome.reports[0].cases if case.name == "崩溃"}
    assert {"C1", "C3", "C4"} <= plays.keys()
    assert min(plays.values()) >= 1


def test_a_marketing_or_reminder_message_that_is_sent_again_is_caught(tmp_path: Path) -> None:
    failed = failed_points(outcome_of(tmp_path, Repeating, repeated="提醒", sent="nudge"))
    assert failed == {"C4": "第 1 次走到 C4 时崩溃：nudge 收到 2 次，没有崩溃时 1 次"}


def test_a_message_that_is_sent_twice_after_a_death_is_caught(tmp_path: Path) -> None:
    failed = failed_points(outcome_of(tmp_path, Doubling, repeated="一圈", sent="thanks"))
    assert "C1" in failed
    assert "thanks 收到 2 次" in failed["C1"]


def test_a_message_that_is_lost_with_the_process_is_caught(tmp_path: Path) -> None:
    failed = failed_points(outcome_of(tmp_path, Losing, repeated="一圈", sent="thanks"))
    assert "C2" in failed
    assert "收到 0 次" in failed["C2"]


def test_of_a_message_under_way_nobody_knows_so_that_losing_it_is_allowed(tmp_path: Path) -> None:
    failed = failed_points(outcome_of(tmp_path, Forgetting, repeated="提醒", sent="nudge"))
    assert failed == {}


def test_a_test_that_fails_without_a_death_says_so(played: Play) -> None:
    text = story("一圈", "thanks").replace("ended: success", "ended: gone")
    assert "期望结束为 gone，实际 success" in played(text).failures[-1]
