"""What may be missing from a customer's story: callbacks turned away, and callbacks that could not be read."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.core.ids import CustomerId
from bot.errors import Unreadable
from bot.runtime.quarantine import read_back
from bot.runtime.why.line import Line, Wall, shortened
from bot.storage import Gap, Quarantined, Transaction

LOOK_BACK = timedelta(days=7)
"""Gaps that are mended are told for as long as the events beside them are kept."""
QUARANTINE_MAX = 200
"""Quarantined callbacks that are looked through, the oldest first."""


def losses(tx: Transaction, customer_id: CustomerId, wall: Wall) -> tuple[Line, ...]:
    """Lines of kind gap and quarantine about the accounts that this customer is known to."""
    names = {(channel, account): external_id for channel, account, external_id in tx.reading.identities_of(customer_id)}
    gaps = [gap for gap in tx.gaps.since(tx.now - LOOK_BACK) if (gap.channel, gap.account) in names]
    kept = [row for row in tx.deciding.quarantined(QUARANTINE_MAX) if (row.channel, row.account) in names]
    own = [row for row in kept if _sender(row) == names[row.channel, row.account]]
    return (*(_gap(gap, wall) for gap in reversed(gaps)), *(_own(row, wall) for row in own), *_unread(kept))


def _gap(gap: Gap, wall: Wall) -> Line:
    span = f"{wall.moment(gap.since)} 到 {wall.moment(gap.until)}"
    mended = "；之后已向平台核对关注状态，那段时间的来信平台不会再给" if gap.reconciled_at else "；还没有向平台核对完"
    text = f"{gap.channel}:{gap.account} 在 {span} 之间没能收下 {gap.turned_away} 个回调，来信可能有遗漏{mended}"
    return Line(kind="gap", text=text, tone="no", at=gap.since, outcome="mended" if gap.reconciled_at else "open")


def _own(row: Quarantined, wall: Wall) -> Line:
    text = f"这位客户 {wall.moment(row.received_at)} 的一件事没能写下（{shortened(row.why)}），在隔离区里：{_cure(row)}"
    return Line(kind="quarantine", text=text, tone="no", at=row.received_at, outcome="own")


def _unread(kept: Sequence[Quarantined]) -> Iterator[Line]:
    counts = Counter((row.channel, row.account) for row in kept if row.form == "body")
    for (channel, account), count in sorted(counts.items()):
        cure = "zhitu retry quarantine --all"
        text = f"{channel}:{account} 有 {count} 个回调没能读懂，在隔离区里，其中可能有这位客户的：{cure}"
        yield Line(kind="quarantine", text=text, tone="no", outcome="unread")


def _cure(row: Quarantined) -> str:
    return f"zhitu retry quarantine {row.quarantine_id[:12]}"


def _sender(row: Quarantined) -> str:
    """Whose event a row is; empty for a body that was not read."""
    if row.form != "event":
        return ""
    try:
        return read_back(row).sender
    except Unreadable:
        return ""
