"""`zhitu retry` as a person or a program meets it: a database of its own, no server, exit codes and words."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot import config
from bot.cli import main
from bot.core.effects import SendMessage
from bot.core.events import Event
from bot.core.ids import ConversationId, CustomerId, EffectId, EventId
from bot.core.messages import Text
from bot.runtime.parking import set_aside
from bot.storage import KeyRing, Missed, Outcome, Planned, Priority, Room, Storage, Transaction

OPENID = "oBuyer0000000000000000000001"
ID = "ABCDEFGHIJKLMNOPQRSTUVWX23"
OTHER = "ZYXWVUTSRQPONMLKJIHGFEDC32"
NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a configuration that names a database, and an environment with what it needs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "config.toml").write_text(
        '[storage]\nurl = "sqlite:///zhitu.db"\n'
        '[channels.oa.main]\napp_id = "wx0000000000000001"\nsecret = "env:S"\ntoken = "env:T"\naes_key = "env:K"\n',
        encoding="utf-8",
    )
    for name, value in (("S", "s" * 32), ("T", "token"), ("K", "a" * 43)):
        monkeypatch.setenv(name, value)
    return tmp_path


def prepare(place: Path, job: Callable[[Transaction], None]) -> None:
    """Write into the database of the place, which is made with its key file."""

    async def run() -> None:
        settings = config.load_storage(place / "config.toml", {})
        keys = KeyRing.from_texts(list(config.key_texts(settings).texts))
        storage = await Storage.open(settings.url, keys=keys, clock_now=lambda: NOW)
        await storage.write(Priority.REST, job)
        await storage.close()

    asyncio.run(run())


def message(name: str) -> Event:
    return Event(
        event_id=EventId(name),
        type="message",
        channel="oa",
        account="main",
        sender=OPENID,
        occurred_at=NOW,
        fields={"kind": "text", "text": "我的手机 13800138000"},
    )


def effect_of(name: str) -> SendMessage:
    return SendMessage(
        effect_id=EffectId(name),
        conversation_id=ConversationId(f"oa:main:{OPENID}"),
        channel="oa",
        account="main",
        to=OPENID,
        message=Text(text="您好"),
        content="welcome",
        send_class="service",
        delivery="at_most_once",
        sequence=0,
        enrolment_id=None,
        journey="oa-welcome",
        state="greet",
        visit=1,
    )


def trouble(tx: Transaction) -> None:
    """One of everything that waits for a person."""
    tx.lanes.ingest([message("a"), message("b")], received_at=NOW)
    tx.lanes.quarantine(channel="oa", account="main", body=b"<xml>", why="the XML is not well-formed")
    effect = effect_of(ID)
    tx.effects.carry_out([Planned(customer_id=CustomerId(1), effects=[effect], at=NOW)])
    tx.outbox.lease(NOW, worker="w", hold=timedelta(minutes=1), limits={("oa", "main"): Room(slots=1)})
    tx.outbox.begin([EffectId(ID)], worker="w", started_at=NOW, epoch=1)
    tx.outbox.settle([Outcome(effect_id=EffectId(ID), verdict="unknown", reason="no_verdict")])
    tx.lanes.park(CustomerId(1), seq=1, reason="KeyError at core/step/machine.py:80")


def code_of(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, list[dict[str, object]]]:
    capsys.readouterr()
    code_of("retry", "--json")
    found: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
    return found


def nothing(_: Transaction) -> None:
    """An empty house."""


def test_without_a_database_there_is_nothing_to_look_at_and_the_cure_is_told(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of("retry") == 2
    assert "修复  " in capsys.readouterr().err


@pytest.mark.parametrize("command", [("retry",), ("why", OPENID)])
def test_a_command_beside_the_server_never_migrates_its_database(
    place: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    prepare(place, nothing)
    version = "UPDATE alembic_version SET version_num = '0001'"
    with sqlite3.connect(place / "zhitu.db") as older:
        older.execute(version)
    assert code_of(*command) == 2
    assert "zhitu migrate" in capsys.readouterr().err
    with sqlite3.connect(place / "zhitu.db") as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]


def test_an_operator_confirms_the_clock_and_closes_a_gap(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def lose(tx: Transaction) -> None:
        for channel in ("app", "oa"):
            tx.gaps.note(Missed(channel=channel, account="main", since=NOW, until=NOW, reason="storage", turned_away=1))

    left: list[object] = []

    def look(tx: Transaction) -> None:
        left.extend([tx.confirmations(), [gap.channel for gap in tx.gaps.unreconciled()]])

    prepare(place, lose)
    assert code_of("retry", "clock") == 0
    assert "已确认" in capsys.readouterr().out
    assert code_of("retry", "gap", "app:main") == 0
    assert "1 个缺口" in capsys.readouterr().out
    assert code_of("retry", "gap", "app:main") == 0
    assert "没有缺口" in capsys.readouterr().out
    assert code_of("retry", "gap", "oa:main") == 2
    prepare(place, look)
    assert left == [1, ["oa"]]


def test_when_nothing_waits_the_exit_code_is_zero(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(place, nothing)
    assert code_of("retry") == 0
    assert capsys.readouterr().out == "没有等人处理的事\n"


def test_everything_that_waits_is_listed_with_its_id_and_reason(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(place, trouble)
    assert code_of("retry") == 1
    shown = capsys.readouterr().out
    for words in ("KeyError at core/step/machine.py:80", "排队 2 件", "XML is not well-formed", ID, "zhitu retry send"):
        assert words in shown
    assert OPENID not in shown
    assert "13800138000" not in shown
    found = listed(capsys)
    assert [len(found[name]) for name in ("lanes", "quarantine", "sends")] == [1, 1, 1]
    assert (found["lanes"][0]["held"], found["sends"][0]["id"]) == (2, ID)


def test_a_lane_is_set_going_by_the_customer_or_all_at_once(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(place, trouble)
    assert code_of("retry", "lane", OPENID, "--config", "config.toml") == 0
    assert "排队的事件 2 件" in capsys.readouterr().out
    assert listed(capsys)["lanes"] == []
    assert code_of("retry", "lane", "--all") == 0
    assert capsys.readouterr().out == "没有停住的泳道\n"


def test_a_message_of_unknown_fate_is_sent_again_once(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(place, trouble)
    assert code_of("retry", "send", ID) == 0
    assert listed(capsys)["sends"] == []
    assert code_of("retry", "send", ID) == 2
    assert "ready" in capsys.readouterr().err


def test_a_message_of_unknown_fate_is_left_as_it_is(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(place, trouble)
    assert code_of("retry", "leave", ID) == 0
    assert listed(capsys)["sends"] == []


def test_a_callback_that_is_still_unreadable_is_a_finding(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(place, trouble)
    assert code_of("retry", "quarantine", "--all") == 1
    assert "仍然读不懂：the XML is not well-formed" in capsys.readouterr().out
    assert len(listed(capsys)["quarantine"]) == 1


def test_a_callback_that_the_program_can_read_by_now_goes_into_its_lane(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = f"""<xml><ToUserName>gh_1</ToUserName><FromUserName>{OPENID}</FromUserName>
    <CreateTime>1796090400</CreateTime><MsgType>text</MsgType><Content>你好</Content><MsgId>7</MsgId></xml>"""

    def keep(tx: Transaction) -> None:
        tx.lanes.quarantine(channel="oa", account="main", body=body.encode(), why="an older program")

    prepare(place, keep)
    (row,) = listed(capsys)["quarantine"]
    assert code_of("retry", "quarantine", str(row["id"])[:12]) == 0
    assert "已进入泳道" in capsys.readouterr().out
    assert listed(capsys)["quarantine"] == []
    assert code_of("why", OPENID) == 0
    assert "客户来信（文字），还没有处理" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ("lane",),
        ("lane", "1", "--all"),
        ("lane", "oNobody"),
        ("quarantine",),
        ("quarantine", "ffff"),
        ("send", "ZZZ"),
        ("leave", "ZZZ"),
        ("lane", "--all", "--config", "other.toml"),
    ],
)
def test_what_cannot_be_done_exits_with_two_and_says_how_to_go_on(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    prepare(place, trouble)
    assert code_of("retry", *arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def spoil(tx: Transaction) -> None:
    """Two messages of one customer that do not open, as the server leaves them. Their bytes are kept reversed."""
    tx.lanes.ingest([message("a")], received_at=NOW)
    for name in (ID, OTHER):
        one = replace(effect_of(name), conversation_id=ConversationId(name))
        tx.effects.carry_out([Planned(customer_id=CustomerId(1), effects=[one], at=NOW)])
    turn_bytes(tx)
    tx.outbox.lease(NOW, worker="w", hold=timedelta(minutes=1), limits={("oa", "main"): Room(slots=2)})
    set_aside(tx)


def turn_bytes(tx: Transaction) -> None:
    """Make what opens not open, and what was made so open again."""
    for seq, sealed in tx._connection.execute(text("SELECT seq, sealed FROM outbox")).all():
        values = {"seq": seq, "sealed": bytes(reversed(sealed))}
        tx._connection.execute(text("UPDATE outbox SET sealed = :sealed WHERE seq = :seq"), values)


def test_what_does_not_open_is_told_left_and_brought_back(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before: `zhitu retry` and `zhitu why` ended with an error about that row."""
    prepare(place, spoil)
    assert code_of("retry") == 1
    shown = capsys.readouterr().out
    assert "打不开的记录" in shown and ID in shown and OTHER in shown
    assert code_of("why", OPENID) == 0
    assert "打不开" in capsys.readouterr().out
    assert code_of("retry", "send", ID) == 2
    assert "打不开" in capsys.readouterr().err
    assert code_of("retry", "leave", OTHER) == 0
    assert [one["id"] for one in listed(capsys)["unreadable"]] == [ID]
    prepare(place, turn_bytes)
    assert code_of("retry", "lane", OPENID) == 0
    found: list[str] = []
    prepare(place, lambda tx: found.extend(line.state for line in tx.reading.outbox_of(CustomerId(1))))
    assert found == ["ready", "unknown"]
    capsys.readouterr()
    assert code_of("retry") == 0
