"""One process that begins the plays of all tests."""

from collections.abc import Iterator

import pytest

from tests.simulation.playing import Nursery, nursery


@pytest.fixture(scope="session")
def plays() -> Iterator[Nursery]:
    """Where plays begin."""
    with nursery() as found:
        yield found
