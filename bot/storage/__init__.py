"""The only SQL. SQLite embedded, PostgreSQL for more than one machine, the same statements on both."""

from bot.storage.audience import Among, Moment
from bot.storage.bookings import Place, Wanted
from bot.storage.errands import OURS
from bot.storage.figures import Depth, Figures, LaneKind, OpenGaps
from bot.storage.gaps import Missed
from bot.storage.keys import KeyRing, new_key_text
from bot.storage.loyalty import Entry
from bot.storage.occurrences import Occurrence
from bot.storage.outbox import CATCHING_UP
from bot.storage.ownership import served_alone
from bot.storage.rates import Limit, Rate
from bot.storage.rows import (
    Claimed,
    ConsentLine,
    Desk,
    ErrandLine,
    ErrandState,
    ErrandVerdict,
    Gap,
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
    Room,
    SendState,
    SpoiltRow,
    TaskLine,
    Verdict,
)
from bot.storage.schema import migrate, require_migrated
from bot.storage.spoilt import UNREADABLE, UNREADABLE_BEGUN
from bot.storage.storage import Storage
from bot.storage.tidying import Growing
from bot.storage.transaction import Transaction
from bot.storage.waiting import Priority
from bot.storage.writer import Strain

__all__ = [
    "CATCHING_UP",
    "OURS",
    "UNREADABLE",
    "UNREADABLE_BEGUN",
    "Among",
    "Claimed",
    "ConsentLine",
    "Depth",
    "Desk",
    "Entry",
    "ErrandLine",
    "ErrandState",
    "ErrandVerdict",
    "Figures",
    "Gap",
    "Growing",
    "HeadCount",
    "InboxLine",
    "JournalLine",
    "KeyRing",
    "Lane",
    "LaneKind",
    "LeadLine",
    "Leased",
    "Limit",
    "Missed",
    "Moment",
    "Occurrence",
    "OpenGaps",
    "OutboxLine",
    "Outcome",
    "Parked",
    "Place",
    "Planned",
    "Priority",
    "Quarantined",
    "Rate",
    "Room",
    "SendState",
    "SpoiltRow",
    "Storage",
    "Strain",
    "TaskLine",
    "Transaction",
    "Verdict",
    "Wanted",
    "migrate",
    "new_key_text",
    "require_migrated",
    "served_alone",
]
