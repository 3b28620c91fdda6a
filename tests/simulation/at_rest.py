"""What must be true once the faults are over and time has gone on: nothing is left to do, and nothing was lost."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.storage.moments import micros
from tests.simulation.partner import unbalanced

if TYPE_CHECKING:
    from tests.simulation.watch import Watch

FORGOTTEN_AFTER = timedelta(days=7)


def left_over(watch: "Watch") -> Iterator[str]:
    """Everything that still waits, or disagrees with what the platforms saw."""
    yield from _idle(watch)
    yield from _consumed(watch)
    yield from _nothing_due(watch)
    yield from _books_agree(watch)
    yield from unbalanced(watch.disk, watch.partner)


def _idle(watch: "Watch") -> Iterator[str]:
    running = watch.product.running
    if running is None:
        yield "the product is not up at the end"
        return
    if running.engine.outbox.busy:
        yield "a send is still under way at the end"
    if running.storage.depth:
        yield "the writer still has work at the end"


def _consumed(watch: "Watch") -> Iterator[str]:
    for event_id in watch.ledger.acknowledged:
        rows = watch.disk.rows("SELECT consumed_at FROM inbox WHERE event_id = ?", event_id)
        event = watch.ledger.events.get(event_id)
        old = event is not None and event.occurred_at < watch.clock.now() - FORGOTTEN_AFTER
        if not rows and not old:
            yield f"event {event_id[:12]} was acknowledged and is lost"
    for (count,) in watch.disk.rows("SELECT count(*) FROM inbox WHERE consumed_at IS NULL"):
        if count:
            yield f"{count} events are not consumed at the end"
    for lane, reason in watch.disk.rows("SELECT lane, reason FROM parked"):
        yield f"lane {lane} is parked at the end: {reason}"


def _nothing_due(watch: "Watch") -> Iterator[str]:
    now = micros(watch.clock.now())
    for customer, due_at in watch.disk.rows("SELECT customer_id, due_at FROM timers WHERE due_at <= ?", now):
        yield f"a timer of customer {customer} is due since {(now - due_at) / 1e6:.0f} s at the end"
    waiting = "SELECT seq, content, state FROM outbox WHERE state IN ('leased', 'sending')"
    waiting += " OR (state = 'ready' AND (holds = 1 OR not_before <= ? OR expires_at <= ?))"
    for seq, content, state in watch.disk.rows(waiting, now, now):
        yield f"message {seq} ({content}) is {state} at the end"


def _books_agree(watch: "Watch") -> Iterator[str]:
    """accepted <= sent + unknown, and whatever counts as sent was accepted."""
    for send in watch.ledger.sends.values():
        effect = send.effect
        accepted = bool(watch.ledger.receipts.get(effect.effect_id))
        if accepted and send.state not in ("sent", "delivered", "unknown", "refused"):
            yield f"{effect.content} {effect.effect_id[:8]} was accepted and is {send.state}"
        if not accepted and send.state in ("sent", "delivered"):
            yield f"{effect.content} {effect.effect_id[:8]} is {send.state} and was never accepted"
        if send.state == "unknown" and not watch.faults:
            yield f"{effect.content} {effect.effect_id[:8]} is unknown, though nothing went wrong"
    counted = dict(watch.disk.rows("SELECT state, count(*) FROM outbox GROUP BY state"))
    if sum(counted.values()) != len(watch.ledger.sends):
        yield f"the outbox has {sum(counted.values())} rows, {len(watch.ledger.sends)} were written"
