"""Reads what the run left: the platforms' log, the list of deaths and faults, and the database, by plain sqlite3."""

import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any  # Any: JSON and rows

from tests.survival.checker.expected import PUTS_OFF, UNANSWERED, Event, Token

SENDS = {
    "POST /cgi-bin/message/custom/send",
    "POST /cgi-bin/message/template/send",
    "POST /cgi-bin/message/send",
}
OPT_OUT = "退订"
_EVENT = re.compile(r"([a-z]):(\d+)\.(\d+)")
_TOKEN = re.compile(r"\[([a-z]):(\d+)\.(\d+)\.(\d+)\]")
_WINDOW_CODES = ("45015", "45047")
_OPENID = re.compile(r"oBuyer(\d{22})")
FORCED = "forced"


@dataclass(slots=True, kw_only=True)
class Deed:
    """What somebody did at `at`; `acked_at`: when a delivery of it was answered with 200 for the first time."""

    at: float
    acked_at: float | None = None


@dataclass(slots=True, kw_only=True)
class Acceptance:
    """A platform took a message with a token. `answered`: its answer reached the wire. `keyed`: it knows our key."""

    at: float
    answered: bool = True
    keyed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """A death, or a stop. `sending`: effects whose requests were under way; `until`: when the product served again."""

    kind: str
    name: str
    at: float
    until: float
    sending: frozenset[str]
    hit: bool


@dataclass(slots=True, kw_only=True)
class Fault:
    """One order of what the platforms were made to do wrong: from its first blow to its last."""

    name: str
    at: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """A request that its sender never got a verdict on. `blow`: the id of the fault; empty: nobody took the reply."""

    at: float
    blow: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An outbox row that did not simply leave: another state than sent, or sent again. Times in seconds."""

    effect_id: str
    conversation: str
    content: str
    state: str
    reason: str
    repeats: int
    planned_at: float
    started_at: float
    settled_at: float
    not_before: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A message that was never planned: those before it would use the window up, or a colleague had the floor."""

    conversation: str
    content: str
    reason: str
    at: float


@dataclass(slots=True, kw_only=True)
class Seen:
    """Everything the checker knows."""

    deeds: dict[Event, Deed] = field(default_factory=dict)
    opt_outs: dict[int, Deed] = field(default_factory=dict)
    accepted: dict[Token, list[Acceptance]] = field(default_factory=lambda: defaultdict(list))
    transcript: dict[int, list[tuple[float, Token]]] = field(default_factory=lambda: defaultdict(list))
    floors: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    talks: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    full: list[tuple[str, float]] = field(default_factory=list)
    receivers: dict[Token, str] = field(default_factory=dict)
    sent_callbacks: dict[str, int] = field(default_factory=dict)
    acked_callbacks: dict[str, int] = field(default_factory=dict)
    """`floors`: from an advisor's first words that arrived to her closing; `talks`: from her accepting, which is
    earlier. `full`: who was refused a message because her window was used up, and when."""
    lied_to: dict[str, list[Lie]] = field(default_factory=lambda: defaultdict(list))
    put_off: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Receiver → the requests without a verdict; the moments at which a message to her was put off for long."""
    over_window: int = 0
    unfaithful: int = 0
    lies: int = 0
    blows: list[Blow] = field(default_factory=list)
    faults: dict[str, Fault] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    withheld: list[Withheld] = field(default_factory=list)
    consumed: dict[str, int] = field(default_factory=dict)
    stored: dict[str, int] = field(default_factory=dict)
    stuck: dict[str, int] = field(default_factory=dict)
    unknown: int = 0
    broken: str = ""
    last_at: float = 0.0


def seconds(text: str) -> float:
    """Seconds since 1970 of an ISO moment."""
    return datetime.fromisoformat(text).timestamp()


def read(directory: Path) -> Seen:
    """All that `directory` holds about a run that is over."""
    seen = Seen()
    _Log(seen).read(_lines(directory / "platforms.jsonl"))
    _read_deaths(seen, _lines(directory / "deaths.jsonl"))
    try:
        _read_database(seen, directory / "zhitu.db")
    except sqlite3.DatabaseError as error:
        seen.broken = str(error)
    return seen


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


class _Log:
    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._tried: dict[str, set[int]] = defaultdict(set)
        self._acked: dict[str, set[int]] = defaultdict(set)
        self._cards: dict[str, int] = {}
        self._has_floor: dict[int, float] = {}
        self._talking: dict[int, float] = {}
        self._requests: dict[int, tuple[str, Acceptance]] = {}

    def read(self, lines: Iterator[dict[str, Any]]) -> None:
        for line in lines:
            at = seconds(line["real_at"])
            self._seen.last_at = max(self._seen.last_at, at)
            self._seen.unfaithful += bool(line["unfaithful"])
            match line["direction"]:
                case "act":
                    self._act(line["request"], at)
                case "out":
                    self._callback(line, at)
                case "in" if line["endpoint"] in SENDS:
                    self._send(line, at)
                case "note" if line["endpoint"] == "reply":
                    self._corrected(line["request"]["of"], line.get("reply_sent"))
            if line.get("fault"):
                self._struck(line["fault"], at)
        self._seen.sent_callbacks = {actor: len(inners) for actor, inners in self._tried.items()}
        self._seen.acked_callbacks = {actor: len(inners) for actor, inners in self._acked.items()}
        for customer, began in self._has_floor.items():
            self._seen.floors[customer].append((began, self._seen.last_at))
        for customer, began in self._talking.items():
            self._seen.talks[customer].append((began, self._seen.last_at))

    def _struck(self, blow: str, at: float) -> None:
        order, _, _ = blow.rpartition("#")
        fault = self._seen.faults.setdefault(order, Fault(name=_fault_name(blow), at=at, until=at))
        fault.until = at

    def _corrected(self, seq: int, was_sent: bool | None) -> None:
        """What became of a reply was not known when its line was written, or was known wrongly."""
        if was_sent is False and seq in self._requests:
            receiver, acceptance = self._requests[seq]
            if acceptance.answered:
                self._unheard(receiver, acceptance, "")

    def _unheard(self, receiver: str, acceptance: Acceptance, blow: str) -> None:
        acceptance.answered = False
        self._seen.lies += 1
        self._seen.lied_to[receiver].append(Lie(at=acceptance.at, blow=blow))

    def _act(self, deed: dict[str, Any], at: float) -> None:
        if deed["do"] == "click":
            self._click(deed, at)
            return
        words = deed.get("scene") or deed.get("text") or ""
        found = _EVENT.search(words)
        if found:
            self._seen.deeds[_event(found)] = Deed(at=at)
        elif words == OPT_OUT and (who := _OPENID.fullmatch(deed["openid"])):
            self._seen.opt_outs[int(who.group(1))] = Deed(at=at)

    def _click(self, deed: dict[str, Any], at: float) -> None:
        customer = self._cards.get(deed["task_id"])
        if customer is None:
            return
        if deed["key"] == "accept":
            self._talking[customer] = at
        elif deed["key"] == "close" and customer in self._has_floor:
            self._seen.floors[customer].append((self._has_floor.pop(customer), at))

    def _callback(self, line: dict[str, Any], at: float) -> None:
        inner = line["request"]["inner"]
        actor = _tag(inner, "FromUserName")
        self._tried[actor].add(hash(inner))
        if line["verdict"] != "answered 200":
            return
        self._acked[actor].add(hash(inner))
        if _tag(inner, "EventKey") == "close" and (customer := self._cards.get(_tag(inner, "TaskId"))) is not None:
            # Before: a click that reached nobody, while the product stood still, was taken for the end of the talk.
            self._seen.talks[customer].append((self._talking.pop(customer, at), at))
        deed = self._deed_of(inner, actor)
        if deed is not None and deed.acked_at is None:
            deed.acked_at = at

    def _deed_of(self, inner: str, actor: str) -> Deed | None:
        words = _tag(inner, "Content") or _tag(inner, "EventKey")
        found = _EVENT.search(words)
        if found:
            return self._seen.deeds.get(_event(found))
        who = _OPENID.fullmatch(actor)
        return self._seen.opt_outs.get(int(who.group(1))) if who and words == OPT_OUT else None

    def _send(self, line: dict[str, Any], at: float) -> None:
        body, verdict = line["request"]["body"], line["verdict"]
        if not isinstance(body, dict):
            return
        if verdict.startswith(_WINDOW_CODES) and FORCED not in verdict:
            self._seen.over_window += 1
            self._seen.full.append((body["touser"], at))
        blow = line.get("fault", "")
        is_open = _fault_name(blow) in UNANSWERED
        if _fault_name(blow) == PUTS_OFF:
            self._seen.put_off[body["touser"]].append(at)
        if verdict != "ok" and not verdict.startswith("ok,"):
            if is_open or line.get("reply_sent") is False:
                self._seen.lied_to[body["touser"]].append(Lie(at=at, blow=blow))
            return
        acceptance = Acceptance(at=at, keyed=line["endpoint"].endswith("template/send"))
        self._requests[line.get("seq", 0)] = body["touser"], acceptance
        if is_open or line.get("reply_sent") is False:
            self._unheard(body["touser"], acceptance, blow)
        for token in self._tokens(body):
            self._seen.accepted[token].append(acceptance)
            self._seen.receivers[token] = body["touser"]
            if body["touser"].startswith("oBuyer"):
                self._seen.transcript[token.event.customer].append((at, token))
            if token.event.letter == "s" and token.event.customer in self._talking:
                self._has_floor.setdefault(token.event.customer, at)

    def _tokens(self, body: dict[str, Any]) -> Iterator[Token]:
        card = body.get("template_card")
        if card is not None:
            found = _EVENT.fullmatch(card["main_title"]["title"])
            if found:
                self._cards[card["task_id"]] = int(found.group(2))
                yield Token(_event(found), 0)
            return
        for found in _TOKEN.finditer(json.dumps(body, ensure_ascii=False)):
            yield Token(_event(found), int(found.group(4)))


def _fault_name(blow: str) -> str:
    """The script that a blow belongs to; empty: it is none."""
    return blow.partition("/")[0]


def _event(found: re.Match[str]) -> Event:
    return Event(found.group(1), int(found.group(2)), int(found.group(3)))


def _tag(inner: str, name: str) -> str:
    start = inner.find(f"<{name}>")
    if start < 0:
        return ""
    text = inner[start + len(name) + 2 : inner.find(f"</{name}>", start)]
    return text.removeprefix("<![CDATA[").removesuffix("]]>")


def _read_deaths(seen: Seen, lines: Iterator[dict[str, Any]]) -> None:
    waiting: list[dict[str, Any]] = []
    for line in lines:
        if line["kind"] != "risen":
            waiting.append(line)
            seen.broken = seen.broken or line.get("broken", "")
            continue
        seen.blows += [_blow(one, seconds(line["at"])) for one in waiting]
        waiting = []
    seen.blows += [_blow(one, seen.last_at) for one in waiting]


def _blow(line: dict[str, Any], until: float) -> Blow:
    in_flight = len(line["sending"]) + line["waiting"] + line["unconsumed"]
    return Blow(
        kind=line["kind"],
        name=line["name"],
        at=seconds(line["at"]),
        until=until,
        sending=frozenset(line["sending"]),
        hit=in_flight > 0,
    )


def _read_database(seen: Seen, database: Path) -> None:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        _read_rows(seen, connection)
        _read_withheld(seen, connection)
        for actor, stored, consumed in connection.execute(
            "SELECT actor, count(*), count(consumed_at) FROM inbox WHERE actor <> '' GROUP BY actor"
        ):
            seen.stored[actor], seen.consumed[actor] = stored, consumed
        seen.stuck = _stuck(seen, connection)
        ((seen.unknown,),) = connection.execute("SELECT count(*) FROM outbox WHERE state = 'unknown'").fetchall()
    finally:
        connection.close()


def _read_rows(seen: Seen, connection: sqlite3.Connection) -> None:
    statement = (
        "SELECT effect_id, conversation_id, content, state, reason, repeats, planned_at, started_at, settled_at,"
        " not_before FROM outbox WHERE state NOT IN ('sent', 'delivered') OR repeats > 0 ORDER BY seq"
    )
    for effect_id, conversation, content, state, reason, repeats, *times in connection.execute(statement):
        planned_at, started_at, settled_at, not_before = ((time or 0) / 1e6 for time in times)
        seen.rows.append(
            Row(
                effect_id=effect_id,
                conversation=conversation,
                content=content,
                state=state,
                reason=reason,
                repeats=repeats,
                planned_at=planned_at,
                started_at=started_at,
                settled_at=settled_at,
                not_before=not_before,
            )
        )


_READY = """
    SELECT count(*) FROM outbox o WHERE o.state = 'ready' AND o.not_before <= {now} AND NOT EXISTS (
        SELECT 1 FROM outbox h WHERE h.conversation_id = o.conversation_id AND h.state = 'ready' AND h.seq < o.seq
        AND h.not_before > {now} AND h.attempts > 0)
"""
"""Ready and due, and not behind an earlier one that the platform has put off."""


def _read_withheld(seen: Seen, connection: sqlite3.Connection) -> None:
    statement = (
        "SELECT j.at, j.entries, i.external_id FROM journal j JOIN identities i ON i.customer_id = j.customer_id"
        " AND i.channel = 'oa' WHERE j.kind <> 'dispatch' AND j.entries LIKE '%not_sent%' ORDER BY j.seq"
    )
    for at, entries, external_id in connection.execute(statement):
        for entry in json.loads(entries):
            detail = entry.get("detail", {})
            if entry["kind"] == "not_sent":
                conversation, reason = f"oa:main:{external_id}", detail["reason"]
                seen.withheld.append(
                    Withheld(conversation=conversation, content=detail["content"], reason=reason, at=at / 1e6)
                )


def _stuck(seen: Seen, connection: sqlite3.Connection) -> dict[str, int]:
    now = int(seen.last_at * 1e6)
    counts = Counter[str]()
    for name, statement in (
        ("unconsumed", "SELECT count(*) FROM inbox WHERE consumed_at IS NULL"),
        ("due", f"SELECT count(*) FROM timers WHERE due_at <= {now}"),
        ("in the outbox", "SELECT count(*) FROM outbox WHERE state IN ('leased', 'sending')"),
        ("ready", _READY.format(now=now)),
        ("parked", "SELECT count(*) FROM parked"),
        ("quarantined", "SELECT count(*) FROM quarantine"),
    ):
        ((count,),) = connection.execute(statement).fetchall()
        counts[name] = count
    return {name: count for name, count in counts.items() if count}
