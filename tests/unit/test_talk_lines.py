"""What `zhitu talk` reads, whatever somebody pipes into it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.errors import BotError
from bot.sandbox.lines import AHEAD_MAX, LENGTH_MAX, lines


@contextmanager
def opened(path: Path, raw: bytes) -> Iterator[int]:
    path.write_bytes(raw)
    with path.open("rb") as file:
        yield file.fileno()


async def read(path: Path, raw: bytes) -> list[str]:
    with opened(path, raw) as descriptor:
        return [line async for line in lines(descriptor)]


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"", []),
        (b"\n", [""]),
        ("看车\r\n王先生\n".encode(), ["看车", "王先生"]),
        (b"without an end", ["without an end"]),
        (b"\xff\xe7\x9c\n\x00\n", ["\ufffd\ufffd", "\x00"]),
        ("车".encode() * 40_000, ["车" * (LENGTH_MAX + 1)]),
        (b"x" * 200_000 + b"\nnext\n", ["x" * (LENGTH_MAX + 1), "next"]),
    ],
)
async def test_lines_come_whole_in_order_and_never_longer_than_allowed(
    tmp_path: Path, raw: bytes, found: list[str]
) -> None:
    assert await read(tmp_path / "lines", raw) == found


async def test_more_lines_than_are_read_ahead_all_come(tmp_path: Path) -> None:
    assert len(await read(tmp_path / "lines", b"a\n" * (AHEAD_MAX * 3))) == AHEAD_MAX * 3


async def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(BotError, match="标准输入读不了"):
            [line async for line in lines(descriptor)]
    finally:
        os.close(descriptor)
