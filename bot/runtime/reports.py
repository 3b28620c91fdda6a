"""What platforms report later about a template message: it arrived, or it did not. Source: delivery.md 3.4, 3.5."""

from datetime import datetime

from bot.core import ledger
from bot.core.customer import Customer
from bot.core.events import Event
from bot.core.messages import TemplateMessage
from bot.core.step.receipts import receipt_fields
from bot.runtime.receipts import receipt
from bot.storage import OutboxLine, Outcome, Transaction

EVENT_TYPE = "template.finished"
ARRIVED = "success"
RECENT_MAX = 50
"""Rows of one customer among which a send under way is looked for: one that is under way is young."""


def hear(tx: Transaction, customer: Customer, event: Event, now: datetime) -> Customer | None:
    """`customer` once the report is settled: `delivered`, or `refused` with a receipt in her lane.

    None: the report overtook the answer to its own send; it has to be heard again when that is settled. A report
    on a message that nobody knows, or the second one on the same message, changes nothing.
    """
    provider_id = str(event.fields.get("provider_id") or "")
    line = tx.outbox.of_provider(provider_id, channel=event.channel, account=event.account)
    if line is None:
        return None if _under_way(tx, customer) else customer
    if line.customer_id != customer.customer_id:
        return customer
    status = str(event.fields.get("status"))
    if status == ARRIVED:
        tx.outbox.settle([Outcome(effect_id=line.effect.effect_id, verdict="delivered")])
        return customer
    return _refused(tx, customer, line, reason=status, now=now)


def _under_way(tx: Transaction, customer: Customer) -> bool:
    lines = tx.reading.outbox_of(customer.customer_id, limit=RECENT_MAX)
    return any(line.state == "sending" and isinstance(line.effect.message, TemplateMessage) for line in lines)


def _refused(tx: Transaction, customer: Customer, line: OutboxLine, *, reason: str, now: datetime) -> Customer:
    effect = line.effect
    if not tx.outbox.settle([Outcome(effect_id=effect.effect_id, verdict="refused", reason=reason)]):
        return customer
    fields = receipt_fields(effect, reason=reason, planned_at=line.planned_at)
    told = receipt(effect, "send.refused", at=now, fields=fields)
    tx.lanes.ingest((), received_at=now, addressed=((customer.customer_id, told),))
    refusal = ledger.Refusal(effect_id=effect.effect_id, reason=reason)
    return ledger.record_refused(customer, effect.conversation_id, refusal)
