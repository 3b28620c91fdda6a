"""Bounds on how much one statement and one transaction take."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

IDS_MAX = 500
"""Values in one IN list: well below the limits of both databases, and one cached statement for all sizes."""
ROWS_MAX = 2_000
"""Rows that one sweep changes, so that nobody holds the writer for long (delivery.md 5)."""


def chunks(values: Sequence[T], size: int = IDS_MAX) -> Iterator[Sequence[T]]:
    """`values` in pieces of at most `size`, in order."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
