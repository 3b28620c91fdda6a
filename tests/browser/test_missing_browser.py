"""Without Chromium: a newcomer's run skips and says how to get it, an integration run fails."""

import pytest

from .conftest import executable


def test_without_chromium_a_newcomers_run_skips_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.skip.Exception, match="apt install chromium"):
        executable()


def test_without_chromium_an_integration_run_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "1")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.fail.Exception, match="apt install chromium"):
        executable()
