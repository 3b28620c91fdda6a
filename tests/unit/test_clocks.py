"""The watch over the machine's clocks, with clocks that a test turns."""

from datetime import UTC, datetime, timedelta

from bot.runtime.clocks import Clocks, MachinePair

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Machine:
    """A wall clock and a monotonic one."""

    def __init__(self) -> None:
        self.at, self.seconds = NOON, 100.0

    def watched(self) -> Clocks:
        return Clocks(MachinePair(wall=lambda: self.at, monotonic=lambda: self.seconds))

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.seconds += seconds


def test_clocks_that_go_together_are_believed() -> None:
    machine = Machine()
    clocks = machine.watched()
    machine.passes(86_400)
    assert clocks.trouble == ""


def test_a_wall_clock_that_jumps_is_not_believed_until_it_jumps_back() -> None:
    for jump in (3600, -3600, 31):
        machine = Machine()
        clocks = machine.watched()
        machine.at += timedelta(seconds=jump)
        assert f"{jump:+d} s" in clocks.trouble
        machine.passes(500)
        assert clocks.trouble != ""
        machine.at -= timedelta(seconds=jump)
        assert clocks.trouble == ""


def test_a_small_step_is_believed_and_small_steps_do_not_add_up() -> None:
    machine = Machine()
    clocks = machine.watched()
    for _ in range(10):
        machine.at += timedelta(seconds=29)
        assert clocks.trouble == ""


def test_an_operator_can_declare_the_new_time_right() -> None:
    machine = Machine()
    clocks = machine.watched()
    machine.at += timedelta(hours=1)
    assert clocks.trouble != ""
    clocks.confirm()
    assert clocks.trouble == ""


def test_a_clock_that_differs_from_the_databases_is_not_believed_until_they_agree() -> None:
    clocks = Machine().watched()
    clocks.compare(NOON, NOON + timedelta(seconds=6), NOON)
    assert "-6.0 s off" in clocks.trouble
    clocks.compare(NOON, NOON - timedelta(seconds=5.5), NOON)
    assert "+5.5 s off" in clocks.trouble
    clocks.compare(NOON, NOON + timedelta(seconds=4.9), NOON)
    assert clocks.trouble == ""


def test_a_difference_that_was_confirmed_does_not_come_back_until_it_changes() -> None:
    clocks = Machine().watched()
    clocks.compare(NOON, NOON + timedelta(seconds=8), NOON)
    clocks.confirm()
    assert clocks.trouble == ""
    clocks.compare(NOON, NOON + timedelta(seconds=9), NOON)
    assert clocks.trouble == ""
    clocks.compare(NOON, NOON + timedelta(seconds=14), NOON)
    assert clocks.trouble != ""
    clocks.compare(NOON, NOON, NOON)
    clocks.compare(NOON, NOON + timedelta(seconds=8), NOON)
    assert clocks.trouble != ""


def test_an_answer_that_took_long_is_no_difference() -> None:
    clocks = Machine().watched()
    clocks.compare(NOON, NOON + timedelta(seconds=20), NOON + timedelta(seconds=21))
    assert clocks.trouble == ""


def test_the_database_is_asked_once_a_minute() -> None:
    machine = Machine()
    clocks = machine.watched()
    assert clocks.asks_database()
    machine.passes(59)
    assert not clocks.asks_database()
    machine.passes(1)
    assert clocks.asks_database()
