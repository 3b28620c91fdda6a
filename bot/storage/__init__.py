"""The only SQL. SQLite embedded, PostgreSQL for more than one machine, the same statements on both."""

from bot.storage.keys import KeyRing, new_key_text
from bot.storage.ownership import served_alone
from bot.storage.rows import (
    Claimed,
    ConsentLine,
    Desk,
    HeadCount,
    InboxLine,
    JournalLine,
    Lane,
    LeadLine,
    Leased,
    OutboxLine,
    Outcome,
    Parked,
    Planned,
    Quarantined,
    SendState,
    TaskLine,
    Verdict,
)
from bot.storage.schema import migrate
from bot.storage.storage import Storage
from bot.storage.transaction import Transaction
from bot.storage.waiting import Priority
from bot.storage.writer import Strain

__all__ = [
    "Claimed",
    "ConsentLine",
    "Desk",
    "HeadCount",
    "InboxLine",
    "JournalLine",
    "KeyRing",
    "Lane",
    "LeadLine",
    "Leased",
    "OutboxLine",
    "Outcome",
    "Parked",
    "Planned",
    "Priority",
    "Quarantined",
    "SendState",
    "Storage",
    "Strain",
    "TaskLine",
    "Transaction",
    "Verdict",
    "migrate",
    "new_key_text",
    "served_alone",
]
