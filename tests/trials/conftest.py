"""The small world in which tests of journeys are tested."""

from pathlib import Path

import pytest

from .stage import Play, Played, build, play


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the world."""
    folder = tmp_path_factory.mktemp("trials")
    build(folder)
    return folder


@pytest.fixture
def played(world: Path) -> Play:
    """Plays one test file."""

    def run(text: str) -> Played:
        return play(world, {"round.test.yaml": text})

    return run
