"""The gate that keeps people from writing faster than the product answers."""

from tests.survival.gate import CLOSED_MAX_S, Gate


def test_the_gate_is_open_while_less_is_open_than_it_allows() -> None:
    assert Gate(3, callbacks=1, messages=1).is_open(0.0)
    assert not Gate(3, callbacks=1, messages=2).is_open(0.0)


def test_every_act_counts_until_it_is_counted_anew() -> None:
    gate = Gate(2)
    gate.passed()
    assert gate.is_open(0.0)
    gate.passed()
    assert not gate.is_open(0.0)
    gate.callbacks = 0
    assert gate.is_open(1.0)


def test_what_stays_open_for_ever_keeps_nobody_for_ever() -> None:
    gate = Gate(1, messages=1)
    assert not gate.is_open(10.0)
    assert not gate.is_open(10.0 + CLOSED_MAX_S)
    assert gate.is_open(10.1 + CLOSED_MAX_S)
    gate.messages = 50
    assert gate.is_open(11.0 + CLOSED_MAX_S)


def test_a_gate_that_opened_again_counts_its_patience_from_the_start() -> None:
    gate = Gate(1, messages=1)
    assert not gate.is_open(0.0)
    gate.messages = 0
    assert gate.is_open(100.0)
    gate.messages = 1
    assert not gate.is_open(150.0)
    assert not gate.is_open(150.0 + CLOSED_MAX_S)
