"""`zhitu retry` for what does not open: it is listed and can be left; all else waits until it opens."""

from bot.core import ledger
from bot.core.effects import Trace
from bot.core.ids import CustomerId, EffectId
from bot.errors import BotError
from bot.storage import JournalLine, SpoiltRow, Transaction

JOURNAL_KIND = "operator"


def refuse(tx: Transaction) -> None:
    """Nothing, when what was just looked for opens. BotError: it does not; says why, and what is possible."""
    for row in tx.spoilt.take():
        hint = f"{row.error.what}；能打开之后再试，不要了就 zhitu retry leave {row.name}"
        raise BotError("这一行还是打不开", where=row.name, hint=hint)


def leave(tx: Transaction, words: str) -> SpoiltRow | None:
    """Give up a message or an errand that rests because it does not open; None: nothing of this id is spoilt.

    BotError: somebody else decided meanwhile, or it has not come to rest.
    """
    name = EffectId(words.strip().upper())
    tx.outbox.of(name)
    tx.errands.of(name)
    found = tx.spoilt.take()
    if not found:
        return None
    row = found[0]
    if not (tx.deciding.leave(name) if row.table == "outbox" else tx.errands.leave(name)):
        raise BotError("这一行打不开，但没有在等人决定", where=name, hint="zhitu retry 列出在等的")
    if row.lane > 0:
        _note(tx, row, CustomerId(row.lane))
    return row


def _note(tx: Transaction, row: SpoiltRow, customer_id: CustomerId) -> None:
    """Take it out of what waits to be sent to her, and write down who gave it up."""
    if row.table == "outbox" and not row.is_staff:
        for customer in tx.customers.load_readable([customer_id]).values():
            tx.customers.save([(customer, ledger.record_dropped(customer, EffectId(row.name)))])
    decision = "leave" if row.table == "outbox" else "leave_errand"
    detail = {"decision": decision, "effect": row.name, "content": row.what, "name": row.what}
    trace = Trace(kind=JOURNAL_KIND, detail=dict(detail))
    tx.journal.append([JournalLine(customer_id=customer_id, kind=JOURNAL_KIND, at=tx.now, entries=(trace,))])
