"""Runs as they would have been written down, made by hand for the tests of the checker."""

import json
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any  # Any: JSON

from tests.survival.checker.judging import Verdict, judge
from tests.survival.checker.reading import read

START = 1_800_000_000.0
_TABLES = """
CREATE TABLE outbox (seq INTEGER PRIMARY KEY, effect_id, customer_id, conversation_id, content, state,
    reason DEFAULT '', repeats DEFAULT 0, attempts DEFAULT 1, planned_at, started_at, settled_at, not_before DEFAULT 0);
CREATE TABLE inbox (seq INTEGER PRIMARY KEY, actor, consumed_at);
CREATE TABLE timers (customer_id, due_at);
CREATE TABLE parked (lane);
CREATE TABLE quarantine (quarantine_id);
CREATE TABLE journal (seq INTEGER PRIMARY KEY, at, customer_id, kind, entries);
CREATE TABLE identities (external_id, customer_id, channel);
"""


def moment(at: float) -> str:
    return datetime.fromtimestamp(START + at, UTC).isoformat()


def micros(at: float) -> int:
    return int((START + at) * 1_000_000)


def openid(customer: int) -> str:
    return f"oBuyer{customer:022d}"


@dataclass
class Scene:
    """A run as it would have been written down. Times are seconds from its start."""

    directory: Path
    lines: list[dict[str, Any]] = field(default_factory=list)
    deaths: list[dict[str, Any]] = field(default_factory=list)
    inbox: list[tuple[str, int | None]] = field(default_factory=list)
    outbox: list[dict[str, Any]] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    customers: set[int] = field(default_factory=set)

    def withheld(self, customer: int, content: str, reason: str, at: float) -> None:
        """The journal says why a message was never planned."""
        entry = json.dumps([{"kind": "not_sent", "detail": {"content": content, "reason": reason}}])
        said = f"({micros(at)}, {customer}, 'event', '{entry}')"
        self.customers.add(customer)
        self.statements.append(f"INSERT INTO journal (at, customer_id, kind, entries) VALUES {said}")

    def line(self, direction: str, endpoint: str, at: float, **rest: Any) -> None:
        plain = {"direction": direction, "endpoint": endpoint, "real_at": moment(at), "verdict": "ok"}
        self.lines.append({**plain, "unfaithful": False, "reply_sent": True, **rest})

    def wrote(self, customer: int, words: str, at: float, *, acked: float | None = 0.1, consumed: bool = True) -> None:
        who = openid(customer)
        self.line("act", "say", at, request={"do": "say", "openid": who, "text": words})
        inner = (
            f"<xml><FromUserName><![CDATA[{who}]]></FromUserName><Content><![CDATA[{words}]]></Content>"
            f"<MsgId>{len(self.lines)}</MsgId></xml>"
        )
        verdict = "no answer in time" if acked is None else "answered 200"
        self.line("out", "callback", at + (acked or 5.0), request={"attempt": 1, "inner": inner}, verdict=verdict)
        if acked is not None:
            self.inbox.append((who, 1 if consumed else None))

    def looked(self, customer: int, at: float) -> None:
        """She taps a menu under which nothing is."""
        who = openid(customer)
        self.line("act", "menu", at, request={"do": "menu", "openid": who, "key": "look"})
        inner = (
            f"<xml><FromUserName><![CDATA[{who}]]></FromUserName><Event><![CDATA[CLICK]]></Event>"
            f"<EventKey><![CDATA[look {len(self.lines)}]]></EventKey></xml>"
        )
        self.line("out", "callback", at + 0.1, request={"attempt": 1, "inner": inner}, verdict="answered 200")
        self.inbox.append((who, 1))

    def got(self, customer: int, token: str, at: float, *, words: str = "说", **rest: Any) -> None:
        body = {"touser": openid(customer), "msgtype": "text", "text": {"content": f"{words} [{token}]"}}
        self.line("in", "POST /cgi-bin/message/custom/send", at, request={"body": body}, **rest)

    def card(self, token: str, task_id: str, at: float) -> None:
        card = {"main_title": {"title": token}, "task_id": task_id}
        body = {"touser": "s00", "msgtype": "template_card", "template_card": card}
        self.line("in", "POST /cgi-bin/message/send", at, request={"body": body})

    def clicked(self, task_id: str, key: str, at: float) -> None:
        self.line("act", "click", at, request={"do": "click", "staff_id": "s00", "task_id": task_id, "key": key})

    def heard_click(self, task_id: str, key: str, at: float) -> None:
        """The product takes a click in."""
        inner = (
            f"<xml><FromUserName><![CDATA[s00]]></FromUserName><EventKey><![CDATA[{key}]]></EventKey>"
            f"<TaskId><![CDATA[{task_id}]]></TaskId></xml>"
        )
        self.line("out", "callback", at, request={"attempt": 1, "inner": inner}, verdict="answered 200")
        self.inbox.append(("s00", 1))

    def advised(self, customer: int, token: str, at: float) -> None:
        """An advisor says her token, and the buyer reads it."""
        said = {"do": "staff_say", "staff_id": "s00", "text": f"[{token}]"}
        self.line("act", "staff_say", at, request=said)
        self.got(customer, token, at + 0.5)

    def died(self, at: float, *, sending: tuple[str, ...] = (), until: float | None = None) -> None:
        line = {
            "kind": "kill",
            "name": "kill",
            "at": moment(at),
            "sending": list(sending),
            "waiting": 1,
            "unconsumed": 0,
        }
        self.deaths += [line, {"kind": "risen", "at": moment(until or at + 1)}]

    def row(self, customer: int, content: str, state: str, at: float, **rest: Any) -> None:
        self.customers.add(customer)
        plain = {
            "effect_id": f"E{len(self.outbox)}",
            "customer_id": customer,
            "conversation_id": f"oa:main:{openid(customer)}",
            "content": content,
            "state": state,
            "planned_at": micros(at),
            "started_at": micros(at + 0.1),
            "settled_at": micros(at + 0.2),
        }
        self.outbox.append({**plain, **rest})

    def judged(self) -> Verdict:
        """What the checker says of it."""
        self.line("note", "the end", 200.0)
        for name, lines in (("platforms.jsonl", self.lines), ("deaths.jsonl", self.deaths)):
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            (self.directory / name).write_text(text, encoding="utf-8")
        database = sqlite3.connect(self.directory / "zhitu.db")
        database.executescript(_TABLES)
        database.executemany("INSERT INTO inbox (actor, consumed_at) VALUES (?, ?)", self.inbox)
        known = [(openid(customer), customer) for customer in sorted(self.customers)]
        database.executemany("INSERT INTO identities VALUES (?, ?, 'oa')", known)
        for row in self.outbox:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            database.execute(f"INSERT INTO outbox ({names}) VALUES ({marks})", tuple(row.values()))
        for statement in self.statements:
            database.execute(statement)
        database.commit()
        database.close()
        return judge(read(self.directory))


def columns(verdict: Verdict) -> dict[str, int]:
    """The columns that are not 0."""
    return {name: count for name, count in verdict.columns.items() if count}


def clean(scene: Scene) -> None:
    """Two customers: one chats, is asked, and is reminded; one is looked after by an advisor."""
    scene.wrote(1, "t:1.1", 0)
    scene.got(1, "t:1.1.1", 1)
    scene.wrote(1, "q:1.2", 2)
    scene.got(1, "q:1.2.1", 3)
    scene.wrote(1, "a:1.3", 4)
    scene.got(1, "a:1.3.1", 5)
    scene.wrote(1, "w:1.4", 6)
    scene.got(1, "w:1.4.1", 7)
    scene.got(1, "w:1.4.2", 8.5)
    scene.wrote(2, "h:2.1", 0)
    scene.card("h:2.1", "T1", 1)
    scene.clicked("T1", "accept", 2)
    scene.advised(2, "s:2.2.1", 3)
    scene.wrote(2, "t:2.3", 4)
    scene.clicked("T1", "close", 5)
