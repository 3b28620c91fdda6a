"""Looks at every transaction and every call, and says which invariant does not hold (benchmarks.md 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any  # Any: a slot of a table that is being kept

from bot.core import windows
from bot.core.customer import Customer
from bot.core.effects import SendMessage
from bot.core.events import Event
from bot.core.program import Program
from bot.runtime.dispatch import Standing
from bot.runtime.stepping import Batch
from bot.storage import KeyRing
from tests.simulation import at_rest, rules
from tests.simulation.carrier import Envelope, Said
from tests.simulation.clocks import START, LoopClock
from tests.simulation.disk import Disk
from tests.simulation.loop import Killed, VirtualLoop
from tests.simulation.partner import Partner
from tests.simulation.platforms import Platforms
from tests.simulation.plots import Act
from tests.simulation.product import Product
from tests.simulation.rows import FLYING, Heard, Line, Send, customer_of, heard_of, line_of, send_of
from tests.simulation.swarm import Label
from tests.simulation.wire import GRANTS, Request

LOG_MAX = 200_000
BROKEN_MAX = 10
TOKEN_CODES = frozenset({40001, 40014, 42001})
TOKEN_DROPPED_S = 900.0
"""An account whose newest token is refused probes with it, and asks for another every ten minutes."""
_GONE = object()


@dataclass(slots=True, kw_only=True)
class Change:
    """What one job wrote: rows before and after."""

    sends: list[tuple[Send | None, Send]] = field(default_factory=list)
    heard: list[tuple[Heard | None, Heard]] = field(default_factory=list)
    customers: list[tuple[Customer | None, Customer]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    parked: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Ledger:
    """All that the watch knows: the rows as they are now, and what the outside saw."""

    disk: Disk
    program: Program
    clock: LoopClock
    loop: VirtualLoop
    sends: dict[int, Send] = field(default_factory=dict)
    effects: dict[str, int] = field(default_factory=dict)
    heard: dict[int, Heard] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    customers: dict[int, Customer] = field(default_factory=dict)
    caused_by: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    acknowledged: dict[str, float] = field(default_factory=dict)
    receipts: dict[str, list[str]] = field(default_factory=dict)
    answered: dict[str, list[Event]] = field(default_factory=dict)
    welcomed: dict[int, float] = field(default_factory=dict)
    seen_in: dict[str, int] = field(default_factory=dict)
    carried_in: dict[int, int] = field(default_factory=dict)
    fired: dict[int, list[tuple[int, datetime, str]]] = field(default_factory=dict)
    due: dict[tuple[int, str], datetime] = field(default_factory=dict)
    in_air: dict[str, int] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    jobs: int = 0
    began_at: datetime = START


@dataclass(slots=True, kw_only=True)
class Watch:
    """Implements the storage's witness and the line's observer."""

    disk: Disk
    keys: KeyRing
    program: Program
    clock: LoopClock
    loop: VirtualLoop
    mines: list[tuple[Label, int]]
    platforms: Platforms = field(init=False)
    product: Product = field(init=False)
    partner: Partner = field(init=False)
    ledger: Ledger = field(init=False)
    broken: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    bodies: dict[bytes, tuple[str, ...]] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    refused: dict[str, float] = field(default_factory=dict)
    acted_in: dict[str, int] = field(default_factory=dict)
    asked_token: dict[str, float] = field(default_factory=dict)
    events_count: int = 0
    sends_count: int = 0
    _undo: list[tuple[dict[Any, Any], Any, Any]] = field(default_factory=list)  # Any: as above
    _pending: list[str] = field(default_factory=list)
    _pending_log: list[str] = field(default_factory=list)
    _customers: list[int] = field(default_factory=list)
    _lines_before: int = 0
    _jobs_before: int = 0
    _dies_after: bool = False

    def __post_init__(self) -> None:
        self.ledger = Ledger(disk=self.disk, program=self.program, clock=self.clock, loop=self.loop)

    # the world

    def acted(self, act: Act) -> None:
        """Somebody did something."""
        self._note("act", " ".join(f"{key}={value}" for key, value in act.items()))
        if act["do"] == "unfollow":
            # Whoever leaves is forgotten by the platform; we learn of it with the callback, if that ever comes.
            self.ledger.unsure.add(act["openid"])
        openid, second = act.get("openid", ""), int(self.clock.now().timestamp())
        if openid and self.acted_in.get(openid) == second:
            # Both acts have one time for us, so nobody knows whose window closes first, and is spent first.
            self.ledger.unsure.add(openid)
        self.acted_in[openid] = second

    def struck(self, fault: str, about: str) -> None:
        """A fault happened."""
        self.faults[fault] = self.faults.get(fault, 0) + 1
        self._note("fault", f"{fault} {about}")

    def died(self, how: str) -> None:
        """A life of the product ended."""
        self.faults["death"] = self.faults.get("death", 0) + 1
        self._note("died", how)
        # The next life begins with the token that was kept, and learns anew that it is refused.
        self.refused.clear()

    def noted(self, body: bytes, events: tuple[Event, ...]) -> None:
        """The product read these events in a body."""
        self.bodies[body] = tuple(event.event_id for event in events)

    def answered(self, envelope: Envelope, said: Said) -> None:
        """The product answered a callback."""
        self._note("answered", f"{said.status} {envelope.channel}")
        forged = set(envelope.query.msg_signature) == {"0"}
        if forged and said.status not in (0, 403):
            self.found(f"a forged callback was answered {said.status}")
        if forged or said.status != 200:
            return
        for event_id in self.bodies.get(envelope.body, ()):
            if not self.disk.rows("SELECT 1 FROM inbox WHERE event_id = ?", event_id):
                self.found(f"event {event_id[:12]} was acknowledged and is not committed")
            self.ledger.acknowledged.setdefault(event_id, self.loop.time())

    def leaving(self, request: Request) -> None:
        """A request is about to leave."""
        if request.endpoint.path in GRANTS:
            self.asked_token[request.endpoint.platform] = self.loop.time()
        if request.effect is not None:
            self._fly(request.effect, 1)
        if request.effect is not None and self._goes_off("C3"):
            self._kill()
            raise Killed

    def accepted(self, request: Request, reply: Mapping[str, object]) -> None:
        """The platform has answered a call."""
        effect = request.effect
        if effect is None:
            return
        code = reply.get("errcode", 0)
        self._note("call", f"{request.endpoint.path} {effect.effect_id[:8]} {effect.content} -> {code}")
        if code == 0:
            self.sends_count += 1
            for fault in rules.accepted(self.ledger, effect, receipt=str(reply.get("msgid", ""))):
                self.found(fault)
            if self._goes_off("C4"):
                self._kill()

    def told(self, request: Request, reply: Mapping[str, object]) -> None:
        """The product hears of this reply. A refused token may be all there is; but the platform has to be asked."""
        token = request.query.get("access_token", "")
        if reply.get("errcode", 0) not in TOKEN_CODES:
            # Whatever else it says, as far as the product can tell the token was taken.
            self.refused.pop(token, None)
            return
        now, platform = self.loop.time(), request.endpoint.platform
        since = self.refused.setdefault(token, now)
        if now - since > TOKEN_DROPPED_S and self.asked_token.get(platform, -1.0) < since:
            self.found("a token is used again that was refused long ago, and no other was asked for")

    # transactions

    def job_done(self, result: object) -> None:
        """A job has run; its transaction is open."""
        change = self._change()
        if change is not None:
            self._pending += rules.broken_by(self.ledger, change)
            self._pending_log += rules.told(change)
        if isinstance(result, Batch) and result.worked and self._goes_off("C1"):
            raise Killed
        settled = result if isinstance(result, list) else [result]
        sent = any(isinstance(one, Standing) and one.state == "sent" for one in settled)
        if sent and self._goes_off("C5"):
            raise Killed
        if isinstance(result, Batch) and result.worked and self._goes_off("C2"):
            self._dies_after = True
        if change is not None and self._goes_off("commit"):
            self._dies_after = True

    def settled(self, *, committed: bool) -> None:
        """The transaction is over."""
        if not committed and self._pending_log:
            self._note("rolled back", f"{len(self._pending_log)} rows")
        dies, self._dies_after = self._dies_after, False
        if committed:
            for told in self._pending_log:
                self._note("wrote", told)
            for fault in self._pending:
                self.found(fault)
            for number in sorted(set(self._customers) & self.ledger.customers.keys()):
                for fault in rules.overdrawn(self.ledger, self.ledger.customers[number], self.platforms):
                    self.found(fault)
            self.events_count = len(self.ledger.heard)
        else:
            for table, key, before in reversed(self._undo):
                if before is _GONE:
                    table.pop(key, None)
                else:
                    table[key] = before
            del self.ledger.lines[self._lines_before :]
            self._forget_fired()
        self._undo.clear()
        self._customers.clear()
        self._pending.clear()
        self._pending_log.clear()
        self._lines_before, self._jobs_before = len(self.ledger.lines), self.ledger.jobs
        if dies and committed:
            self._kill()

    def _forget_fired(self) -> None:
        """Timers of a transaction that was rolled back have not fired."""
        for customer, fired in self.ledger.fired.items():
            self.ledger.fired[customer] = [one for one in fired if one[0] <= self._jobs_before]

    def moving(self) -> bool:
        """Whether something is on its way through the product at this moment."""
        on_its_way = any(send.state in FLYING for send in self.ledger.sends.values())
        return on_its_way or any(at_rest.left_over(self))

    def at_rest(self) -> None:
        """Faults are over and time has gone on: nothing may be left to do."""
        for fault in at_rest.left_over(self):
            self.found(fault)

    def unhandled(self, _loop: object, told: Mapping[str, object]) -> None:
        """Something raised, and nobody was there to see it."""
        error = told.get("exception")
        if not isinstance(error, Killed):
            self.found(f"nobody handled: {told.get('message')}: {error!r}")

    def found(self, fault: str) -> None:
        """An invariant does not hold."""
        if len(self.broken) < BROKEN_MAX:
            self.broken.append(fault)
            self._note("BROKEN", fault)

    def _change(self) -> Change | None:
        touched = self.disk.touched()
        if not touched:
            return None
        change, ledger = Change(), self.ledger
        for place, number in sorted(touched):
            match place:
                case "inbox":
                    known = ledger.heard.get(number)
                    row = heard_of(self.disk, self.keys, number, known)
                    change.heard.append((known, row))
                    self._put(ledger.heard, number, row)
                    self._put(ledger.events, row.event.event_id, row.event)
                case "outbox":
                    sent = ledger.sends.get(number)
                    send = send_of(self.disk, self.keys, number, sent)
                    change.sends.append((sent, send))
                    self._put(ledger.sends, number, send)
                    self._put(ledger.effects, send.effect.effect_id, number)
                    self._customers.append(send.customer_id)
                case "customers":
                    before = ledger.customers.get(number)
                    customer = customer_of(self.disk, self.keys, number)
                    change.customers.append((before, customer))
                    self._put(ledger.customers, number, customer)
                    self._customers.append(number)
                case "journal":
                    line = line_of(self.disk, number)
                    change.lines.append(line)
                    ledger.lines.append(line)
                case _:
                    (reason,) = self.disk.rows("SELECT reason FROM parked WHERE lane = ?", number)[0]
                    change.parked.append((number, reason))
        return change

    def _put(self, table: dict[Any, Any], key: object, value: object) -> None:  # Any: one of the tables
        self._undo.append((table, key, table.get(key, _GONE)))
        table[key] = value

    def _goes_off(self, label: Label) -> bool:
        for place, (name, left) in enumerate(self.mines):
            if name == label:
                if left > 0:
                    self.mines[place] = (name, left - 1)
                    return False
                del self.mines[place]
                self.struck("death", label)
                return True
        return False

    def arrived(self, request: Request) -> None:
        """A request has come to its end, accepted or not."""
        if request.effect is not None:
            self._fly(request.effect, -1)
            if self.loop.time() - request.left_at > windows.REQUEST_MAX.total_seconds():
                # Given up long ago, and taken from a window that may have been opened after that.
                self.ledger.unsure.add(request.effect.conversation_id.rpartition(":")[2])

    def _fly(self, effect: SendMessage, change: int) -> None:
        known = self.ledger.in_air
        known[effect.conversation_id] = known.get(effect.conversation_id, 0) + change

    def _kill(self) -> None:
        if self.product.life is not None:
            self.product.life.end()

    def _note(self, kind: str, what: str) -> None:
        if len(self.log) < LOG_MAX:
            self.log.append(f"{self.loop.time():.4f} {kind} {what}")
