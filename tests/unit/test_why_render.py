"""The text of a story fits the terminal, its JSON has every line, and the last decision is found."""

import json
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.core.ids import CustomerId
from bot.runtime.why import SHANGHAI, Episode, Line, Story, as_json, as_text, last_decision, lines
from bot.runtime.why.render import COLUMNS

NOON = datetime(2026, 12, 1, 4, 0, tzinfo=UTC)
FOLLOW = Line(kind="oa.follow", text="客户关注公众号", at=NOON, event="e1")
ENTERED = Line(kind="entered", text="进入旅程 oa-welcome", tone="ok", at=NOON, event="e1", journey="oa-welcome")
SENT = Line(kind="send", text="welcome：已发出", tone="ok", at=NOON, event="e1", effect="A", outcome="sent")
TAGGED = Line(kind="tag", text="打上标签“新关注”", at=NOON, event="e1", journey="oa-welcome")
WAITING = Line(kind="message", text="客户来信（文字），还没有处理", at=NOON, event="e2", outcome="waiting")
NEXT = Line(kind="pending", text="12月1日 13:00 oa-welcome 在 need：等客户回答的时限到", at=NOON, journey="oa-welcome")

STORY = Story(
    customer_id=CustomerId(7),
    identities=(("oa", "main", "oAnna"),),
    episodes=(Episode(happened=FOLLOW, told=(ENTERED, SENT, TAGGED)), Episode(happened=WAITING)),
    present=(NEXT,),
    at=NOON,
    zone=SHANGHAI,
)


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def test_a_story_is_a_tree() -> None:
    assert as_text(STORY) == (
        "客户 7（oa:main:oAnna）\n"
        "\n"
        "2026-12-01 12:00:00  客户关注公众号\n"
        "├─ 进入旅程 oa-welcome\n"
        "│  └─ welcome：已发出\n"
        "└─ 打上标签“新关注”\n"
        "\n"
        "2026-12-01 12:00:00  客户来信（文字），还没有处理\n"
        "\n"
        "现在（2026-12-01 12:00）\n"
        "└─ 12月1日 13:00 oa-welcome 在 need：等客户回答的时限到\n"
    )


def test_the_journey_is_named_where_it_changes() -> None:
    other = replace(TAGGED, journey="service-booking")
    told = as_text(replace(STORY, episodes=(Episode(happened=FOLLOW, told=(TAGGED, TAGGED, other, TAGGED)),)))
    named = [line.split("〔")[1].split("〕")[0] for line in told.splitlines() if "〔" in line]
    assert named == ["oa-welcome", "service-booking", "oa-welcome"]


def test_a_story_that_was_cut_says_so() -> None:
    assert "只显示最近 1 件事，更早的没有显示" in as_text(replace(STORY, cut=True))
    assert "更早" not in as_text(STORY)


def test_a_customer_without_records_is_told_as_such() -> None:
    told = as_text(replace(STORY, episodes=(), present=()))
    assert told == "客户 7（oa:main:oAnna）\n\n还没有任何记录\n"


PIECES = st.sampled_from(["条件", "，", "slots.need == '看车'", "）", "x" * 130, "。", " ", "客户", "a-b", "！"])


@given(st.lists(PIECES, min_size=1, max_size=60))
def test_no_row_is_wider_than_the_page_and_no_character_is_lost(pieces: list[str]) -> None:
    text = "".join(pieces)
    told = as_text(replace(STORY, episodes=(Episode(happened=FOLLOW, told=(replace(TAGGED, text=text), SENT)),)))
    # A mark that may not begin a row hangs two columns over at most.
    assert max(map(width, told.splitlines())) <= COLUMNS
    rows = told.split("\n\n")[1].splitlines()[1:-1]
    kept = "".join(row[3:].replace("〔oa-welcome〕", "") for row in rows)
    assert kept.replace(" ", "").replace("─", "") == text.replace(" ", "")


def test_json_has_every_line_with_every_key() -> None:
    whole = json.loads(as_json(STORY))
    assert {key: whole[key] for key in ("customer", "identities", "at", "cut")} == {
        "customer": 7,
        "identities": [["oa", "main", "oAnna"]],
        "at": "2026-12-01T12:00:00+08:00",
        "cut": False,
    }
    assert [line["kind"] for line in whole["lines"]] == ["oa.follow", "entered", "send", "tag", "message", "pending"]
    assert whole["lines"][2] == {
        "at": "2026-12-01T12:00:00+08:00",
        "kind": "send",
        "event": "e1",
        "journey": "",
        "state": "",
        "text": "welcome：已发出",
        "tone": "ok",
        "effect": "A",
        "content": "",
        "outcome": "sent",
    }


def test_json_tells_moments_in_the_storys_zone() -> None:
    whole = json.loads(as_json(replace(STORY, zone=ZoneInfo("UTC"))))
    assert whole["lines"][0]["at"] == "2026-12-01T04:00:00+00:00"


def test_lines_are_all_of_it_in_order() -> None:
    assert lines(STORY) == (FOLLOW, ENTERED, SENT, TAGGED, WAITING, NEXT)


def test_the_last_decision_is_of_the_latest_thing_that_was_dealt_with() -> None:
    assert last_decision(STORY) == (FOLLOW, ENTERED, SENT, TAGGED)


def test_nothing_was_decided_where_nothing_was_dealt_with() -> None:
    assert last_decision(replace(STORY, episodes=STORY.episodes[1:])) == ()
