"""What the journal tells of an operator's decision, whatever it was about."""

from bot.core.effects import Trace
from bot.core.events import Json
from bot.core.ids import CustomerId
from bot.storage import JournalLine, Transaction

JOURNAL_KIND = "operator"
"""Kind of the journal's line and of its trace."""


def journal(tx: Transaction, customer_id: CustomerId, *, journey: str = "", **detail: Json) -> None:
    """Write down in this customer's journal what was decided now."""
    trace = Trace(kind=JOURNAL_KIND, journey=journey, detail=detail)
    tx.journal.append([JournalLine(customer_id=customer_id, kind=JOURNAL_KIND, at=tx.now, entries=(trace,))])
