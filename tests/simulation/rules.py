"""The invariants that hold of every job of the product, and of every message that a platform accepts."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from bot.core import errands, windows
from bot.core.customer import Customer, Human
from bot.core.effects import SendMessage
from bot.core.messages import TemplateMessage
from bot.runtime.stepping import timer_event_id
from tests.simulation.platforms import Platforms
from tests.simulation.replay import REPORT, differs, only_ledger_changed, replayed, sends
from tests.simulation.rows import FLYING, Heard, Line, Send
from tests.simulation.segments import misjudged, only_segments_changed, untold
from tests.simulation.storage import ticks_of
from tests.unit.step.invariants import broken

if TYPE_CHECKING:
    from tests.simulation.watch import Change, Ledger

LEGAL: dict[str, frozenset[str]] = {
    "": frozenset({"ready", "suppressed"}),
    "ready": frozenset({"ready", "leased", "suppressed", "expired"}),
    "leased": frozenset({"leased", "ready", "sending", "suppressed", "expired", "refused"}),
    "sending": frozenset({"sending", "ready", "sent", "unknown", "refused", "delivered"}),
    "unknown": frozenset({"unknown", "ready", "sent", "refused", "delivered"}),
    "sent": frozenset({"sent", "delivered", "refused"}),
}
"""What a row of the outbox may become in one job (delivery.md 3.1). What is not here stays as it is."""
BAD_ENDS = frozenset(
    {("sending", "refused"), ("sending", "unknown"), ("sent", "refused"), ("ready", "expired"), ("leased", "refused")}
)
PERSISTENT = ("reminder", "marketing")
SHANGHAI = timezone(timedelta(hours=8))
QUIET = (21 * 60, 9 * 60)
WELCOME = "welcome"
WELCOME_AGAIN_S = 30 * 24 * 3600.0
CLOSE_S = timedelta(seconds=2)
"""CreateTime has whole seconds: events that lie closer count as written at once."""


def broken_by(ledger: "Ledger", change: "Change") -> Iterator[str]:
    """What one job broke."""
    ledger.jobs += 1
    for before, after in change.heard:
        yield from _heard(ledger, before, after)
    for sent, send in change.sends:
        yield from _moved(ledger, sent, send)
    yield from _told_of(change)
    yield from _stepped(ledger, change)
    for number, reason in change.parked:
        yield f"lane {number} was parked, and nobody put poison in it: {reason}"


def told(change: "Change") -> Iterator[str]:
    """The change in words, for the log."""
    for _, after in change.heard:
        yield f"inbox {after.seq} {after.event.type} lane={after.lane} {'consumed' if after.consumed else 'new'}"
    for sent, send in change.sends:
        was = sent.state if sent else "new"
        yield f"outbox {send.seq} {send.effect.effect_id[:8]} {send.effect.content} {was}->{send.state}"
    for _, customer in change.customers:
        states = " ".join(f"{run.journey}.{run.state}/{run.visit}" for run in customer.enrolments.values())
        yield f"customer {customer.customer_id} v{customer.version} {states}"
    for line in change.lines:
        yield f"journal {line.customer_id} {line.kind} {line.event_id[:12]}"


def _heard(ledger: "Ledger", before: Heard | None, after: Heard) -> Iterator[str]:
    """Events of a lane are consumed in the order in which they stand.

    But for an advisor's words that are carried into the lane by the very job that steps what the buyer wrote after
    them: nobody hears of the two at the same end.
    """
    if before is None:
        ledger.seen_in[after.event.event_id] = ledger.jobs
    elif before.lane < 0 < after.lane:
        ledger.carried_in[after.seq] = ledger.jobs
    if after.lane < 0 or not after.consumed or (before is not None and before.consumed):
        return
    for row in ledger.heard.values():
        stood_before = row.lane == after.lane and row.seq < after.seq and not row.consumed
        if stood_before and ledger.carried_in.get(row.seq) != ledger.jobs:
            yield f"event {after.seq} of lane {after.lane} was consumed before {row.seq}"


def _moved(ledger: "Ledger", before: Send | None, after: Send) -> Iterator[str]:
    was = before.state if before else ""
    name = f"{after.effect.content} {after.effect.effect_id[:8]}"
    given_up = was in ("ready", "leased") and after.state == "unknown" and after.repeats > 0
    if after.state not in LEGAL.get(was, frozenset({was})) and not given_up:
        yield f"{name} went from {was or 'nowhere'} to {after.state}"
    if was == "ready" and after.state == "leased":
        yield from _leased(ledger, after, name)
    if was == "leased" and after.state == "sending":
        yield from _begun(ledger, after, name)


def _told_of(change: "Change") -> Iterator[str]:
    """Settling a send and inserting its receipt event are one transaction (delivery.md 3.6)."""
    told = {row.event.fields.get("effect_id") for before, row in change.heard if before is None}
    for before, after in change.sends:
        was = before.state if before else ""
        ended = (was, after.state) in BAD_ENDS
        if ended and after.customer_id > 0 and after.effect.effect_id not in told:
            yield f"{after.effect.content} {after.effect.effect_id[:8]} is {after.state}, and its lane was not told"


def _leased(ledger: "Ledger", row: Send, name: str) -> Iterator[str]:
    """Only the head of a conversation is leased, and only one (delivery.md 2.4)."""
    now = ledger.clock.now()
    for other in ledger.sends.values():
        if other.effect.conversation_id != row.effect.conversation_id or other.seq == row.seq:
            continue
        if other.state in FLYING:
            yield f"{name} was leased while {other.effect.content} of its conversation is {other.state}"
        lives = other.expires_at is None or other.expires_at > now
        waits = other.state == "ready" and lives and (other.not_before <= now or other.holds)
        if waits and other.seq < row.seq:
            yield f"{name} was leased before {other.effect.content}, which stands before it"


def _begun(ledger: "Ledger", row: Send, name: str) -> Iterator[str]:
    now, effect = ledger.clock.now(), row.effect
    if row.leased_until is None or row.leased_until <= ticks_of(ledger.loop):
        yield f"{name} was begun when its lease was over"
    if row.expires_at is not None and row.expires_at <= now:
        yield f"{name} was begun after it expired"
    customer = ledger.customers.get(row.customer_id)
    if effect.send_class == "staff" or customer is None:
        return
    yield from _unwanted(customer, row, now, name)
    if effect.send_class in PERSISTENT and _is_quiet(ledger, effect.journey, now):
        yield f"{name} was begun in quiet hours"


def _is_quiet(ledger: "Ledger", journey: str, now: datetime) -> bool:
    """Whether nothing may come by itself now. Hours of a journey's own stand in the place of everybody's."""
    rules = ledger.program.rules.journeys.get(journey)
    minutes = now.astimezone(SHANGHAI).hour * 60 + now.astimezone(SHANGHAI).minute
    begins, ends = QUIET
    if rules is not None and rules.quiet is not None:
        begins, ends = (at.hour * 60 + at.minute for at in (rules.quiet.begins, rules.quiet.ends))
    return begins <= minutes < ends if begins <= ends else not ends <= minutes < begins


def _unwanted(customer: Customer, row: Send, now: datetime, name: str) -> Iterator[str]:
    """Nothing after an opt-out that was committed; the bot is silent while a human has the floor."""
    effect = row.effect
    opt_outs = [at for scope, at in customer.opt_outs.items() if scope in ("all", effect.send_class)]
    if opt_outs and effect.send_class in PERSISTENT:
        yield f"{name} was begun after an opt-out"
    if opt_outs and effect.send_class == "service" and (not effect.reply or max(opt_outs) > row.planned_at):
        yield f"{name} was begun after an opt-out, and it is no answer"
    talk = customer.conversations.get(effect.conversation_id)
    humans = [one.human for one in customer.conversations.values() if _talks(one.human, now)]
    if humans and effect.send_class in PERSISTENT:
        yield f"{name} was begun while a colleague talks"
    if talk is not None and _talks(talk.human, now) and effect.send_class == "service" and not effect.reply:
        yield f"{name} was begun while a colleague has the floor"


def _talks(human: Human | None, now: datetime) -> bool:
    return human is not None and human.until > now


def _stepped(ledger: "Ledger", change: "Change") -> Iterator[str]:
    new: set[str] = {send.effect.effect_id for before, send in change.sends if before is None}
    for before, after in change.customers:
        if before is None:
            if after.version == 0:
                continue
            before = Customer(customer_id=after.customer_id, version=0)
        yield from broken(after, ledger.program)
        yield from _visits(before, after)
        lines = [line for line in change.lines if line.customer_id == after.customer_id and line.kind != "dispatch"]
        yield from untold(change, after.customer_id, lines)
        steps = [line for line in lines if line.kind in ("event", "timer")]
        if steps:
            yield from _replays(ledger, steps, before, after, new)
        elif only_segments_changed(before, after):
            yield from misjudged(ledger, before, after, happened=(), at=ledger.clock.now())
        elif not only_ledger_changed(before, after):
            yield f"dispatch changed more than the ledger of customer {after.customer_id}"


def _visits(before: Customer, after: Customer) -> Iterator[str]:
    for key, run in after.enrolments.items():
        known = before.enrolments.get(key)
        if known is not None and run.visit < known.visit:
            yield f"{run.journey} of customer {after.customer_id} went back from visit {known.visit} to {run.visit}"


def _replays(
    ledger: "Ledger", lines: Sequence[Line], before: Customer, after: Customer, new: set[str]
) -> Iterator[str]:
    """The journal's steps, made again, lead to the same customer and the same messages."""
    yield from _timers_wait(ledger, lines, before)
    replay = replayed(ledger.program, before, lines, ledger.events)
    yield from replay.faults
    yield from misjudged(ledger, before, after, happened=replay.happened, at=lines[-1].at)
    reported = any(_is_report(ledger, line) for line in lines)
    if not reported and differs(replay.customer, after):
        yield f"replaying the journal does not lead to customer {after.customer_id} as she is stored"
    for line, effect in sends(replay.effects):
        ledger.caused_by[effect.effect_id] = line.event_id
        if effect.effect_id not in new:
            yield f"{effect.content} {effect.effect_id[:8]} was planned and has no row of its own"
        new.discard(effect.effect_id)


def _is_report(ledger: "Ledger", line: Line) -> bool:
    event = ledger.events.get(line.event_id)
    return event is not None and event.type == REPORT


def _timers_wait(ledger: "Ledger", lines: Sequence[Line], before: Customer) -> Iterator[str]:
    """A timer fires only when everything that happened before it was stepped (delivery.md 2.3)."""
    fired = ledger.fired.setdefault(before.customer_id, [])
    # Timers that are set and fire within one job are not known here: nothing can have come in between.
    ledger.due |= {(before.customer_id, timer_event_id(timer)): timer.due_at for timer in before.timers}
    for line in lines:
        if line.kind == "timer":
            fired.append((ledger.jobs, line.at, line.event_id))
            continue
        event = ledger.events.get(line.event_id)
        if event is None:
            continue
        seen_in = ledger.seen_in.get(line.event_id, ledger.jobs)
        for job, at, name in fired:
            due_at = ledger.due.get((before.customer_id, name))
            if seen_in < job and due_at is not None and event.occurred_at <= due_at and event.occurred_at <= at:
                yield f"{name} fired before {event.type}, which had come in and happened before it was due"


def accepted(ledger: "Ledger", effect: SendMessage, *, receipt: str) -> Iterator[str]:
    """What is wrong when a platform accepts this message now. `receipt`: the platform's number for it."""
    name, now = f"{effect.content} {effect.effect_id[:8]}", ledger.loop.time()
    seq = ledger.effects.get(effect.effect_id)
    row = ledger.sends.get(seq) if seq is not None else None
    if row is None:
        yield f"{name} was accepted and is in no outbox"
        return
    if row.attempts == 0:
        yield f"{name} was accepted before it was begun"
    receipts = ledger.receipts.setdefault(effect.effect_id, [])
    if isinstance(effect.message, TemplateMessage) and receipt in receipts:
        return
    receipts.append(receipt)
    if len(receipts) == 1:
        yield from _in_order(ledger, row, name)
        yield from _welcomed_once(ledger, row, now)
    elif isinstance(effect.message, TemplateMessage):
        yield f"{name} was accepted {len(receipts)} times at an endpoint with a key"
    elif effect.delivery == "at_most_once" or len(receipts) > 2 or row.repeats == 0:
        yield f"{name} was accepted {len(receipts)} times and may be repeated {row.repeats} times"


def _in_order(ledger: "Ledger", row: Send, name: str) -> Iterator[str]:
    """Answers leave in the order of what they answer, where one was acknowledged before the next was written.

    How an errand ended is no word of hers, and it bears our clock, which may be ahead of the platform's.
    """
    effect = row.effect
    cause = ledger.events.get(ledger.caused_by.get(effect.effect_id, ""))
    if cause is None or row.state != "sending" or effect.send_class in (*PERSISTENT, "staff"):
        return
    if cause.type in (errands.DONE, errands.FAILED):
        return
    answered = ledger.answered.setdefault(effect.conversation_id, [])
    heard_at = ledger.acknowledged.get(cause.event_id)
    for later in answered:
        written_at = (later.occurred_at - ledger.began_at - CLOSE_S).total_seconds()
        if heard_at is not None and heard_at < written_at and later.occurred_at > cause.occurred_at:
            yield f"{name}, an answer to {cause.type}, left after the answer to a later {later.type}"
    answered.append(cause)


def _welcomed_once(ledger: "Ledger", row: Send, now: float) -> Iterator[str]:
    if row.effect.content != WELCOME:
        return
    last = ledger.welcomed.get(row.customer_id)
    ledger.welcomed[row.customer_id] = now
    if last is not None and now - last < WELCOME_AGAIN_S:
        yield f"customer {row.customer_id} was welcomed twice"


def overdrawn(ledger: "Ledger", customer: Customer, platforms: Platforms) -> Iterator[str]:
    """Our ledger never allows more than the platform does, once both know the same and have one time."""
    if ledger.clock.ahead:
        return
    now = ledger.clock.now()
    for talk in customer.conversations.values():
        openid = talk.external_id
        if talk.channel != "oa" or not talk.reachable or platforms.callbacks_wait(openid) or openid in ledger.unsure:
            continue
        waiting = any(row.lane == customer.customer_id and not row.consumed for row in ledger.heard.values())
        rows = (row for row in ledger.sends.values() if row.effect.conversation_id == talk.conversation_id)
        if waiting or ledger.in_air.get(talk.conversation_id) or any(row.state in FLYING for row in rows):
            continue
        ours, theirs = windows.left(talk, now), platforms.left(openid)
        if ours > theirs:
            yield f"customer {customer.customer_id} may get {ours} messages by our ledger, {theirs} by the platform"
