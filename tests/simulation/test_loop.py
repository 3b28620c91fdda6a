"""The event loop of the simulation: virtual time, and lives that end."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.simulation.loop import Life, Stalled, VirtualLoop


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop()
    yield made
    made.close()


def test_a_pause_takes_virtual_time_only(loop: VirtualLoop) -> None:
    loop.run_until_complete(loop.pause(86_400.0))
    assert loop.time() == pytest.approx(86_400.0)


def test_waiting_for_nobody_is_told_instead_of_waited_for(loop: VirtualLoop) -> None:
    never = loop.create_future()
    with pytest.raises(Stalled):
        loop.run_until_complete(asyncio.wait_for(_of(never), timeout=None))
    never.cancel()


async def _of(future: "asyncio.Future[None]") -> None:
    await future


def test_a_life_that_has_ended_is_never_resumed(loop: VirtualLoop) -> None:
    said: list[str] = []

    async def lives() -> None:
        said.append("begun")
        try:
            await loop.pause(10.0)
            said.append("resumed")
        finally:
            said.append("tidied up")

    life = Life()
    task = loop.begin(life, lives())
    loop.later(5.0, life.end)
    loop.run_until_complete(loop.pause(60.0))
    assert said == ["begun"]
    assert not task.done()
    said.clear()
    task.get_coro().close()
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # it is dead, and that is the point


def test_a_fuse_ends_a_life_after_so_many_callbacks(loop: VirtualLoop) -> None:
    turns: list[int] = []

    async def counts() -> None:
        for turn in range(100):
            turns.append(turn)
            await loop.pause(1.0)

    life = Life(fuse=7)
    task = loop.begin(life, counts())
    loop.run_until_complete(loop.pause(200.0))
    assert not life.alive
    assert 0 < len(turns) < 100
    task.get_coro().close()
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # as above
