"""One customer on a stage: a test says what she and the advisors do, and reads what they get, as in a chat.

Texts are read and steps are made exactly as the runtime makes them; time is a number. A message that is planned
for now leaves at once: the platform takes it unless the test says otherwise.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from bot import understanding
from bot.core import departure, ledger, policy
from bot.core.arrival import Arrival, DeskRead, EventArrived, Facts, Needs, Step, TimerDue
from bot.core.customer import Conversation, Customer, Enrolment
from bot.core.effects import CloseDesk, OpenDesk, SaveTask, SendMessage, SuppressSends
from bot.core.events import Event, Json
from bot.core.ids import ConversationId, CustomerId, EffectId, EventId, StaffId
from bot.core.messages import Card, Menu
from bot.core.program import Program
from bot.core.step import exits, step
from bot.core.step.receipts import receipt_fields
from tests.unit.step.invariants import broken
from tests.unit.step.turn import Turn
from tests.unit.step.worlds import RULES, STAFF, world

SHANGHAI = ZoneInfo("Asia/Shanghai")
MORNING = datetime(2026, 12, 1, 10, 0, tzinfo=SHANGHAI).astimezone(UTC)
"""A Tuesday, in office hours."""
READS_MAX = 3
TIMERS_MAX = 1000
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def length(text: str) -> timedelta:
    """`1h30m` as a duration."""
    return timedelta(**{_UNITS[unit]: int(number) for number, unit in re.findall(r"(\d+)([smhd])", text)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """A send under way: reserved, `sending`, and no verdict yet. `heard_at` as in a receipt."""

    send: SendMessage
    bucket_id: EventId | None
    heard_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumed:
    """An arrival that was stepped, with all that the step was made of besides the customer."""

    program: Program
    arrival: Arrival
    now: datetime
    facts: Facts


class Play:
    """Each act returns what the customer is told; `turn` holds all that came of it.

    `refusals`: what the platform says to the next messages to her, an empty one takes it. `history`: what changed her,
    in its order: arrivals that were stepped, and what the dispatcher wrote.
    """

    def __init__(
        self,
        *journeys: str,
        program: Program | None = None,
        at: datetime = MORNING,
        rules: str = RULES,
        staff: str = STAFF,
        contents: tuple[tuple[str, str], ...] = (),
        files: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.program = program or world(*journeys, rules=rules, staff=staff, contents=contents, files=files)
        self.now = at
        self.customer = Customer(customer_id=CustomerId(1), version=0)
        self.turn = Turn()
        self.outbox: list[SendMessage] = []
        self.sent: list[SendMessage] = []
        self.loads: dict[str, int] = {}
        self.desks: dict[StaffId, ConversationId | None] = {}
        self.refusals: list[str] = []
        self.steps: list[Step] = []
        self.history: list[Consumed | Callable[[Customer], Customer]] = []
        self.flying: dict[str, Flight] = {}
        self._held: set[str] = set()
        self._codes: set[str] = set()
        self._planned_at: dict[EffectId, datetime] = {}
        self._number = 0

    # what the customer does

    def follow(self, scene: str | None = None) -> list[str]:
        return self._act("oa.follow", scene=scene)

    def unfollow(self) -> list[str]:
        return self._act("oa.unfollow")

    def scan(self, scene: str) -> list[str]:
        return self._act("oa.scan", scene=scene)

    def menu(self, key: str) -> list[str]:
        return self._act("oa.click", key=key)

    def say(self, text: str, *, openid: str = "openid") -> list[str]:
        return self._act("message", openid=openid, kind="text", text=text)

    def show(self, kind: str) -> list[str]:
        """She sends a picture, a voice message and the like."""
        return self._act("message", kind=kind, media_id="m")

    def tap(self, text: str, *, of: SendMessage | None = None) -> list[str]:
        """She taps a line of the latest menu, or of an older one."""
        return self.tap_id(self.choice(text, of=of), text)

    def tap_id(self, menu_id: str, text: str = "") -> list[str]:
        return self._act("message", kind="menu_tap", text=text, menu_id=menu_id)

    def choice(self, text: str, *, of: SendMessage | None = None) -> str:
        """The id of a line of the latest menu that left, or of an older one."""
        menu = of or self.latest_menu()
        assert isinstance(menu.message, Menu), "only a menu has lines to tap"
        return next(one.choice_id for one in menu.message.choices if one.text == text)

    def latest_menu(self) -> SendMessage:
        return next(send for send in reversed(self.sent) if isinstance(send.message, Menu))

    # what our people do

    def click(self, key: str, *, by: str, card: str = "") -> list[str]:
        """An advisor presses a button of her latest card, or of the one with this title."""
        found = next(one for one in reversed(self.cards(by)) if card in one.title and one.title)
        return self.click_id(found.task_id, key, by=by)

    def click_id(self, task_id: str, key: str, *, by: str) -> list[str]:
        return self._act("card.clicked", openid=by, task_id=task_id, key=key, response_code=f"code-{self._number}")

    def cards(self, staff_id: str) -> list[Card]:
        return [s.message for s in self.sent if s.to == staff_id and isinstance(s.message, Card)]

    def advisor(self, text: str, *, by: str) -> list[str]:
        return self._act("advisor.said", openid=by, text=text, staff_id=by)

    def said_into(self, conversation: ConversationId, text: str, *, by: str) -> list[str]:
        """The same, typed while this conversation is on her desk."""
        return self._act("advisor.said", openid=by, text=text, staff_id=by, conversation_id=conversation)

    # what the world does

    def event(self, kind: str, /, **fields: Json) -> list[str]:
        return self._play(self._arrived(kind, "openid", fields))

    def receipt(self, kind: str, of: SendMessage, reason: str) -> list[str]:
        """The platform's verdict on a message that left."""
        return self._play(self._arrived(kind, "", self._told(of, reason)))

    def hold(self, content: str) -> None:
        """The platform does not answer for the next message of this content: it is under way until `settle`."""
        self._held.add(content)

    def settle(self, content: str, verdict: Literal["sent", "refused", "unknown"] = "sent", why: str = "") -> list[str]:
        """The platform's verdict on the message under way; what waited behind it in its conversation follows."""
        self.turn = Turn()
        flight = self.flying.pop(content)
        if verdict == "refused":
            self._give_back(flight, why)
        if verdict != "sent":
            told = self._told(flight.send, why or "no_verdict", heard_at=flight.heard_at)
            self.arrive(self._arrived(f"send.{verdict}", "", told))
        self._send_due()
        return self.turn.said()

    def wait(self, duration: str) -> list[str]:
        """Time passes; what becomes due on the way happens in its order."""
        return self.wait_until(self.now + length(duration))

    def wait_until(self, end: datetime) -> list[str]:
        self.turn = Turn()
        for _ in range(TIMERS_MAX):
            due = self._next_due()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            self._send_due()
            timer = min(self.customer.timers, key=lambda timer: timer.due_at, default=None)
            if timer is not None and timer.due_at <= self.now:
                self.arrive(TimerDue(timer=timer))
                self._send_due()
        self.now = end
        return self.turn.said()

    def clock(self, wall: str) -> datetime:
        """The next moment at which clocks in Shanghai show `wall`."""
        hour, minute = map(int, wall.split(":"))
        found = self.now.astimezone(SHANGHAI).replace(hour=hour, minute=minute, second=0, microsecond=0)
        return (found if found > self.now else found + timedelta(days=1)).astimezone(UTC)

    def reload(self, *journeys: str, rules: str = RULES, staff: str = STAFF) -> None:
        """Marketers apply another set of files while the customer is on her way."""
        self.program = world(*journeys, rules=rules, staff=staff)

    # what a test looks at

    @property
    def talk(self) -> Conversation:
        """Her conversation with the account."""
        return self.customer.conversations[ConversationId("oa:main:openid")]

    def run(self, journey: str) -> Enrolment:
        """The enrolment in `journey`."""
        return next(run for run in self.customer.enrolments.values() if run.journey == journey)

    def at(self) -> dict[str, str]:
        """Journey → state of every enrolment; a stuck one's state begins with an exclamation mark."""
        marks = {"active": "", "stuck": "!"}
        return {run.journey: marks[run.status] + run.state for run in self.customer.enrolments.values()}

    def ended(self, journey: str) -> str | None:
        """How the last run of `journey` ended, None: it never did."""
        past = self.customer.past.get(f"{journey}|")
        return past.end if past else None

    def due(self, timer_id: str) -> timedelta:
        """How long until this timer."""
        return next(t.due_at for t in self.customer.timers if t.timer_id == timer_id) - self.now

    def planned(self, content: str) -> SendMessage:
        """The latest message of `content` that left."""
        return next(send for send in reversed(self.sent) if send.content == content)

    def sends_of(self, found: Step) -> list[SendMessage]:
        return [effect for effect in found.effects if isinstance(effect, SendMessage)]

    # how it is done

    def _act(self, kind: str, /, *, openid: str = "openid", **fields: Json) -> list[str]:
        return self._play(self._arrived(kind, openid, fields))

    def _play(self, arrival: Arrival) -> list[str]:
        self.turn = Turn()
        self.arrive(arrival)
        self._send_due()
        return self.turn.said()

    def _arrived(self, kind: str, sender: str, fields: Mapping[str, Json]) -> EventArrived:
        self._number += 1
        channel = "app" if kind in ("card.clicked", "advisor.said") else "oa"
        event = Event(
            event_id=EventId(f"event-{self._number}"),
            type=kind,
            channel=channel,
            account="main",
            sender=sender,
            occurred_at=self.now,
            fields=fields,
        )
        return understanding.arrived(event, self.customer, self.program)

    def arrive(self, arrival: Arrival) -> None:
        facts = Facts()
        for _ in range(1 + READS_MAX):
            found = step(self.program, self.customer, arrival, self.now, facts)
            assert found == step(self.program, self.customer, arrival, self.now, facts), "a step is not deterministic"
            if isinstance(found, Step):
                _check_taken(arrival, found)
                self.history.append(Consumed(program=self.program, arrival=arrival, now=self.now, facts=facts))
                self._keep(found)
                return
            assert isinstance(found, Needs)
            desks = {read.staff_id: self.desks.get(read.staff_id) for read in found.reads if isinstance(read, DeskRead)}
            loads = {StaffId(name): count for name, count in self.loads.items()}
            facts = Facts(advisor_loads=loads, desks={**facts.desks, **desks})
        raise AssertionError("a step asks for reads again and again")

    def _keep(self, found: Step) -> None:
        self.customer = found.customer
        self.steps.append(found)
        self.turn.effects += found.effects
        self.turn.journal += found.journal
        held_back = {name for e in found.effects if isinstance(e, SuppressSends) for name in e.effect_ids}
        self.outbox += [effect for effect in found.effects if isinstance(effect, SendMessage)]
        self.outbox = [send for send in self.outbox if send.effect_id not in held_back]
        self._planned_at |= {effect.effect_id: self.now for effect in self.sends_of(found)}
        for effect in found.effects:
            match effect:
                case SaveTask(status="open", staff_id=staff_id) if staff_id:
                    self.loads[staff_id] = self.loads.get(staff_id, 0) + 1
                case OpenDesk():
                    self.desks[effect.staff_id] = effect.conversation_id
                case CloseDesk() if self.desks.get(effect.staff_id) == effect.conversation_id:
                    self.desks[effect.staff_id] = None
        codes = [s.message.response_code for s in self.sends_of(found) if isinstance(s.message, Card)]
        codes = [code for code in codes if code]
        assert not self._codes.intersection(codes) and len(set(codes)) == len(codes), "a one-use code is used twice"
        self._codes.update(codes)
        faults = broken(self.customer, self.program)
        assert faults == [], faults

    def _send_due(self) -> None:
        """Let everything leave that may leave now, asking the policy once more as the dispatcher does."""
        self._expire()
        while free := [send for send in self.outbox if self._may_go(send)]:
            send = free[0]
            self.outbox.remove(send)
            heard_at = departure.last_heard(self.customer, send.conversation_id)
            reason = self._dispatch(send)
            if reason:
                told = self._told(send, reason, heard_at=heard_at)
                self.arrive(self._arrived("send.refused", "", told))

    def _may_go(self, send: SendMessage) -> bool:
        """One message of a conversation is under way at a time."""
        under_way = {flight.send.conversation_id for flight in self.flying.values()}
        return (send.not_before or self.now) <= self.now and send.conversation_id not in under_way

    def _expire(self) -> None:
        for send in [send for send in self.outbox if send.expires_at is not None and send.expires_at <= self.now]:
            self.outbox.remove(send)
            self._drop(send)
            self.arrive(self._arrived("send.expired", "", self._told(send, "expired")))

    def _dispatch(self, send: SendMessage) -> str:
        """Why the message did not leave, or empty."""
        planned_at = self._planned_at[send.effect_id]
        stale = departure.overtaken(self.customer, send, planned_at, is_repeat=False)
        if stale:
            self._drop(send)
            return ""
        if exits.stands_in_the_way(self.program, self.customer, send, now=self.now):
            self._drop(send)
            self.arrive(EventArrived(event=exits.check_event(send, self.now)))
            return ""
        request = departure.request_of(send, self.customer, planned_at)
        verdict = policy.judge(request, customer=self.customer, rules=self.program.rules, now=self.now)
        match verdict:
            case policy.Defer():
                until = departure.leaves_from(verdict, self.customer.customer_id)
                self.outbox.append(replace(send, not_before=until))
                unsent = departure.unsent_of(send, not_before=until)
                self._write(lambda customer: ledger.record_deferred(customer, send.conversation_id, unsent))
                return ""
            case policy.Refuse(reason=reason):
                self._drop(send)
                return "" if reason in departure.WITHHELD_FOR_GOOD else reason
            case policy.Allow(bucket_id=bucket_id):
                now, rules = self.now, self.program.rules
                self._write(
                    lambda customer: ledger.record_sent(customer, request, bucket_id=bucket_id, now=now, rules=rules)
                )
                self.sent.append(send)
                heard_at = departure.last_heard(self.customer, send.conversation_id)
                return self._answer(Flight(send=send, bucket_id=bucket_id, heard_at=heard_at))

    def _answer(self, flight: Flight) -> str:
        """What the platform says at once: nothing while the test holds the message, else why not, or empty."""
        content = flight.send.content
        if content in self._held:
            self._held.discard(content)
            self.flying[content] = flight
            return ""
        refusal = self.refusals.pop(0) if self.refusals and flight.send.send_class != "staff" else ""
        if refusal:
            self._give_back(flight, refusal)
        return refusal

    def _give_back(self, flight: Flight, why: str) -> None:
        refusal = ledger.Refusal(
            effect_id=flight.send.effect_id, bucket_id=flight.bucket_id, reason=why, heard_at=flight.heard_at
        )
        self._write(lambda customer: ledger.record_refused(customer, flight.send.conversation_id, refusal))

    def _drop(self, send: SendMessage) -> None:
        self._write(lambda customer: ledger.record_dropped(customer, send.effect_id))

    def _write(self, change: Callable[[Customer], Customer]) -> None:
        """What the dispatcher writes of her between two steps."""
        self.history.append(change)
        self.customer = change(self.customer)

    def _told(self, send: SendMessage, reason: str, *, heard_at: datetime | None = None) -> dict[str, Json]:
        planned_at = self._planned_at[send.effect_id]
        return receipt_fields(send, reason=reason, planned_at=planned_at, heard_at=heard_at)

    def _next_due(self) -> datetime | None:
        moments = [timer.due_at for timer in self.customer.timers]
        moments += [send.not_before for send in self.outbox if send.not_before]
        moments += [send.expires_at for send in self.outbox if send.expires_at]
        return min(moments, default=None)


def _check_taken(arrival: Arrival, found: Step) -> None:
    """No message is lost: the journal says who took it, once."""
    takers = [trace.detail for trace in found.journal if trace.kind == "taken"]
    wanted = isinstance(arrival, EventArrived) and arrival.event.type == "message"
    assert len(takers) == wanted, f"a message is taken by {takers}"
