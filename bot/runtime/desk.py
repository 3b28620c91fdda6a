"""The lane of an account: what advisors type into the application is carried to the customer they have open."""

from dataclasses import replace
from datetime import datetime

from bot.core.effects import SendMessage
from bot.core.events import Event
from bot.core.ids import CustomerId, EffectId, StaffId, effect_id
from bot.core.messages import Text
from bot.core.step.sending import EXPIRES_AFTER, staff_conversation
from bot.storage import Claimed, Desk, Lane, Planned, Transaction

ROSTER_MAX = 10
NOBODY = "您现在没有打开的会话，也没有正在跟进的客户。接受任务卡片后即可与客户对话。"
UNTITLED = "（标题打不开）"
TOO_EARLY = "您的消息“{words}”没有送达：现在的会话是在它之后才打开的。需要的话，请打开要发的会话再发一次。"
WORDS_SHOWN = 60
"""Characters of her own words that she is shown, to know them by."""
CHOOSE = "您现在没有打开的会话。请在任务卡片上点“打开会话”。您跟进的客户：\n{roster}"


def take(tx: Transaction, lane: Lane, row: Claimed, now: datetime) -> bool:
    """Deal with one event of an account's lane. Kinds without use here are only to be consumed.

    True: it was carried into the lane of a customer, and waits there to be stepped.
    """
    event = row.event
    if event.type != "advisor.said":
        return False
    desk = tx.desks.conversation_of(event.account, StaffId(event.sender))
    if desk is None:
        _answer(tx, lane, event, text=_roster_words(tx, event), now=now)
        return False
    if event.occurred_at < desk.opened_at:
        # They come late, as out of quarantine, and were typed with another customer open.
        words = str(event.fields.get("text") or "")[:WORDS_SHOWN]
        _answer(tx, lane, event, text=TOO_EARLY.format(words=words), now=now)
        return False
    _carry(tx, row, desk)
    return True


def _carry(tx: Transaction, row: Claimed, desk: Desk) -> None:
    """The row keeps its place in time: it goes before a click of hers that came later."""
    told = {
        **row.event.fields,
        "staff_id": desk.staff_id,
        "conversation_id": desk.conversation_id,
        "several": _follows_others(tx, desk),
    }
    tx.lanes.readdress(row.seq, replace(row.event, fields=told), to=desk.customer_id)


def _follows_others(tx: Transaction, desk: Desk) -> bool:
    """Whether she might have meant somebody else: she has accepted another customer too, whose words she reads."""
    lines = tx.desks.roster(desk.staff_id)
    return any(line.customer_id != desk.customer_id and line.status != "open" for line in lines)


def _roster_words(tx: Transaction, event: Event) -> str:
    entries = tx.desks.roster(StaffId(event.sender))[:ROSTER_MAX]
    roster = "\n".join(f"· {entry.title or UNTITLED}" for entry in entries)
    return CHOOSE.format(roster=roster) if entries else NOBODY


def _answer(tx: Transaction, lane: Lane, event: Event, *, text: str, now: datetime) -> None:
    """Tell her that her words went nowhere, and why."""
    staff_id = StaffId(event.sender)
    note = SendMessage(
        effect_id=EffectId(effect_id(event.event_id, staff_id, "roster", 0)),
        conversation_id=staff_conversation(event.account, staff_id),
        channel="app",
        account=event.account,
        to=staff_id,
        message=Text(text=text),
        content="@roster",
        send_class="staff",
        delivery="at_least_once",
        sequence=0,
        expires_at=now + EXPIRES_AFTER["staff"],
        urgent=True,
    )
    tx.effects.carry_out([Planned(customer_id=CustomerId(lane), effects=[note], at=now)])
