"""The writer's thread: groups, failures, limits and the end. Its transactions are lists, kept or thrown away."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest

from bot.errors import StorageError
from bot.storage import Priority
from bot.storage.writer import GROUP_MAX, WAITING_MAX, Writer

Session = list[str]


class Ledger:
    """What was committed, one list a transaction. `refuse` makes commits fail."""

    def __init__(self) -> None:
        self.commits: list[Session] = []
        self.refuse = 0

    @contextmanager
    def begin(self) -> Iterator[Session]:
        session: Session = []
        yield session
        if self.refuse:
            self.refuse -= 1
            raise StorageError("disk full")
        self.commits.append(session)


class Gate:
    """A job that stops the writer until it is opened, so that others gather behind it."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def job(self, session: Session) -> None:
        self.entered.set()
        assert self.opened.wait(10)
        session.append("gate")


def note(name: str) -> Callable[[Session], str]:
    def job(session: Session) -> str:
        session.append(name)
        return name.upper()

    return job


def fail(session: Session) -> None:
    session.append("never kept")
    raise ValueError("a bug")


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


TICK_S = 1e-6


@pytest.fixture
async def writer(ledger: Ledger) -> AsyncIterator[Writer[Session]]:
    # A microsecond passes at each look, however slow the machine: jobs must not grow old while they gather.
    made = Writer(ledger.begin, clock=itertools.count(step=TICK_S).__next__)
    yield made
    await made.close()


async def gathered(writer: Writer[Session], *jobs: Callable[[Session], object]) -> list[object]:
    """Run these jobs so that they all wait at the same time; results and errors in order."""
    gate = Gate()
    first = asyncio.create_task(writer.write(Priority.INGEST, gate.job))
    await asyncio.to_thread(gate.entered.wait, 10)
    tasks = [asyncio.create_task(writer.write(Priority.STEP, job)) for job in jobs]
    await asyncio.wait(tasks, timeout=0)  # lets all of them reach the queue
    gate.opened.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    await first
    return list(results)


async def test_a_job_gives_its_result_after_its_commit(writer: Writer[Session], ledger: Ledger) -> None:
    assert await writer.write(Priority.STEP, note("a")) == "A"
    assert ledger.commits == [["a"]]


async def test_jobs_that_wait_together_are_committed_together(writer: Writer[Session], ledger: Ledger) -> None:
    assert await gathered(writer, *(note(name) for name in "abc")) == ["A", "B", "C"]
    assert [name for commit in ledger.commits for name in commit] == ["gate", "a", "b", "c"]
    assert ["a", "b", "c"] in [commit[-3:] for commit in ledger.commits]


async def test_only_the_failing_job_of_a_group_gets_its_exception(writer: Writer[Session], ledger: Ledger) -> None:
    results = await gathered(writer, note("a"), fail, note("b"))
    assert results[0] == "A"
    assert isinstance(results[1], ValueError)
    assert results[2] == "B"
    assert sorted(name for commit in ledger.commits for name in commit) == ["a", "b", "gate"]


async def test_a_commit_that_fails_is_tried_again_for_each_alone(writer: Writer[Session], ledger: Ledger) -> None:
    runs: list[str] = []

    def spoil_first_commit(session: Session) -> str:
        ledger.refuse = 0 if runs else 1
        runs.append("run")
        return note("b")(session)

    assert await gathered(writer, note("a"), spoil_first_commit, note("c")) == ["A", "B", "C"]
    assert len(runs) == 2
    assert sorted(name for commit in ledger.commits for name in commit) == ["a", "b", "c", "gate"]


async def test_a_job_whose_commit_fails_raises_and_the_next_one_goes_on(
    writer: Writer[Session], ledger: Ledger
) -> None:
    ledger.refuse = 1
    with pytest.raises(StorageError, match="disk full"):
        await writer.write(Priority.STEP, note("a"))
    assert await writer.write(Priority.STEP, note("b")) == "B"
    assert ledger.commits == [["b"]]


async def test_a_group_holds_no_more_than_its_limit(writer: Writer[Session], ledger: Ledger) -> None:
    await gathered(writer, *(note("x") for _ in range(GROUP_MAX + 10)))
    assert max(len(commit) for commit in ledger.commits) <= GROUP_MAX
    assert sum(len(commit) for commit in ledger.commits) == GROUP_MAX + 11


async def test_when_the_queue_is_full_others_wait_and_events_still_come_in(
    writer: Writer[Session], ledger: Ledger
) -> None:
    gate = Gate()
    first = asyncio.create_task(writer.write(Priority.INGEST, gate.job))
    await asyncio.to_thread(gate.entered.wait, 10)
    steps = [asyncio.create_task(writer.write(Priority.STEP, note("step"))) for _ in range(WAITING_MAX + 5)]
    event = asyncio.create_task(writer.write(Priority.INGEST, note("event")))
    await asyncio.wait([event], timeout=0)
    gate.opened.set()
    await asyncio.gather(first, event, *steps)
    done = [name for commit in ledger.commits for name in commit]
    assert done.count("step") == WAITING_MAX + 5
    assert done.index("event") < done.index("step")


async def test_closing_does_everything_that_waits_and_refuses_the_rest(ledger: Ledger) -> None:
    writer = Writer(ledger.begin)
    gate = Gate()
    first = asyncio.create_task(writer.write(Priority.STEP, gate.job))
    await asyncio.to_thread(gate.entered.wait, 10)
    second = asyncio.create_task(writer.write(Priority.REST, note("late")))
    await asyncio.wait([second], timeout=0)
    gate.opened.set()
    await writer.close()
    await asyncio.gather(first, second)
    assert [name for commit in ledger.commits for name in commit] == ["gate", "late"]
    with pytest.raises(StorageError, match="closed"):
        await writer.write(Priority.STEP, note("too late"))


async def test_a_caller_who_goes_away_does_not_disturb_the_others(writer: Writer[Session], ledger: Ledger) -> None:
    gate = Gate()
    first = asyncio.create_task(writer.write(Priority.STEP, gate.job))
    await asyncio.to_thread(gate.entered.wait, 10)
    second = asyncio.create_task(writer.write(Priority.STEP, note("a")))
    await asyncio.wait([first], timeout=0)
    first.cancel()
    gate.opened.set()
    assert await second == "A"
    assert first.cancelled()


async def test_the_strain_counts_groups_and_jobs(writer: Writer[Session]) -> None:
    await writer.write(Priority.STEP, note("a"))
    await writer.write(Priority.STEP, note("b"))
    strain = writer.strain()
    assert (strain.groups, strain.jobs) == (2, 2)
    assert 0 < strain.longest_hold_s < 10 * TICK_S
