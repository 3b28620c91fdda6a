"""The story of one customer: what happened, what was decided on it, what became of every message, what is next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.core.effects import Trace
from bot.core.ids import CustomerId, EffectId, EventId
from bot.runtime.why.happenings import happening, late
from bot.runtime.why.hindering import Hindrances, look
from bot.runtime.why.joining import Joined, join
from bot.runtime.why.line import SHANGHAI, Line, Wall, read_moment, shortened
from bot.runtime.why.losses import losses
from bot.runtime.why.outcomes import outcome
from bot.runtime.why.spoilt import unreadable
from bot.runtime.why.standing import Present, standing, standing_still
from bot.runtime.why.wording import sentence
from bot.storage import InboxLine, JournalLine, Lane, OutboxLine, Parked, Transaction

EPISODES = 50
"""Episodes that are told unless the caller says otherwise."""
READ_MAX = 500
"""Lines of one kind that storage gives at most; a limit beyond is cut to it, and the story says so."""

_JOURNAL_KINDS = {
    "dispatch": "发送前再查一次",
    "timer": "定时器到点",
    "operator": "运营处理",
    "segment": "按时间核对人群",
}
_MAY_ARRIVE = frozenset({"sending", "sent", "delivered", "unknown"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One thing that happened, and what followed at once. A line of kind `send` belongs to the one before it.

    `told` is empty while the event waits to be dealt with.
    """

    happened: Line
    told: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Episodes in the order in which they were dealt with, then what waits; `present` is how things stand at `at`.

    `identities` are (channel, account, id on the platform). `cut`: earlier episodes exist and are not told.
    """

    customer_id: CustomerId
    identities: tuple[tuple[str, str, str], ...]
    episodes: tuple[Episode, ...]
    present: tuple[Line, ...]
    at: datetime
    zone: ZoneInfo
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Records:
    """Everything that was read. `journal` holds only what is told; `cut`: there is more of it."""

    journal: tuple[JournalLine, ...]
    inbox: dict[EventId, InboxLine]
    sends: tuple[OutboxLine, ...]
    parked: Parked | None
    hindrances: Hindrances
    cut: bool


def tell(tx: Transaction, customer_id: CustomerId, *, limit: int = EPISODES, zone: ZoneInfo = SHANGHAI) -> Story:
    """The story of this customer: the latest `limit` steps, everything that waits, and how things stand.

    Reads only. A customer without any record has an empty story. Moments in texts are told in `zone`.
    """
    wall = Wall(zone=zone, near=tx.now)
    records = _read(tx, customer_id, limit, wall)
    customer = tx.customers.load_readable([customer_id]).get(customer_id)
    held = tx.deciding.held(Lane(customer_id)) if records.parked else 0
    present = tuple(standing_still(records.parked, held, wall))
    if customer is not None:
        now = Present(
            customer=customer,
            lead=tx.reading.lead_of(customer_id),
            tasks=tx.reading.tasks_of(customer_id),
            sends=records.sends,
            now=tx.now,
            hindrances=records.hindrances,
            losses=losses(tx, customer_id, wall),
            errands=tx.errands.of_customer(customer_id),
        )
        present += standing(now, wall)
    return Story(
        customer_id=customer_id,
        identities=tx.reading.identities_of(customer_id),
        episodes=(*_stepped(records, wall), *_unstepped(records, wall)),
        present=(*present, *unreadable(tx.spoilt.take(), customer_id, wall)),
        at=tx.now,
        zone=zone,
        cut=records.cut,
    )


def _read(tx: Transaction, customer_id: CustomerId, limit: int, wall: Wall) -> _Records:
    """One step more than is told is read, to know whether there are earlier ones."""
    wanted = max(1, min(limit, READ_MAX - 1))
    journal = tx.reading.journal_of(customer_id, limit=wanted + 1)
    sends = tx.reading.outbox_of(customer_id)
    return _Records(
        journal=journal[-wanted:],
        inbox={line.event.event_id: line for line in tx.reading.inbox_of(customer_id)},
        sends=sends,
        hindrances=look(tx, journal, sends, wall),
        parked=tx.reading.parked_of(customer_id),
        cut=len(journal) > wanted,
    )


def _stepped(records: _Records, wall: Wall) -> list[Episode]:
    joined = join(records.journal, records.sends)
    opted_out = [line.at for line in records.journal for trace in line.entries if trace.kind == "opt_out"]
    sends = {row.effect.effect_id: _send(row, opted_out, records.hindrances, wall) for row in records.sends}
    return [_episode(step, records, sends, wall) for step in joined]


def _send(row: OutboxLine, opted_out: Sequence[datetime], hindrances: Hindrances, wall: Wall) -> Line:
    """The row's line; what was already on its way when the customer opted out is owned up to (delivery.md 3.7)."""
    line = outcome(row, now=hindrances.now, wall=wall, hindrance=hindrances.of(row))
    if row.effect.send_class != "staff" and any(_on_its_way(row, at) for at in opted_out):
        return replace(line, text=f"{line.text}；客户退订时它已在发送途中，可能仍会收到")
    return line


def _on_its_way(row: OutboxLine, at: datetime) -> bool:
    began = row.started_at is not None and row.started_at <= at
    return began and row.state in _MAY_ARRIVE and (row.settled_at is None or row.settled_at > at)


def _episode(step: Joined, records: _Records, sends: Mapping[EffectId, Line], wall: Wall) -> Episode:
    line = step.line
    told: list[Line] = []
    for place, trace in enumerate(line.entries):
        if trace.kind == "timer":
            continue  # it is the headline
        said = sentence(trace, wall)
        told.append(said)
        planned = step.by_trace.get(place, [])
        told += [sends[effect_id] for effect_id in planned]
        if not planned and said.kind == "planned" and said.effect:
            told.append(_lost(said, records))
    if step.unexplained:
        told.append(Line(kind="unexplained", text="还发了（流水没有写明由哪条规则）"))
        told += [sends[effect_id] for effect_id in step.unexplained]
    if not told:
        told.append(Line(kind="nothing", text="没有旅程、关键词或规则对此作出反应"))
    return Episode(
        happened=_stamped(_headline(line, records, wall), line), told=tuple(_stamped(one, line) for one in told)
    )


def _stamped(said: Line, line: JournalLine) -> Line:
    return replace(said, at=said.at or line.at, event=said.event or line.event_id or "")


def _lost(planned: Line, records: _Records) -> Line:
    if len(records.sends) >= READ_MAX:
        return replace(planned, kind="send", text="发件记录太早，没有读取", tone="info", outcome="not_read")
    return replace(planned, kind="send", text="在发件箱里没有找到它，去向不明", tone="no", outcome="missing")


def _headline(line: JournalLine, records: _Records, wall: Wall) -> Line:
    fired = next((trace for trace in line.entries if trace.kind == "timer"), None)
    if fired is not None:
        return _timer(fired, line, records, wall)
    if line.kind != "event":
        return Line(kind=line.kind, text=_JOURNAL_KINDS.get(line.kind, line.kind))
    arrived = records.inbox.get(line.event_id) if line.event_id else None
    if arrived is None:
        return Line(kind="event", text="一件事情（原始记录太早，已过保留期或没有读取）")
    return happening(arrived.event, wall=wall, dealt_at=line.at)


def _timer(fired: Trace, line: JournalLine, records: _Records, wall: Wall) -> Line:
    """The timer that fired, with the journey it belongs to, where a step that is told names it."""
    said = sentence(fired, wall)
    traces = (trace for other in records.journal for trace in other.entries if trace.enrolment_id is not None)
    journey = next((trace.journey for trace in traces if trace.enrolment_id == fired.detail.get("owner")), "")
    due_at = read_moment(fired.detail.get("due_at"))
    text = said.text + (late(due_at, line.at, wall) if due_at else "")
    return replace(said, journey=journey, text=f"{journey}：{text}" if journey else text)


def _unstepped(records: _Records, wall: Wall) -> list[Episode]:
    waiting = (line for line in records.inbox.values() if line.consumed_at is None)
    return [Episode(happened=_waiting(line, records.parked, wall)) for line in waiting]


def _waiting(line: InboxLine, parked: Parked | None, wall: Wall) -> Line:
    happened = happening(line.event, wall=wall)
    if parked is None:
        return replace(happened, text=f"{happened.text}，还没有处理", outcome="waiting")
    if parked.seq == line.seq:
        text = f"{happened.text}，处理时程序出错（{shortened(parked.reason)}），停在这里"
        return replace(happened, text=text, tone="no", outcome="parked")
    return replace(happened, text=f"{happened.text}，排在出错的事情后面，还没有处理", outcome="waiting")
