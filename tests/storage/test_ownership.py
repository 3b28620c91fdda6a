"""One process serves one SQLite file."""

from pathlib import Path

import pytest

from bot.errors import StorageError
from bot.storage import served_alone


def test_a_second_server_of_the_same_file_is_refused_with_the_cure(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/zhitu.db"
    with served_alone(url), pytest.raises(StorageError, match="another process") as refused, served_alone(url):
        pass
    assert "PostgreSQL" in refused.value.hint


def test_the_next_server_may_start_once_the_first_has_ended(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/zhitu.db"
    for _ in range(2):
        with served_alone(url):
            assert (tmp_path / "zhitu.db.lock").exists()


def test_postgresql_may_have_many_servers() -> None:
    url = "postgresql://somebody@localhost/zhitu"
    with served_alone(url), served_alone(url) as held:
        assert held is None
