"""What an answer to a webhook, or none, means for the errand."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.ids import CustomerId
from bot.runtime.errand_settling import BACKOFF_MAX_S, NEVER_LEFT, Later, Outcome, judge
from bot.runtime.ports import Answered, Unanswered
from bot.storage import ErrandLine
from tests.storage.errand_makers import webhook

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def line(attempts: int = 0) -> ErrandLine:
    return ErrandLine(
        seq=1,
        customer_id=CustomerId(1),
        effect=webhook("A"),
        state="sending",
        planned_at=NOW,
        not_before=NOW,
        expires_at=NOW + timedelta(minutes=10),
        attempts=attempts,
        started_at=NOW,
        settled_at=None,
        reason="",
        status=None,
    )


@pytest.mark.parametrize("status", [200, 201, 299])
def test_any_2xx_with_json_is_done(status: int) -> None:
    found = judge(line(), Answered(status=status, body={"id": 1}), now=NOW)
    assert found == Outcome(verdict="done", result={"id": 1}, status=status)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answered(status=200, readable=False), "webhook.bad_answer"),
        (Answered(status=302), "webhook.3xx"),
        (Answered(status=400), "webhook.4xx"),
        (Answered(status=404), "webhook.4xx"),
        (Answered(status=410), "webhook.4xx"),
    ],
)
def test_a_refusal_fails_at_once(answer: Answered, error: str) -> None:
    assert judge(line(), answer, now=NOW) == Outcome(verdict="failed", error=error, status=answer.status)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599])
def test_trouble_is_tried_again(status: int) -> None:
    found = judge(line(), Answered(status=status), now=NOW)
    assert isinstance(found, Later)
    assert (found.at - NOW, found.status) == (timedelta(seconds=2), status)


def test_silence_is_tried_again_and_told_from_what_never_left() -> None:
    lost = judge(line(), Unanswered(why="TimeoutError", may_be_taken=True), now=NOW)
    kept = judge(line(), Unanswered(why="refused", may_be_taken=False), now=NOW)
    assert isinstance(lost, Later) and lost.status is None
    assert isinstance(kept, Later) and kept.status == NEVER_LEFT


@pytest.mark.parametrize(
    ("attempts", "wait_s"), [(0, 2), (1, 4), (2, 8), (4, 32), (5, 60), (9, 60), (10_000, BACKOFF_MAX_S)]
)
def test_each_try_waits_twice_as_long_up_to_a_minute(attempts: int, wait_s: int) -> None:
    found = judge(line(attempts), Answered(status=503), now=NOW)
    assert isinstance(found, Later) and found.at == NOW + timedelta(seconds=wait_s)


@pytest.mark.parametrize(("after_s", "wait_s"), [(1, 2), (30, 30), (3600, 60)])
def test_a_pause_that_is_asked_for_is_kept_within_reason(after_s: float, wait_s: int) -> None:
    found = judge(line(), Answered(status=429, after_s=after_s), now=NOW)
    assert isinstance(found, Later) and found.at == NOW + timedelta(seconds=wait_s)
