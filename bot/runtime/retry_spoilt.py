"""`zhitu retry` for what does not open: it is listed and can be left; all else waits until it opens."""

from bot.core import ledger
from bot.core.ids import CustomerId, EffectId
from bot.errors import BotError, Spoilt
from bot.runtime.decided import journal
from bot.runtime.why.reasons import unopened
from bot.storage import SpoiltRow, Transaction


def refuse(tx: Transaction) -> None:
    """Nothing, when what was just looked for opens. BotError: it does not; says why, and what is possible."""
    for row in tx.spoilt.take():
        hint = f"{unopened(row.error)}；能打开之后再试，不要了就 zhitu retry leave {row.name}"
        raise BotError("这一行还是打不开", where=row.name, hint=hint)


def leave(tx: Transaction, words: str) -> SpoiltRow | None:
    """Give up what rests because it does not open; None: nothing of this id is spoilt.

    A message or an errand stays as it is and is listed no more, a row of the quarantine is gone.
    BotError: somebody else decided meanwhile, it has not come to rest, or her own row does not open.
    """
    name = EffectId(words.strip().upper())
    tx.outbox.of(name)
    tx.errands.of(name)
    found = tx.spoilt.take()
    if not found:
        return _drop_quarantined(tx, words.strip().lower())
    row = found[0]
    if not (tx.deciding.leave(name) if row.table == "outbox" else tx.errands.leave(name)):
        raise BotError("这一行打不开，但没有在等人决定", where=name, hint="zhitu retry 列出在等的")
    if row.lane > 0:
        _note(tx, row, CustomerId(row.lane))
    return row


def forget(tx: Transaction, customer_id: CustomerId, effect_id: EffectId) -> None:
    """Take a message out of what waits to be sent to her, so that it counts no more.

    BotError: her own row does not open. Left as it is, it would count for ever.
    """
    try:
        customer = tx.customers.load([customer_id])[customer_id]
    except Spoilt as error:
        hint = f"{unopened(error)}；能打开之后再试"
        raise BotError("这位客户自己的记录打不开，现在不能不要这条消息", where=effect_id, hint=hint) from error
    after = ledger.record_dropped(customer, effect_id)
    if after is not customer:
        tx.customers.save([(customer, after)])


def _drop_quarantined(tx: Transaction, beginning: str) -> SpoiltRow | None:
    """Drop the row of the quarantine whose id begins so, if it is the only one and does not open."""
    readable = tx.deciding.find_quarantined(beginning) if beginning.isalnum() else ()
    found = tx.spoilt.take()
    if readable or len(found) != 1:
        return None
    tx.lanes.take_from_quarantine(found[0].name)
    return found[0]


def _note(tx: Transaction, row: SpoiltRow, customer_id: CustomerId) -> None:
    """Take it out of what waits to be sent to her, and write down who gave it up."""
    if row.table == "outbox" and not row.is_staff:
        forget(tx, customer_id, EffectId(row.name))
    decision = "leave" if row.table == "outbox" else "leave_errand"
    journal(tx, customer_id, decision=decision, effect=row.name, content=row.what, name=row.what)
