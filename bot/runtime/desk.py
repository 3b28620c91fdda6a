"""The lane of an account: what advisors type into the application is carried to the customer they have open."""

import hashlib
from datetime import datetime

from bot.core.effects import SendMessage
from bot.core.events import Event
from bot.core.ids import CustomerId, EffectId, EventId, StaffId, effect_id
from bot.core.messages import Text
from bot.core.step.sending import staff_conversation
from bot.storage import Desk, Lane, Planned, Transaction

ROSTER_MAX = 10
NOBODY = "您现在没有打开的会话，也没有正在跟进的客户。接受任务卡片后即可与客户对话。"
CHOOSE = "您现在没有打开的会话。请在任务卡片上点“打开会话”。您跟进的客户：\n{roster}"


def take(tx: Transaction, lane: Lane, event: Event, now: datetime) -> None:
    """Deal with one event of an account's lane. Kinds without use here are only consumed."""
    if event.type != "advisor.said":
        return
    staff_id = StaffId(event.sender)
    desk = tx.desks.conversation_of(event.account, staff_id)
    if desk is None:
        _answer_with_roster(tx, lane, event, now)
    else:
        _carry(tx, event, desk, now)


def _follows_others(tx: Transaction, desk: Desk) -> bool:
    """Whether she might have meant somebody else: she has accepted another customer too, whose words she reads."""
    lines = tx.desks.roster(desk.staff_id)
    return any(line.customer_id != desk.customer_id and line.status != "open" for line in lines)


def _carry(tx: Transaction, event: Event, desk: Desk, now: datetime) -> None:
    carried = Event(
        event_id=EventId(hashlib.sha256(f"{event.event_id}|carried".encode()).hexdigest()),
        type="advisor.said",
        channel=event.channel,
        account=event.account,
        sender=event.sender,
        occurred_at=event.occurred_at,
        fields={**event.fields, "staff_id": desk.staff_id, "several": _follows_others(tx, desk)},
        urgent=True,
    )
    tx.lanes.ingest((), received_at=now, addressed=((desk.customer_id, carried),))


def _answer_with_roster(tx: Transaction, lane: Lane, event: Event, now: datetime) -> None:
    staff_id = StaffId(event.sender)
    entries = tx.desks.roster(staff_id)[:ROSTER_MAX]
    roster = "\n".join(f"· {entry.title}" for entry in entries)
    note = SendMessage(
        effect_id=EffectId(effect_id(event.event_id, None, "roster", 0)),
        conversation_id=staff_conversation(event.account, staff_id),
        channel="app",
        account=event.account,
        to=staff_id,
        message=Text(text=CHOOSE.format(roster=roster) if entries else NOBODY),
        content="@roster",
        send_class="staff",
        delivery="at_least_once",
        sequence=0,
        urgent=True,
    )
    tx.effects.carry_out([Planned(customer_id=CustomerId(lane), effects=[note], at=now)])
