"""The order in which jobs get at the writer."""

from bot.storage import Priority
from bot.storage.waiting import AGED_S, Waiting


def test_the_most_urgent_goes_first_and_equals_in_the_order_they_came() -> None:
    waiting: Waiting[str] = Waiting()
    for name, priority in (
        ("rest", Priority.REST),
        ("step", Priority.STEP),
        ("in 1", Priority.INGEST),
        ("urgent", Priority.URGENT),
        ("in 2", Priority.INGEST),
    ):
        waiting.put(name, priority, 0.0)
    assert [waiting.take(0.0) for _ in range(5)] == ["in 1", "in 2", "urgent", "step", "rest"]


def test_whoever_waited_too_long_goes_before_all_younger_ones() -> None:
    waiting: Waiting[str] = Waiting()
    waiting.put("rest", Priority.REST, 0.0)
    waiting.put("step", Priority.STEP, 0.1)
    waiting.put("new", Priority.INGEST, AGED_S)
    assert [waiting.take(AGED_S + 0.1) for _ in range(3)] == ["rest", "step", "new"]


def test_nobody_waits_behind_an_endless_row_of_urgent_ones() -> None:
    waiting: Waiting[str] = Waiting()
    waiting.put("rest", Priority.REST, 0.0)
    now, taken = 0.0, ""
    while taken != "rest":
        now += 0.01
        waiting.put("ingest", Priority.INGEST, now)
        taken = waiting.take(now) or ""
    assert now <= 1.0


def test_nothing_is_taken_from_an_empty_queue() -> None:
    waiting: Waiting[str] = Waiting()
    assert waiting.take(0.0) is None
    assert len(waiting) == 0
