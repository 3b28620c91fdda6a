"""A power cut: what was written and never synced is lost, kept or torn, sector by sector, as chance will have it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.survival.power import HEADER, SUFFIXES

SECTORS = (512, 4096)
"""What a disk writes whole; which one this disk has is drawn for each cut."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What a cut did. `pending`: writes that were not on the disk; `lost`, `torn`: how many of them fared so."""

    pending: int = 0
    lost: int = 0
    torn: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Write:
    size_before: int
    offset: int
    before: bytes
    after: bytes


def cut(database: Path, log: Path, random: Random) -> Cut:
    """Bring the files of a dead product to a state that a power cut may have left.

    Starts from what was synced, then lets a random part of the later writes have reached the disk after all.
    """
    done = Cut()
    sector = random.choice(SECTORS)
    for suffix, which in SUFFIXES.items():
        pending = list(_pending(log.with_suffix(f".{which}")))
        file = database.with_name(database.name + suffix)
        if not pending or not file.exists():
            continue
        with file.open("r+b") as opened:
            _undo(opened.fileno(), pending)
            lost, torn = _redo(opened.fileno(), pending, random, sector)
            os.fsync(opened.fileno())
        done = Cut(pending=done.pending + len(pending), lost=done.lost + lost, torn=done.torn + torn)
    # The index of the log lives in memory, which is gone.
    database.with_name(database.name + "-shm").unlink(missing_ok=True)
    return done


def _pending(log: Path) -> Iterator[_Write]:
    if not log.exists():
        return
    read = log.read_bytes()
    at = 0
    while at + HEADER.size <= len(read):
        _, size, offset, before, after = HEADER.unpack_from(read, at)
        at += HEADER.size
        if at + before + after > len(read):
            return  # the death came in the middle of this note, before the write itself
        yield _Write(
            size_before=size,
            offset=offset,
            before=read[at : at + before],
            after=read[at + before : at + before + after],
        )
        at += before + after


def _undo(file: int, pending: list[_Write]) -> None:
    for write in reversed(pending):
        os.pwrite(file, write.before, write.offset)
        os.ftruncate(file, write.size_before)


def _redo(file: int, pending: list[_Write], random: Random, sector: int) -> tuple[int, int]:
    """Apply a random part of the writes again. How many were lost, and how many torn."""
    lost = torn = 0
    share = random.random()
    for write in pending:
        if random.random() > share:
            lost += 1
        elif write.after and random.random() < 0.5:
            torn += 1
            for start in range(0, len(write.after), sector):
                if random.random() < 0.5:
                    os.pwrite(file, write.after[start : start + sector], write.offset + start)
        elif write.after:
            os.pwrite(file, write.after, write.offset)
        else:
            os.ftruncate(file, write.offset)
    return lost, torn
