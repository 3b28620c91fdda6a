"""What the platforms' own log says was sent, and what the database says about it, both read from outside."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SENDS = {
    "POST /cgi-bin/message/custom/send",
    "POST /cgi-bin/message/send",
    "POST /cgi-bin/message/update_template_card",
}
_CHANGING = re.compile(r"ENROLMENT|\d{1,2}月\d{1,2}日.*")


@dataclass(frozen=True, order=True, kw_only=True)
class Message:
    """A message that a platform took: for whom, and what is the same in every run of the story."""

    to: str
    words: str


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def taken(log: Path) -> list[Message]:
    """The messages that the platforms took, in their order."""
    return [_message(line) for line in lines(log) if line["endpoint"] in SENDS and line["verdict"] == "ok"]


def refused(log: Path) -> list[str]:
    """What the platforms did not take, or find in no documentation."""
    return [
        f"{line['endpoint']} {line['verdict']}"
        for line in lines(log)
        if line["direction"] == "in" and (line["verdict"] != "ok" or line["unfaithful"])
    ]


def acknowledged(log: Path) -> int:
    """How many different callbacks were answered with 200."""
    return len({line["request"]["inner"] for line in lines(log) if line["verdict"] == "answered 200"})


def _message(line: dict[str, Any]) -> Message:
    body = line["request"]["body"]
    to = body.get("touser") or ",".join(body.get("userids", ()))
    return Message(to=to, words=_words(body))


def _words(body: dict[str, Any]) -> str:
    if "template_card" in body:
        card = body["template_card"]
        kind = "card update" if "response_code" in body else "card"
        return f"{kind} {card['main_title']['title']}"
    if "button" in body:
        return f"card closed {body['button']['replace_name']}"
    match body["msgtype"]:
        case "text":
            return str(body["text"]["content"])
        case "msgmenu":
            return str(body["msgmenu"]["head_content"])
        case other:
            return f"[{other}]"


def by_receiver(messages: Sequence[Message]) -> dict[str, list[str]]:
    """What each person got, in order. Between two people there is no order."""
    found: dict[str, list[str]] = {}
    for message in messages:
        found.setdefault(message.to, []).append(message.words)
    return found


def without_repeats(messages: Sequence[Message]) -> list[Message]:
    return list(dict.fromkeys(messages))


def repeats(messages: Sequence[Message]) -> dict[Message, int]:
    """Messages that came more than once, with how often they came too much."""
    return {message: count - 1 for message, count in Counter(messages).items() if count > 1}


def rows(database: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """What a plain sqlite3 reads from the database of a product."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def states(database: Path) -> dict[str, int]:
    """How many outbox rows stand in each state."""
    return dict(rows(database, "SELECT state, count(*) FROM outbox GROUP BY state"))
