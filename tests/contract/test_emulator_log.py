"""The log file: many lines share one sync, and nobody learns of a line that is not on the disk."""

import asyncio
import json
from pathlib import Path

import pytest

from bot.sandbox.clock import VirtualClock
from bot.sandbox.emulator.log_file import LogFile
from bot.sandbox.emulator.traffic import LINES_MAX, Line, Traffic

from .emulator_rig import NOON, rig

FULL = Path("/dev/full")


async def test_lines_written_together_are_all_on_the_disk_when_any_writer_is_told(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = LogFile(path)

    async def write(number: int) -> bool:
        file.write(f"line {number}".encode())
        await file.durable()
        return f"line {number}\n" in path.read_text()

    assert all(await asyncio.gather(*(write(number) for number in range(200))))
    await file.close()
    assert path.read_text().splitlines() == [f"line {number}" for number in range(200)]


async def test_a_writer_who_gives_up_does_not_stop_the_others(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "log")
    file.write(b"a")
    first, second = asyncio.create_task(file.durable()), asyncio.create_task(file.durable())
    await asyncio.sleep(0)
    first.cancel()
    await second
    await file.close()
    assert (tmp_path / "log").read_bytes() == b"a\n"


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
async def test_a_disk_that_fails_is_told_to_whoever_waits() -> None:
    file = LogFile(FULL)
    file.write(b"a")
    with pytest.raises(OSError):
        await file.durable()
    with pytest.raises(OSError):
        await file.close()


async def test_closing_writes_what_nobody_waited_for(tmp_path: Path) -> None:
    traffic = Traffic(VirtualClock(NOON), path=tmp_path / "log")
    traffic.append(Line(direction="note", platform="oa", endpoint="x", request={"odd": "\ud800", "long": 2**70}))
    await traffic.close()
    traffic.append(Line(direction="note", platform="oa", endpoint="later"))
    (line,) = (tmp_path / "log").read_bytes().splitlines()
    assert json.loads(line)["request"]["long"] == 2**70


async def test_every_reply_finds_its_line_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    async with rig(log_path=path) as ready:
        await ready.act("follow")
        await ready.oa_token()
        for text in ("甲", "乙", "丙"):
            await ready.send_text(text)
            assert text in path.read_text()


def test_a_page_of_the_log_begins_where_it_is_asked_to_even_when_older_lines_are_gone() -> None:
    traffic = Traffic(VirtualClock(NOON))
    for _ in range(LINES_MAX + 5):
        traffic.append(Line(direction="note", platform="oa", endpoint="x"))
    assert [line.seq for line in traffic.after(0, limit=2)] == [6, 7]
    assert [line.seq for line in traffic.after(LINES_MAX + 3)] == [LINES_MAX + 4, LINES_MAX + 5]
    assert traffic.after(LINES_MAX + 5) == traffic.after(10 * LINES_MAX) == []
