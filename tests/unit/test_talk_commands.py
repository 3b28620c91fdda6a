"""The lines of `zhitu talk`."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.effects import Trace
from bot.core.events import Json
from bot.core.ids import CustomerId
from bot.sandbox.commands import BadCommand, Command, Quit, ShowHelp, ShowState, ShowWhy, parse
from bot.sandbox.reports import of_journal, report
from bot.sandbox.screen import paint
from bot.storage import JournalLine

NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)


def read(line: str) -> object:
    return parse(line, "oBuyer", now=NOW)


def command(line: str) -> Command:
    found = read(line)
    assert isinstance(found, Command)
    return found


def test_a_line_without_a_slash_is_what_the_buyer_says() -> None:
    assert command("看车").action == {"do": "say", "openid": "oBuyer", "text": "看车"}


def test_the_word_that_calls_the_bot_back_is_said_and_no_command() -> None:
    assert command("/bot").action["text"] == "/bot"


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("/follow", {"do": "follow", "openid": "oBuyer"}),
        ("/follow td_sh01", {"do": "follow", "openid": "oBuyer", "scene": "td_sh01"}),
        ("/unfollow", {"do": "unfollow", "openid": "oBuyer"}),
        ("/menu KEY", {"do": "menu", "openid": "oBuyer", "key": "KEY"}),
        ("/image", {"do": "image", "openid": "oBuyer"}),
        ("/location", {"do": "location", "openid": "oBuyer"}),
        (
            "/location 31.2 121.4 静安寺 地铁站",
            {
                "do": "location",
                "openid": "oBuyer",
                "latitude": "31.2",
                "longitude": "121.4",
                "label": "静安寺 地铁站",
            },
        ),
        (
            "/location 31.2，121.4",
            {"do": "location", "openid": "oBuyer", "latitude": "31.2", "longitude": "121.4", "label": "31.2,121.4"},
        ),
    ],
)
def test_acts_of_the_buyer(line: str, action: dict[str, str]) -> None:
    assert command(line).action == action


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("2h", 7200), ("1d", 86400), ("1h30m", 5400), ("30分钟", 1800), ("2天", 172800)],
)
def test_waiting_takes_durations_in_both_spellings(text: str, seconds: int) -> None:
    assert command(f"/wait {text}").turn_to == NOW + timedelta(seconds=seconds)


def test_a_moment_is_read_in_shanghai() -> None:
    assert command("/at 2026-12-01 22:30").turn_to == datetime(2026, 12, 1, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        "/wait",
        "/wait x",
        "/wait 9999d",
        "/at now",
        "/advisor",
        "/advisor text ",
        "/nope",
        "/tap",
        "/location 静安寺",
        "/location 31.2",
        "/location 121.4 31.2",
    ],
)
def test_what_cannot_be_understood_says_what_would_be(line: str) -> None:
    with pytest.raises(BadCommand):
        read(line)


def test_state_why_and_quit() -> None:
    assert isinstance(read("/state"), ShowState)
    assert isinstance(read("/why"), ShowWhy)
    with pytest.raises(Quit):
        read("/quit")


def test_help_is_a_command_like_the_others() -> None:
    assert isinstance(read("/help"), ShowHelp)


def test_any_white_space_ends_the_name_of_a_command() -> None:
    assert command("/follow\ttd_sh01").action["scene"] == "td_sh01"


@pytest.mark.parametrize("line", ["/at 0001-01-01 00:00", "/at 9999-12-31 23:59", "/at 1999-12-31 00:00"])
def test_the_clock_stays_within_the_years_that_the_platforms_can_write(line: str) -> None:
    """Before: `/at 9999-12-31 23:59` was obeyed, and every later act ended in an overflow."""
    with pytest.raises(BadCommand, match="2000 到 2099"):
        read(line)


def test_waiting_ends_with_the_years_too() -> None:
    with pytest.raises(BadCommand, match="2099"):
        parse("/wait 30d", "oBuyer", now=datetime(2099, 12, 30, tzinfo=UTC))


def test_what_a_buyer_wrote_into_a_card_is_shown_as_she_wrote_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Before: a name in square brackets was read as markup, and one like `[/b]` ended the conversation."""
    rows: list[Json] = [["称呼", "[/b]王[red]先生"]]
    paint(report("card", NOW, to="zhangmin", text="新线索", rows=rows))
    assert "称呼：[/b]王[red]先生" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "detail", "shown"),
    [
        ("errand", {"errand": "coupon", "name": "首保券", "effect": "NEIIO"}, "发放优惠券 首保券，等结果"),
        ("result", {"errand": "points", "name": "完善资料", "effect": "NEIIO"}, "登记积分（完善资料） 成功"),
        (
            "coupon",
            {"coupon": "首保券", "outcome": "had_already", "once_per": "customer"},
            "不再发优惠券 首保券：已经发过（每位客户只发一次）",
        ),
        ("score", {"add": 5, "score": 5}, "意向分 +5，现在 5"),
    ],
)
def test_effects_are_told_in_the_words_of_why_and_without_their_ids(
    capsys: pytest.CaptureFixture[str], kind: str, detail: dict[str, Json], shown: str
) -> None:
    """Before: `· errand errand=coupon name=首保券 effect=NEIIO…`."""
    trace = Trace(kind=kind, journey="oa-welcome", state="need", detail=detail)
    line = JournalLine(customer_id=CustomerId(1), kind="event", at=NOW, entries=(trace,))
    (one,) = of_journal(line)
    assert (one["effect"], one["detail"]) == (kind, detail)
    paint(one)
    assert capsys.readouterr().out == f"    · {shown}\n"


def test_where_she_stands_is_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    paint(report("state", NOW, journey="oa-welcome", state="done", end="success"))
    paint(report("state", NOW))
    told = ["    ● 现在在旅程 oa-welcome 的 done（已结束：success）", "    ● 还没有进入任何旅程"]
    assert capsys.readouterr().out.splitlines() == told
