"""Lanes that stand still, and what is set aside because it does not open: one way for all loops.

A customer's lane is parked, and what was met of it rests until an operator lets it go on. What belongs to no customer's
order rests alone: a message to our own people as one of unknown fate, an event of an account in quarantine.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog

from bot.errors import Spoilt
from bot.runtime.bugs import kind_of, place_of, trace_of
from bot.storage import Lane, SpoiltRow, Transaction

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parking:
    """A lane that stands still from now on, because of `bug`. `seq`: the event in hand, None: a timer."""

    lane: Lane
    seq: int | None
    bug: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """Rows that a transaction set aside, and the lanes that it parked over them."""

    rows: tuple[SpoiltRow, ...] = ()
    parked: tuple[Parking, ...] = ()


NOTHING = Aside()


def park(tx: Transaction, parking: Parking) -> None:
    """Let the lane stand still until somebody has looked at it. The row says what happened where, and no values."""
    reason = f"{_kind_of(parking.bug)} at {place_of(parking.bug)}"
    tx.lanes.park(parking.lane, seq=parking.seq, reason=" ".join(reason.split()))


def _kind_of(bug: Exception) -> str:
    """As `kind_of`; of a row that does not open what `why` has words for."""
    return f"{type(bug).__name__}: {bug.kind} {bug.key_version}" if isinstance(bug, Spoilt) else kind_of(bug)


def set_aside(tx: Transaction, met: Sequence[SpoiltRow] | None = None) -> Aside:
    """Set aside what this transaction's work has met that does not open, or `met`; nothing of it is lost.

    Called at the end of every job that claims or leases: whatever it leaves behind would be met again at once.
    """
    rows = tuple(row for row in (tx.spoilt.take() if met is None else met) if row.met != "read")
    if not rows:
        return NOTHING
    parked: dict[Lane, Parking] = {}
    for row in rows:
        _rest(tx, row)
        if row.lane > 0 and not row.is_staff and row.lane not in parked and tx.reading.parked_of(row.lane) is None:
            seq = row.seq if row.table == "inbox" else None
            parked[row.lane] = Parking(lane=row.lane, seq=seq, bug=row.error)
            park(tx, parked[row.lane])
    return Aside(rows=rows, parked=tuple(parked.values()))


def _rest(tx: Transaction, row: SpoiltRow) -> None:
    match row.table:
        case "outbox" | "errands":
            tx.spoilt.withhold(row)
        case "inbox" if row.lane < 0:
            tx.lanes.put_aside(row.seq, why=row.error.what)
        case _:
            return  # it waits in its lane, which is parked


def tell_aside(aside: Aside) -> None:
    """Say it in the log, once it is committed."""
    for row in aside.rows:
        log.error("row_unreadable", table=row.table, row=row.name, why=kind_of(row.error))
    tell_parked(aside.parked)


def tell_parked(parkings: Iterable[Parking]) -> None:
    """Say which lanes stand still, once that is committed."""
    for parking in parkings:
        bug = parking.bug
        log.error(
            "lane_parked",
            lane=parking.lane,
            seq=parking.seq,
            why=kind_of(bug),
            place=place_of(bug),
            trace=trace_of(bug),
        )
