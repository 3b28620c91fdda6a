"""What the log says when the product starts."""

from pathlib import Path

from structlog.testing import capture_logs

from bot.app.programs import program_of, warn_of_channels
from bot.authoring import load

ROOT = Path(__file__).parents[2]


def test_channels_without_an_account_are_named_with_the_journeys_that_wait_for_them() -> None:
    program = program_of(load(ROOT / "journeys", ROOT / "content"))
    with capture_logs() as logged:
        warn_of_channels(program, connected={"oa"})
    told = {line["channel"]: line["journeys"] for line in logged if line["event"] == "channel_without_account"}
    assert told.keys() == {"kf", "wecom"}
    assert "test-drive" in told["kf"]
    assert told["wecom"] == ["finance-nurture"]


def test_nothing_is_said_while_every_channel_has_an_account() -> None:
    program = program_of(load(ROOT / "journeys", ROOT / "content"))
    with capture_logs() as logged:
        warn_of_channels(program, connected={"oa", "kf", "wecom"})
    assert logged == []
