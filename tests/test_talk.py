"""`zhitu talk --json` as programs use it: lines in, objects out."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
KEYS = {"kind", "at", "to", "content", "text", "journey", "state"}
LEAD = ("/follow", "看车", "王先生", "同意", "138 0013 8000", "对")

Report = dict[str, Any]  # Any: JSON


def talk(*lines: str) -> list[Report]:
    command = [sys.executable, "-m", "bot", "talk", "--json"]
    done = subprocess.run(
        command, input="\n".join(lines) + "\n", cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def talk_raw(said: bytes | None, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Bytes instead of lines; None: standard input is closed."""
    command = f"exec {sys.executable} -m bot talk --json" + (" <&-" if said is None else "")
    return subprocess.run(
        command,
        shell=True,
        input=said,
        cwd=ROOT,
        capture_output=True,
        timeout=300,
        env=os.environ | environ,
        check=False,
    )


def of(reports: list[Report], kind: str) -> list[Report]:
    return [report for report in reports if report["kind"] == kind]


@pytest.fixture(scope="module")
def lead() -> list[Report]:
    return talk(*LEAD, "/state", "/why")


def test_every_object_has_the_same_first_keys(lead: list[Report]) -> None:
    assert all(set(report) >= KEYS for report in lead)


def test_the_path_of_a_lead_ends_done_with_a_lead_and_a_task(lead: list[Report]) -> None:
    last = of(lead, "state")[-1]
    assert (last["journey"], last["state"]) == ("oa-welcome", "done")
    assert last["lead"]["fields"]["phone"] == "13800138000"
    assert [task["kind"] for task in last["tasks"]] == ["task"]


def test_the_advisor_gets_a_card_that_masks_the_phone(lead: list[Report]) -> None:
    card = of(lead, "card")[0]
    assert card["text"] == "新线索 王先生：看车"
    assert ["手机", "138****8000"] in card["rows"]
    assert [button["key"] for button in card["buttons"]] == ["accept", "busy"]


def test_messages_name_their_content_and_state(lead: list[Report]) -> None:
    sent = [(report["content"], report["state"]) for report in of(lead, "sent")]
    assert sent[:2] == [("welcome", "hello"), ("ask-need", "need")]
    assert ("thanks-lead", "assign") in sent


def test_why_explains_without_the_phone_number(lead: list[Report]) -> None:
    told = of(lead, "why")
    assert len(told) > 10
    assert not any("13800138000" in json.dumps(report, ensure_ascii=False) for report in told)


def test_an_advisor_accepts_talks_and_closes_and_the_bot_is_silent_meanwhile() -> None:
    reports = talk(*LEAD, "/advisor accept", "/advisor text 您好，我是张敏", "还有现车吗", "/advisor close", "/state")
    texts = [(report["to"], report["text"]) for report in of(reports, "sent")]
    assert ("buyer", "您好，我是张敏") in texts
    assert ("zhangmin", "王先生：还有现车吗") in texts
    position = texts.index(("zhangmin", "王先生：还有现车吗"))
    assert not [text for to, text in texts[position:] if to == "buyer"]
    assert of(reports, "state")[-1]["advisor"] == "zhangmin"


def test_waiting_lets_the_question_time_out() -> None:
    reports = talk("/follow", "看车", "王先生", "同意", "/wait 5h", "/state")
    assert of(reports, "state")[-1]["state"] == "nudge"
    assert [report["content"] for report in of(reports, "sent")][-1] == "nudge-phone"


def test_bad_commands_are_errors_and_the_conversation_goes_on() -> None:
    reports = talk("/folow", "/wait soon", "/advisor dance", "/follow", "/at 2001-01-01 00:00")
    assert [report["kind"] for report in (*reports[:3], reports[-1])] == ["error"] * 4
    assert of(reports, "sent")[0]["content"] == "welcome"


def test_leaving_ends_the_journey_and_coming_back_is_refused_for_thirty_days() -> None:
    reports = talk("/follow", "/unfollow", "/state", "/follow", "/why")
    ended = next(report for report in of(reports, "state") if report["status"] == "ended")
    assert (ended["journey"], ended["end"]) == ("oa-welcome", "unreachable")
    assert len([report for report in of(reports, "sent") if report["content"] == "welcome"]) == 1


def test_the_first_line_may_set_any_moment_and_the_night_has_its_own_ways() -> None:
    reports = talk("/at 2025-12-01 22:30", "/follow", "人工", "/state")
    assert reports[-1]["at"].startswith("2025-12-01T14:30")
    assert "human-away" in [report["content"] for report in of(reports, "sent")]
    assert [card["content"] for card in of(reports, "card")] == ["@task"], "nobody is on duty: a task for the morning"


def test_help_is_an_object_among_the_others() -> None:
    """Before: it was printed as bare text between the objects."""
    (told,) = talk("/help")
    assert told["kind"] == "help" and "/follow" in told["text"]


def test_bytes_that_are_no_text_are_refused_and_the_conversation_goes_on() -> None:
    done = talk_raw(b"/follow\n\xff\xfe\n\x00\n" + b"x" * 50_000 + b"\n/state\n", PYTHONIOENCODING="utf-8:strict")
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(of(reports, "error")) == 2
    assert reports[-1]["status"] == "active"


def test_programs_get_utf_8_whatever_the_terminal_knows() -> None:
    """Before: the first Chinese character ended the program where Python took the output for ASCII."""
    done = talk_raw("/follow\n😀\n".encode(), PYTHONIOENCODING="ascii")
    reports = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert (done.returncode, done.stderr) == (0, b"")
    assert "您好" in "".join(str(report["text"]) for report in of(reports, "sent"))


def test_without_a_standard_input_it_says_so() -> None:
    done = talk_raw(None)
    assert done.returncode == 2
    assert "标准输入是关着的".encode() in done.stderr and b"Traceback" not in done.stderr


def _hears_interruptions() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interruption_ends_it_at_once_while_it_waits_for_a_line() -> None:
    """Before: it went on waiting until somebody pressed the return key."""
    command = [sys.executable, "-m", "bot", "talk", "--json"]
    # A shell starts what runs in its background deaf to this signal, and the tests may run there.
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=_hears_interruptions
    ) as talking:
        assert talking.stdin is not None and talking.stdout is not None
        talking.stdin.write(b"/state\n")
        talking.stdin.flush()
        assert b'"state"' in talking.stdout.readline()
        talking.send_signal(signal.SIGINT)
        assert talking.wait(timeout=300) == 130
