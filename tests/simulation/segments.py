"""What a customer's row says of segments: looked at when what they read changed, as they hold then, and told once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from bot.core.audiences import Audiences, audiences_of
from bot.core.customer import Customer
from bot.core.segments import Looker, changes
from bot.core.step.entering import SEGMENT_ENTERED
from bot.storage import Moment
from bot.storage.audience import AudienceRows
from tests.simulation.rows import Line, entered

if TYPE_CHECKING:
    from tests.simulation.watch import Change, Ledger


def only_segments_changed(before: Customer, after: Customer) -> bool:
    """Whether a customer differs in nothing but what was found out about segments."""
    return replace(after, version=before.version, segments=before.segments) == before


def misjudged(
    ledger: "Ledger", before: Customer, after: Customer, *, happened: Sequence[str], at: datetime
) -> Iterator[str]:
    """Segments of which `after` says what is not so, or that were not looked at though what they read has changed.

    `happened`: types of the events since `before`. To be asked in the transaction that wrote `after`.
    """
    audiences = ledger.program.kept(Audiences, audiences_of)
    if not audiences.watched:
        return
    reads = {*changes(before, after), *(f"event:{kind}" for kind in happened)}
    looker = _looker(ledger, after, at)
    for one in audiences.watched:
        was, found = before.segments.get(one.key), after.segments.get(one.key)
        if (found != was or reads & one.reads) and found != looker.holds(one, after):
            yield f"customer {after.customer_id} is kept as {found} in segment {one.segment}, which is not so"


def untold(change: "Change", customer_id: int, lines: Sequence[Line]) -> Iterator[str]:
    """Segments that she came into by the journal, and her lane was not told, or the other way round."""
    new = (row.event for before, row in change.heard if before is None and row.lane == customer_id)
    told = sorted(str(event.fields.get("segment")) for event in new if event.type == SEGMENT_ENTERED)
    came = sorted(segment for line in lines for segment in entered(line))
    if told != came:
        yield f"customer {customer_id} came into {came}, and her lane was told of {told}"


def _looker(ledger: "Ledger", customer: Customer, at: datetime) -> Looker:
    rows = AudienceRows(ledger.disk.inside)  # type: ignore[arg-type]  # does all that is asked of a connection
    ground = ledger.program.kept(Audiences, audiences_of).ground
    moment = Moment(now=at, zone=ledger.program.zone)
    return Looker(
        program=ledger.program,
        now=at,
        answer=lambda calls: rows.answers(customer.customer_id, calls, ground, moment),
    )
