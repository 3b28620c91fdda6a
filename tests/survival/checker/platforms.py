"""Reads the platforms' log line by line: who did what, what was delivered and answered, and what arrived."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any  # Any: JSON

from tests.survival.checker.expected import PUTS_OFF, THANKS, UNANSWERED, Event, Token
from tests.survival.checker.seen import Acceptance, Deed, Fault, Lie, Seen, seconds

SENDS = {
    "POST /cgi-bin/message/custom/send",
    "POST /cgi-bin/message/template/send",
    "POST /cgi-bin/message/send",
}
OPT_OUT = "退订"
_EVENT = re.compile(r"([a-z]):(\d+)\.(\d+)")
_TOKEN = re.compile(r"([^\s\"\[]*)\s?\[([a-z]):(\d+)\.(\d+)\.(\d+)\]")
_WINDOW_CODES = ("45015", "45047")
_OPENID = re.compile(r"oBuyer(\d{22})")
FORCED = "forced"


class Log:
    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._tried: dict[str, set[int]] = defaultdict(set)
        self._unanswered: dict[tuple[str, int], float] = {}
        self._acked: dict[str, set[int]] = defaultdict(set)
        self._cards: dict[str, int] = {}
        self._has_floor: dict[int, float] = {}
        self._talking: dict[int, float] = {}
        self._closed: set[int] = set()
        self._unheard_looks: dict[str, list[Deed]] = defaultdict(list)
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
                case "in" if line["endpoint"].endswith("/update_template_card"):
                    for advisor in line["request"]["body"].get("userids", ()):
                        self._seen.asked[advisor].append(at)
                case "note" if line["endpoint"] == "reply":
                    self._corrected(line["request"]["of"], line.get("reply_sent"))
            if line.get("fault"):
                self._struck(line["fault"], at)
        self._seen.sent_callbacks = {actor: len(inners) for actor, inners in self._tried.items()}
        self._seen.given_up = list(self._unanswered.values())
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
        if deed["do"] == "menu" and (who := _OPENID.fullmatch(deed["openid"])):
            look = Deed(at=at)
            self._seen.looks[int(who.group(1))].append(look)
            self._unheard_looks[deed["openid"]].append(look)
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
            self._closed.discard(customer)
        elif deed["key"] == "close":
            # Before: words that came after she had closed gave her the floor for ever.
            self._closed.add(customer)
            if customer in self._has_floor:
                self._seen.floors[customer].append((self._has_floor.pop(customer), at))

    def _callback(self, line: dict[str, Any], at: float) -> None:
        inner = line["request"]["inner"]
        actor = _tag(inner, "FromUserName")
        self._tried[actor].add(hash(inner))
        if line["verdict"] != "answered 200":
            if hash(inner) not in self._acked[actor]:
                self._unanswered[actor, hash(inner)] = at
            return
        self._unanswered.pop((actor, hash(inner)), None)
        if hash(inner) not in self._acked[actor] and _tag(inner, "Event") == "CLICK" and self._unheard_looks[actor]:
            self._unheard_looks[actor].pop(0).acked_at = at
        self._acked[actor].add(hash(inner))
        if _tag(inner, "EventKey") == "close" and (customer := self._cards.get(_tag(inner, "TaskId"))) is not None:
            # Before: a click that reached nobody, while the product stood still, was taken for the end of the talk.
            self._seen.talks[customer].append((self._talking.pop(customer, at), at))
            self._seen.closings[customer].append(at)
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
        if not body["touser"].startswith("oBuyer"):
            self._seen.asked[body["touser"]].append(at)
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
        for token, words in self._tokens(body):
            is_answer = words == THANKS and token.event.letter != "a"
            (self._seen.thanked if is_answer else self._seen.accepted)[token].append(acceptance)
            self._seen.receivers[token] = body["touser"]
            if body["touser"].startswith("oBuyer"):
                self._seen.transcript[token.event.customer].append((at, token))
            customer = token.event.customer
            if token.event.letter == "s" and customer in self._talking and customer not in self._closed:
                self._has_floor.setdefault(token.event.customer, at)

    def _tokens(self, body: dict[str, Any]) -> Iterator[tuple[Token, str]]:
        """What the message bears, each with the word before it."""
        card = body.get("template_card")
        if card is not None:
            found = _EVENT.fullmatch(card["main_title"]["title"])
            if found:
                self._cards[card["task_id"]] = int(found.group(2))
                yield Token(_event(found), 0), ""
            return
        for found in _TOKEN.finditer(json.dumps(body, ensure_ascii=False)):
            event = Event(found.group(2), int(found.group(3)), int(found.group(4)))
            yield Token(event, int(found.group(5))), found.group(1)


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
