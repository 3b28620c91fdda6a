"""What the journal may excuse: each excuse is matched with something done to the product, or by the customer."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.survival.checker.answers import Answers
from tests.survival.checker.expected import ANSWERS, PROMISES, PUT_OFF_S, RESTS, Event, Promise, Token
from tests.survival.checker.seen import Blow, Lie, Row, Seen, Withheld

SLACK_S = 1.0
"""Clocks of one machine, read by different processes."""
CLOSING_S = 30.0
"""So long after her click an advisor may still have the floor: the click has to arrive first."""
WINDOW_MAX = 5
"""Messages that the platform takes after one of hers (wechat-api.md 3.3)."""
LATE_CALLBACK_S = 16.0
"""The third delivery of a callback comes ten seconds after the first, and may take another five."""
SHORT_WINDOW_S = 55.0
"""How long the window after a scan stays open for us (wechat-api.md 3.3, delivery.md 2.2)."""
CALL_MAX_S = 10.0
"""So long a request is under way at most (delivery.md 3.1); it may outlive the process that made it."""
BACKLOG_S = 65.0
"""So long after an outage an account may rest, and what waits for it grows."""


@dataclass(slots=True)
class Excuses:
    """Hands every row of the outbox out once."""

    seen: Seen
    answers: Answers
    used: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _free: dict[tuple[str, str], list[Row]] = field(default_factory=lambda: defaultdict(list))
    _deaths: dict[str, list[Blow]] = field(default_factory=lambda: defaultdict(list))
    _unplanned: dict[tuple[str, str], list[Withheld]] = field(default_factory=lambda: defaultdict(list))
    _failed: set[Event] = field(default_factory=set)
    _ended: set[Event] = field(default_factory=set)
    _lie_of: dict[str, Lie] = field(default_factory=dict)
    _rows_of: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    _writings: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for row in self.seen.rows:
            self._free[row.conversation, row.content].append(row)
            self._rows_of[row.conversation].append(row)
        for one in self.seen.withheld:
            self._unplanned[one.conversation, one.content].append(one)
        for blow in self.seen.blows:
            for effect_id in blow.sending:
                self._deaths[effect_id].append(blow)
        for event, deed in self.seen.deeds.items():
            self._writings[event.customer].append((deed.at, deed.acked_at or self.seen.last_at))
        for customer, looks in self.seen.looks.items():
            self._writings[customer] += [(look.at, look.acked_at or self.seen.last_at) for look in looks]
        for customer, deed in self.seen.opt_outs.items():
            self._writings[customer].append((deed.at, deed.acked_at or self.seen.last_at))

    def for_missing(self, token: Token, promise: Promise) -> str:
        """Why a message that never came may be missing; empty: it may not."""
        if token.event in self._failed or self._was_never_asked(token.event):
            # Its journey has ended at the message that did not fit into the window any more.
            return "backlog"
        if promise.after_s and token.event in self._ended:
            return "backlog"
        reason = self._as_answer(token, promise) or self._gone(token, promise)
        if reason in ("backlog", "window closed", "window used"):
            # What was to come later ends with its journey, at a message that the window did not let out.
            self._ended.add(token.event)
        return reason

    def _gone(self, token: Token, promise: Promise) -> str:
        """What came of its plan. What was decided first is its own; what was decided later is another message's."""
        if self._decided_at(token, promise) <= self._withheld_at(token, promise):
            return self._take(token, promise, lambda row: self._why_gone(row, token)) or self._withheld(token, promise)
        return self._withheld(token, promise) or self._take(token, promise, lambda row: self._why_gone(row, token))

    def _decided_at(self, token: Token, promise: Promise) -> float:
        since = self.seen.deeds[token.event].at - SLACK_S
        return min((row.planned_at for row in self._rows(token, promise) if row.planned_at >= since), default=math.inf)

    def _withheld_at(self, token: Token, promise: Promise) -> float:
        since = self.seen.deeds[token.event].at - SLACK_S
        found = self._unplanned[f"oa:main:{openid(token.event.customer)}", promise.content]
        return min((one.at for one in found if one.at >= since), default=math.inf)

    def _was_never_asked(self, event: Event) -> bool:
        letter = ANSWERS.get(event.letter)
        return letter is not None and Event(letter, event.customer, event.number - 1) in self._failed

    def _as_answer(self, token: Token, promise: Promise) -> str:
        """Why the thanks for these words may be missing, when a question that waited has taken them for its answer."""
        event = token.event
        question = self.answers.open_before(event)
        if event.letter in ANSWERS or question is None or token.ordinal > 1:
            return ""
        thanks = PROMISES["a"][1]
        thanked_at = min(self._decided_at(token, thanks), self._withheld_at(token, thanks))
        if min(self._decided_at(token, promise), self._withheld_at(token, promise)) <= thanked_at:
            return ""
        reason = self._gone(Token(event, 1), thanks)
        if reason:
            self.answers.take(question, event)
            self._failed.add(event)
        return reason

    def is_straggler(self, token: Token, promise: Promise, came_at: float) -> bool:
        """Whether its request outlived the process that made it: then it may come after what was sent since."""
        talk = f"oa:main:{openid(token.event.customer)}"
        return any(
            blow.at - SLACK_S <= came_at <= row_at + CALL_MAX_S + SLACK_S and row_at <= blow.at + SLACK_S
            for effect_id, row_at in self._sendings(talk, promise.content)
            for blow in self._deaths[effect_id]
        )

    def _sendings(self, talk: str, content: str) -> Iterator[tuple[str, float]]:
        for row in self._rows_of[talk]:
            # Of a repeat the row tells only the second beginning; the first was before it was put off.
            if row.content == content and (row.state == "unknown" or row.repeats > 0):
                yield row.effect_id, row.started_at if row.repeats == 0 else row.not_before

    def for_repeat(self, token: Token, promise: Promise, first_at: float, again_at: float) -> str:
        """Why a message may have come a second time; empty: it may not."""

        def why(row: Row) -> str:
            if row.repeats == 0:
                return ""
            deaths = [b for b in self._deaths[row.effect_id] if first_at - SLACK_S <= b.until and b.at <= again_at]
            return "death" if deaths else self._stop(first_at, again_at)

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
        """Why it was never planned: an outage had left more waiting than the window can hold, or an advisor talked."""
        deed = self.seen.deeds[token.event]
        talk = f"oa:main:{openid(token.event.customer)}"
        for one in self._unplanned[talk, promise.content]:
            reason = self._why_withheld(one, token.event.customer, deed.at) if one.at >= deed.at - SLACK_S else ""
            if reason:
                self._unplanned[talk, promise.content].remove(one)
                self.used[reason] += 1
                if reason in ("backlog", "window closed"):
                    self._failed.add(token.event)
                return reason
        return ""

    def _why_withheld(self, one: Withheld, customer: int, since: float) -> str:
        match one.reason:
            case "window_closed" if one.at - since >= SHORT_WINDOW_S and self._is_outage(customer, since, one.at):
                return "window closed"
            case "window_used":
                return "backlog" if self._is_backlog(customer, one.at) else ""
            case "human_has_floor":
                return "floor" if self._is_in_talk(customer, one.at) else ""
            case _:
                return ""

    def _is_in_talk(self, customer: int, at: float) -> bool:
        return any(began - SLACK_S <= at <= ended + CLOSING_S for began, ended in self.seen.talks.get(customer, ()))

    def _is_backlog(self, customer: int, at: float) -> bool:
        """Whether the window was full of what had come or waited, and an outage is why something waited."""
        last = max((written for written, _ in self._writings[customer] if written <= at), default=0.0)
        held, since = 0, at
        for when, token in self.seen.transcript[customer]:
            deed = self.seen.deeds.get(token.event)
            if deed is None or deed.at > at:
                continue
            if when > at:
                since = min(since, deed.at)
            held += when >= last - LATE_CALLBACK_S
        for row in self._rows_of[f"oa:main:{openid(customer)}"]:
            if row.planned_at <= at + SLACK_S and (row.state != "unknown" or row.planned_at >= last - LATE_CALLBACK_S):
                held += row.state != "sent"
                since = min(since, row.planned_at)
        return held >= WINDOW_MAX - 1 and self._is_outage(customer, since, at)

    def _is_outage(self, customer: int, begins: float, ends: float) -> bool:
        """Whether something kept messages to her from leaving, at some time of this span."""
        who = openid(customer)
        spans = [(blow.at, blow.until + BACKLOG_S) for blow in self.seen.blows]
        spans += [(fault.at, fault.until + BACKLOG_S) for fault in self.seen.faults.values() if fault.name in RESTS]
        spans += [(when, when + PUT_OFF_S + BACKLOG_S) for when in self.seen.put_off.get(who, ())]
        return any(start - SLACK_S <= ends and begins <= stop for start, stop in spans)

    def _rows(self, token: Token, promise: Promise) -> Iterator[Row]:
        if not promise.to_staff:
            yield from list(self._free[f"oa:main:{openid(token.event.customer)}", promise.content])
            return
        to, who = self.seen.receivers.get(token, ""), openid(token.event.customer)
        for (conversation, content), rows in self._free.items():
            if content == promise.content and conversation.startswith("app:") and conversation.endswith(to):
                # Before: the cards of two customers, waiting at two advisors, excused one another's absence.
                yield from [row for row in rows if row.customer == who]

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
                return "floor" if self._is_in_talk(customer, row.settled_at) else ""
            case "ready", _ if self._waits_for_quota(row):
                return "quota"
            case "ready", _ if self.seen.is_over_rate(row.conversation.rsplit(":", 1)[-1]):
                return "member's hour"
            case "ready", _ if row.not_before > self.seen.last_at:
                # An advisor talked to her, and whatever is no answer waits until her silence has lasted long enough.
                return "put off" if self.seen.talks.get(customer) else ""
            case "suppressed", "window_closed":
                # The minute after a scan was over before its turn came.
                is_over = row.settled_at - self.seen.deeds[token.event].at >= SHORT_WINDOW_S
                return "window closed" if is_over and self._is_outage(customer, row.planned_at, row.settled_at) else ""
            case ("refused", "count") | ("suppressed", "window_used"):
                if self._is_used_up(customer, row.settled_at):
                    return "window used"
                is_late = row.state == "suppressed" and self._is_backlog(customer, row.settled_at)
                return "backlog" if is_late else ""
            case _:
                return ""

    def _is_used_up(self, customer: int, at: float) -> bool:
        """Whether the platform had taken, since she last did something, as many messages as it takes at all."""
        last = max((written for written, _ in self._writings[customer] if written <= at), default=0.0)
        # Her event may have reached us long after she wrote; what she wrote since does not count for it yet.
        came = [when for when, _ in self.seen.transcript[customer] if last - LATE_CALLBACK_S <= when <= at]
        refused = any(who == openid(customer) and when <= at + SLACK_S for who, when in self.seen.full)
        return refused or len(came) >= WINDOW_MAX

    def _waits_for_quota(self, row: Row) -> bool:
        """Whether the platform has put it off, or one before it in its conversation."""
        refused = self.seen.put_off.get(row.conversation.rsplit(":", 1)[-1], ())
        return any(at + PUT_OFF_S + BACKLOG_S > self.seen.last_at for at in refused)

    def _why_unknown(self, row: Row) -> str:
        if self._deaths[row.effect_id]:
            return "death"
        if row.effect_id in self._lie_of or self._is_lied_about(row):
            return "lost reply"
        return self._stop(row.planned_at, row.settled_at or self.seen.last_at)

    def _is_lied_about(self, row: Row) -> bool:
        """Take the last request in its time that nobody else's row is about, if there is one."""
        lies = self.seen.lied_to.get(row.conversation.rsplit(":", 1)[-1], [])
        ends = (row.settled_at or self.seen.last_at) + SLACK_S
        fitting = [lie for lie in lies if row.planned_at - SLACK_S <= lie.at <= ends]
        if not fitting:
            return False
        self._lie_of[row.effect_id] = fitting[-1]
        lies.remove(fitting[-1])
        return True

    def _stop(self, begins: float, ends: float) -> str:
        """Whether the product stood still in the middle of it."""
        for blow in self.seen.blows:
            if blow.kind == "stop" and blow.at - SLACK_S <= ends and begins <= blow.until + SLACK_S:
                return "stop"
        return ""


def openid(customer: int) -> str:
    """Who the platform calls this customer."""
    return f"oBuyer{customer:022d}"
