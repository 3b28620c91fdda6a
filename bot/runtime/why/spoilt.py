"""Wording of what does not open: that it is there, what is known of it, and that it cannot be read."""

from collections.abc import Iterator, Mapping, Sequence

from bot.core.ids import CustomerId
from bot.runtime.why.line import Line, Wall, shortened
from bot.runtime.why.names import content_name
from bot.runtime.why.reasons import unopened
from bot.storage import SpoiltRow
from bot.storage.rows import SealedTable

_WHAT: Mapping[SealedTable, str] = {
    "inbox": "{at} 收到的一件事情（{what}）",
    "outbox": "{at} 计划的消息 {what}",
    "errands": "{at} 的一件委托（{what}）",
    "customers": "这位客户自己的记录",
    "leads": "线索",
    "tasks": "{at} 的一项任务",
    "journal": "{at} 的一步流水",
}
_STANDS = {
    "waiting": "，还没有处理",
    "ready": "，还没有发出或去做",
    "withheld": "，先放在一边，没有丢；恢复密钥后放开泳道或再发，不要了：zhitu retry leave {name}",
    "unknown": "，不知道是否送达或做成；不要了：zhitu retry leave {name}",
}


def unreadable(rows: Sequence[SpoiltRow], customer_id: CustomerId, wall: Wall) -> Iterator[Line]:
    """Lines of kind unreadable, one for each of this customer's rows that does not open."""
    for row in rows:
        if int(row.lane) == int(customer_id) and row.table in _WHAT:
            yield _line(row, wall)


def _line(row: SpoiltRow, wall: Wall) -> Line:
    kind = content_name(row.what) if row.table == "outbox" else row.what
    what = _WHAT[row.table].format(at=wall.moment(row.at), what=shortened(kind))
    stands = _STANDS.get(row.state, "").format(name=row.name)
    return Line(
        kind="unreadable",
        text=f"{what} 打不开：{unopened(row.error)}{stands}",
        tone="no",
        at=row.at,
        effect=row.name if row.table in ("outbox", "errands") else "",
        event=row.name if row.table == "inbox" else "",
        content=row.what if row.table == "outbox" else "",
        outcome=row.state,
    )
