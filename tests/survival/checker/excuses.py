"""What the journal may excuse: each excuse is matched with something done to the product, or by the customer."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.survival.checker.expected import Event, Promise, Token
from tests.survival.checker.reading import Blow, Row, Seen, Withheld

SLACK_S = 1.0
"""Clocks of one machine, read by different processes."""
CLOSING_S = 30.0
"""So long after her click an advisor may still have the floor: the click has to arrive first."""
WINDOW_MAX = 5
"""Messages that the platform takes after one of hers (wechat-api.md 3.3)."""
LATE_CALLBACK_S = 16.0
"""The third delivery of a callback comes ten seconds after the first, and may take another five."""
BACKLOG_S = 65.0
"""So long after an outage an account may rest, and what waits for it grows."""
OUTAGE_NAMES = frozenset({"503"})
"""Faults that leave a request without any verdict."""


@dataclass(slots=True)
class Excuses:
    """Hands every row of the outbox out once."""

    seen: Seen
    used: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _free: dict[tuple[str, str], list[Row]] = field(default_factory=lambda: defaultdict(list))
    _deaths: dict[str, list[Blow]] = field(default_factory=lambda: defaultdict(list))
    _unplanned: dict[tuple[str, str], list[Withheld]] = field(default_factory=lambda: defaultdict(list))
    _failed: set[Event] = field(default_factory=set)
    _writings: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for row in self.seen.rows:
            self._free[row.conversation, row.content].append(row)
        for one in self.seen.withheld:
            self._unplanned[one.conversation, one.content].append(one)
        for blow in self.seen.blows:
            for effect_id in blow.sending:
                self._deaths[effect_id].append(blow)
        for event, deed in self.seen.deeds.items():
            self._writings[event.customer].append((deed.at, deed.acked_at or self.seen.last_at))
        for customer, deed in self.seen.opt_outs.items():
            self._writings[customer].append((deed.at, deed.acked_at or self.seen.last_at))

    def for_missing(self, token: Token, promise: Promise) -> str:
        """Why a message that never came may be missing; empty: it may not."""
        if token.event in self._failed:
            # Its journey has ended at the message that did not fit into the window any more.
            return "backlog"
        return self._take(token, promise, lambda row: self._why_gone(row, token)) or self._withheld(token, promise)

    def for_repeat(self, token: Token, promise: Promise, first_at: float, again_at: float) -> str:
        """Why a message may have come a second time; empty: it may not."""

        def why(row: Row) -> str:
            if row.repeats == 0:
                return ""
            deaths = [b for b in self._deaths[row.effect_id] if first_at - SLACK_S <= b.until and b.at <= again_at]
            return "death" if deaths else self._outage(row, first_at, again_at)

        return self._take(token, promise, why)

    def unexplained(self) -> list[Row]:
        """Rows whose fate is unknown though nothing was done to them."""
        return [row for row in self.seen.rows if row.state == "unknown" and not self._why_unknown(row)]

    def _take(self, token: Token, promise: Promise, why: Callable[[Row], str]) -> str:
        deed = self.seen.deeds[token.event]
        for row in self._rows(token, promise):
            reason = why(row) if row.planned_at >= deed.at - SLACK_S else ""
            if reason:
                self._free[row.conversation, row.content].remove(row)
                self.used[reason] += 1
                return reason
        return ""

    def _withheld(self, token: Token, promise: Promise) -> str:
        """Whether it was never planned, since an outage had left more waiting than the window can hold."""
        deed = self.seen.deeds[token.event]
        for one in self._unplanned[f"oa:main:{openid(token.event.customer)}", promise.content]:
            if one.at >= deed.at - SLACK_S and self._is_outage(one.at):
                self._unplanned[one.conversation, one.content].remove(one)
                self.used["backlog"] += 1
                self._failed.add(token.event)
                return "backlog"
        return ""

    def _is_outage(self, at: float) -> bool:
        """Whether messages could not leave shortly before."""
        blows = any(blow.at <= at <= blow.until + BACKLOG_S for blow in self.seen.blows)
        return blows or any(fault.at <= at <= fault.until + BACKLOG_S for fault in self.seen.faults)

    def _rows(self, token: Token, promise: Promise) -> Iterator[Row]:
        if not promise.to_staff:
            yield from list(self._free[f"oa:main:{openid(token.event.customer)}", promise.content])
            return
        to = self.seen.receivers.get(token, "")
        for (conversation, content), rows in self._free.items():
            if content == promise.content and conversation.startswith("app:") and conversation.endswith(to):
                yield from list(rows)

    def _why_gone(self, row: Row, token: Token) -> str:
        customer = token.event.customer
        match row.state, row.reason:
            case ("unknown", _) | ("suppressed", "repeat_not_wanted"):
                return self._why_unknown(row)
            case "suppressed", "opted_out":
                opted = self.seen.opt_outs.get(customer)
                return "opted out" if opted is not None and opted.at <= row.settled_at + SLACK_S else ""
            case "suppressed", "left_state":
                written = self._writings[customer]
                heard = any(at <= row.settled_at + SLACK_S and row.planned_at - SLACK_S <= by for at, by in written)
                return "moved on" if heard else ""
            case "suppressed", "human_has_floor":
                talks = self.seen.talks.get(customer, [])
                return "floor" if any(began <= row.settled_at <= ended + CLOSING_S for began, ended in talks) else ""
            case "ready", _ if row.not_before > self.seen.last_at:
                # An advisor talked to her, and whatever is no answer waits until her silence has lasted long enough.
                return "put off" if self.seen.talks.get(customer) else ""
            case ("refused", "count") | ("suppressed", "window_used"):
                return "window used" if self._is_used_up(customer, row.settled_at) else ""
            case _:
                return ""

    def _is_used_up(self, customer: int, at: float) -> bool:
        """Whether the platform had taken, since she last did something, as many messages as it takes at all."""
        last = max((written for written, _ in self._writings[customer] if written <= at), default=0.0)
        # Her event may have reached us long after she wrote; what she wrote since does not count for it yet.
        came = [when for when, _ in self.seen.transcript[customer] if last - LATE_CALLBACK_S <= when <= at]
        refused = any(who == openid(customer) and when <= at + SLACK_S for who, when in self.seen.full)
        return refused or len(came) >= WINDOW_MAX

    def _why_unknown(self, row: Row) -> str:
        if self._deaths[row.effect_id]:
            return "death"
        lies = self.seen.lied_to.get(row.conversation.rsplit(":", 1)[-1], [])
        if any(row.planned_at - SLACK_S <= at <= (row.settled_at or at) + SLACK_S for at in lies):
            return "lost reply"
        return self._outage(row, row.planned_at, row.settled_at or self.seen.last_at)

    def _outage(self, row: Row, begins: float, ends: float) -> str:
        """A fault, a stop or a lie that left a request of this row without an answer."""
        for fault in self.seen.faults:
            if fault.name in OUTAGE_NAMES and fault.at - SLACK_S <= ends and begins <= fault.until + SLACK_S:
                return "fault"
        for blow in self.seen.blows:
            if blow.kind == "stop" and blow.at - SLACK_S <= ends and begins <= blow.until + SLACK_S:
                return "stop"
        return ""


def openid(customer: int) -> str:
    """Who the platform calls this customer."""
    return f"oBuyer{customer:022d}"
