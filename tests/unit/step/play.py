"""One customer on a stage: a test says what she and the advisors do, and reads what they get, as in a chat.

Texts are read and steps are made exactly as the runtime makes them; time is a number. A message that is planned
for now leaves at once: the platform takes it unless the test says otherwise.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot import understanding
from bot.core import policy
from bot.core.arrival import Arrival, EventArrived, Facts, Needs, Step, TimerDue
from bot.core.customer import Conversation, Customer, Enrolment
from bot.core.effects import SaveTask, SendMessage, SuppressSends
from bot.core.events import Event, Json
from bot.core.expectation import expectation
from bot.core.ids import ConversationId, CustomerId, EventId, StaffId
from bot.core.messages import Card, Menu, TemplateMessage
from bot.core.program import Program
from bot.core.step import step
from bot.core.step.receipts import fallback_fields
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


class Play:
    """Each act returns what the customer is told; `turn` holds all that came of it.

    `refusals`: what the platform says to the next messages to her, an empty one takes it.
    """

    def __init__(
        self,
        *journeys: str,
        program: Program | None = None,
        at: datetime = MORNING,
        rules: str = RULES,
        staff: str = STAFF,
        contents: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.program = program or world(*journeys, rules=rules, staff=staff, contents=contents)
        self.now = at
        self.customer = Customer(customer_id=CustomerId(1), version=0)
        self.turn = Turn()
        self.outbox: list[SendMessage] = []
        self.sent: list[SendMessage] = []
        self.loads: dict[str, int] = {}
        self.refusals: list[str] = []
        self.steps: list[Step] = []
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
        return self._act("card.clicked", openid=by, task_id=task_id, key=key, response_code="code")

    def cards(self, staff_id: str) -> list[Card]:
        return [s.message for s in self.sent if s.to == staff_id and isinstance(s.message, Card)]

    def advisor(self, text: str, *, by: str) -> list[str]:
        return self._act("advisor.said", openid=by, text=text, staff_id=by)

    # what the world does

    def event(self, kind: str, /, **fields: Json) -> list[str]:
        return self._play(self._arrived(kind, "openid", fields))

    def receipt(self, kind: str, of: SendMessage, reason: str) -> list[str]:
        """The platform's verdict on a message that left."""
        return self._play(self._arrived(kind, "", _receipt(of, reason)))

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
        text = fields.get("text")
        if kind != "message" or not isinstance(text, str):
            return EventArrived(event=event)
        conversation = ConversationId(f"{channel}:main:{sender}")
        heard = understanding.read(text, expectation(self.customer, self.program, conversation))
        return EventArrived(event=event, understanding=heard)

    def arrive(self, arrival: Arrival) -> None:
        facts = Facts()
        for _ in range(READS_MAX):
            found = step(self.program, self.customer, arrival, self.now, facts)
            assert found == step(self.program, self.customer, arrival, self.now, facts), "a step is not deterministic"
            if isinstance(found, Step):
                self._keep(found)
                return
            assert isinstance(found, Needs)
            facts = Facts(advisor_loads={StaffId(name): count for name, count in self.loads.items()})
        raise AssertionError("a step asks for reads again and again")

    def _keep(self, found: Step) -> None:
        self.customer = found.customer
        self.steps.append(found)
        self.turn.effects += found.effects
        self.turn.journal += found.journal
        held_back = {name for e in found.effects if isinstance(e, SuppressSends) for name in e.effect_ids}
        self.outbox += [effect for effect in found.effects if isinstance(effect, SendMessage)]
        self.outbox = [send for send in self.outbox if send.effect_id not in held_back]
        for effect in found.effects:
            if isinstance(effect, SaveTask) and effect.status == "open" and effect.staff_id:
                self.loads[effect.staff_id] = self.loads.get(effect.staff_id, 0) + 1
        faults = broken(self.customer, self.program)
        assert faults == [], faults

    def _send_due(self) -> None:
        """Let everything leave that may leave now, asking the policy once more as the dispatcher does."""
        due = [send for send in self.outbox if (send.not_before or self.now) <= self.now]
        self.outbox = [send for send in self.outbox if send not in due]
        for send in due:
            reason = self._dispatch(send)
            if reason:
                fields = _receipt(send, reason)
                self.arrive(self._arrived("send.refused", "", fields))
        if any((send.not_before or self.now) <= self.now for send in self.outbox):
            self._send_due()

    def _dispatch(self, send: SendMessage) -> str:
        """Why the message did not leave, or empty."""
        request = _request(send)
        verdict = policy.judge(request, customer=self.customer, rules=self.program.rules, now=self.now)
        match verdict:
            case policy.Defer(until=until):
                self.outbox.append(replace(send, not_before=until))
                return ""
            case policy.Refuse(reason=reason):
                self.customer = policy.record_dropped(self.customer, send.effect_id)
                return reason
            case policy.Allow(bucket_id=bucket_id):
                self.customer = policy.record_sent(
                    self.customer, request, bucket_id=bucket_id, now=self.now, rules=self.program.rules
                )
                self.sent.append(send)
                refusal = self.refusals.pop(0) if self.refusals and send.send_class != "staff" else ""
                if refusal:
                    self.customer = policy.record_refused(
                        self.customer,
                        send.conversation_id,
                        effect_id=send.effect_id,
                        bucket_id=bucket_id,
                        reason=refusal,
                    )
                return refusal

    def _next_due(self) -> datetime | None:
        moments = [timer.due_at for timer in self.customer.timers]
        moments += [send.not_before for send in self.outbox if send.not_before]
        return min(moments, default=None)


def _request(send: SendMessage) -> policy.Request:
    return policy.Request(
        effect_id=send.effect_id,
        send_class=send.send_class,
        conversation_id=send.conversation_id,
        channel=send.channel,
        form="template" if isinstance(send.message, TemplateMessage) else "free",
        reply=send.reply,
    )


def _receipt(send: SendMessage, reason: str) -> dict[str, Json]:
    return {
        "effect_id": send.effect_id,
        "reason": reason,
        "vendor_code": None,
        "content": send.content,
        "send_class": send.send_class,
        "conversation_id": send.conversation_id,
        "enrolment_id": send.enrolment_id,
        "visit": send.visit,
        "fallbacks": fallback_fields(send.fallbacks),
    }
